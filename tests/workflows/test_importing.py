"""Bundles on their way in: what is refused changes nothing, what is taken in is there whole."""

import errno
import io
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from makers.bundles import (
    SampleBundle,
    SampleContent,
    SampleRepository,
    make_bundle,
    new_key,
    sample_content,
    write_directory,
)
from makers.hostile import CASES, Case
from makers.inboxes import make_context, now
from makers.recorder import Recorder
from makers.tar_streams import stream_of

from issbox.bundle.signature import SigningKey
from issbox.bundle.volume_files import DirectoryFiles
from issbox.errors import (
    BadManifestError,
    BundleError,
    BusyError,
    ImportRefusedError,
    NoSpaceError,
    NotFoundError,
    OlderBundleError,
    OperatingSystemError,
)
from issbox.files import FileLock
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, EntryKind
from issbox.model import ContentImport, ImportState, Product, ProductKind, RepositoryFile, RepositoryKey
from issbox.rules.health import Trouble
from issbox.workflows.appliance.box_status import status
from issbox.workflows.appliance.upkeep import reconcile
from issbox.workflows.context import Context
from issbox.workflows.imports import staging
from issbox.workflows.imports.by_hand import import_stream, run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox import inbox

KEY = RepositoryKey("acme", "tools", "base")
HISTORY = {"content_import", "audit_entry", "sqlite_sequence"}
"""What a refusal may and must write to."""
MORE = {"hello-1.0-1.noarch.rpm": b"hello one", "world-2.0-1.noarch.rpm": b"world two"}


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


@pytest.fixture
def ctx(tmp_path: Path, key: SigningKey) -> Context:
    return make_context(tmp_path / "box", trusted=key)


def drop(ctx: Context, bundle: Path) -> ContentImport:
    """Take in a bundle as the service does once it has settled, and tidy up after it."""
    with ctx.store.session():
        row = ctx.store.imports.add(str(bundle), inbox=True, first_seen=now())
    return inbox.finish(ctx, import_bundle(ctx, row.id))


def everything(ctx: Context) -> tuple[dict[str, list[object]], list[str]]:
    """Give all that the store holds besides its history: the rows of every table, and every file with its size."""
    state = ctx.store.state_dir
    with sqlite3.connect(state / "issbox.db") as database:
        names = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        tables = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in names if name not in HISTORY}
    files = [
        f"{path.relative_to(state)} {path.lstat().st_size} {path.lstat().st_mode:o}"
        for place in ("blobs", "published", "content", "tmp")
        for path in sorted((state / place).rglob("*"))
        if not path.is_dir() and path.suffix != ".lock"
    ]
    return tables, files


def tree(ctx: Context, key: RepositoryKey = KEY) -> dict[str, bytes]:
    """Give what hosts see of a repository."""
    root = ctx.store.state_dir / "content/acme/Library/custom" / key.product / key.label
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def carried(bundle: Path, path: str = "custom/tools/base") -> dict[str, bytes]:
    root = bundle / path
    return {str(each.relative_to(root)): each.read_bytes() for each in root.rglob("*") if each.is_file()}


def sample(packages: Mapping[str, bytes] | None = None, number: int = 1, **changes: object) -> SampleBundle:
    repository = SampleRepository(number=number)
    if packages is not None:
        repository = replace(repository, packages=packages)
    identity = f"0d5cbe8e-52b1-4a0a-9f5c-{number:012d}"
    return replace(SampleBundle((repository,), bundle_id=identity, sequence=number), **changes)  # type: ignore[arg-type] # by name


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_or_damaged_bundle_goes_to_quarantine_and_nothing_of_it_into_the_store(
    ctx: Context, key: SigningKey, case: Case
) -> None:
    bundle = make_bundle(ctx.settings.inbox.path, key)
    case.change(bundle, key)
    before = everything(ctx)
    row = drop(ctx, bundle)
    assert (row.state, row.error_code) == (ImportState.REFUSED, case.error.code)
    assert everything(ctx) == before
    quarantined = Path(row.path)
    assert quarantined.parent == ctx.settings.inbox.quarantine_path
    assert not bundle.exists()
    explanation = quarantined.with_name(f"{quarantined.name}.reason.txt").read_text()
    assert case.error.code in explanation
    assert f"retry {row.id}" in explanation
    with ctx.store.session():
        assert "content-import.refuse" in [entry.action for entry in ctx.store.audit.list()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_repository_that_is_here_survives_a_hostile_successor(ctx: Context, key: SigningKey, case: Case) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample(), name="first"))
    seen, before = tree(ctx), everything(ctx)
    assert seen
    bundle = make_bundle(ctx.settings.inbox.path, key, sample(MORE, 2))
    case.change(bundle, key)
    assert drop(ctx, bundle).error_code == case.error.code
    assert everything(ctx) == before
    assert tree(ctx) == seen


def test_a_good_bundle_is_there_byte_for_byte_and_archived(ctx: Context, key: SigningKey) -> None:
    bundle = make_bundle(ctx.settings.inbox.path, key)
    wanted = carried(bundle)
    row = drop(ctx, bundle)
    assert row.state is ImportState.IMPORTED
    assert tree(ctx) == wanted
    assert Path(row.path).parent == ctx.settings.inbox.archive_path
    assert carried(Path(row.path)) == wanted


def test_the_directory_for_temporary_files_needs_no_room(
    ctx: Context, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(ctx.settings.inbox.path, key)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
    assert drop(ctx, bundle).state is ImportState.IMPORTED
    assert [path for path in (ctx.store.state_dir / "tmp").iterdir() if path.suffix != ".lock"] == []


def test_a_bundle_dropped_again_is_a_no_op_that_says_so(ctx: Context, key: SigningKey) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key))
    before = everything(ctx)
    row = drop(ctx, make_bundle(ctx.settings.inbox.path, key, name="again"))
    assert row.state is ImportState.IMPORTED
    assert "imported before" in row.reason
    assert everything(ctx) == before


def test_a_bundle_imported_again_by_hand_leaves_no_record(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, key)
    (first,) = run_import(ctx, bundle)
    for _ in range(2):
        (again,) = run_import(ctx, bundle)
        assert again.id == first.id
        assert "imported before" in again.reason
    with ctx.store.session():
        assert ctx.store.imports.list() == [first]
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.imports.update(first.id, updated_at=first.updated_at, state=ImportState.ROLLED_BACK)
    (again,) = run_import(ctx, bundle)
    assert again.id != first.id


def test_a_bundle_imported_before_comes_back_after_its_repository_was_deleted(ctx: Context, key: SigningKey) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key))
    with ctx.store.session():
        ctx.store.repositories.delete(KEY)
    bundle = make_bundle(ctx.settings.inbox.path, key, name="again")
    wanted = carried(bundle)
    row = drop(ctx, bundle)
    assert row.reason == ""
    assert tree(ctx) == wanted


def test_the_same_content_in_another_bundle_makes_no_version(ctx: Context, key: SigningKey) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample(number=1)))
    progress = Recorder()
    row = drop(replace(ctx, progress=progress), make_bundle(ctx.settings.inbox.path, key, sample(number=2)))
    assert row.state is ImportState.IMPORTED
    assert progress.expected["stage-files"] == (0, 0)
    with ctx.store.session():
        assert [version.number for version in ctx.store.versions.list(KEY)] == [1]


def test_a_newer_bundle_makes_a_version_and_keeps_the_one_before(ctx: Context, key: SigningKey) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample()))
    bundle = make_bundle(ctx.settings.inbox.path, key, sample(MORE, 2))
    wanted = carried(bundle)
    drop(ctx, bundle)
    assert tree(ctx) == wanted
    with ctx.store.session():
        assert [version.number for version in ctx.store.versions.list(KEY)] == [1, 2]


def test_an_older_bundle_after_a_newer_one_is_refused_unless_asked_for(
    ctx: Context, key: SigningKey, tmp_path: Path
) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample(MORE, 2)))
    before = everything(ctx)
    old = make_bundle(tmp_path, key, sample(number=1))
    with pytest.raises(OlderBundleError, match="version 2 of the same box"):
        run_import(ctx, old)
    assert everything(ctx) == before
    run_import(ctx, old, allow_older=True)
    assert tree(ctx) == carried(old)


def test_a_skipped_bundle_is_noticed(ctx: Context, key: SigningKey) -> None:
    drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample(number=1)))
    row = drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample(MORE, 4)))
    assert row.state is ImportState.IMPORTED
    assert "2 to 3" in row.reason


def test_red_hat_products_are_never_made_by_a_bundle(ctx: Context, key: SigningKey) -> None:
    redhat = replace(SampleRepository(), kind=ProductKind.REDHAT)
    before = everything(ctx)
    row = drop(ctx, make_bundle(ctx.settings.inbox.path, key, SampleBundle((redhat,))))
    assert (row.state, row.error_code) == (ImportState.REFUSED, "import-refused")
    assert "manifest" in row.reason
    assert everything(ctx) == before


def test_custom_content_does_not_fill_a_red_hat_product(ctx: Context, key: SigningKey) -> None:
    with ctx.store.session():
        ctx.store.products.create(Product("acme", "tools", "Tools", ProductKind.REDHAT))
    before = everything(ctx)
    assert drop(ctx, make_bundle(ctx.settings.inbox.path, key)).error_code == "import-refused"
    assert everything(ctx) == before


def test_a_bundle_changes_only_the_organization_it_goes_into(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    with ctx.store.session():
        ctx.store.organizations.create("other", "Other")
    bundle = make_bundle(tmp_path, key)
    run_import(ctx, bundle, organization="other")
    with ctx.store.session():
        assert ctx.store.products.list("acme") == []
        assert [product.label for product in ctx.store.products.list("other")] == ["tools"]
    run_import(ctx, bundle)
    assert tree(ctx) == carried(bundle)


def test_an_unknown_organization_is_refused_with_what_to_do(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, key, SampleBundle(organization="elsewhere"))
    with pytest.raises(ImportRefusedError, match="elsewhere") as caught:
        run_import(ctx, bundle)
    assert "organization create" in caught.value.hint
    with pytest.raises(NotFoundError):
        run_import(ctx, bundle, organization="nowhere")


def test_bundles_in_folders_are_imported_by_hand_in_the_order_in_which_they_were_made(
    ctx: Context, key: SigningKey, tmp_path: Path
) -> None:
    medium = tmp_path / "medium"
    for number, folder in ((3, "a"), (1, "z/deep"), (2, ".")):
        made = replace(sample(number=number), bundle_id=f"0d5cbe8e-52b1-4a0a-9f5c-{number:012d}", sequence=number)
        (medium / folder).mkdir(parents=True, exist_ok=True)
        make_bundle(medium / folder, key, made, name=f"bundle-{9 - number}")
    (medium / "lost+found").mkdir(mode=0)
    (medium / "read me.txt").write_text("x")
    done = run_import(ctx, medium)
    assert [(row.sequence, row.state) for row in done] == [(each, ImportState.IMPORTED) for each in (1, 2, 3)]


def test_two_repositories_of_one_bundle_appear_together(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    pair = SampleBundle((SampleRepository(), replace(SampleRepository(label="extras"), packages=MORE)))
    bundle = make_bundle(tmp_path, key, pair)
    run_import(ctx, bundle)
    assert tree(ctx) == carried(bundle)
    assert tree(ctx, replace_label("extras")) == carried(bundle, "custom/tools/extras")
    listing = ctx.store.state_dir / "content/acme/Library/custom/tools/listing"
    assert listing.read_text() == "base\nextras"


def replace_label(label: str) -> RepositoryKey:
    return RepositoryKey(KEY.organization, KEY.product, label)


def test_too_little_space_is_known_before_anything_is_written(
    ctx: Context, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(ctx.settings.inbox.path, key)
    before = everything(ctx)
    monkeypatch.setattr("issbox.workflows.imports.staging._HEAD_ROOM", 1 << 60)
    with pytest.raises(NoSpaceError, match="the import needs"):
        drop(ctx, bundle)
    assert everything(ctx) == before
    with ctx.store.session():
        (row,) = ctx.store.imports.list()
    assert row.state is ImportState.SETTLED
    assert "tried again" in row.reason
    monkeypatch.undo()
    assert import_bundle(ctx, row.id).state is ImportState.IMPORTED


def test_a_full_disk_lets_a_person_go_on_later(
    ctx: Context, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = make_bundle(tmp_path, key)

    def states() -> list[ImportState]:
        with ctx.store.session():
            return [row.state for row in ctx.store.imports.list()]

    for _ in range(3):
        with monkeypatch.context() as patch:
            patch.setattr("issbox.workflows.imports.staging._HEAD_ROOM", 1 << 60)
            with pytest.raises(NoSpaceError):
                run_import(ctx, bundle)
    with ctx.store.session():
        row = ctx.store.imports.list()[0]
    assert states() == [ImportState.SETTLED] * 3
    assert row.error_code == "no-space"
    assert f"content-import retry {row.id}" in row.reason
    waits = [each for each in status(ctx).problems if each.trouble is Trouble.WAITING]
    assert len(waits) == 3
    assert not [each for each in status(ctx).problems if each.trouble is Trouble.REFUSED]
    inbox.discard(ctx, row.id - 2)
    inbox.retry(ctx, row.id)
    assert import_bundle(ctx, row.id).state is ImportState.IMPORTED
    assert states() == [ImportState.IMPORTED, ImportState.DISCARDED, ImportState.DISCARDED]
    assert not [each for each in status(ctx).problems if each.trouble is Trouble.WAITING]


@pytest.mark.skipif(not Path("/proc/self/mem").is_file(), reason="needs a file that cannot be read at its beginning")
def test_a_file_of_a_medium_that_cannot_be_read_is_named(ctx: Context) -> None:
    own = Path(f"/proc/{os.getpid()}")
    with (
        ctx.store.blobs.batch() as batch,
        pytest.raises(OperatingSystemError, match=f"^{own}/mem: Input/output error"),
        DirectoryFiles(own).open("mem") as source,
    ):
        batch.add(source)


def test_a_second_import_at_the_same_time_waits(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, key)
    with FileLock(ctx.store.locks / "import.lock"), pytest.raises(BusyError, match="another import"):
        run_import(ctx, bundle)
    run_import(ctx, bundle)


def test_a_refusal_by_hand_needs_nobody_once_the_bundle_came_in(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, key, SampleBundle(organization="later"))
    with pytest.raises(ImportRefusedError):
        run_import(ctx, bundle)
    with ctx.store.session():
        ctx.store.organizations.create("later", "Later")
    run_import(ctx, bundle)
    with ctx.store.session():
        assert [row.state for row in ctx.store.imports.list()] == [ImportState.IMPORTED, ImportState.DISCARDED]


def test_a_bad_copy_needs_nobody_once_a_good_one_came_in(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    good = make_bundle(tmp_path, key)
    other = make_bundle(tmp_path, key, SampleBundle(bundle_id="0d5cbe8e-52b1-4a0a-9f5c-000000000002"), name="other")
    for bundle in (good, other):
        copy = shutil.copytree(bundle, tmp_path / f"copy-of-{bundle.name}")
        next(copy.rglob("*.rpm")).unlink()
        with pytest.raises(BundleError):
            run_import(ctx, copy)
    run_import(ctx, good)
    with ctx.store.session():
        states = [row.state for row in ctx.store.imports.list()]
    assert states == [ImportState.IMPORTED, ImportState.REFUSED, ImportState.DISCARDED]


def test_a_refusal_stays_when_another_bundle_comes_the_same_way(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    other = make_bundle(tmp_path, key, SampleBundle(bundle_id="0d5cbe8e-52b1-4a0a-9f5c-000000000002"), name="other")
    refused = make_bundle(tmp_path, key, SampleBundle(organization="later"))

    def come(bundle: Path) -> None:
        found = {str(path.relative_to(bundle)): path.read_bytes() for path in bundle.rglob("*") if path.is_file()}
        order = [MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME]
        named = {name: found[name] for name in sorted(found, key=lambda name: (name not in order, name))}
        import_stream(ctx, io.BytesIO(stream_of(named)))

    with pytest.raises(ImportRefusedError):
        come(refused)
    with pytest.raises(BundleError):
        import_stream(ctx, io.BytesIO(b"nothing that can be read"))
    come(other)
    with ctx.store.session():
        states = [row.state for row in ctx.store.imports.list()]
        assert states == [ImportState.IMPORTED, ImportState.REFUSED, ImportState.REFUSED]
        ctx.store.organizations.create("later", "Later")
    come(refused)
    with ctx.store.session():
        assert ctx.store.imports.list()[-1].state is ImportState.DISCARDED


def test_a_damaged_stored_file_is_replaced_from_the_bundle(ctx: Context, key: SigningKey, tmp_path: Path) -> None:
    bundle = make_bundle(tmp_path, key)
    run_import(ctx, bundle)
    blob = next(path for path in (ctx.store.state_dir / "blobs").rglob("*") if path.is_file())
    blob.chmod(0o644)
    blob.write_bytes(b"x" * blob.stat().st_size)
    assert tree(ctx) != carried(bundle)
    run_import(ctx, bundle, repair=True)
    assert tree(ctx) == carried(bundle)
    with ctx.store.session():
        assert [version.number for version in ctx.store.versions.list(KEY)] == [1]


def with_files(content: SampleContent, files: Mapping[str, tuple[EntryKind, int | None, bytes]]) -> SampleContent:
    """Give a bundle with other files, whose metadata stays what it was."""
    (repository,) = content.manifest.repositories
    packages = sum(kind is EntryKind.PACKAGE for kind, _, _ in files.values())
    repository = replace(repository, version=replace(repository.version, packages=packages))
    return replace(content, files=files, manifest=replace(content.manifest, repositories=(repository,)))


class TestSuccessor:
    """A bundle whose repository is here already in another version."""

    FIRST: Mapping[str, bytes] = {f"pack{number}-1.0-1.noarch.rpm": bytes([number]) * 99 for number in range(5)}
    KEPT: Mapping[str, bytes] = {name: data for name, data in FIRST.items() if name != "pack3-1.0-1.noarch.rpm"}
    SECOND: Mapping[str, bytes] = {**KEPT, "pack1-1.0-1.noarch.rpm": b"built again", "new-1.0-1.noarch.rpm": b"new"}

    @pytest.fixture(autouse=True)
    def first(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, make_bundle(ctx.settings.inbox.path, key, sample(self.FIRST), name="first"))

    def files(self, ctx: Context, number: int) -> list[RepositoryFile]:
        with ctx.store.session():
            return list(ctx.store.versions.files(KEY, number))

    @pytest.mark.parametrize("packages", [SECOND, {**FIRST, **SECOND}, KEPT])
    def test_only_what_differs_is_read_and_written(
        self,
        ctx: Context,
        key: SigningKey,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        packages: Mapping[str, bytes],
    ) -> None:
        bundle = make_bundle(ctx.settings.inbox.path, key, sample(packages, 2))
        wanted = carried(bundle)
        with monkeypatch.context() as patched:
            patched.setattr(staging, "read_described", None)
            assert drop(ctx, bundle).state is ImportState.IMPORTED
        assert tree(ctx) == wanted
        alone = make_context(tmp_path / "alone", trusted=key)
        drop(alone, make_bundle(alone.settings.inbox.path, key, sample(packages, 2)))
        assert self.files(ctx, 2) == self.files(alone, 1)
        assert len(self.files(ctx, 1)) == len(self.FIRST) + len(wanted) - len(packages)

    @pytest.mark.parametrize("path", ["pack0-1.0-1.noarch.rpm", "pack1-1.0-1.noarch.rpm", "new-1.0-1.noarch.rpm"])
    @pytest.mark.parametrize("data", [b"x" * 99, b"x", None], ids=["other", "shorter", "gone"])
    def test_a_package_that_the_metadata_describes_otherwise_is_refused(
        self, ctx: Context, key: SigningKey, tmp_path: Path, path: str, data: bytes | None
    ) -> None:
        content = sample_content(sample(self.SECOND, 2))
        (place,) = (each for each in content.files if each.endswith(path))
        kind, index, _ = content.files[place]
        files = {each: found for each, found in content.files.items() if each != place}
        if data is not None:
            files[place] = (kind, index, data)
        before = everything(ctx)
        changed = with_files(content, files)
        bundle = write_directory(ctx.settings.inbox.path, "bundle", changed.head(key, tmp_path), changed.open)
        row = drop(ctx, bundle)
        assert row.error_code == BadManifestError.code
        assert path in row.reason
        assert everything(ctx) == before

    def test_a_disk_that_fails_while_a_worn_tree_is_made_new_changes_nothing_that_is_shown(
        self, ctx: Context, key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run_import(ctx, make_bundle(tmp_path, key, sample(self.KEPT, 2), name="second"))
        seen = tree(ctx)
        bundle = make_bundle(tmp_path, key, sample(self.SECOND, 3), name="third")

        def fail(*_: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr(os, "link", fail)
            with pytest.raises(OperatingSystemError):
                run_import(ctx, bundle)
        assert tree(ctx) == seen
        assert reconcile(ctx).trees_built == 0
        (row,) = run_import(ctx, bundle)
        assert row.state is ImportState.IMPORTED
        assert tree(ctx) == carried(bundle)
        assert [number for _, number in sorted(ctx.store.trees.list())] == [2, 3]

    def test_a_package_that_the_metadata_forgets_is_refused(
        self, ctx: Context, key: SigningKey, tmp_path: Path
    ) -> None:
        content, less = sample_content(sample(self.FIRST, 2)), sample_content(sample(self.KEPT, 2))
        (place,) = (each for each in content.files if "pack3" in each)
        changed = with_files(less, {**less.files, place: content.files[place]})
        row = drop(ctx, write_directory(ctx.settings.inbox.path, "b", changed.head(key, tmp_path), changed.open))
        assert row.error_code == BadManifestError.code
        assert "pack3" in row.reason
