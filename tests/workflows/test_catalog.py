"""Organizations, products, credentials and repositories: each change with its audit entry, or not at all."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.config import load_settings
from issbox.errors import (
    AlreadyExistsError,
    BusyError,
    InUseError,
    InvalidValueError,
    IssboxError,
    NotFoundError,
    RedHatProductError,
)
from issbox.files import digest_file
from issbox.model import (
    Actor,
    AuditEntry,
    CredentialKind,
    FileKind,
    Product,
    ProductKind,
    RepositoryFile,
    RepositoryKey,
    VersionOrigin,
)
from issbox.progress import Silent
from issbox.rules.content.urls import check_url, mask_url
from issbox.store import open_store
from issbox.workflows.appliance import boxes
from issbox.workflows.content import catalog, credential_contents, credentials, repositories
from issbox.workflows.content.publishing import changing_content, publish
from issbox.workflows.context import Context

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
GPG_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
KEY = RepositoryKey("ACME", "tools", "base")


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    settings = load_settings({"ISSBOX_STATE_DIR": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path)})
    actor = Actor("tester", "local")
    boxes.initialize(
        settings,
        name="Box",
        organization_label="ACME",
        organization_name="ACME",
        actor=actor,
        clock=lambda: NOW,
        progress=Silent(),
    )
    return Context(open_store(settings.state_dir, None), settings, actor, lambda: NOW, Silent())


def audited(ctx: Context) -> list[AuditEntry]:
    with ctx.store.session():
        return sorted(ctx.store.audit.list(), key=lambda entry: entry.number)[2:]


def make_repository(ctx: Context, url: str | None = None) -> None:
    catalog.create_product(ctx, organization="ACME", label="tools", name="Tools")
    repositories.create_repository(ctx, organization="ACME", product="tools", label="base", name="Base", url=url)


def test_every_change_has_one_entry(ctx: Context) -> None:
    catalog.create_organization(ctx, label="B", name="b")
    catalog.update_organization(ctx, "B", name="bb")
    catalog.delete_organization(ctx, "B")
    make_repository(ctx, "https://me:secret@example.com/?t=secret")
    catalog.update_product(ctx, "ACME", "tools", description="d")
    repositories.update_repository(ctx, KEY, url="https://me:secret@example.org/", proxy="http://me:secret@proxy/")
    credentials.create_credential(
        ctx, organization="ACME", label="k", name="k", kind=CredentialKind.GPG_KEY, content=GPG_KEY
    )
    credentials.delete_credential(ctx, "ACME", "k")
    repositories.delete_repository(ctx, KEY)
    catalog.delete_product(ctx, "ACME", "tools")
    entries = audited(ctx)
    assert [entry.action for entry in entries] == [
        "organization.create",
        "organization.update",
        "organization.delete",
        "product.create",
        "repository.create",
        "product.update",
        "repository.update",
        "content-credential.create",
        "content-credential.delete",
        "repository.delete",
        "product.delete",
    ]
    assert all(entry.actor == ctx.actor and entry.at == NOW for entry in entries)
    assert "secret" not in str(entries)
    assert entries[6].details == {
        "url": "https://***@example.org/",
        "proxy": "http://***@proxy/",
        "before": {"url": "https://***@example.com/?***", "proxy": None},
    }


REFUSED: list[tuple[Callable[[Context], object], type[IssboxError]]] = [
    (lambda ctx: catalog.create_organization(ctx, label="ACME", name="x"), AlreadyExistsError),
    (lambda ctx: catalog.create_organization(ctx, label="a b", name="x"), InvalidValueError),
    (lambda ctx: catalog.create_organization(ctx, label="B", name="a\x1bb"), InvalidValueError),
    (lambda ctx: catalog.delete_organization(ctx, "ACME"), InUseError),
    (lambda ctx: catalog.update_organization(ctx, "none", name="x"), NotFoundError),
    (lambda ctx: catalog.create_product(ctx, organization="none", label="x", name="x"), NotFoundError),
    (lambda ctx: catalog.create_product(ctx, organization="ACME", label="tools", name="x"), AlreadyExistsError),
    (lambda ctx: catalog.update_product(ctx, "ACME", "tools", gpg_key="none"), NotFoundError),
    (lambda ctx: catalog.update_product(ctx, "ACME", "none", name="x"), NotFoundError),
    (lambda ctx: catalog.delete_product(ctx, "ACME", "tools"), InUseError),
    (lambda ctx: catalog.update_product(ctx, "ACME", "rhel", name="x"), RedHatProductError),
    (
        lambda ctx: repositories.create_repository(ctx, organization="ACME", product="rhel", label="x", name="x"),
        RedHatProductError,
    ),
    (
        lambda ctx: repositories.create_repository(ctx, organization="ACME", product="none", label="x", name="x"),
        NotFoundError,
    ),
    (
        lambda ctx: repositories.create_repository(ctx, organization="ACME", product="tools", label="base", name="x"),
        AlreadyExistsError,
    ),
    (lambda ctx: repositories.update_repository(ctx, KEY, url="gopher://x"), InvalidValueError),
    (lambda ctx: repositories.update_repository(ctx, KEY, proxy="file:///x"), InvalidValueError),
    (lambda ctx: repositories.update_repository(ctx, KEY, ca="none"), NotFoundError),
    (lambda ctx: repositories.delete_repository(ctx, RepositoryKey("ACME", "tools", "none")), NotFoundError),
    (lambda ctx: credentials.delete_credential(ctx, "ACME", "none"), NotFoundError),
    (lambda ctx: catalog.list_products(ctx, "none"), NotFoundError),
    (lambda ctx: repositories.list_repositories(ctx, "ACME", "none"), NotFoundError),
    (lambda ctx: catalog.choose_organization(ctx, "none"), NotFoundError),
]


@pytest.mark.parametrize(("change", "error"), REFUSED)
def test_what_is_refused_changes_nothing(
    ctx: Context, change: Callable[[Context], object], error: type[IssboxError]
) -> None:
    make_repository(ctx)
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.products.create(Product("ACME", "rhel", "RHEL", ProductKind.REDHAT))
    before = (audited(ctx), catalog.list_products(ctx, "ACME"), repositories.list_repositories(ctx, "ACME"))
    with pytest.raises(error):
        change(ctx)
    assert (audited(ctx), catalog.list_products(ctx, "ACME"), repositories.list_repositories(ctx, "ACME")) == before


def test_the_organization_meant(ctx: Context) -> None:
    assert catalog.choose_organization(ctx, None) == "ACME"
    catalog.create_organization(ctx, label="B", name="b")
    with pytest.raises(InvalidValueError, match="ACME, B"):
        catalog.choose_organization(ctx, None)
    assert catalog.choose_organization(ctx, "B") == "B"
    catalog.delete_organization(ctx, "B")
    catalog.delete_organization(ctx, "ACME")
    with pytest.raises(NotFoundError):
        catalog.choose_organization(ctx, None)


def test_content_labels_are_unique(ctx: Context) -> None:
    labels = []
    for product, repository in (("a_b", "c"), ("a", "b_c"), ("p" * 128, "r" * 128), ("p" * 128, "r" * 127)):
        if product not in {each.label for each in catalog.list_products(ctx, "ACME")}:
            catalog.create_product(ctx, organization="ACME", label=product, name=product)
        made = repositories.create_repository(ctx, organization="ACME", product=product, label=repository, name="x")
        labels.append(made.content.label)
    assert labels[0] == "a_b_c"
    assert len(set(labels)) == 4
    assert max(map(len, labels)) <= 128


def test_updating_leaves_what_is_not_named(ctx: Context) -> None:
    make_repository(ctx, "file:///srv/base")
    before = repositories.get_repository(ctx, KEY)
    after = repositories.update_repository(ctx, KEY, check_packages=True)
    assert (after.upstream.url, after.upstream.check_packages) == ("file:///srv/base", True)
    assert after.upstream.check_metadata is True
    after = repositories.update_repository(ctx, KEY, check_metadata=False)
    assert (after.upstream.check_metadata, after.upstream.check_packages) == (False, True)
    assert audited(ctx)[-1].details == {"check_metadata": False, "before": {"check_metadata": True}}
    assert (after.name, after.content, after.path) == (before.name, before.content, before.path)
    assert repositories.update_repository(ctx, KEY, name="New").upstream == after.upstream
    assert repositories.update_repository(ctx, KEY, url="").upstream.url is None


def publish_one_file(ctx: Context) -> str:
    source = ctx.store.state_dir / "file"
    source.write_bytes(b"content")
    digest = digest_file(source)
    with ctx.store.session(), changing_content(ctx, [KEY]), ctx.store.blobs.batch() as batch:
        with source.open("rb", buffering=0) as opened:
            batch.add(opened)
        batch.commit()
        with ctx.store.versions.draft(KEY) as draft:
            draft.add([RepositoryFile("repodata/repomd.xml", digest.size, digest.sha256, FileKind.METADATA)])
            publish(
                ctx,
                [draft],
                origin=VersionOrigin.SYNCHRONIZE,
                source="file:///x",
                repomd={KEY: digest.sha256},
                record=lambda _: None,
            )
    return digest.sha256


def test_deleting_a_repository_takes_its_trees_and_links_away(ctx: Context) -> None:
    make_repository(ctx)
    sha256 = publish_one_file(ctx)
    link = ctx.store.state_dir / "content/ACME/Library/custom/tools/base"
    assert (link / "repodata/repomd.xml").read_bytes() == b"content"
    assert [version.number for version in repositories.list_versions(ctx, KEY)] == [1]
    with changing_content(ctx, [KEY]), pytest.raises(BusyError):
        repositories.delete_repository(ctx, KEY)
    repositories.delete_repository(ctx, KEY)
    assert not link.is_symlink()
    assert list(ctx.store.trees.list()) == []
    assert ctx.store.blobs.has(sha256)  # cleanup removes it, when no other repository needs it
    with pytest.raises(NotFoundError):
        repositories.list_versions(ctx, KEY)


def test_a_key_is_not_left_behind_when_the_credential_is_not_kept(
    ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(credential_contents, "check_content", lambda kind, content, key: (content, key))
    keys = ctx.store.state_dir / "keys/credentials"

    def create(organization: str) -> None:
        credentials.create_credential(
            ctx,
            organization=organization,
            label="me",
            name="me",
            kind=CredentialKind.CLIENT_CERTIFICATE,
            content="c",
            private_key="secret",
        )

    with pytest.raises(NotFoundError):
        create("none")
    assert [path for path in keys.rglob("*") if path.is_file()] == []
    with monkeypatch.context() as patch:
        patch.setattr(Context, "audit", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            create("ACME")
    assert [path for path in keys.rglob("*") if path.is_file()] == []
    assert credentials.list_credentials(ctx, "ACME") == []
    create("ACME")
    assert (keys / "ACME/me.key").read_text() == "secret"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://example.com/a", "https://example.com/a"),
        ("https://user:p@ss@example.com:8443/a?b=c", "https://***@example.com:8443/a?***"),
        ("https://token@example.com/", "https://***@example.com/"),
        ("file:///srv/x", "file:///srv/x"),
        ("http://[::1]:8080/", "http://[::1]:8080/"),
        ("http://[bad", "***"),
        ("http://user:secret@host:99999999/", "***"),
    ],
)
def test_masking(url: str, shown: str) -> None:
    assert mask_url(url) == shown


@given(url=st.text(), password=st.text(st.sampled_from("abcdefghijk%:"), min_size=6))
def test_no_message_about_a_url_tells_its_password(url: str, password: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        check_url(f"gopher://me:{password}@{url}")
    assert f":{password}@" not in str(caught.value)
    assert f":{password}@" not in mask_url(f"https://me:{password}@{url}")


_BEGINNINGS = st.sampled_from(["http://", "HTTPS://", "file:///"])


@given(st.text() | st.builds(str.__add__, _BEGINNINGS, st.text("ab1/.:@[]#?% ")))
def test_any_text_is_a_url_or_refused(url: str) -> None:
    try:
        assert check_url(url) == url
    except InvalidValueError:
        return
    assert url.split(":", maxsplit=1)[0].lower() in {"http", "https", "file"}


def test_private_keys_go_with_their_organization_and_not_before(ctx: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(credential_contents, "check_content", lambda kind, content, key: (content, key))
    keys = ctx.store.state_dir / "keys/credentials"
    for organization in ("ACME", "B"):
        if organization != "ACME":
            catalog.create_organization(ctx, label=organization, name=organization)
        credentials.create_credential(
            ctx,
            organization=organization,
            label="me",
            name="me",
            kind=CredentialKind.CLIENT_CERTIFICATE,
            content="c",
            private_key="secret",
        )
    with monkeypatch.context() as patch:
        patch.setattr(Context, "audit", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            catalog.delete_organization(ctx, "B")
    assert (keys / "B/me.key").exists()
    catalog.delete_organization(ctx, "B")
    assert [path for path in keys.rglob("*") if path.is_file()] == [keys / "ACME/me.key"]
