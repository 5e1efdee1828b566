"""Reading Red Hat content from another place: what it changes, what is refused, and trying it step by step."""

import socket
from pathlib import Path

import pytest
from makers.authority import Authority, serve_tls
from makers.boxes import KEY
from makers.redhat import RHEL, RHEL_PATH, add_redhat, make_plain_box
from makers.repodata import write, write_cdn
from makers.upstream import Answer, serve

from issbox.errors import InUseError, InvalidValueError, NotFoundError, SourceRefusedError
from issbox.model import CdnLocation, CdnType, CdnUpstream, CredentialKind, Role
from issbox.workflows.cdn.location import get_location, plan_location, set_location
from issbox.workflows.cdn.testing import LocationTest, try_location
from issbox.workflows.content import catalog, credentials, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.upstreams import TemporarySource
from issbox.workflows.context import Context
from issbox.workflows.people import users


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    ctx = make_plain_box(tmp_path / "box")
    add_redhat(ctx)
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    repositories.create_repository(
        ctx, organization="acme", product="tools", label="base", name="Base", url="https://mirror.example.com/base"
    )
    return ctx


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A tree as exports lay it."""
    return write_cdn(tmp_path / "media", RHEL_PATH)


def move(ctx: Context, location: CdnLocation) -> None:
    set_location(ctx, plan_location(ctx, location))


def custom(url: str, **more: object) -> CdnLocation:
    return CdnLocation("acme", CdnType.CUSTOM_CDN, url, shows_manifest=False, **more)  # type: ignore[arg-type]  # fields by name


def keep(ctx: Context, label: str, kind: CredentialKind, content: str, key: str | None = None) -> None:
    credentials.create_credential(
        ctx, organization="acme", label=label, name=label, kind=kind, content=content, private_key=key
    )


def test_all_red_hat_repositories_and_no_others_follow_the_location(ctx: Context, export: Path) -> None:
    assert get_location(ctx, "acme") == CdnLocation("acme")
    before = repositories.get_repository(ctx, KEY).upstream
    plan = plan_location(ctx, custom(export.as_uri()))
    assert [(each.key, each.changed) for each in plan.repositories] == [(RHEL, True)]
    assert get_location(ctx, "acme") == CdnLocation("acme"), "a plan changes nothing"
    set_location(ctx, plan)
    assert repositories.get_repository(ctx, RHEL).upstream.url == f"{export.as_uri()}/{RHEL_PATH}"
    assert repositories.get_repository(ctx, KEY).upstream == before
    assert synchronize(ctx, RHEL).packages == 1
    move(ctx, CdnLocation("acme"))
    assert repositories.get_repository(ctx, RHEL).upstream.url == f"https://cdn.redhat.com/{RHEL_PATH}"
    move(ctx, CdnLocation("acme", CdnType.EXPORT_SYNC, None, shows_manifest=False))
    assert repositories.get_repository(ctx, RHEL).upstream.url is None
    with ctx.store.session():
        told = [each for each in ctx.store.audit.list() if each.action == "cdn.update"]
    assert [each.subject for each in told] == ["custom-cdn", "redhat-cdn", "export-sync"]


def test_a_temporary_source_leaves_the_location_alone(ctx: Context, export: Path) -> None:
    move(ctx, custom("https://cdn.example.com"))
    synchronize(ctx, RHEL, source=TemporarySource(f"{export.as_uri()}/{RHEL_PATH}"))
    assert repositories.get_repository(ctx, RHEL).upstream.url == f"https://cdn.example.com/{RHEL_PATH}"
    assert get_location(ctx, "acme") == custom("https://cdn.example.com")


def test_its_credentials_are_those_of_the_organization_and_stay_while_it_is_used(ctx: Context, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ca")
    with pytest.raises(NotFoundError, match="acme/box1"):
        plan_location(ctx, custom("https://cdn.example.com", ca="box1"))
    keep(ctx, "box1", CredentialKind.CA_CERTIFICATE, authority.pem)
    with pytest.raises(InvalidValueError, match="not a client-certificate"):
        plan_location(ctx, custom("https://cdn.example.com", client_certificate="box1"))
    move(ctx, custom("https://cdn.example.com", ca="box1"))
    assert repositories.get_repository(ctx, RHEL).upstream.ca == "box1"
    with pytest.raises(InUseError, match="CDN location"):
        credentials.delete_credential(ctx, "acme", "box1")


def test_content_of_another_organization_of_this_box_is_no_location(ctx: Context) -> None:
    catalog.create_organization(ctx, label="other", name="Other")
    users.create_user(ctx, name="ann")
    users.grant_role(ctx, "ann", Role.ORG_ADMIN, organization="acme")
    ann = ctx.acting_as("ann", "test")
    with pytest.raises(SourceRefusedError, match="state directory"):
        plan_location(ann, custom((ctx.store.state_dir / "content/other/Library").as_uri()))


def steps(found: LocationTest) -> list[tuple[str, bool]]:
    return [(each.step, not each.failed) for each in found.tried]


def test_a_location_is_tried_step_by_step(ctx: Context, export: Path, tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    keep(ctx, "ours", CredentialKind.CA_CERTIFICATE, ours.pem)
    keep(ctx, "theirs", CredentialKind.CA_CERTIFICATE, theirs.pem)
    certificate, key = ours.issue("box2")
    keep(ctx, "box2", CredentialKind.CLIENT_CERTIFICATE, certificate.read_text(), key.read_text())
    with serve_tls(export, ours, clients=True) as server:
        good = try_location(ctx, custom(server.url, ca="ours", client_certificate="box2"))
        assert good.failure is None
        assert good.listing == ("content",)
        assert (good.chain[0].subject, good.chain[0].issuer) == ("CN=127.0.0.1", "CN=ours")
        untrusted = try_location(ctx, custom(server.url, ca="theirs"))
        assert steps(untrusted) == [("address", True), ("server certificate", False)]
        assert untrusted.failure is not None
        assert "CN=ours" in untrusted.failure.words
        assert untrusted.chain == good.chain
        nobody = try_location(ctx, custom(server.url, ca="ours"))
        assert steps(nobody)[-1] == ("listing", False)
        server.always["listing"] = Answer(
            status=403, body=b"path-not-granted", headers={"Content-Type": "text/plain; charset=utf-8"}
        )
        refused = try_location(ctx, custom(server.url, ca="ours", client_certificate="box2"))
        assert refused.failure is not None
        assert "403 Forbidden (path-not-granted)" in refused.failure.words
        assert refused.failure.hint.endswith("`issbox certificate check` and its log say why not.")
        assert "repository" not in refused.failure.hint


def test_what_is_no_server_fails_at_its_step(ctx: Context, tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{closed.getsockname()[1]}"
        unreachable = try_location(ctx, custom(url)).failure
        assert unreachable is not None
        assert unreachable.step == "server certificate"
        assert "CDN location" in unreachable.hint
        assert "repository" not in unreachable.hint
    (tmp_path / "plain").mkdir()
    with serve(tmp_path / "plain") as plain:
        assert steps(try_location(ctx, custom(plain.url.replace("http:", "https:"))))[-1] == (
            "server certificate",
            False,
        )
        absent = try_location(ctx, custom(plain.url)).failure
        assert absent is not None
        assert absent.step == "listing"
        assert "certificate check" in absent.hint
        write(plain.root, "listing", b"")
        empty = try_location(ctx, custom(plain.url)).failure
        assert empty is not None
        assert "is empty" in empty.words
    nowhere = try_location(ctx, custom((tmp_path / "absent").as_uri())).failure
    assert nowhere is not None
    assert "no such directory" in nowhere.words
    without = try_location(ctx, CdnLocation("acme", CdnType.EXPORT_SYNC, None, shows_manifest=False)).failure
    assert without is not None


def test_a_network_sync_reads_an_environment_of_the_other_box(ctx: Context) -> None:
    move(ctx, CdnLocation("acme", CdnType.NETWORK_SYNC, "https://box1:8443", upstream=CdnUpstream("ACME", "prod")))
    url = repositories.get_repository(ctx, RHEL).upstream.url
    assert url == f"https://box1:8443/content/ACME/prod/{RHEL_PATH}"
