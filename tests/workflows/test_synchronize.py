"""Synchronizing into a real store: what becomes visible, what is kept, and what a failure leaves."""

import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import createrepo_c
import pytest
from makers.authority import Authority, serve_tls
from makers.boxes import ACTOR, KEY, PACKAGES, initialize_box
from makers.recorder import Recorder
from makers.repodata import Listed, createrepo, write, write_repository
from makers.upstream import Answer, Upstream, serve

from issbox.errors import (
    BusyError,
    DigestMismatchError,
    InvalidValueError,
    NotFoundError,
    RepositorySignatureError,
    StoreDamagedError,
    UnreachableError,
    UpstreamError,
)
from issbox.files import remove_tree
from issbox.model import AuditEntry, CredentialKind, VersionOrigin
from issbox.wiring import open_context
from issbox.workflows.content import catalog, credentials, repositories
from issbox.workflows.content.publishing import changing_content
from issbox.workflows.content.synchronize import STEPS, synchronize
from issbox.workflows.content.upstreams import TemporarySource
from issbox.workflows.context import Context


@dataclass
class Box:
    """A box whose repository acme/tools/base has the server as its upstream."""

    ctx: Context
    progress: Recorder
    state: Path

    @property
    def tree(self) -> Path:
        return self.state / "content/acme/Library/custom/tools/base"

    def visible(self) -> dict[str, bytes]:
        """What hosts see, by path."""
        return {str(path.relative_to(self.tree)): path.read_bytes() for path in self.tree.rglob("*") if path.is_file()}

    def versions(self) -> list[int]:
        with self.ctx.store.session():
            return sorted(version.number for version in self.ctx.store.versions.list(KEY))

    def audit(self) -> list[AuditEntry]:
        with self.ctx.store.session():
            return [each for each in self.ctx.store.audit.list() if each.action == "repository.synchronize"]

    def staged(self) -> list[str]:
        return sorted(path.name for path in (self.state / "tmp").rglob("*") if path.is_file())


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    root = tmp_path / "upstream"
    root.mkdir()
    with serve(root) as running:
        yield running


@pytest.fixture
def box(tmp_path: Path, upstream: Upstream) -> Box:
    state = tmp_path / "state"
    environ = {"ISSBOX_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(tmp_path / "nothing"), "HOME": str(tmp_path)}
    initialize_box(environ, "box")
    progress = Recorder()
    ctx = open_context(environ=environ, actor=ACTOR, progress=progress)
    ctx = replace(ctx, settings=replace(ctx.settings, synchronize=replace(ctx.settings.synchronize, retries=0)))
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    url = upstream.url.replace("http://", "http://me:secret@")
    repositories.create_repository(ctx, organization="acme", product="tools", label="base", name="Base", url=url)
    return Box(ctx, progress, state)


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_a_repository_becomes_visible_as_upstream_has_it(box: Box, upstream: Upstream) -> None:
    createrepo(upstream.root, PACKAGES, compression=createrepo_c.GZ)
    report = synchronize(box.ctx, KEY)
    assert box.progress.steps == list(STEPS)
    assert box.visible() == tree(upstream.root)
    assert report.version is not None
    assert report.version.number == 1
    assert report.version.origin is VersionOrigin.SYNCHRONIZE
    assert report.version.packages == report.packages == len(PACKAGES)
    assert report.version.files == len(tree(upstream.root))
    assert not report.unchanged
    assert report.downloaded == report.version.size
    with box.ctx.store.session():
        files = list(box.ctx.store.versions.files(KEY, 1))
    names = {file.package.name for file in files if file.package}
    assert names == {"gap-almanac", "gap-greeting", "gap-traveller"}
    assert box.staged() == []
    (entry,) = box.audit()
    assert entry.details["version"] == 1
    assert entry.subject == "tools/base"


def test_no_secret_is_kept_in_history(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    report = synchronize(box.ctx, KEY)
    assert "authorization" in upstream.requests[0].headers
    assert report.version is not None
    assert "secret" not in report.version.source
    assert "secret" not in str(box.audit())


def test_no_change_makes_no_version_and_one_request(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    synchronize(box.ctx, KEY)
    upstream.requests.clear()
    report = synchronize(box.ctx, KEY)
    assert upstream.paths == ["repodata/repomd.xml"]
    assert report.unchanged
    assert report.version is None
    assert report.packages == 1
    assert box.versions() == [1]
    assert len(box.audit()) == 2


def test_a_change_makes_the_next_version_and_fetches_what_is_new(box: Box, upstream: Upstream) -> None:
    first, second = Listed("a.rpm", b"a" * 100), Listed("b.rpm", b"b" * 100, name="b")
    write_repository(upstream.root, first)
    synchronize(box.ctx, KEY)
    write_repository(upstream.root, first, second)
    upstream.requests.clear()
    report = synchronize(box.ctx, KEY)
    assert "a.rpm" not in upstream.paths
    assert report.reused == 100
    assert report.version is not None
    assert report.version.number == 2
    assert box.visible() == tree(upstream.root)
    assert box.versions() == [1, 2]


def test_packages_known_by_sha1_are_not_fetched_again(box: Box, upstream: Upstream) -> None:
    old = Listed("a.rpm", b"a" * 100, checksum_type="sha1")
    write_repository(upstream.root, old)
    report = synchronize(box.ctx, KEY)
    assert any("sha1" in note for note in report.notes)
    write_repository(upstream.root, old, Listed("b.rpm", b"b", name="b", checksum_type="sha1"))
    upstream.requests.clear()
    synchronize(box.ctx, KEY)
    assert [path for path in upstream.paths if path.endswith(".rpm")] == ["b.rpm"]


def test_a_failure_changes_nothing_and_the_next_run_goes_on(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    synchronize(box.ctx, KEY)
    before = box.visible()
    big = Listed("big.rpm", bytes(range(256)) * 2000, name="big")
    write_repository(upstream.root, big)
    upstream.script["big.rpm"] = [Answer(cut=200_000)]
    with pytest.raises(UnreachableError, match=r"big\.rpm"):
        synchronize(box.ctx, KEY)
    assert box.visible() == before
    assert box.versions() == [1]
    assert len(box.audit()) == 1
    (part,) = [name for name in box.staged() if name.endswith(".part")]
    assert part.startswith("sha256-")
    upstream.requests.clear()
    synchronize(box.ctx, KEY)
    (again,) = [request for request in upstream.requests if request.path == "/big.rpm"]
    assert again.headers["range"].startswith("bytes=")
    assert box.versions() == [1, 2]
    assert box.staged() == []


def test_a_damaged_upstream_changes_nothing(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"genuine"))
    write(upstream.root, "a.rpm", b"changed")
    with pytest.raises(DigestMismatchError):
        synchronize(box.ctx, KEY)
    assert not box.tree.exists()
    assert box.versions() == []
    assert box.audit() == []


def test_another_source_is_used_once(box: Box, upstream: Upstream, tmp_path: Path) -> None:
    write_repository(tmp_path / "disk", Listed("d.rpm", b"d"))
    report = synchronize(box.ctx, KEY, source=TemporarySource((tmp_path / "disk").as_uri()))
    assert report.version is not None
    assert report.version.source == (tmp_path / "disk").as_uri()
    assert upstream.requests == []
    stored = repositories.get_repository(box.ctx, KEY).upstream.url
    assert stored is not None
    assert stored.startswith("http://")


def test_a_repository_without_url(box: Box) -> None:
    repositories.update_repository(box.ctx, KEY, url="")
    with pytest.raises(InvalidValueError, match="no URL"):
        synchronize(box.ctx, KEY)
    with pytest.raises(NotFoundError):
        synchronize(box.ctx, replace(KEY, label="other"))


def test_only_one_at_a_time(box: Box) -> None:
    with changing_content(box.ctx, [KEY]), pytest.raises(BusyError, match="acme/tools/base"):
        synchronize(box.ctx, KEY)


def test_the_key_of_the_product_demands_a_signature(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    armor = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
    credentials.create_credential(
        box.ctx, organization="acme", label="gpg", name="GPG", kind=CredentialKind.GPG_KEY, content=armor
    )
    catalog.update_product(box.ctx, "acme", "tools", gpg_key="gpg")
    with pytest.raises(RepositorySignatureError, match="is not signed"):
        synchronize(box.ctx, KEY)
    assert box.versions() == []
    repositories.update_repository(box.ctx, KEY, check_metadata=False)
    assert synchronize(box.ctx, KEY).packages == 1
    assert box.versions() == [1]


def test_a_key_or_check_added_later_is_asked_of_what_is_here(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    synchronize(box.ctx, KEY)
    armor = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
    credentials.create_credential(
        box.ctx, organization="acme", label="gpg", name="GPG", kind=CredentialKind.GPG_KEY, content=armor
    )
    catalog.update_product(box.ctx, "acme", "tools", gpg_key="gpg")
    for _ in range(2):  # a failure is not taken for a check that was passed
        with pytest.raises(RepositorySignatureError, match="is not signed"):
            synchronize(box.ctx, KEY)
    repositories.update_repository(box.ctx, KEY, check_metadata=False)
    upstream.requests.clear()
    assert synchronize(box.ctx, KEY).notes == ()
    assert len(upstream.requests) == 1
    assert box.versions() == [1]


def test_what_was_checked_with_these_keys_is_not_checked_again(
    box: Box, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    synchronize(box.ctx, KEY)
    for label in ("one", "two"):
        armor = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n{label}\n-----END PGP PUBLIC KEY BLOCK-----\n"
        credentials.create_credential(
            box.ctx, organization="acme", label=label, name=label, kind=CredentialKind.GPG_KEY, content=armor
        )
    checked: list[tuple[list[str], list[str]]] = []

    def check(keys: Sequence[str], packages: Iterable[tuple[str, Path]]) -> None:
        checked.append(([key.splitlines()[2] for key in keys], [name for name, _ in packages]))

    monkeypatch.setattr("issbox.yum.mirror.check_packages", check)  # signed packages are tested with real ones there
    repositories.update_repository(box.ctx, KEY, gpg_key="one", check_metadata=False, check_packages=True)
    first, second = synchronize(box.ctx, KEY), synchronize(box.ctx, KEY)
    assert (first.unchanged, second.unchanged) == (True, True)
    assert [len(report.notes) for report in (first, second)] == [1, 0]
    repositories.update_repository(box.ctx, KEY, gpg_key="two")
    synchronize(box.ctx, KEY)
    assert checked == [(["one"], ["a.rpm"]), (["two"], ["a.rpm"])]
    assert box.versions() == [1]


def test_ca_and_client_certificate_of_the_repository_are_used(box: Box, upstream: Upstream, tmp_path: Path) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    authority = Authority(tmp_path, "ca")
    certificate, key = authority.issue("this-box")
    texts = {
        CredentialKind.CA_CERTIFICATE: (authority.pem, None),
        CredentialKind.CLIENT_CERTIFICATE: (certificate.read_text(), key.read_text()),
    }
    for kind, (content, private_key) in texts.items():
        credentials.create_credential(
            box.ctx, organization="acme", label=kind, name=kind, kind=kind, content=content, private_key=private_key
        )
    with serve_tls(upstream.root, authority, clients=True) as server:
        repositories.update_repository(
            box.ctx, KEY, url=server.url, ca="ca-certificate", client_certificate="client-certificate"
        )
        report = synchronize(box.ctx, KEY)
    assert report.packages == 1
    assert {request.client for request in server.requests} == {"this-box"}


def test_what_an_older_upstream_left_half_fetched_is_removed(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("old.rpm", bytes(500_000)))
    upstream.script["old.rpm"] = [Answer(cut=200_000)]
    with pytest.raises(UnreachableError):
        synchronize(box.ctx, KEY)
    assert any(name.endswith(".part") for name in box.staged())
    remove_tree(upstream.root)
    write_repository(upstream.root, Listed("new.rpm", b"new"))
    synchronize(box.ctx, KEY)
    assert box.staged() == []


def damage(path: Path) -> None:
    """Change a byte in place, as a bad disk does: every hard link to the file sees it."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[0] ^= 1
    path.write_bytes(data)
    path.chmod(0o444)


def test_repair_brings_damaged_and_missing_files_back(box: Box, upstream: Upstream) -> None:
    listed = [Listed(f"{name}.rpm", name.encode() * 50, name=name) for name in ("good", "bad", "gone")]
    write_repository(upstream.root, *listed)
    synchronize(box.ctx, KEY)
    with box.ctx.store.session():
        digests = {file.path: file.sha256 for file in box.ctx.store.versions.files(KEY, 1)}
    damage(box.ctx.store.blobs.path(digests["bad.rpm"]))
    box.ctx.store.blobs.remove(digests["gone.rpm"])
    assert box.visible() != tree(upstream.root)
    synchronize(box.ctx, KEY)
    assert box.visible() != tree(upstream.root)
    upstream.requests.clear()
    report = synchronize(box.ctx, KEY, repair=True)
    assert sorted(path for path in upstream.paths if path.endswith(".rpm")) == ["bad.rpm", "gone.rpm"]
    assert report.version is None
    assert report.notes == ("fetched again: 2 damaged files",)
    assert box.visible() == tree(upstream.root)
    for path, digest in digests.items():
        blob = box.ctx.store.blobs.path(digest)
        assert blob.read_bytes() == (upstream.root / path).read_bytes()
        assert stat.S_IMODE(blob.stat().st_mode) == 0o444
    assert box.versions() == [1]


def test_repair_says_what_upstream_no_longer_has(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("old.rpm", b"old" * 50))
    synchronize(box.ctx, KEY)
    with box.ctx.store.session():
        (old,) = [file.sha256 for file in box.ctx.store.versions.files(KEY, 1) if file.package]
    box.ctx.store.blobs.remove(old)
    remove_tree(upstream.root)
    write_repository(upstream.root, Listed("new.rpm", b"new" * 50))
    report = synchronize(box.ctx, KEY, repair=True)
    assert report.version is not None
    assert any("not mended, because upstream" in note for note in report.notes)
    assert box.visible() == tree(upstream.root)
    with pytest.raises(StoreDamagedError):
        box.ctx.store.blobs.open(old)


def test_a_blob_that_fails_to_come_stays_as_it_is(box: Box, upstream: Upstream) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a" * 50))
    synchronize(box.ctx, KEY)
    with box.ctx.store.session():
        (digest,) = [file.sha256 for file in box.ctx.store.versions.files(KEY, 1) if file.package]
    damage(box.ctx.store.blobs.path(digest))
    upstream.always["a.rpm"] = Answer(status=404)
    with pytest.raises(UpstreamError, match="404"):
        synchronize(box.ctx, KEY, repair=True)
    assert box.ctx.store.blobs.has(digest)
    assert box.tree.exists()
