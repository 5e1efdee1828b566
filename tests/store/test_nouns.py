"""Boxes, organizations, products, credentials, repositories, imports and exports: rows in, the same words out."""

from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from makers.stores import KEY, NOW, Library, package, repository

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError
from issbox.model import (
    LIBRARY,
    BundleForm,
    Content,
    ContentCredential,
    ContentExport,
    ContentImport,
    CredentialKind,
    ExportedVersion,
    ExportState,
    ImportMark,
    ImportState,
    LifecycleEnvironment,
    Organization,
    Product,
    ProductKind,
    RepositoryKey,
    TrustedKey,
    Upstream,
    VersionChange,
    WaitsFor,
)
from issbox.store import UNCHANGED, Store

A = TrustedKey("far", "ab" * 32, "PEM A", NOW)
B = TrustedKey("office", "ab" * 4 + "cd" * 28, "PEM B", NOW)
GPG = ContentCredential("Example", "gpg", "Key", CredentialKind.GPG_KEY, "armored")
CA = ContentCredential("Example", "ca", "CA", CredentialKind.CA_CERTIFICATE, "pem")


def test_trusted_keys_are_found_by_name_and_by_beginnings_of_the_key_id(store: Store) -> None:
    store.trusted_keys.add(B)
    store.trusted_keys.add(A)
    assert store.trusted_keys.list() == [A, B]
    assert store.trusted_keys.find(A.key_id) == A
    assert store.trusted_keys.find("ab" * 16) is None
    assert store.trusted_keys.get("office") == store.trusted_keys.get(B.key_id) == B
    assert store.trusted_keys.get("ab" * 5) == A
    with pytest.raises(InvalidValueError, match="2 trusted keys"):
        store.trusted_keys.get("ab" * 4)
    for unknown in ("ab" * 3, "nobody", ""):
        with pytest.raises(NotFoundError):
            store.trusted_keys.get(unknown)


def test_a_key_is_trusted_once_and_can_be_removed(store: Store) -> None:
    store.trusted_keys.add(A)
    for other in (replace(A, name="again"), replace(B, name=A.name)):
        with pytest.raises(AlreadyExistsError):
            store.trusted_keys.add(other)
    store.trusted_keys.remove(A.key_id)
    assert store.trusted_keys.list() == []
    with pytest.raises(NotFoundError):
        store.trusted_keys.remove(A.key_id)


def test_an_organization_comes_with_its_library(store: Store) -> None:
    assert store.organizations.create("Example", "Example Corp.") == Organization("Example", "Example Corp.")
    library = LifecycleEnvironment("Example", LIBRARY, LIBRARY, None)
    assert store.environments.list("Example") == [library]
    assert store.environments.get("Example", LIBRARY) == library
    assert store.organizations.update("Example", name="New").name == "New"
    with pytest.raises(AlreadyExistsError):
        store.organizations.create("Example", "x")
    with pytest.raises(InvalidValueError):
        store.organizations.create("no label", "x")
    with pytest.raises(NotFoundError):
        store.environments.get("Example", "dev")
    with pytest.raises(NotFoundError):
        store.organizations.get("Other")


def test_an_organization_goes_only_when_it_is_empty(library: Library) -> None:
    store = library.store
    store.credentials.create(CA)
    with pytest.raises(InUseError, match="has 1 product"):
        store.organizations.delete("Example")
    store.repositories.delete(KEY)
    store.products.delete("Example", "tools")
    store.organizations.delete("Example")
    assert store.organizations.list() == []


def test_products_keep_what_is_not_changed(library: Library) -> None:
    store = library.store
    store.credentials.create(GPG)
    product = Product("Example", "extra", "Extra", ProductKind.REDHAT, "Described", "gpg")
    assert store.products.create(product) == product
    assert store.products.list("Example") == [product, Product("Example", "tools", "Tools")]
    assert store.products.update("Example", "extra", name="More") == replace(product, name="More")
    assert store.products.update("Example", "extra", gpg_key=UNCHANGED).gpg_key == "gpg"
    assert store.products.update("Example", "extra", gpg_key=None).gpg_key is None
    with pytest.raises(AlreadyExistsError):
        store.products.create(product)
    with pytest.raises(NotFoundError, match="content credential 'none'"):
        store.products.update("Example", "extra", gpg_key="none")
    with pytest.raises(InUseError):
        store.products.delete("Example", "tools")
    store.products.delete("Example", "extra")
    with pytest.raises(NotFoundError):
        store.products.get("Example", "extra")


def test_credentials_in_use_stay(library: Library) -> None:
    store = library.store
    assert store.credentials.create(GPG) == GPG
    store.credentials.create(CA)
    assert store.credentials.list("Example") == [CA, GPG]
    assert store.credentials.update("Example", "ca", content="new") == replace(CA, content="new")
    store.repositories.update(KEY, upstream=Upstream("https://example.com", ca="ca"))
    store.products.update("Example", "tools", gpg_key="gpg")
    with pytest.raises(InUseError, match="repository base"):
        store.credentials.delete("Example", "ca")
    with pytest.raises(InUseError, match="product tools"):
        store.credentials.delete("Example", "gpg")
    store.repositories.update(KEY, upstream=Upstream())
    store.credentials.delete("Example", "ca")
    with pytest.raises(NotFoundError):
        store.credentials.get("Example", "ca")


def test_organizations_do_not_see_each_other(library: Library) -> None:
    store = library.store
    store.organizations.create("Other", "Other")
    store.credentials.create(replace(GPG, organization="Other"))
    other = RepositoryKey("Other", "tools", "base")
    store.products.create(Product("Other", "tools", "Tools"))
    with pytest.raises(NotFoundError):
        store.repositories.create(repository(other, gpg_key="ca"))
    with pytest.raises(NotFoundError):
        store.repositories.update(KEY, gpg_key="gpg")
    store.repositories.create(repository(other, gpg_key="gpg"))
    assert [each.key for each in store.repositories.list("Other")] == [other]
    assert [each.key for each in store.repositories.list(product="tools")] == [KEY, other]


def test_every_field_of_a_repository_comes_back(library: Library) -> None:
    store = library.store
    for credential in (GPG, CA, replace(CA, label="client", kind=CredentialKind.CLIENT_CERTIFICATE)):
        store.credentials.create(credential)
    key = RepositoryKey("Example", "tools", "full")
    full = repository(
        key,
        variables={"releasever": "9", "basearch": "x86_64"},
        gpg_key="gpg",
        upstream=Upstream(
            "https://example.com/x", "ca", "client", "http://proxy:3128", check_metadata=False, check_packages=True
        ),
        imported=ImportMark("box", 7),
    )
    assert store.repositories.create(full) == full
    changed = replace(
        full,
        name="Renamed",
        variables={},
        gpg_key=None,
        upstream=Upstream(),
        imported=None,
        content=replace(full.content, name="Other", arches=(), enabled=False),
    )
    names = ("name", "variables", "gpg_key", "upstream", "imported", "content")
    assert store.repositories.update(key, **{name: getattr(changed, name) for name in names}) == changed
    assert store.repositories.update(key, enabled=True).content.enabled is True
    with pytest.raises(InvalidValueError):
        store.repositories.update(key, path="custom/elsewhere")
    with pytest.raises(TypeError):
        store.repositories.update(key, nonsense=1)


def test_a_repository_is_made_once_and_paths_never_lie_inside_each_other(library: Library) -> None:
    store = library.store
    with pytest.raises(AlreadyExistsError):
        store.repositories.create(repository())
    other = RepositoryKey("Example", "tools", "other")
    for path in ("custom/tools/base", "custom/tools/base/deep", "custom/tools", "custom"):
        with pytest.raises(AlreadyExistsError, match="custom/tools/base"):
            store.repositories.create(repository(other, path=path))
    for number, path in enumerate(
        ("custom/tools/base2", "custom/tools/base-x", "custom/tools/base0/deep", "custom/zoo")
    ):
        key = replace(other, label=f"other{number}")
        assert store.repositories.create(repository(key, path=path)).path == path
    with pytest.raises(AlreadyExistsError, match="base0/deep of the repository"):
        store.repositories.create(repository(other, path="custom/tools/base0"))
    store.organizations.create("Second", "Second")
    store.products.create(Product("Second", "tools", "Tools"))
    store.repositories.create(repository(replace(other, organization="Second"), path="custom/tools"))
    label = store.repositories.get(KEY).content.label
    assert store.repositories.has_content_label("Example", label)
    assert not store.repositories.has_content_label("Example", "none")


def test_deleting_a_repository_takes_its_versions_and_its_content_along(library: Library, count_rows: Any) -> None:
    store = library.store
    second = RepositoryKey("Example", "tools", "second")
    shared = store.repositories.get(KEY).content
    store.repositories.create(repository(second, content=shared))
    library.publish([package(1), package(2)])
    library.publish([package(2)], second)
    store.repositories.delete(KEY)
    assert count_rows("content") == 1
    assert (count_rows("repository_version"), count_rows("package"), count_rows("promotion")) == (1, 1, 1)
    assert library.files(1, second) == [package(2)]
    store.repositories.delete(second)
    for table in ("content", "repository_version", "package", "promotion", "repository_file"):
        assert count_rows(table) == 0
    with pytest.raises(NotFoundError):
        store.repositories.get(KEY)


def test_red_hat_repositories_are_found_by_content_and_exact_variables(store: Store) -> None:
    store.organizations.create("Example", "Example")
    store.products.create(Product("Example", "rhel", "RHEL", ProductKind.REDHAT))
    store.products.create(Product("Example", "own", "Own"))
    content = Content("4201", "rhel-9", "RHEL 9", "/content/dist/rhel9/$releasever/$basearch/os")
    for label, release in (("nine", "9"), ("nine-four", "9.4")):
        key = RepositoryKey("Example", "rhel", label)
        variables = {"releasever": release, "basearch": "x86_64"}
        store.repositories.create(repository(key, content=content, path=f"content/{label}", variables=variables))
    store.repositories.create(repository(RepositoryKey("Example", "own", "mine"), variables={"releasever": "9"}))
    found = store.repositories.find_redhat("Example", "4201", {"basearch": "x86_64", "releasever": "9.4"})
    assert found is not None
    assert found.key.label == "nine-four"
    assert store.repositories.find_redhat("Example", "4201", {"releasever": "9"}) is None
    own = store.repositories.get(RepositoryKey("Example", "own", "mine")).content.id
    assert store.repositories.find_redhat("Example", own, {"releasever": "9"}) is None


IMPORT: dict[str, object] = {
    "path": "/archive/bundle",
    "state": ImportState.IMPORTED,
    "inbox": False,
    "organization": "Example",
    "bundle_id": "bundle-1",
    "source_box": "box-1",
    "key_id": "ab" * 32,
    "destination": "plant",
    "sequence": 4,
    "size": 5_000_000_000,
    "files": 7,
    "copied_files": 6,
    "copied_size": 4_000_000_000,
    "error_code": "busy",
    "reason": "words",
    "allow_older": True,
    "fingerprint": "seen",
    "form": BundleForm.ISO,
    "incremental": True,
    "volume": 2,
    "volumes": 3,
    "waits_for": WaitsFor.VOLUMES,
    "taken": True,
    "made_by": "anna",
    "approvals": ("bert", "carla"),
    "changes": (VersionChange(KEY, None, 1), VersionChange(KEY, 1, 2)),
    "view_version": "servers 3.0",
    "with_environments": True,
}


def test_every_field_of_an_import_comes_back(store: Store) -> None:
    new = store.imports.add("/inbox/bundle", inbox=True, first_seen=NOW)
    assert new == ContentImport(new.id, "/inbox/bundle", ImportState.SETTLED, NOW, NOW, inbox=True)
    later = NOW + timedelta(hours=1)
    changed = store.imports.update(new.id, updated_at=later, **IMPORT)
    assert changed == replace(new, updated_at=later, **IMPORT)  # type: ignore[arg-type]  # fields by name
    assert store.imports.get(new.id) == changed
    assert {field.name for field in fields(ContentImport)} == {*IMPORT, "id", "first_seen", "updated_at"}
    with pytest.raises(NotFoundError):
        store.imports.get(new.id + 1)
    with pytest.raises(TypeError):
        store.imports.update(new.id, updated_at=NOW, nonsense=1)


def test_the_largest_numbers_that_a_manifest_may_have_are_kept(store: Store, library: Library) -> None:
    largest = (1 << 53) - 1
    row = store.imports.add("/inbox/a", inbox=True, first_seen=NOW)
    kept = store.imports.update(row.id, updated_at=NOW, sequence=largest, size=largest)
    assert (kept.sequence, kept.size) == (largest, largest)
    mark = ImportMark("box", largest)
    assert store.repositories.update(KEY, imported=mark).imported == mark


def test_an_import_is_open_until_it_is_over(store: Store) -> None:
    for state in ImportState:
        store.imports.add(f"/inbox/{state}", inbox=True, first_seen=NOW, state=state)
    assert [row.state for row in store.imports.list()] == list(reversed(ImportState))
    waiting = (ImportState.WAITING, ImportState.ARRIVING)
    assert [row.state for row in store.imports.list(states=waiting)] == list(waiting)
    assert [row.state for row in store.imports.list(limit=1)] == [list(ImportState)[-1]]
    newest = store.imports.list(limit=2)
    assert store.imports.list(before=newest[0].id, limit=1) == newest[1:]
    assert store.imports.list(before=1) == []


def test_imports_are_counted_by_organization_and_state(store: Store) -> None:
    assert store.imports.count() == {}
    for organization, state in ((None, "arriving"), ("A", "imported"), ("A", "imported"), ("B", "imported")):
        store.imports.add("/inbox/x", inbox=True, first_seen=NOW, organization=organization, state=ImportState(state))
    assert store.imports.count() == {
        (None, ImportState.ARRIVING): 1,
        ("A", ImportState.IMPORTED): 2,
        ("B", ImportState.IMPORTED): 1,
    }


def test_only_what_was_imported_counts_as_history(store: Store) -> None:
    def add(state: ImportState, sequence: int, **changes: object) -> ContentImport:
        row = store.imports.add("/inbox/x", inbox=True, first_seen=NOW)
        facts = {**IMPORT, "state": state, "sequence": sequence, "bundle_id": f"bundle-{sequence}", **changes}
        return store.imports.update(row.id, updated_at=NOW, **facts)

    assert store.imports.last_sequence("box-1", "Example", "plant") is None
    first = add(ImportState.IMPORTED, 3)
    add(ImportState.IMPORTED, 2)
    add(ImportState.REFUSED, 9)
    add(ImportState.IMPORTED, 11, organization="Other")
    add(ImportState.IMPORTED, 12, destination="")
    assert store.imports.last_sequence("box-1", "Example", "plant") == 3
    assert store.imports.imported_bundle("bundle-3") == first
    assert store.imports.imported_bundle("bundle-9") is None
    assert store.imports.imported_bundle("bundle-11", "Example") is None


def test_exports_are_numbered_for_each_destination(store: Store) -> None:
    def add(destination: str, organization: str = "Example") -> ContentExport:
        sequence = store.exports.next_sequence(organization, destination)
        return store.exports.add(
            ContentExport(
                id=0,
                bundle_id=f"{organization}-{destination}-{sequence}",
                organization=organization,
                repositories=("tools/base", "tools/extra"),
                destination=destination,
                sequence=sequence,
                path="/exports/x",
                created_at=NOW,
                files=3,
                size=5_000_000_000,
                state=ExportState.WRITING,
                form=BundleForm.ISO,
                incremental=True,
                base={"kind": "since"},
                versions=(ExportedVersion(KEY, 7, "ab" * 32),),
                volumes=(1, 2**40),
                seconds=1.5,
            )
        )

    first, second = add("plant"), add("plant")
    assert (first.sequence, second.sequence, add("").sequence, add("plant", "Other").sequence) == (1, 2, 1, 1)
    assert store.exports.get(first.id) == first
    assert first.repositories == ("tools/base", "tools/extra")
    assert store.exports.update(first.id, state=ExportState.WRITTEN) == replace(first, state=ExportState.WRITTEN)
    assert [export.sequence for export in store.exports.list("Other")] == [1]
    assert len(store.exports.list()) == 4
    assert [export.sequence for export in store.exports.list("Example", "plant")] == [2, 1]
    assert [each.id for each in store.exports.list(states=[ExportState.WRITTEN])] == [first.id]
    assert {each.organization for each in store.exports.list(sequence=1)} == {"Example", "Other"}
    assert [each.id for each in store.exports.list(before=second.id)] == [first.id]
    assert [each.id for each in store.exports.list("Example", "plant", limit=1)] == [second.id]
    assert store.exports.find(second.bundle_id) == second
    assert store.exports.find("none") is None
    assert store.exports.bundle_ids([ExportState.WRITTEN]) == {first.bundle_id}
    assert [each.id for each in store.exports.timed("Other", BundleForm.ISO, 3)] == [second.id + 2]
    assert store.exports.timed("Other", BundleForm.TAR, 3) == []
    assert first.versions == (ExportedVersion(KEY, 7, "ab" * 32),)
    store.exports.delete(second.id)
    assert store.exports.next_sequence("Example", "plant") == 2
    with pytest.raises(NotFoundError):
        store.exports.get(second.id)
