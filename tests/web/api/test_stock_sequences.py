"""The calls of subscription-manager 1.30, in their order, to a real server over TLS (reference: its call sequences)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from makers.api import ApiClient
from makers.serving import KEY, REPOMD
from makers.towns import Town

from issbox.certs.decode import CertificateKind, decode_certificate
from issbox.model import CertificateType
from issbox.workflows.content import catalog
from issbox.workflows.environments.promoting import plan_demotion, plan_repository_promotion, promote
from issbox.workflows.hosts import consumers

FACTS = {"system.certificate_version": "3.2", "uname.machine": "x86_64", "net.interface.lo": None, "cpu.count": 4}


def body(name: str = "web1", **more: Any) -> dict[str, Any]:
    """Give what the stock client sends when it registers."""
    return {
        "type": "system",
        "name": name,
        "facts": FACTS,
        "contentTags": [],
        "role": "",
        "addOns": [],
        "usage": "",
        "serviceLevel": "",
        "cryptographicCapabilities": {"keyAlgorithms": [], "signatureAlgorithms": []},
        **more,
    }


def register(town: Town, *places: str, **more: Any) -> tuple[dict[str, Any], ApiClient]:
    """Register by user and password into these environments, as with --environments."""
    user = town.by_password("alice")
    assert "multi_environment" in town.nobody().get("/status").good()["managerCapabilities"]
    links = {each["rel"] for each in town.nobody().get("/").good()}
    assert {"environments", "content_overrides"} <= links
    assert not {"packages", "profiles"} & links
    known = {each["name"]: each["id"] for each in user.get("/owners/acme/environments").good()}
    wanted = [{"id": known[each]} for each in places]
    found = user.post("/consumers", body(environments=wanted, **more), owner="acme").good()
    return found, town.host(found)


def fetch(host: ApiClient, uuid: str) -> list[str]:
    """Ask as the stock client does after it has registered or when it refreshes; give the certificates."""
    host.get("/status").good()
    serials = [each["serial"] for each in host.get(f"/consumers/{uuid}/certificates/serials").good()]
    assert all(isinstance(each, int) for each in serials)
    named = ",".join(str(each) for each in serials)
    found = host.get(f"/consumers/{uuid}/certificates", serials=named).good()
    assert [each["serial"]["serial"] for each in found] == serials
    assert all(each["key"].startswith("-----BEGIN") for each in found)
    host.get(f"/consumers/{uuid}/content_overrides").good()
    return [each["cert"] for each in found]


def test_register_with_environments_and_get_what_is_promoted_there(town: Town) -> None:
    found, host = register(town, "Production", "Dev")
    assert found["owner"]["contentAccessMode"] == "org_environment"
    assert [each["name"] for each in found["environments"]] == ["Production", "Dev"]
    assert (found["type"]["label"], found["name"], found["facts"]["cpu.count"]) == ("system", "web1", "4")
    identity = decode_certificate(found["idCert"]["cert"])
    assert (identity.kind, identity.common_name) == (CertificateKind.IDENTITY, found["uuid"])
    assert found["idCert"]["serial"]["serial"] == identity.serial
    (certificate,) = fetch(host, found["uuid"])
    decoded = decode_certificate(certificate)
    assert decoded.paths == ("/acme/dev/custom/tools/base",)
    assert decoded.payload is not None


def test_the_certificate_of_the_api_opens_the_content(town: Town) -> None:
    found, host = register(town, "Dev")
    (certificate,) = fetch(host, found["uuid"])
    place = town.service.directory / "content"
    place.mkdir()
    (place / "root.pem").write_bytes((town.service.directory / "root.pem").read_bytes())
    (place / "c.pem").write_text(certificate + found["idCert"]["key"])
    client = town.service.client()
    client.context.load_cert_chain(place / "c.pem")
    assert client.get(REPOMD.replace("Library", "dev")).status == 200
    assert client.get(REPOMD).status == 403


def test_register_without_organization_asks_which_there_are(town: Town) -> None:
    user = town.by_password("alice")
    assert [each["key"] for each in user.get("/users/alice/owners").good()] == ["acme"]
    assert user.get("/users/bob/owners").bad(404)
    found = user.post("/consumers", body()).good()
    assert (found["owner"]["key"], found["environments"]) == ("acme", None)


def test_register_by_activation_keys_without_credentials(town: Town) -> None:
    found = town.nobody().post("/consumers", body(), owner="acme", activation_keys="web,both").good()
    assert [each["label"] for each in found["environments"]] == ["dev", "prod"]
    assert found["activationKey"] == "web"
    assert len(fetch(town.host(found), found["uuid"])) == 1
    wrong = {"owner": "acme", "activation_keys": "nothing"}
    assert "nothing" in town.nobody().post("/consumers", body(), **wrong).bad(404)
    assert town.nobody().post("/consumers", body(), owner="other", activation_keys="web").bad(404)
    assert town.nobody().post("/consumers", body(), activation_keys="web").bad(400)
    assert town.nobody().post("/consumers", body(), owner="acme").bad(401)


def test_register_below_environments_as_clients_do_that_know_only_one(town: Town) -> None:
    user = town.by_password("alice")
    ids = ",".join(town.environment(each).id for each in ("prod", "dev"))
    found = user.post(f"/environments/{ids}/consumers", body()).good()
    assert [each["label"] for each in found["environments"]] == ["prod", "dev"]
    mixed = f"{town.environment('dev').id},{town.environment('dev', 'other').id}"
    assert user.post(f"/environments/{mixed}/consumers", body()).bad(404), "of another organization"
    twice = f"{town.environment('dev').id},{town.environment('dev').id}"
    assert user.post(f"/environments/{twice}/consumers", body()).bad(409)


def test_identity_and_its_regeneration(town: Town) -> None:
    found, host = register(town, "Dev")
    uuid = found["uuid"]
    assert host.get(f"/consumers/{uuid}/owner").good()["key"] == "acme"
    assert host.get(f"/consumers/{uuid}").good()["idCert"]["serial"] == found["idCert"]["serial"]
    again = host.post(f"/consumers/{uuid}").good()
    assert again["idCert"]["serial"]["serial"] != found["idCert"]["serial"]["serial"]
    assert "revoked" in host.get(f"/consumers/{uuid}").bad(401)
    assert town.host(again).get(f"/consumers/{uuid}").good()["uuid"] == uuid


def test_an_identity_that_is_due_is_renewed_and_the_old_one_stays_good(town: Town) -> None:
    """Whoever asks about the host, and whether or not the answer arrives: the host is never locked out by it."""
    found, host = register(town, "Dev")
    uuid = found["uuid"]
    early = replace(town.ctx.settings.certificates, renew_days=town.ctx.settings.certificates.identity_days)
    later = replace(
        town.ctx,
        settings=replace(town.ctx.settings, certificates=early),
        clock=lambda: town.ctx.clock() + timedelta(seconds=5),  # so that it is plain which of the two is newer
    )
    renewed = consumers.identity_of(later, uuid)
    assert renewed.serial != found["idCert"]["serial"]["serial"]
    again = host.get(f"/consumers/{uuid}").good()
    assert again["idCert"]["serial"]["serial"] == renewed.serial
    assert town.host(again).get(f"/consumers/{uuid}").good()["uuid"] == uuid
    town.host(again).delete(f"/consumers/{uuid}").good()
    assert host.get(f"/consumers/{uuid}").bad(410)


def test_refresh_follows_a_promotion_and_refresh_force_makes_new_serials(town: Town) -> None:
    found, host = register(town, "Production")
    uuid = found["uuid"]
    (empty,) = fetch(host, uuid)
    assert decode_certificate(empty).paths == ()
    promote(town.ctx, plan_repository_promotion(town.ctx, KEY, 1, "prod"))
    (full,) = fetch(host, uuid)
    assert decode_certificate(full).paths == ("/acme/prod/custom/tools/base",)
    assert fetch(host, uuid) == [full]
    host.put(f"/consumers/{uuid}", {"cryptographicCapabilities": {"keyAlgorithms": []}}).good()
    host.put(f"/consumers/{uuid}/certificates", None, lazy_regen="true").good()
    (forced,) = fetch(host, uuid)
    assert decode_certificate(forced).serial != decode_certificate(full).serial
    assert decode_certificate(full).serial in town.user("alice").get("/crl").good()
    promote(town.ctx, plan_demotion(town.ctx, "acme", "prod", [KEY]))
    assert decode_certificate(fetch(host, uuid)[0]).paths == ()


def test_repos_enable_and_disable(town: Town) -> None:
    found, host = register(town, "Dev")
    path = f"/consumers/{found['uuid']}/content_overrides"
    sent = [{"contentLabel": "tools_base", "name": each, "value": "1"} for each in ("enabled", "enabled_metadata")]
    assert host.put(path, sent).good() == sent
    assert host.get(path).good() == sent
    for wrong in ({"contentLabel": "a", "name": "label", "value": "x"}, {"contentLabel": "a", "name": "enabled"}):
        assert host.put(path, [wrong]).bad(400)
    assert host.get(path).good() == sent
    assert host.delete(path, [{"contentLabel": "tools_base", "name": "ENABLED"}]).good() == sent[1:]
    assert host.delete(path).good() == []


def test_environments_set_by_a_user_but_not_by_the_host_itself(town: Town) -> None:
    found, host = register(town, "Dev")
    uuid = found["uuid"]
    (before,) = fetch(host, uuid)
    user = town.by_password("alice")
    wanted = [{"id": town.environment("prod").id}, {"name": "Dev"}]
    user.put(f"/consumers/{uuid}", {"environments": wanted}).good()
    assert [each["label"] for each in host.get(f"/consumers/{uuid}").good()["environments"]] == ["prod", "dev"]
    assert fetch(host, uuid) == [before], "the same content comes from the same place"
    foreign = [{"id": town.environment("dev", "other").id}]
    for client, status in ((user, 404), (host, 404)):
        assert client.put(f"/consumers/{uuid}", {"environments": foreign}).bad(status)
    assert host.put(f"/consumers/{uuid}", {"environments": []}).bad(403)
    host.put(f"/consumers/{uuid}", {"environments": wanted}).good()
    twice = [{"name": "dev"}, {"name": "Dev"}]
    assert user.put(f"/consumers/{uuid}", {"environments": twice}).bad(409)
    user.put(f"/consumers/{uuid}", {"environments": []}).good()
    assert host.get(f"/consumers/{uuid}").good()["environments"] is None


def test_release(town: Town) -> None:
    found, host = register(town, "Dev")
    uuid = found["uuid"]
    assert host.get(f"/consumers/{uuid}").good()["releaseVer"]["releaseVer"] is None
    host.put(f"/consumers/{uuid}", {"releaseVer": "9.4"}).good()
    assert host.get(f"/consumers/{uuid}/release").good() == {"releaseVer": "9.4"}
    assert host.put(f"/consumers/{uuid}", {"releaseVer": "../9"}).bad(400)
    host.put(f"/consumers/{uuid}", {"releaseVer": ""}).good()
    assert host.get(f"/consumers/{uuid}").good()["releaseVer"]["releaseVer"] is None
    assert host.get(f"/consumers/{uuid}/available_releases").good() == []


def test_facts_products_and_purpose_are_kept(town: Town) -> None:
    found, host = register(town, "Dev", installedProducts=[{"productId": "69", "productName": "Server"}])
    uuid = found["uuid"]
    changes = {"facts": {"uname.machine": "aarch64"}, "role": "web", "addOns": ["x"], "serviceLevel": "Premium"}
    host.put(f"/consumers/{uuid}", changes).good()
    now = host.get(f"/consumers/{uuid}").good()
    assert now["facts"] == {"uname.machine": "aarch64"}
    assert (now["role"], now["addOns"], now["serviceLevel"], now["usage"]) == ("web", ["x"], "Premium", "")
    assert now["installedProducts"][0]["productName"] == "Server"
    assert now["lastCheckin"] is not None
    for path in ("packages", "profiles"):
        host.put(f"/consumers/{uuid}/{path}", [{"name": "bash"}]).good()
    host.put(f"/consumers/{uuid}/checkin").good()
    assert host.get(f"/consumers/{uuid}/compliance").good()["status"] == "disabled"
    assert host.get(f"/consumers/{uuid}/purpose_compliance").good()["compliant"] is True
    assert len(host.get(f"/consumers/{uuid}/entitlements", exclude="certificates.key").good()) == 1


@pytest.mark.parametrize("by_user", [True, False])
def test_unregister_and_what_comes_after(town: Town, by_user: bool) -> None:
    found, host = register(town, "Dev")
    uuid = found["uuid"]
    fetch(host, uuid)
    assert (town.by_password("alice") if by_user else host).delete(f"/consumers/{uuid}").status == 204
    host.get("/status").good()
    for reply in (host.get(f"/consumers/{uuid}"), town.user("alice").get(f"/consumers/{uuid}")):
        assert "deleted" in reply.bad(410)
        assert reply.json["deletedId"] == uuid
    assert len(town.user("root-user").get("/crl").good()) == 2


def test_organization_wide_certificates_with_contents_apart(town: Town) -> None:
    catalog.update_organization(town.ctx, "acme", access=CertificateType.ORG_LEVEL)
    found, host = register(town, "Production")
    uuid = found["uuid"]
    (certificate,) = fetch(host, uuid)
    decoded = decode_certificate(certificate)
    assert (decoded.type, decoded.paths) == (CertificateType.ORG_LEVEL, ("/acme/prod",))
    path = f"/consumers/{uuid}/accessible_content"
    first = host.get(path).good()
    listing = first["contentListing"][str(decoded.serial)]
    assert "".join(listing) == certificate
    host.headers = {"If-Modified-Since": _http(first["lastUpdate"])}
    unchanged = host.get(path)
    assert (unchanged.status, unchanged.answer.body) == (304, b"")
    promote(town.ctx, plan_repository_promotion(town.ctx, KEY, 1, "prod"))
    second = host.get(path).good()
    assert second["lastUpdate"] > first["lastUpdate"], "a whole second later, however soon it changed"
    renewed = decode_certificate("".join(second["contentListing"][str(decoded.serial)]))
    assert renewed.payload is not None
    assert [each.path for each in renewed.payload.content] == ["/acme/prod/custom/tools/base"]
    host.headers = {"If-Modified-Since": "yesterday"}
    assert host.get(path).bad(400)


def test_contents_apart_are_refused_where_certificates_name_them(town: Town) -> None:
    found, host = register(town, "Dev")
    assert host.get(f"/consumers/{found['uuid']}/accessible_content").bad(400)


def test_certificates_as_an_archive(town: Town) -> None:
    import io
    import zipfile

    found, host = register(town, "Dev")
    host.headers = {"Accept": "application/zip"}
    reply = host.get(f"/consumers/{found['uuid']}/certificates")
    assert reply.headers["Content-Type"] == "application/zip"
    outer = zipfile.ZipFile(io.BytesIO(reply.answer.body))
    assert sorted(outer.namelist()) == ["consumer_export.zip", "signature"]
    inner = zipfile.ZipFile(io.BytesIO(outer.read("consumer_export.zip")))
    (pem,) = [each for each in inner.namelist() if each.startswith("export/entitlement_certificates/")]
    assert decode_certificate(inner.read(pem)).paths == ("/acme/dev/custom/tools/base",)
    assert b"PRIVATE KEY" in inner.read(pem)


def test_a_certificate_from_an_identity_of_version_1_names_its_contents_too(town: Town) -> None:
    user = town.by_password("alice")
    found = user.post("/consumers", body() | {"facts": {}}, owner="acme").good()
    (certificate,) = fetch(town.host(found), found["uuid"])
    assert decode_certificate(certificate).version == "1.0"


def test_what_a_host_did_is_in_the_audit_log(town: Town) -> None:
    from issbox.workflows.people.audit_log import list_audit

    found, host = register(town, "Dev")
    host.delete(f"/consumers/{found['uuid']}").good()
    entry = list_audit(town.ctx, limit=1)[0]
    assert (entry.action, entry.actor.name, entry.actor.origin) == (
        "consumer.delete",
        f"host {found['uuid']}",
        "127.0.0.1",
    )
    assert consumers.list_consumers(town.ctx, "acme") == []


def _http(text: str) -> str:
    from datetime import datetime

    from issbox.web.conditions import http_time

    return http_time(int(datetime.strptime(text, "%Y-%m-%dT%H:%M:%S%z").timestamp()))


def test_two_calls_about_one_host_at_once_both_have_their_way(town: Town) -> None:
    user = town.user("alice")
    uuid = user.post("/consumers", {"name": "web1", "facts": {}}, owner="acme").good()["uuid"]
    together = Barrier(2)

    def write(member: str) -> None:
        mine = town.user("alice")
        for each in range(15):
            together.wait(30)
            mine.put(f"/consumers/{uuid}", {member: str(each)}).good()
            together.wait(30)
            found = mine.get(f"/consumers/{uuid}").good()
            assert (found["role"], found["usage"]) == (str(each), str(each))
            together.wait(30)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(write, ("role", "usage")))
