"""What hosts read over HTTPS from the built-in server."""

import json
import logging
from datetime import timedelta
from pathlib import Path

import pytest
from makers.certificates import NOW, authority_of
from makers.serving import BASE, GRANTED, KEY, REPOMD, Service, issue, logged_requests, make_box, serve, with_web

from issbox.certs.keys import KeyKind
from issbox.model import CredentialKind, Validity
from issbox.workflows.certificates import redhat_trust
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.content import catalog, credentials, repositories, views
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting

GPG_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
DEV = REPOMD.replace("Library", "dev")


def tree(ctx: Context) -> Path:
    return ctx.store.state_dir / BASE.removeprefix("/")


def test_a_host_reads_what_its_certificate_grants(service: Service) -> None:
    client = service.client(GRANTED)
    files = [path for path in tree(service.ctx).rglob("*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        answer = client.get(f"{BASE}/{path.relative_to(tree(service.ctx))}")
        assert (answer.status, answer.body) == (200, path.read_bytes())
        assert "Content-Encoding" not in answer.headers
    primary = next(path.name for path in files if path.name.endswith("-primary.xml.gz"))
    answer = client.get(f"{BASE}/repodata/{primary}", Accept_Encoding="gzip")
    assert (answer.headers["Content-Type"], answer.headers.get("Content-Encoding")) == ("application/gzip", None)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Server"] == "issbox"


def test_head_ranges_and_conditions(service: Service) -> None:
    client = service.client(GRANTED)
    whole = client.get(REPOMD)
    tag, modified, size = whole.headers["ETag"], whole.headers["Last-Modified"], len(whole.body)
    head = client.get(REPOMD, "HEAD")
    assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(size))
    assert client.get(REPOMD, If_None_Match=tag).status == 304
    assert client.get(REPOMD, If_Modified_Since=modified).status == 304
    part = client.get(REPOMD, Range="bytes=10-19")
    assert (part.status, part.body) == (206, whole.body[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{size}"
    assert client.get(REPOMD, Range="bytes=-5").body == whole.body[-5:]
    several = client.get(REPOMD, Range="bytes=0-1,5-6")
    assert (several.status, several.body) == (200, whole.body)
    assert client.get(REPOMD, Range="bytes=5-9", If_Range=tag).status == 206
    assert client.get(REPOMD, Range="bytes=5-9", If_Range='"other"').body == whole.body
    beyond = client.get(REPOMD, Range=f"bytes={size}-")
    assert (beyond.status, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    assert client.get(REPOMD, If_Match='"other"').status == 412


def test_listing_files_are_readable_on_the_way_down(service: Service) -> None:
    client = service.client(GRANTED)
    for directory, text in (("", "custom"), ("/custom", "tools"), ("/custom/tools", "base")):
        answer = client.get(f"/content/acme/Library{directory}/listing")
        assert (answer.status, answer.text) == (200, text)
        assert client.get(f"/content/acme/Library{directory}/listing", Range="bytes=0-1").body == text[:2].encode()
    assert client.get("/content/acme/dev/listing").status == 403
    assert client.get("/content/acme/Library/custom/other/listing").status == 403
    assert service.client().get("/content/acme/Library/listing").status == 403
    assert client.get(f"{BASE}/listing").status == 404


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (DEV, 403, "grants other content"),
        (REPOMD.replace("acme", "other"), 403, "was issued for the organization acme"),
        (REPOMD.replace("base", "basement"), 403, "grants other content"),
        (REPOMD.replace("Library", "library"), 403, "grants other content"),
        (f"{BASE}/absent.rpm", 404, "there is no"),
        (BASE, 404, "there is no"),
        (f"{BASE}/repodata", 404, "there is no"),
        (f"{BASE}/repodata/", 404, "there is no"),
        ("/content", 404, "there is no"),
        ("/", 404, "there is no"),
        ("/keys/signing.pem", 404, "there is no"),
        (f"{BASE}/../../../../../keys/signing.pem", 400, "not allowed"),
        ("//content/acme", 400, "empty segment"),
    ],
)
def test_refusals_say_why(service: Service, path: str, status: int, words: str) -> None:
    answer = service.client(GRANTED).get(path)
    assert (answer.status, words in answer.text) == (status, True), answer.text
    assert answer.headers["Content-Type"].startswith("text/plain")


def test_certificates_that_are_not_good_now_are_refused_in_words(service: Service) -> None:
    authority = open_authority(service.ctx)
    day = timedelta(days=1)
    expired = issue(authority, [GRANTED], valid=Validity(NOW - 3 * day, NOW - day))
    answer = service.showing(expired).get(REPOMD)
    assert (answer.status, "was valid until" in answer.text) == (403, True)
    future = issue(authority, [GRANTED], valid=Validity(NOW + day, NOW + 3 * day))
    answer = service.showing(future).get(REPOMD)
    assert (answer.status, "is valid from" in answer.text) == (403, True)
    answer = service.client().get(REPOMD)
    assert (answer.status, answer.text.strip()) == (403, "this content needs a client certificate, and none was shown")
    with pytest.raises(OSError, match=r"(?i)alert unknown ca"):  # TLS itself knows no authority of it
        service.showing(issue(authority_of(KeyKind.EC_P256, 1), [GRANTED])).get(REPOMD)


def test_other_methods_and_pages(service: Service) -> None:
    client = service.client(GRANTED)
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "PROPFIND"):
        answer = client.get(REPOMD, method)
        assert (answer.status, answer.headers["Allow"]) == (405, "GET, HEAD")
    health = service.client().get("/healthz")
    assert (health.status, health.text) == (200, "ok\n")
    text = service.client().get("/metrics").text
    assert 'issbox_http_requests_total{method="GET",code="200"} 1\n' in text
    assert "issbox_store_free_bytes" in text
    assert 'issbox_jobs{state="queued"} 0\n' in text
    assert 'issbox_host_certificates{organization="acme",ends="ended"} 0\n' in text
    assert 'issbox_problems{kind="service"} 1\n' in text
    assert 'issbox_http_requests_total{method="other",code="405"} 5\n' in text


def test_metrics_are_for_those_who_may_see_them(served_box: Context, tmp_path: Path) -> None:
    with serve(with_web(served_box, metrics_from=()), tmp_path) as service:
        assert service.client().get("/metrics").status == 403


def test_the_log_has_no_query_and_names_the_certificate(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "issbox.access"):
        service.client(GRANTED, serial=4711).get(f"{REPOMD}?ssl_clientkey=/etc/secret.key")
        service.client().get("/content/%0anew?x")
        lines = [each.getMessage() for each in logged_requests(caplog, 2)]
    assert any(f"GET {REPOMD} 200 " in line and "4711 " in line for line in lines)
    assert not [line for line in lines if "secret" in line or "\n" in line]


def test_what_the_log_says_of_a_request_is_there_by_name(service: Service, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "issbox.access"):
        granted = service.client(GRANTED, serial=4711).get(f"{REPOMD}?secret")
        service.client().get(REPOMD)
        service.client().get("/content/%0anew?x")
        (first, second, third) = (getattr(each, "facts", {}) for each in logged_requests(caplog, 3))
    assert first.keys() == {
        "client",
        "method",
        "path",
        "status",
        "bytes",
        "seconds",
        "serial",
        "holder",
        "organization",
    }
    assert (first["client"], first["method"], first["path"]) == ("127.0.0.1", "GET", REPOMD)
    assert (first["status"], first["bytes"], first["serial"]) == ("200", str(len(granted.text)), "4711")
    assert float(first["seconds"]) > 0
    assert (second["status"], "serial" in second, "holder" in second) == ("403", False, False)
    assert second["reason"]
    assert "\n" not in third["path"]


def test_an_open_repository_needs_no_certificate(own_box: Context, tmp_path: Path) -> None:
    with serve(own_box, tmp_path) as service:
        anybody = service.client()
        assert anybody.get(REPOMD).status == 403
        repositories.update_repository(own_box, KEY, unprotected=True)
        assert [anybody.get(path).status for path in (REPOMD, DEV)] == [200, 200]
        assert anybody.get("/content/acme/Library/listing").status == 403
        stranger = service.client("/acme/dev/nothing", organization="other")
        assert stranger.get(REPOMD).status == 200
        repositories.update_repository(own_box, KEY, unprotected=False)
        assert anybody.get(REPOMD).status == 403


def test_gpg_keys_are_for_everybody_and_other_credentials_for_nobody(own_box: Context, tmp_path: Path) -> None:
    ca = authority_of().root_pem
    for label, kind, text in (("key", CredentialKind.GPG_KEY, GPG_KEY), ("ca", CredentialKind.CA_CERTIFICATE, ca)):
        credentials.create_credential(own_box, organization="acme", label=label, name=label, kind=kind, content=text)
    with serve(own_box, tmp_path) as service:
        anybody = service.client()
        answer = anybody.get("/content/acme/gpg-keys/key")
        assert (answer.status, answer.text) == (200, GPG_KEY)
        for path in ("acme/gpg-keys/ca", "acme/gpg-keys/none", "other/gpg-keys/key", "none/gpg-keys/key"):
            assert anybody.get(f"/content/{path}").status == 404


def test_a_demotion_and_a_promotion_count_at_once_on_open_connections(own_box: Context, tmp_path: Path) -> None:
    with serve(own_box, tmp_path) as service:
        client = service.client("/acme/dev")
        assert client.get(DEV).status == 200
        plan = promoting.plan_demotion(own_box, "acme", "dev", [KEY])
        promoting.promote(own_box, plan)
        answer = client.get(DEV)
        assert (answer.status, "there is no" in answer.text) == (404, True)
        promoting.promote(own_box, promoting.plan_repository_promotion(own_box, KEY, 1, "dev"))
        assert client.get(DEV).status == 200


def test_archived_content_view_versions(own_box: Context, tmp_path: Path) -> None:
    views.create_view(own_box, organization="acme", label="web", name="Web")
    views.add_repository(own_box, "acme", "web", KEY)
    publish_view(own_box, "acme", "web")
    with serve(own_box, tmp_path) as service:
        archive = "/content/acme/content_views/web/1.0"
        client = service.client("/acme/content_views/web")
        assert client.get(f"{archive}/custom/tools/base/repodata/repomd.xml").status == 200
        assert client.get(f"{archive}/listing").text == "custom"
        assert client.get(f"{archive}/custom/tools/listing").text == "base"
        assert client.get(f"{archive.replace('1.0', '2.0')}/custom/tools/base/repodata/repomd.xml").status == 404
        assert service.client(GRANTED).get(f"{archive}/listing").status == 403
        everything = service.client("/acme")
        assert everything.get(f"{archive}/listing").status == 200
        assert everything.get(REPOMD).status == 200


def test_an_environment_stands_in_for_a_cdn_when_told(own_box: Context, tmp_path: Path) -> None:
    with serve(own_box, tmp_path) as service:
        bare = service.client("/custom/tools")
        assert bare.get(REPOMD).status == 403
        environments.update_environment(own_box, "acme", "Library", serves_as_cdn=True)
        assert bare.get(REPOMD).status == 200
        assert bare.get("/content/acme/Library/custom/listing").text == "tools"
        assert bare.get(DEV).status == 403
        manifest = issue(authority_of(KeyKind.EC_P256, 2), ["/custom/tools"], organization="1234567")
        with pytest.raises(OSError, match=r"(?i)alert unknown ca"):
            service.showing(manifest).get(REPOMD)
        redhat_trust.trust_redhat(own_box, authority_of(KeyKind.EC_P256, 2).root_pem)
        service.client().get("/healthz")
        answer = wait_for_200(service, manifest)
        assert answer == 200
        assert service.showing(manifest).get(DEV).status == 403
        redhat_trust.distrust_redhat(own_box)
        with pytest.raises(AssertionError):
            wait_for_200(service, manifest, patience=0.5)
        assert service.client(GRANTED).get(REPOMD).status == 200


def wait_for_200(service: Service, certificate: str, *, patience: float = 10.0) -> int:
    """Ask until the server has taken over other authorities, which it does between requests."""
    import time

    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            status = service.showing(certificate).get(REPOMD).status
        except OSError:
            status = 0
        if status == 200:
            return status
        time.sleep(0.05)
    raise AssertionError("the certificate is not accepted")


def test_the_authorities_of_an_organization_open_its_content_only(own_box: Context, tmp_path: Path) -> None:
    site = authority_of(KeyKind.EC_P256, 1)
    credentials.create_credential(
        own_box,
        organization="acme",
        label="site",
        name="Site",
        kind=CredentialKind.CA_CERTIFICATE,
        content=site.root_pem,
    )
    catalog.update_organization(own_box, "acme", client_cas=["site"])
    with serve(own_box, tmp_path) as service:
        client = service.showing(issue(site, ["/acme/Library", "/other"], organization="elsewhere"))
        assert client.get(REPOMD).status == 200
        answer = client.get("/content/other/Library/listing")
        assert (answer.status, "does not lead to a trusted authority" in answer.text) == (403, True)


def test_a_site_serves_one_environment_at_its_root(tmp_path: Path) -> None:
    from issbox.rules.serving import parse_site

    sites = (parse_site("cdn.example.com=acme/dev"), parse_site("127.0.0.1:0=acme/Library"))
    ctx = make_box(tmp_path / "box", sites=sites)
    with serve(ctx, tmp_path) as service:
        client = service.client("/custom/tools/base")
        path = "/custom/tools/base/repodata/repomd.xml"
        assert client.get(path).status == 404
        for host in ("cdn.example.com", "CDN.example.com:8443"):
            assert client.get(path, Host=host).status == 200
            assert client.get("/custom/listing", Host=host).text == "tools"
            assert client.get(REPOMD, Host=host).status == 403
        port = service.client("/custom/tools/base", port=service.running.ports[1])
        assert port.get(path).status == 200
        assert port.get("/healthz").status == 403
        assert service.client(GRANTED, port=service.running.ports[1]).get(path).status == 200
        other = service.client("/custom/tools/base", organization="other", port=service.running.ports[1])
        assert "was issued for the organization other" in other.get(path).text


def test_a_box_that_cannot_be_read_says_so(own_box: Context, tmp_path: Path) -> None:
    with serve(own_box, tmp_path) as service:
        client = service.client(GRANTED)
        assert client.get(REPOMD).status == 200
        path = next(own_box.store.state_dir.glob("issbox.db"))
        moved = path.rename(path.with_suffix(".away"))
        try:
            assert client.get(REPOMD).status == 200  # with what was known
            answer = client.get("/content/acme/content_views/web/1.0/x")
            assert json.dumps(answer.status) in ("403", "503")
        finally:
            for left in own_box.store.state_dir.glob("issbox.db"):
                left.unlink()
            moved.rename(path)
