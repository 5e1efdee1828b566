"""Exports of a Katello on their way in: what a real Pulp wrote, and what somebody made of it."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from makers.boxes import PACKAGES
from makers.distribution import COMPS, PRODUCTID, Distribution, write_distribution
from makers.inboxes import make_context, now
from makers.katello import (
    EXPORT,
    REAL,
    Archive,
    Described,
    change_metadata,
    metadata,
    write_importable,
    write_syncable,
)
from makers.pulp_rows import Rows, read_repository
from workflows.test_importing import everything, tree

from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    ImportRefusedError,
    InvalidValueError,
    OlderBundleError,
    OversizedError,
    UnsafeFileError,
    UnsafePathError,
    UnsignedKatelloError,
    UnsupportedExportError,
    UntrustedBundleError,
)
from issbox.model import (
    Content,
    ContentCredential,
    ContentImport,
    CredentialKind,
    ImportState,
    Product,
    ProductKind,
    Repository,
    RepositoryKey,
    WaitsFor,
)
from issbox.progress import Silent
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox import inbox
from issbox.yum.repomd import parse_repomd

RPM = b"\xed\xab\xee\xdb"
"""How every package begins."""
BASE = RepositoryKey("acme", "gap", "base")
TREE = RepositoryKey("acme", "gap", "tree")


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_context(tmp_path / "box", quarantine_path=str(tmp_path / "quarantine"))


def take(ctx: Context, export: Path, *, allow_older: bool = False, repair: bool = False) -> ContentImport:
    (row,) = run_import(ctx, export, accept_unsigned=True, allow_older=allow_older, repair=repair)
    return row


def copy(tmp_path: Path, name: str) -> Path:
    """Give a copy of an export that a real Pulp made."""
    return shutil.copytree(REAL / name, tmp_path / name)


def packages(ctx: Context, key: RepositoryKey) -> dict[str, str]:
    """Give path and checksum of the packages of the newest version."""
    with ctx.store.session():
        latest = ctx.store.versions.latest(key)
        assert latest is not None
        files = list(ctx.store.versions.files(key, latest.number))
        return {file.path: file.sha256 for file in files if file.package is not None}


def number(ctx: Context, key: RepositoryKey) -> int | None:
    with ctx.store.session():
        return ctx.store.repositories.get(key).latest


def kinds(ctx: Context, key: RepositoryKey) -> set[str]:
    return {record.type for record in parse_repomd(tree(ctx, key)["repodata/repomd.xml"]).records}


@pytest.fixture(scope="module")
def gpg_key() -> Iterator[str]:
    """A public key that has signed nothing; its home has a short path, since gpg's sockets allow no long one."""
    with tempfile.TemporaryDirectory(prefix="gpg-") as home:
        gpg = ["gpg", "--homedir", home, "--batch", "--quiet"]
        quick = ["--pinentry-mode", "loopback", "--passphrase", "", "--quick-gen-key", "tester", "rsa2048", "sign"]
        subprocess.run([*gpg, *quick], capture_output=True, check=True)
        yield subprocess.run([*gpg, "--armor", "--export"], capture_output=True, check=True, text=True).stdout
        subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"], capture_output=True, check=False)


@dataclass
class Made:
    """Repositories to make exports of."""

    base: Path
    tree: Path
    rows: dict[Described, Rows]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp("sources")
    base = write_distribution(root / "base", Distribution(packages=PACKAGES[:2], advisories=1))
    kickstart = write_distribution(root / "tree", Distribution(kickstart=True))
    rows = {
        Described("base"): read_repository("base-7", base),
        Described("tree"): read_repository("tree-7", kickstart),
    }
    return Made(base, kickstart, rows)


@pytest.fixture
def importable(tmp_path: Path, made: Made) -> Path:
    return write_importable(tmp_path / "importable", made.rows, chunk_size=20_000)


@pytest.fixture
def syncable(tmp_path: Path, made: Made) -> Path:
    trees = {Described("base"): made.base, Described("tree"): made.tree}
    return write_syncable(tmp_path / "syncable", trees)


def test_both_forms_of_a_real_export_give_the_same_packages(tmp_path: Path) -> None:
    boxes = {}
    for name in ("complete", "syncable"):
        boxes[name] = make_context(tmp_path / f"box-{name}")
        row = take(boxes[name], copy(tmp_path, name))
        assert (row.state, row.organization, row.reason) == (ImportState.IMPORTED, "acme", "")
    for key in (BASE, TREE):
        one, other = packages(boxes["complete"], key), packages(boxes["syncable"], key)
        assert one == other
        assert len(one) == (2 if key is BASE else 3)
        assert kinds(boxes["complete"], key) == kinds(boxes["syncable"], key)
        assert {"updateinfo", "group", "modules", "productid"} < kinds(boxes["complete"], key)


def test_the_primary_metadata_is_the_one_that_the_real_pulp_publishes(ctx: Context, tmp_path: Path) -> None:
    take(ctx, copy(tmp_path, "complete"))
    for key in (BASE, TREE):
        repodata = REAL / f"syncable/custom/gap/{key.label}/repodata"
        published = {f"repodata/{path.name}" for path in repodata.glob("*-primary.xml.gz")}
        assert {path for path in tree(ctx, key) if path.startswith("repodata/") and "primary" in path} == published


def test_a_kickstart_tree_comes_out_whole(ctx: Context, importable: Path, made: Made) -> None:
    take(ctx, importable)
    found = tree(ctx, TREE)
    for path in ("images/pxeboot/vmlinuz", "images/pxeboot/initrd.img", "images/install.img"):
        assert found[path] == (made.tree / path).read_bytes()
    assert "Extras/Packages/g/gap-traveller-0.9-2.noarch.rpm" in found
    assert "Extras/repodata/repomd.xml" in found
    assert b"repository = Extras\n" in found[".treeinfo"]
    assert PRODUCTID in found.values()
    comps = next(data for path, data in found.items() if path.endswith("-comps.xml"))
    assert comps.count(b"<packagereq") == COMPS.count("<packagereq")


@pytest.mark.parametrize("form", ["importable", "syncable"])
def test_the_increment_of_a_real_export_follows(ctx: Context, tmp_path: Path, form: str) -> None:
    first, second = ("complete", "incremental") if form == "importable" else ("syncable", "syncable-incremental")
    take(ctx, copy(tmp_path, first))
    before = tree(ctx, TREE)
    take(ctx, copy(tmp_path, second))
    assert {path.rpartition("/")[2] for path in packages(ctx, BASE)} == {
        "gap-greeting-1.0-1.noarch.rpm",
        "gap-traveller-0.9-2.noarch.rpm",
    }
    assert (number(ctx, BASE), number(ctx, TREE)) == (2, 1)
    assert tree(ctx, TREE) == before


@pytest.mark.parametrize(
    ("name", "missing"),
    [("incremental", "base: gap-greeting"), ("syncable-incremental", "base/Packages/g/gap-greeting")],
)
def test_an_increment_waits_for_its_base_and_names_what_is_missing(
    ctx: Context, tmp_path: Path, name: str, missing: str
) -> None:
    before = everything(ctx)
    row = take(ctx, copy(tmp_path, name))
    assert (row.state, row.waits_for) == (ImportState.WAITING, WaitsFor.BASE)
    assert missing in row.reason
    assert everything(ctx) == before


@pytest.mark.parametrize("form", ["importable", "syncable"])
def test_an_increment_of_the_inbox_goes_on_when_its_base_is_there(tmp_path: Path, form: str) -> None:
    ctx = make_context(tmp_path / "box", accept_unsigned_katello="accept")
    first, second = ("complete", "incremental") if form == "importable" else ("syncable", "syncable-incremental")
    row = drop(ctx, shutil.copytree(REAL / second, ctx.settings.inbox.path / "second"))
    assert row.waits_for is WaitsFor.BASE
    drop(ctx, shutil.copytree(REAL / first, ctx.settings.inbox.path / "first"))
    with ctx.store.session():
        assert ctx.store.imports.get(row.id).state is ImportState.SETTLED
    assert import_bundle(ctx, row.id).state is ImportState.IMPORTED
    assert number(ctx, BASE) == 2


@pytest.mark.parametrize("name", ["complete", "syncable"])
def test_the_same_export_again_changes_nothing(ctx: Context, tmp_path: Path, name: str) -> None:
    take(ctx, copy(tmp_path, name))
    before = everything(ctx)
    (row,) = run_import(ctx, REAL / name)
    assert row.state is ImportState.IMPORTED
    assert "nothing to do" in row.reason
    assert everything(ctx) == before


def test_a_new_export_of_the_same_contents_makes_no_version(ctx: Context, importable: Path, syncable: Path) -> None:
    take(ctx, importable)
    change_metadata(importable, content_view_version={"major": 2, "minor": 0})
    take(ctx, importable)
    assert (number(ctx, BASE), number(ctx, TREE)) == (1, 1)


@pytest.mark.parametrize("form", ["importable", "syncable"])
def test_an_older_version_of_the_view_is_refused_unless_asked_for(
    ctx: Context, request: pytest.FixtureRequest, form: str
) -> None:
    export = request.getfixturevalue(form)
    change_metadata(export, content_view_version={"major": 2, "minor": 1})
    take(ctx, export)
    change_metadata(export, content_view_version={"major": 2, "minor": 0})
    with pytest.raises(OlderBundleError, match=r"version 2\.0 of .*, but version 2\.1 of the same box"):
        take(ctx, export)
    assert take(ctx, export, allow_older=True).state is ImportState.IMPORTED


def test_versions_of_another_view_are_not_compared(ctx: Context, importable: Path) -> None:
    change_metadata(importable, content_view_version={"major": 9, "minor": 0})
    take(ctx, importable)
    change_metadata(importable, content_view={"label": "Export-base-1"}, content_view_version={"major": 1, "minor": 0})
    assert take(ctx, importable).state is ImportState.IMPORTED


def test_products_and_repositories_are_updated_by_label_and_keys_by_name(ctx: Context, importable: Path) -> None:
    take(ctx, importable)
    key = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n"
    document = json.loads((importable / "metadata.json").read_text())
    document["products"]["gap"] |= {"name": "The Gap", "gpg_key": {"name": "Vendor's key 2026"}}
    document["repositories"]["base-7"] |= {"name": "The base", "gpg_key": {"name": "Vendor's key 2026"}}
    document["gpg_keys"] = {"x": {"name": "Vendor's key 2026", "content_type": "gpg_key", "content": key}}
    document["content_view_version"]["minor"] = 1
    change_metadata(importable, **document)
    take(ctx, importable)
    with ctx.store.session():
        assert ctx.store.products.get("acme", "gap").name == "The Gap"
        repository = ctx.store.repositories.get(BASE)
        assert (repository.name, repository.gpg_key) == ("The base", "Vendor_s_key_2026")
        credential = ctx.store.credentials.get("acme", "Vendor_s_key_2026")
        assert (credential.name, credential.content) == ("Vendor's key 2026", key)
        ctx.store.credentials.update("acme", credential.label, name="Vendor's key 2026", content=key + "old")
    change_metadata(importable, content_view_version={"major": 1, "minor": 2})
    take(ctx, importable)
    with ctx.store.session():
        assert [each.content for each in ctx.store.credentials.list("acme")] == [key]


REDHAT = Described(
    "server",
    "server-9",
    "rhel",
    {
        "redhat": True,
        "arch": "x86_64",
        "minor": "9.2",
        "content": {"id": "4711", "label": "rhel-9", "url": "/content/dist/rhel9/9.2/x86_64/os"},
    },
)


@pytest.fixture
def redhat(tmp_path: Path, made: Made) -> Path:
    return write_syncable(tmp_path / "redhat", {REDHAT: made.base})


def test_a_red_hat_product_is_never_made(ctx: Context, redhat: Path) -> None:
    before = everything(ctx)
    with pytest.raises(ImportRefusedError, match=r"rhel-9, 9\.2 x86_64\) cannot be filled: .* has no subscription"):
        take(ctx, redhat)
    assert everything(ctx) == before


@pytest.mark.parametrize(("release", "fits"), [("9.2", True), ("9.3", False)])
def test_a_red_hat_repository_is_found_by_content_release_and_architecture(
    ctx: Context, redhat: Path, release: str, fits: bool
) -> None:
    key = RepositoryKey("acme", "Red_Hat_Enterprise_Linux", "baseos")
    variables = {"releasever": release, "basearch": "x86_64"}
    content = Content("4711", "rhel-9", "RHEL 9", "/content/dist/rhel9/$releasever/$basearch/os")
    with ctx.store.session():
        ctx.store.products.create(Product("acme", key.product, "RHEL", ProductKind.REDHAT))
        path = f"content/dist/rhel9/{release}/x86_64/os"
        ctx.store.repositories.create(Repository(key, "BaseOS", content, path, variables))
    if not fits:
        with pytest.raises(ImportRefusedError, match=r"content rhel-9, 9\.2 x86_64\) cannot be filled"):
            take(ctx, redhat)
        return
    take(ctx, redhat)
    assert (number(ctx, key), len(packages(ctx, key))) == (1, 2)


def test_two_repositories_never_fill_one(ctx: Context, tmp_path: Path, made: Made) -> None:
    fields = {"redhat": True, "content": {"id": "4711", "label": "rhel-9"}}
    key = RepositoryKey("acme", "rhel", "baseos")
    content = Content("4711", "rhel-9", "RHEL 9", "/content/dist/rhel9/os")
    with ctx.store.session():
        ctx.store.products.create(Product("acme", key.product, "RHEL", ProductKind.REDHAT))
        ctx.store.repositories.create(Repository(key, "BaseOS", content, "content/dist/rhel9/os"))
    base, _ = made.rows.values()
    rows = {Described(label, base.name, product, fields): base for label, product in (("one", "a"), ("other", "b"))}
    export = write_importable(tmp_path / "twice", {next(iter(rows)): base})
    document = metadata([replace(each, pulp_name=f"{each.label}-7") for each in rows])
    change_metadata(export, repositories=document["repositories"], products=document["products"])
    with pytest.raises(BadManifestError, match="one-7 and other-7 are both the Red Hat repository"):
        take(ctx, export)


def test_keys_whose_names_make_one_label_get_numbers(ctx: Context, tmp_path: Path, made: Made, gpg_key: str) -> None:
    names = ["Vendor", *(f"Vendor{'!' * number}" for number in range(1, 200))]
    keys = {name: {"name": name, "content": gpg_key} for name in names}
    export = write_importable(tmp_path / "keys", made.rows, gpg_keys=keys)
    take(ctx, export)
    with ctx.store.session():
        labels = {each.name: each.label for each in ctx.store.credentials.list("acme")}
    assert labels["Vendor"] == "Vendor"
    assert labels["Vendor!!"] == "Vendor_3"
    assert len(set(labels.values())) == 200


def test_custom_content_takes_no_red_hat_content_id(ctx: Context, importable: Path) -> None:
    take(ctx, importable)
    with ctx.store.session():
        assert ctx.store.repositories.get(BASE).content.id != "1646672979604"


def test_what_this_box_does_not_keep_is_left_out_and_said(ctx: Context, tmp_path: Path, made: Made) -> None:
    image = Described("image", fields={"content_type": "docker"})
    rows = {**made.rows, image: Rows("image-7")}
    row = take(ctx, write_importable(tmp_path / "mixed", rows))
    assert "gap/image (docker)" in row.reason
    assert number(ctx, BASE) == 1
    with pytest.raises(UnsupportedExportError):
        take(ctx, write_importable(tmp_path / "images", {image: Rows("image-7")}))


def test_an_export_goes_into_the_organization_of_its_name_or_the_one_chosen(ctx: Context, importable: Path) -> None:
    change_metadata(importable, organization="Somebody Else")
    with pytest.raises(ImportRefusedError, match="Somebody Else"):
        take(ctx, importable)
    (row,) = run_import(ctx, importable, organization="acme", accept_unsigned=True)
    assert row.organization == "acme"


def test_nobody_imports_it_by_accident(ctx: Context, importable: Path) -> None:
    before = everything(ctx)
    with pytest.raises(UnsignedKatelloError, match=r"Export-Library 1\.0"):
        run_import(ctx, importable)
    assert everything(ctx) == before


def drop(ctx: Context, export: Path) -> ContentImport:
    """Take in an export as the service does once it has settled."""
    with ctx.store.session():
        row = ctx.store.imports.add(str(export), inbox=True, first_seen=now())
    return inbox.finish(ctx, import_bundle(ctx, row.id))


def test_the_inbox_waits_for_a_person(ctx: Context, importable: Path) -> None:
    before = everything(ctx)
    row = drop(ctx, importable.rename(ctx.settings.inbox.path / "export"))
    assert (row.state, row.waits_for) == (ImportState.WAITING, WaitsFor.APPROVAL)
    assert everything(ctx) == before
    with ctx.store.session():
        ctx.store.imports.update(row.id, updated_at=now(), approvals=("ann",))
    after = inbox.finish(ctx, import_bundle(ctx, row.id))
    assert after.state is ImportState.IMPORTED
    assert Path(after.path).is_relative_to(ctx.settings.inbox.archive_path)


def test_a_refused_export_may_be_retried_by_whoever_vouches_for_it(tmp_path: Path, importable: Path) -> None:
    ctx = make_context(tmp_path / "box", quarantine_path=str(tmp_path / "quarantine"), approvals=1)
    change_metadata(importable, organization="Somebody Else")
    row = drop(ctx, importable.rename(ctx.settings.inbox.path / "export"))
    assert row.state is ImportState.REFUSED
    assert Path(row.path).is_relative_to(ctx.settings.inbox.quarantine_path)
    change_metadata(Path(row.path), organization="Acme Shipping")
    inbox.retry(ctx, row.id)
    assert import_bundle(ctx, row.id, accept_unsigned=True).waits_for is WaitsFor.APPROVAL


def test_an_inbox_that_accepts_takes_it_and_one_that_refuses_takes_nobodys_word(tmp_path: Path, syncable: Path) -> None:
    trusting = make_context(tmp_path / "trusting", accept_unsigned_katello="accept")
    place = shutil.copytree(syncable, trusting.settings.inbox.path / "export")
    row = drop(trusting, place)
    assert row.state is ImportState.IMPORTED
    assert Path(row.path).is_relative_to(trusting.settings.inbox.archive_path)
    strict = make_context(tmp_path / "strict", accept_unsigned_katello="refuse")
    assert (
        drop(strict, shutil.copytree(syncable, strict.settings.inbox.path / "export")).error_code == "unsigned-katello"
    )
    with pytest.raises(UnsignedKatelloError):
        take(strict, syncable)


def test_repair_needs_a_bundle(ctx: Context, importable: Path) -> None:
    with pytest.raises(InvalidValueError):
        take(ctx, importable, repair=True)


@pytest.mark.parametrize("form", ["importable", "syncable"])
def test_packages_of_a_repository_that_checks_them_must_be_signed(
    ctx: Context, request: pytest.FixtureRequest, gpg_key: str, form: str
) -> None:
    export = request.getfixturevalue(form)
    take(ctx, export)
    with ctx.store.session():
        credential = ContentCredential("acme", "vendor", "Vendor", CredentialKind.GPG_KEY, gpg_key)
        ctx.store.credentials.create(credential)
        upstream = replace(ctx.store.repositories.get(BASE).upstream, check_packages=True)
        ctx.store.repositories.update(BASE, gpg_key="vendor", upstream=upstream)
    change_metadata(export, content_view={"label": "other"})
    if form == "syncable":  # with another repomd.xml, since the same one is not even looked at
        with (export / "custom/gap/base/repodata/repomd.xml").open("a") as out:
            out.write("<!-- new -->")
    with pytest.raises(UntrustedBundleError, match="gap-"):
        take(ctx, export)


Change = Callable[[Path], object]


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def piece(export: Path, at: int) -> Path:
    return export / f"{EXPORT}.tar.{at:04d}"


def toc_sum(export: Path) -> None:
    place = export / f"{EXPORT}-toc.json"
    document = json.loads(place.read_text())
    document["files"][piece(export, 1).name] = "1"
    place.write_text(json.dumps(document))


def primary(export: Path) -> Path:
    return next((export / "custom/gap/base/repodata").glob("*primary*"))


HOSTILE_ARCHIVES: list[tuple[str, Change, type[BundleError]]] = [
    ("a flipped bit in a package", lambda export: flip(piece(export, 0), 3000), BundleDamagedError),
    ("a flipped bit in a row", lambda export: flip(piece(export, 2), 500), BundleDamagedError),
    ("a wrong checksum", toc_sum, BundleDamagedError),
    ("a missing piece", lambda export: piece(export, 1).unlink(), BundleIncompleteError),
    ("a cut piece", lambda export: os.truncate(piece(export, 1), 100), BundleIncompleteError),
    ("a missing table of contents", lambda export: (export / f"{EXPORT}-toc.json").unlink(), BundleIncompleteError),
    ("a table of contents elsewhere", lambda export: change_metadata(export, toc="../x-toc.json"), UnsafePathError),
    ("huge metadata", lambda export: os.truncate(export / "metadata.json", 1 << 30), OversizedError),
    ("a huge table of contents", lambda export: os.truncate(export / f"{EXPORT}-toc.json", 1 << 30), OversizedError),
    ("metadata that is no JSON", lambda export: (export / "metadata.json").write_bytes(b"{"), BadManifestError),
    ("a GPG key that is none", lambda export: change_metadata(
        export, gpg_keys={"k": {"name": "k", "content": "-----BEGIN PGP PRIVATE KEY BLOCK-----"}}
    ), BadManifestError),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error"), [each[1:] for each in HOSTILE_ARCHIVES], ids=[e[0] for e in HOSTILE_ARCHIVES]
)
def test_a_hostile_archive_changes_nothing(
    ctx: Context, importable: Path, change: Change, error: type[BundleError]
) -> None:
    before = everything(ctx)
    change(importable)
    with pytest.raises(error):
        take(ctx, importable)
    assert everything(ctx) == before


def change_artifact(archive: Archive) -> None:
    """Change a package, its checksum in the table of contents being that of the changed archive."""
    archive.replace(next(info.name for info, data in archive.members if data.startswith(RPM)), _flipped)


def _flipped(data: bytes) -> bytes:
    return data[:-1] + bytes([data[-1] ^ 1])


def no_rpm(archive: Archive) -> None:
    """Let a package be some other file, with the checksums that belong to it."""

    def change(rows: list[dict[str, object]]) -> None:
        digest = next(row["artifact"] for row in links if str(row["relative_path"]).startswith("repodata"))
        for row in rows:
            if str(row.get("relative_path", "")).endswith(".rpm"):
                row["artifact"] = digest
            if "pkgId" in row:
                row["pkgId"], row["size_package"] = digest, str(len(PRODUCTID))

    links = next(json.loads(data) for info, data in archive.members if "ContentArtifact" in info.name)
    archive.rows("PackageResource.json", change)
    archive.rows("ContentArtifactResource.json", change)


def absent(archive: Archive) -> None:
    archive.rows("ContentArtifactResource.json", lambda rows: rows[0].update(artifact="0" * 64))


def change_package(archive: Archive, **changes: str) -> None:
    archive.rows("PackageResource.json", lambda rows: rows[0].update(changes))


HOSTILE_CONTENTS: list[tuple[Callable[[Archive], object], type[BundleError]]] = [
    (change_artifact, BundleDamagedError),
    (absent, BadManifestError),
    (no_rpm, BadManifestError),
    (lambda archive: change_package(archive, version="9"), BadManifestError),
    (lambda archive: change_package(archive, size_package="9"), BadManifestError),
    (lambda archive: archive.add("artifact/../../../etc/passwd", b"x"), UnsafePathError),
    (lambda archive: archive.add("link.json", b"", b"2", "/etc/passwd"), UnsafeFileError),
    (lambda archive: archive.replace("versions.json", lambda _: b""), BadManifestError),
]


@pytest.mark.parametrize(("change", "error"), HOSTILE_CONTENTS)
def test_hostile_contents_with_good_checksums_change_nothing(
    ctx: Context, tmp_path: Path, made: Made, change: Callable[[Archive], object], error: type[BundleError]
) -> None:
    before = everything(ctx)
    export = write_importable(tmp_path / "hostile", made.rows, change=change)
    with pytest.raises(error):
        take(ctx, export)
    assert everything(ctx) == before


def test_an_artifact_that_is_nowhere_is_named(ctx: Context, tmp_path: Path, made: Made) -> None:
    known = {digest for rows in made.rows.values() for digest, data in rows.artifacts.items() if data == PRODUCTID}
    export = write_importable(tmp_path / "holes", made.rows, known=known)
    with pytest.raises(BundleIncompleteError, match=r"2 files .*productid"):
        take(ctx, export)


HOSTILE_TREES: list[tuple[str, Change, type[BundleError]]] = [
    ("a link", lambda export: (export / "custom/gap/base/x").symlink_to("/etc/passwd"), UnsafeFileError),
    ("a pipe", lambda export: os.mkfifo(export / "custom/pipe"), UnsafeFileError),
    ("a missing package", lambda export: next(export.rglob("*.rpm")).unlink(), BundleIncompleteError),
    ("a changed package", lambda export: flip(next(export.rglob("*.rpm")), 2000), BundleDamagedError),
    ("missing metadata", lambda export: primary(export).unlink(), BundleIncompleteError),
    ("changed metadata", lambda export: flip(primary(export), 30), BundleError),
    ("a missing repository", lambda export: shutil.rmtree(export / "custom/gap/tree"), BundleIncompleteError),
    ("a changed repomd.xml", lambda export: flip(export / "custom/gap/base/repodata/repomd.xml", 0), BadManifestError),
    ("a changed image", lambda export: flip(export / "custom/gap/tree/images/install.img", 0), BundleDamagedError),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "error"), [each[1:] for each in HOSTILE_TREES], ids=[each[0] for each in HOSTILE_TREES]
)
def test_hostile_trees_change_nothing(ctx: Context, syncable: Path, change: Change, error: type[BundleError]) -> None:
    before = everything(ctx)
    change(syncable)
    with pytest.raises(error):
        take(ctx, syncable)
    assert everything(ctx) == before


class Swapper(Silent):
    """Changes an export between its check and its reading, as somebody might once it has been approved."""

    def __init__(self, change: Callable[[], object]) -> None:
        self._change = change

    def step(self, name: str, message: str = "") -> None:
        if name == "stage-files":
            self._change()


def test_a_tree_that_changes_after_its_check_is_not_taken(ctx: Context, tmp_path: Path, syncable: Path) -> None:
    before = everything(ctx)
    other = write_distribution(tmp_path / "other", Distribution(packages=PACKAGES[2:3]))
    place = syncable / "custom/gap/base"

    def swap() -> None:
        shutil.rmtree(place)
        shutil.copytree(other, place)

    with pytest.raises(BundleDamagedError, match=r"custom/gap/base/repodata/repomd.xml has become another one"):
        take(replace(ctx, progress=Swapper(swap)), syncable)
    assert everything(ctx) == before


def test_a_stripped_bundle_of_ours_is_an_unsigned_export(ctx: Context, syncable: Path) -> None:
    (syncable / "issbox-bundle.json").write_bytes(b"{}")
    with pytest.raises(BundleError) as raised:
        take(ctx, syncable)
    assert not isinstance(raised.value, UnsignedKatelloError)
