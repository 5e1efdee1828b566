"""Synchronizing from another place once or from now on: what is used, what is kept, what is refused."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from makers.authority import Authority, serve_tls
from makers.boxes import ACTOR, KEY, initialize_box
from makers.recorder import Recorder
from makers.repodata import Listed, write, write_repository
from makers.upstream import Answer, Upstream, serve

from issbox.errors import (
    BadMetadataError,
    BusyError,
    InvalidValueError,
    NotFoundError,
    RepositorySignatureError,
    SourceRefusedError,
    UnreachableError,
    UpstreamError,
)
from issbox.files import remove_tree
from issbox.model import AuditEntry, Content, CredentialKind, Product, ProductKind, Repository, RepositoryKey, Role
from issbox.model import Upstream as Settings
from issbox.wiring import open_context
from issbox.workflows.content import catalog, credentials, repositories
from issbox.workflows.content.sources import find_sources, plan_repointing, repoint
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.upstreams import TemporarySource
from issbox.workflows.context import Context
from issbox.workflows.people import users

EXTRAS = replace(KEY, label="extras")
RHEL = RepositoryKey("acme", "rhel", "baseos")
RHEL_PATH = "content/dist/rhel9/9/x86_64/baseos/os"


@dataclass
class Box:
    """A box with the repositories acme/tools/base and acme/tools/extras."""

    ctx: Context
    state: Path

    def repository(self, key: RepositoryKey = KEY) -> Repository:
        return repositories.get_repository(self.ctx, key)

    def packages(self, key: RepositoryKey = KEY) -> set[str]:
        with self.ctx.store.session():
            latest = self.ctx.store.versions.latest(key)
            files = [] if latest is None else list(self.ctx.store.versions.files(key, latest.number))
            return {file.path for file in files if file.package}

    def audit(self, action: str) -> list[AuditEntry]:
        with self.ctx.store.session():
            return [each for each in self.ctx.store.audit.list() if each.action == action]

    def add_redhat(self) -> None:
        """Make what a subscription manifest makes."""
        content = Content(
            "4711", "rhel-9-baseos", "RHEL 9 BaseOS", "/content/dist/rhel9/$releasever/$basearch/baseos/os"
        )
        variables = {"releasever": "9", "basearch": "x86_64"}
        with self.ctx.store.session(), self.ctx.store.transaction():
            self.ctx.store.products.create(Product("acme", "rhel", "RHEL", ProductKind.REDHAT))
            self.ctx.store.repositories.create(Repository(RHEL, "BaseOS", content, RHEL_PATH, variables))


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[Upstream]:
    root = tmp_path / "upstream"
    write_repository(root, Listed("stored.rpm", b"stored"))
    with serve(root) as running:
        yield running


@pytest.fixture
def box(tmp_path: Path, upstream: Upstream) -> Box:
    state = tmp_path / "state"
    environ = {"ISSBOX_STATE_DIR": str(state), "XDG_CONFIG_HOME": str(tmp_path / "nothing"), "HOME": str(tmp_path)}
    initialize_box(environ, "box")
    ctx = open_context(environ=environ, actor=ACTOR, progress=Recorder())
    ctx = replace(ctx, settings=replace(ctx.settings, synchronize=replace(ctx.settings.synchronize, retries=0)))
    catalog.create_product(ctx, organization="acme", label="tools", name="Tools")
    url = upstream.url.replace("http://", "http://me:secret@")
    repositories.create_repository(ctx, organization="acme", product="tools", label="base", name="Base", url=url)
    repositories.create_repository(ctx, organization="acme", product="tools", label="extras", name="Extras")
    return Box(ctx, state)


@pytest.fixture
def medium(tmp_path: Path) -> Path:
    """A medium with trees as exports lay them; it has no repository tools/extras."""
    root = tmp_path / "media/usb"
    write_repository(root / "custom/tools/base", Listed("carried.rpm", b"carried"))
    write_repository(root / RHEL_PATH, Listed("bash.rpm", b"bash"))
    for place, names in {"": "content\ncustom", "custom": "tools", "custom/tools": "base"}.items():
        write(root, f"{place}/listing" if place else "listing", names.encode())
    return root


def below(root: Path, path: str = "") -> TemporarySource:
    return TemporarySource(f"{root.as_uri()}/{path}")


def test_a_temporary_source_leaves_everything_stored_as_it_is(box: Box, upstream: Upstream, medium: Path) -> None:
    before = box.repository()
    report = synchronize(box.ctx, KEY, source=below(medium, "custom/tools/base"))
    assert report.version is not None
    assert report.version.source == f"{medium.as_uri()}/custom/tools/base"
    assert box.packages() == {"carried.rpm"}
    assert box.repository().upstream == before.upstream
    assert upstream.requests == []
    (entry,) = box.audit("repository.synchronize")
    assert entry.details["source"] == report.version.source
    synchronize(box.ctx, KEY)
    assert box.packages() == {"stored.rpm"}


def test_secrets_of_a_temporary_source_are_written_down_nowhere(box: Box, upstream: Upstream) -> None:
    url = upstream.url.replace("http://", "http://courier:hush@") + "?token=hush"
    report = synchronize(box.ctx, KEY, source=TemporarySource(url))
    assert report.version is not None
    assert "hush" not in report.version.source + repr(box.audit("repository.synchronize"))


def test_credentials_of_the_repository_are_not_shown_to_another_server(
    box: Box, upstream: Upstream, tmp_path: Path
) -> None:
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
    repositories.update_repository(box.ctx, KEY, ca="ca-certificate", client_certificate="client-certificate")
    with serve_tls(upstream.root, authority, clients=True) as server:
        with pytest.raises(UnreachableError, match="certificate"):  # the CA is not used unless told
            synchronize(box.ctx, KEY, source=TemporarySource(server.url))
        with pytest.raises(UnreachableError):  # nor is the client certificate
            synchronize(box.ctx, KEY, source=TemporarySource(server.url, ca="ca-certificate"))
        assert server.requests == []
        told = TemporarySource(server.url, ca="ca-certificate", client_certificate="client-certificate")
        assert synchronize(box.ctx, KEY, source=told).packages == 1
        assert {request.client for request in server.requests} == {"this-box"}
        assert all("authorization" not in request.headers for request in server.requests)
    with pytest.raises(InvalidValueError, match="is a ca-certificate"):
        synchronize(box.ctx, KEY, source=replace(told, client_certificate="ca-certificate"))
    with pytest.raises(NotFoundError):
        synchronize(box.ctx, KEY, source=replace(told, ca="another"))


def test_the_proxy_of_the_repository_is_not_used_for_another_server(box: Box, upstream: Upstream) -> None:
    repositories.update_repository(box.ctx, KEY, proxy="http://127.0.0.1:1/")
    with pytest.raises(UnreachableError):
        synchronize(box.ctx, KEY)
    assert synchronize(box.ctx, KEY, source=TemporarySource(upstream.url)).packages == 1
    with pytest.raises(UnreachableError):
        synchronize(box.ctx, KEY, source=TemporarySource(upstream.url, proxy="http://127.0.0.1:1/"), repair=True)
    settings = replace(box.ctx.settings.synchronize, proxy="http://127.0.0.1:1/")
    ctx = replace(box.ctx, settings=replace(box.ctx.settings, synchronize=settings))
    with pytest.raises(UnreachableError):
        synchronize(ctx, KEY, source=TemporarySource(upstream.url), repair=True)
    assert synchronize(ctx, KEY, source=TemporarySource(upstream.url, proxy=""), repair=True).packages == 1


def test_the_repository_decides_on_signatures_unless_told_otherwise_this_once(box: Box, medium: Path) -> None:
    gpg = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
    credentials.create_credential(
        box.ctx, organization="acme", label="key", name="key", kind=CredentialKind.GPG_KEY, content=gpg
    )
    repositories.update_repository(box.ctx, KEY, gpg_key="key")
    source = below(medium, "custom/tools/base")
    with pytest.raises(RepositorySignatureError):
        synchronize(box.ctx, KEY, source=source)
    assert synchronize(box.ctx, KEY, source=replace(source, check_metadata=False)).packages == 1
    assert box.repository().upstream.check_metadata
    with pytest.raises(RepositorySignatureError):  # the same bytes, now with the repository's own check
        synchronize(box.ctx, KEY, source=source)


def test_an_increment_that_lists_everything_needs_only_what_is_new(box: Box, medium: Path) -> None:
    tree = medium / "custom/tools/base"
    synchronize(box.ctx, KEY, source=below(tree))
    remove_tree(tree)
    write_repository(tree, Listed("carried.rpm", b"carried"), Listed("new.rpm", b"new"))
    (tree / "carried.rpm").unlink()
    report = synchronize(box.ctx, KEY, source=below(tree))
    assert box.packages() == {"carried.rpm", "new.rpm"}
    assert report.reused >= len(b"carried")
    write_repository(tree, Listed("new.rpm", b"new"), Listed("never.rpm", b"never seen here"))
    (tree / "never.rpm").unlink()
    with pytest.raises(UpstreamError, match=r"never\.rpm: there is no such file"):
        synchronize(box.ctx, KEY, source=below(tree))
    assert box.packages() == {"carried.rpm", "new.rpm"}


def test_a_source_that_would_replace_everything_is_refused(box: Box, medium: Path) -> None:
    tree = medium / "custom/tools/base"
    synchronize(box.ctx, KEY, source=below(tree))
    remove_tree(tree)
    write_repository(tree, Listed("new.rpm", b"new"))  # lists only what is new, as old increments do
    with pytest.raises(SourceRefusedError, match="none of the 1 packages that version 1 of acme/tools/base has"):
        synchronize(box.ctx, KEY, source=below(tree))
    assert box.packages() == {"carried.rpm"}
    assert synchronize(box.ctx, KEY, source=replace(below(tree), unrelated=True)).packages == 1
    assert box.packages() == {"new.rpm"}


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_a_source_that_goes_away_in_the_middle_changes_nothing(
    box: Box, upstream: Upstream, medium: Path, scheme: str
) -> None:
    synchronize(box.ctx, KEY, source=below(medium, "custom/tools/base"))
    if scheme == "http":
        write_repository(upstream.root, *(Listed(f"p{number}.rpm", bytes([number]) * 9000) for number in range(9)))
        upstream.always["p7.rpm"] = Answer(cut=100)
        source = TemporarySource(upstream.url)
    else:
        tree = medium / "pulled"
        write_repository(tree, *(Listed(f"p{number}.rpm", bytes([number]) * 9000) for number in range(9)))
        source = below(tree)

        class Pulled(Recorder):
            """Pulls the medium when the packages are about to be read."""

            def step(self, name: str, message: str = "") -> None:
                super().step(name, message)
                if name == "fetch-packages":
                    remove_tree(tree)

        box.ctx = replace(box.ctx, progress=Pulled())
    with pytest.raises((NotFoundError, UpstreamError, UnreachableError)) as caught:
        synchronize(box.ctx, KEY, source=source)
    assert "p7.rpm" in str(caught.value) or "there is no such directory" in str(caught.value)
    assert box.packages() == {"carried.rpm"}
    with box.ctx.store.session():
        assert len(box.ctx.store.versions.list(KEY)) == 1


def test_places_that_are_no_repository_are_named(box: Box, medium: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no such directory"):
        synchronize(box.ctx, KEY, source=below(medium, "custom/tools/nothing"))
    with pytest.raises(UpstreamError, match="there is no such file"):
        synchronize(box.ctx, KEY, source=below(medium))
    (medium / "loop").symlink_to("loop")
    with pytest.raises(UpstreamError, match="cannot be read"):
        synchronize(box.ctx, KEY, source=below(medium, "loop"))
    with pytest.raises(InvalidValueError, match="must begin with"):
        synchronize(box.ctx, KEY, source=TemporarySource("ftp://example.com/"))


def test_two_at_once_are_one_after_the_other(box: Box, upstream: Upstream) -> None:
    upstream.always["stored.rpm"] = Answer(pause=1.0)
    errors: list[Exception] = []

    def work() -> None:
        try:
            synchronize(box.ctx, KEY, source=TemporarySource(upstream.url))
        except BusyError as error:
            errors.append(error)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (error,) = errors
    assert "acme/tools/base is being changed" in str(error)
    assert box.packages() == {"stored.rpm"}


def test_custom_content_and_red_hat_content_never_mix(box: Box, medium: Path) -> None:
    box.add_redhat()
    with pytest.raises(SourceRefusedError, match="custom product never holds Red Hat content"):
        synchronize(box.ctx, KEY, source=below(medium, RHEL_PATH))
    with pytest.raises(SourceRefusedError, match="Red Hat product never holds custom content"):
        synchronize(box.ctx, RHEL, source=below(medium, "custom/tools/base"))
    with pytest.raises(SourceRefusedError):
        repositories.update_repository(box.ctx, KEY, url="https://cdn.redhat.com/content/dist/rhel9/9/x86_64/os")
    with pytest.raises(SourceRefusedError):
        repositories.update_repository(box.ctx, RHEL, url=f"{medium.as_uri()}/custom/tools/base")
    assert "redhat" not in str(box.repository().upstream.url)
    assert synchronize(box.ctx, RHEL, source=below(medium, RHEL_PATH)).packages == 1
    assert box.packages(RHEL) == {"bash.rpm"}


def test_a_user_reads_no_directory_of_other_organizations(box: Box, tmp_path: Path) -> None:
    synchronize(box.ctx, KEY)
    catalog.create_organization(box.ctx, label="other", name="Other")
    catalog.create_product(box.ctx, organization="other", label="copy", name="Copy")
    repositories.create_repository(box.ctx, organization="other", product="copy", label="base", name="Base")
    users.create_user(box.ctx, name="eve")
    users.grant_role(box.ctx, "eve", Role.ORG_ADMIN, organization="other")
    eve, copy = box.ctx.acting_as("eve", "192.0.2.7"), RepositoryKey("other", "copy", "base")
    ours = box.state / "content/acme/Library/custom/tools/base"
    link = tmp_path / "link"
    link.symlink_to(ours)
    around = box.state / "content/other/../acme/Library/custom/tools/base"
    for place in (ours, ours.resolve(), link, around):
        with pytest.raises(SourceRefusedError, match="state directory"):
            synchronize(eve, copy, source=TemporarySource(f"file://{place}"))
    with pytest.raises(SourceRefusedError):
        repositories.update_repository(eve, copy, url=ours.as_uri())
    assert box.packages(copy) == set()
    users.create_user(box.ctx, name="ann")
    users.grant_role(box.ctx, "ann", Role.ORG_ADMIN, organization="acme")
    ann = box.ctx.acting_as("ann", "192.0.2.7")
    assert synchronize(ann, EXTRAS, source=below(ours)).packages == 1
    users.revoke_role(box.ctx, "ann", Role.ORG_ADMIN, organization="acme")
    users.grant_role(box.ctx, "ann", Role.ORG_ADMIN, organization="acme", products=("tools",))
    with pytest.raises(SourceRefusedError):  # not all products are hers to see
        synchronize(ann, EXTRAS, source=below(ours))


def test_listings_of_a_base_say_what_it_holds(box: Box, medium: Path) -> None:
    found = {each.repository.key: each for each in find_sources(box.ctx, "acme", "tools", below(medium))}
    assert found[KEY].source == below(medium, "custom/tools/base")
    assert (found[EXTRAS].source, found[EXTRAS].unlisted) == (None, "custom/tools/extras")
    (medium / "custom/tools/listing").unlink()
    assert all(each.source for each in find_sources(box.ctx, "acme", "tools", below(medium)))
    write(medium, "custom/listing", b"another")
    with pytest.raises(NotFoundError, match="do not name custom/tools"):
        find_sources(box.ctx, "acme", "tools", below(medium))


def test_listings_are_read_from_servers_too(box: Box, medium: Path) -> None:
    with serve(medium) as server:
        found = find_sources(box.ctx, "acme", "tools", TemporarySource(server.url))
        assert [each.repository.key for each in found if each.source] == [KEY]
        assert sorted(server.paths) == ["custom/listing", "custom/tools/listing", "listing"]
        server.always["custom/listing"] = Answer(status=404)
        server.always["listing"] = Answer(body=b"<html>Index of /</html>")
        assert [each.repository.key for each in find_sources(box.ctx, "acme", "tools", TemporarySource(server.url))]


@pytest.mark.parametrize("text", [b"../..\n", b"a/b\n", b"\xff\xfe\n", b".\n"])
def test_a_listing_that_is_none_is_refused(box: Box, medium: Path, text: bytes) -> None:
    write(medium, "custom/listing", text)
    with pytest.raises(BadMetadataError, match="custom/listing"):
        find_sources(box.ctx, "acme", "tools", below(medium))


def test_a_product_without_repositories_comes_from_nowhere(box: Box, medium: Path) -> None:
    catalog.create_product(box.ctx, organization="acme", label="empty", name="Empty")
    with pytest.raises(NotFoundError, match="has no repositories"):
        find_sources(box.ctx, "acme", "empty", below(medium))
    with pytest.raises(NotFoundError, match="has no repositories"):
        plan_repointing(box.ctx, "acme", "empty", medium.as_uri())


def test_all_repositories_of_a_product_are_pointed_to_another_base(box: Box) -> None:
    before = box.repository()
    planned = plan_repointing(box.ctx, "acme", "tools", "https://new:secret@new.example.com/exports", proxy="http://p/")
    assert box.repository() == before
    assert box.audit("repository.update") == []
    assert [change.key for change in repoint(box.ctx, planned)] == [KEY, EXTRAS]
    for key in (KEY, EXTRAS):
        url = f"https://new:secret@new.example.com/exports/custom/tools/{key.label}"
        assert box.repository(key).upstream == Settings(url, proxy="http://p/")
    entries = box.audit("repository.update")
    assert [entry.details["url"] for entry in entries] == [
        f"https://***@new.example.com/exports/custom/tools/{label}" for label in ("base", "extras")
    ]
    assert "secret" not in repr(entries)
    assert repoint(box.ctx, planned) == []
    assert len(box.audit("repository.update")) == 2


def test_repointing_is_all_or_nothing_and_keeps_what_others_changed(box: Box) -> None:
    planned = plan_repointing(box.ctx, "acme", "tools", "https://new.example.com/")
    repositories.update_repository(box.ctx, KEY, check_packages=True)
    repositories.delete_repository(box.ctx, EXTRAS)
    with pytest.raises(NotFoundError):
        repoint(box.ctx, planned)
    assert "new.example.com" not in str(box.repository().upstream.url)
    repoint(box.ctx, plan_repointing(box.ctx, "acme", "tools", "https://new.example.com/"))
    assert box.repository().upstream.check_packages
    with pytest.raises(NotFoundError):
        plan_repointing(box.ctx, "acme", "tools", "https://new.example.com/", ca="none")
    with pytest.raises(InvalidValueError):
        plan_repointing(box.ctx, "acme", "tools", "gopher://new.example.com/")


def test_red_hat_products_are_pointed_to_their_own_trees(box: Box, medium: Path) -> None:
    box.add_redhat()
    (change,) = repoint(box.ctx, plan_repointing(box.ctx, "acme", "rhel", medium.as_uri()))
    assert change.after.url == f"{medium.as_uri()}/{RHEL_PATH}"
    assert synchronize(box.ctx, RHEL).packages == 1
