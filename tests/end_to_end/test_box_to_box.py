"""Two boxes over HTTPS: the second shows its manifest's certificate, sees what there is, and takes what it lacks."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from makers.api import PASSWORD
from makers.authority import Authority, serve_tls
from makers.certificates import authority_of, key_of
from makers.manifests import APPSTREAM, BASEOS, certificate_text, manifest_authority, rhel
from makers.nginx import needs_nginx
from makers.repodata import Listed
from makers.serving import issue
from makers.two_boxes import APPS, BASE, Second, enabled, lay, make_first, make_second, served
from makers.upstream import Answer

from issbox.certs.keys import KeyKind
from issbox.errors import UnreachableError, UpstreamError
from issbox.model import CredentialKind, RepositoryKey, Role, Validity
from issbox.workflows.cdn.choices import Wish, list_choices
from issbox.workflows.cdn.downstream import list_downstream
from issbox.workflows.cdn.enabling import enable
from issbox.workflows.cdn.joining import join
from issbox.workflows.cdn.location import get_location
from issbox.workflows.cdn.testing import try_location
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.certificates.certificates import certificates_of
from issbox.workflows.certificates.redhat_trust import distrust_redhat
from issbox.workflows.content import credentials, repositories
from issbox.workflows.content.credentials import client_key_path
from issbox.workflows.content.synchronize import SynchronizeReport, synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.hosts import consumers, registering
from issbox.workflows.people import passwords, users

OLD = (Listed("bash.rpm", b"bash" * 5000), Listed("zlib.rpm", b"zlib" * 5000))
KINDS = ["built-in", pytest.param("nginx", marks=needs_nginx)]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("two")


@pytest.fixture(scope="module")
def first(place: Path) -> Context:
    return make_first(place)


@pytest.fixture(scope="module", params=KINDS)
def port(request: pytest.FixtureRequest, first: Context, place: Path) -> Iterator[int]:
    with served(first, request.param, place / f"client-{request.param}") as port:
        yield port


@pytest.fixture
def second(tmp_path: Path, first: Context) -> Second:
    return make_second(tmp_path, first)


def test_the_second_box_sees_chooses_and_takes_only_what_it_lacks(
    second: Second, first: Context, port: int, place: Path
) -> None:
    second.point(port)
    tested = try_location(second.ctx, get_location(second.ctx, "acme"))
    assert tested.failure is None, tested.failure
    assert tested.listing == ("content",)
    found = list_choices(second.ctx, "acme", Wish())
    assert [(each.path, each.confirmed) for each in found.choices] == [(APPS, True), (BASE, True)]
    made = enabled(second.ctx, BASEOS)
    report = synchronize(second.ctx, made.key)
    assert report.packages == 2
    assert report.downloaded > 40_000
    tree = "content/acme/Library"
    for name in ("bash.rpm", "zlib.rpm"):
        ours, theirs = (each.store.state_dir / tree / BASE / name for each in (second.ctx, first))
        assert ours.read_bytes() == theirs.read_bytes()
    assert [each.repository for each in list_choices(second.ctx, "acme", Wish()).choices] == [None, made.key]

    lay(place / "cdn", BASE, Listed("new.rpm", b"new.rpm" * 2500), *OLD)
    (key,) = {each.repository for each in list_choices(first, "acme", Wish(content=BASEOS.label)).choices}
    assert key is not None
    synchronize(first, key)
    again = synchronize_until_new(second.ctx, made.key)
    assert again.packages == 3
    assert again.reused >= 40_000
    assert again.downloaded < 30_000
    assert synchronize(second.ctx, made.key).unchanged
    lay(place / "cdn", BASE, *OLD)
    synchronize(first, key)


def synchronize_until_new(ctx: Context, key: RepositoryKey) -> SynchronizeReport:
    """Synchronize until there is something new: nginx keeps answers of the guard for five seconds."""
    for _ in range(60):
        report = synchronize(ctx, key)
        if not report.unchanged:
            break
        time.sleep(0.25)
    return report


def own(first: Context, *paths: str, **more: Any) -> str:
    """Give a certificate of the first box with its key."""
    return issue(open_authority(first), paths, **more) + key_of(KeyKind.EC_P256, 9).pem()


def refusal(second: Second, port: int, certificate: str, **upstream: str) -> str:
    """Give what the second box is told when it fetches with this certificate."""
    second.keep_client("shown", certificate)
    second.point(port, certificate="shown", **upstream)
    made = enable(second.ctx, "acme", APPSTREAM.label, release="9.4", check=False)
    with pytest.raises((UpstreamError, UnreachableError)) as refused:
        synchronize(second.ctx, made.key)
    assert repositories.list_versions(second.ctx, made.key) == []
    return str(refused.value)


LIBRARY_APPS = f"/acme/Library/{APPS}"
DAY = timedelta(days=1)


def past() -> Validity:
    now = datetime.now(UTC)
    return Validity(now - 3 * DAY, now - DAY)


def test_a_certificate_of_the_first_box_opens_what_it_says(second: Second, first: Context, port: int) -> None:
    second.keep_client("shown", own(first, LIBRARY_APPS))
    second.point(port, certificate="shown")
    assert {each.path for each in list_choices(second.ctx, "acme", Wish()).choices} == {APPS}
    assert synchronize(second.ctx, enabled(second.ctx, APPSTREAM).key).packages == 1


def test_the_wrong_authority_of_the_server_is_refused_by_the_second_box(second: Second, port: int) -> None:
    second.keep("other", CredentialKind.CA_CERTIFICATE, authority_of(number=5).root_pem)
    second.point(port, ca="other")
    failure = try_location(second.ctx, get_location(second.ctx, "acme")).failure
    assert failure is not None
    assert failure.step == "server certificate"
    assert "is not accepted" in failure.words
    with pytest.raises(UnreachableError, match="TLS failed"):
        list_choices(second.ctx, "acme", Wish())


def test_the_wrong_authority_of_the_second_box_is_refused_by_the_first(second: Second, port: int) -> None:
    stranger = certificate_text([rhel(APPSTREAM)], authority_of(KeyKind.RSA_3072, 5))
    told = refusal(second, port, stranger)
    reasons = ("TLS failed", "connection was lost", "is not accepted", "does not lead to a trusted authority")
    assert any(each in told for each in reasons), told


def test_content_of_another_organization_is_refused(second: Second, first: Context, port: int) -> None:
    told = refusal(second, port, own(first, LIBRARY_APPS), organization="other")
    assert "was issued for the organization acme, not for other" in told


def test_where_nothing_stands_in_for_the_cdn_a_manifests_certificate_is_refused(second: Second, port: int) -> None:
    told = refusal(second, port, certificate_text([rhel(APPSTREAM)], manifest_authority()), environment="dev")
    assert "does not stand in for its CDN" in told


def test_an_expired_certificate_is_refused(second: Second, port: int) -> None:
    told = refusal(second, port, certificate_text([rhel(APPSTREAM)], manifest_authority(), valid=past()))
    assert "was valid until" in told or "expired" in told, told


def test_a_path_outside_of_the_certificate_is_refused(second: Second, port: int) -> None:
    told = refusal(second, port, certificate_text([rhel(BASEOS)], manifest_authority()))
    assert "grants other content" in told, told


def test_a_revoked_certificate_is_refused(second: Second, first: Context, port: int) -> None:
    box = registering.register(first, organization="acme", name="second", facts=V3, environments=["Library"])
    (issued,) = certificates_of(first, box.uuid)
    certificate = issued.certificate.pem + consumers.read_key(first, box.uuid)
    second.keep_client("good", certificate)
    second.point(port, certificate="good")
    assert {each.path for each in list_choices(second.ctx, "acme", Wish()).choices} == {APPS, BASE}
    consumers.delete_consumer(first, box.uuid)
    told = refusal(second, port, certificate)
    assert "was revoked" in told


V3 = {"system.certificate_version": "3.2"}


def joined(second: Second, port: int, user: str, password: str, **upstream: str) -> str:
    """Come to the first box by user and password, and read with the certificate that it issues."""
    second.point(port, **upstream)
    label = join(second.ctx, get_location(second.ctx, "acme"), user, password)
    second.point(port, certificate=label, **upstream)
    return label


@pytest.mark.parametrize("kind", KINDS)
def test_the_second_box_comes_by_user_and_password_once(tmp_path: Path, kind: str) -> None:
    first = make_first(tmp_path)
    distrust_redhat(first)
    for name, role in (("ann", Role.ORG_ADMIN), ("vic", Role.VIEWER)):
        users.create_user(first, name=name)
        users.grant_role(first, name, role, organization="acme")
        passwords.set_password(first, name, PASSWORD)
    environments.update_environment(first, "acme", "Library", type_="staging")  # such are not listed unasked
    environments.create_environment(first, organization="acme", label="other", name="Library", prior="Library")
    second = make_second(tmp_path, first)
    with served(first, kind, tmp_path / "client") as port:
        label = joined(second, port, "ann", PASSWORD)
        assert synchronize(second.ctx, enabled(second.ctx, BASEOS).key).packages == 2
        (box,) = list_downstream(first, "acme")
        assert box.consumer is not None
        assert (box.consumer.name, box.consumer.environments) == ("second", ("Library",))
        key = client_key_path(second.ctx.store.state_dir, "acme", label)
        assert key.stat().st_mode & 0o777 == 0o600
        before = credentials.list_credentials(second.ctx, "acme")
        for user, password, environment, told in (
            ("ann", "wrong", "Library", "401"),
            ("vic", PASSWORD, "Library", "403"),
            ("ann", PASSWORD, "nowhere", "no lifecycle environment nowhere"),
        ):
            with pytest.raises(UpstreamError) as refused:
                joined(second, port, user, password, environment=environment)
            assert told in str(refused.value)
            assert password not in str(refused.value) or password == "wrong"
        assert credentials.list_credentials(second.ctx, "acme") == before
        assert len(list_downstream(first, "acme")) == 1
        with second.ctx.store.session():
            assert not any(PASSWORD in str(each.details) for each in second.ctx.store.audit.list())


def test_what_is_no_other_box_is_said(second: Second, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "strange")
    second.keep("strange", CredentialKind.CA_CERTIFICATE, authority.pem)
    root = tmp_path / "strange"
    root.mkdir()
    with serve_tls(root, authority, clients=False) as server:
        port = int(server.url.rstrip("/").rpartition(":")[2])
        second.point(port, ca="strange")
        location = get_location(second.ctx, "acme")
        path = "rhsm/owners/acme/environments"
        for answer, told in (
            (Answer(status=404), "answered 404"),
            (Answer(body=b"<html>"), "no JSON"),
            (Answer(body=b"[" * 100_000), "no JSON"),
            (Answer(body=b"x" * (9 << 20)), "more than 8 MiB"),
            (Answer(body=b"{}"), "no lifecycle environment"),
            (Answer(body=b'[{"label": "Library", "id": 7}]'), "no lifecycle environment"),
        ):
            server.always[path] = answer
            with pytest.raises(UpstreamError, match=told):
                join(second.ctx, location, "ann", "secret")
        server.always[path] = Answer(hang_up=True)
        with pytest.raises(UnreachableError):
            join(second.ctx, location, "ann", "secret")
        second.point(port)
        with pytest.raises(UnreachableError, match="certificate"):
            join(second.ctx, get_location(second.ctx, "acme"), "ann", "secret")


@pytest.mark.parametrize("kind", KINDS)
def test_the_first_box_knows_who_took_what(tmp_path: Path, kind: str) -> None:
    first = make_first(tmp_path)
    box = registering.register(
        first, organization="acme", name="second", facts=V3, environments=["Library"], type_="candlepin"
    )
    host = registering.register(first, organization="acme", name="host", facts=V3, environments=["Library"])
    shown = {
        each.uuid: certificates_of(first, each.uuid)[0].certificate.pem + consumers.read_key(first, each.uuid)
        for each in (box, host)
    }
    (before,) = list_downstream(first, "acme")
    assert before.consumer is not None
    assert (before.consumer.uuid, before.taking) == (box.uuid, None)
    second = make_second(tmp_path, first)
    with served(first, kind, tmp_path / "client") as port:
        second.point(port)
        synchronize(second.ctx, enabled(second.ctx, APPSTREAM).key)
        for label, certificate in shown.items():
            second.keep_client(label, certificate)
            second.point(port, certificate=label)
            assert try_location(second.ctx, get_location(second.ctx, "acme")).failure is None
            list_choices(second.ctx, "acme", Wish())
        second.point(port, certificate=box.uuid)
        made = enabled(second.ctx, BASEOS)
        report = synchronize(second.ctx, made.key)
    registered, manifest = list_downstream(first, "acme")
    assert registered.consumer is not None
    assert registered.taking is not None
    assert registered.consumer.uuid == box.uuid
    assert registered.taking.size >= report.downloaded
    assert registered.taking.requests >= report.packages
    assert manifest.consumer is None
    assert manifest.taking is not None
    assert manifest.taking.environment == "Library"
    assert manifest.taking.size > 25_000
    assert manifest.taking.issuer == manifest_authority().name
    consumers.delete_consumer(first, box.uuid)
    assert [each.consumer for each in list_downstream(first, "acme")] == [None, None]


def test_without_red_hats_authority_a_manifest_opens_nothing(tmp_path: Path) -> None:
    own_first = make_first(tmp_path)
    distrust_redhat(own_first)
    with served(own_first, "built-in", tmp_path / "client") as port:
        other = make_second(tmp_path, own_first)
        other.point(port)
        failure = try_location(other.ctx, get_location(other.ctx, "acme")).failure
    assert failure is not None
    assert failure.step == "listing"
