"""From a checked bundle to staged blobs and drafts: every byte is read once, hashed and written once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from itertools import groupby
from typing import Final

from issbox.bundle.pieces import Piece
from issbox.bundle.reader import BundleReader
from issbox.errors import (
    BadManifestError,
    BadMetadataError,
    BundleDamagedError,
    DigestMismatchError,
    UnsafePathError,
)
from issbox.files import Readable, require_space
from issbox.manifest import EntryKind, FileEntry, ManifestRepository
from issbox.model import Package, RepositoryFile
from issbox.store import Batch, Draft
from issbox.workflows.content.package_order import sorted_by_path
from issbox.workflows.context import Context
from issbox.workflows.imports.differences import CONTENT, agrees, find_differences, primary_changes
from issbox.workflows.parallel import run_all
from issbox.yum.primary import PackageEntry, read_packages
from issbox.yum.repomd import REPOMD_PATH, parse_repomd

_HEAD_ROOM: Final = 16 << 20
"""Bytes kept free besides the content, for directories and the database."""


def missing_files(ctx: Context, bundle: BundleReader, damaged: AbstractSet[str] = frozenset()) -> Iterator[FileEntry]:
    """Give what the bundle lists without carrying it, and this box does not have either."""
    for entry in content_entries(bundle):
        if not entry.carried and (entry.sha256 in damaged or not ctx.store.blobs.has(entry.sha256, entry.size)):
            yield entry


def stage(
    ctx: Context,
    bundle: BundleReader,
    batch: Batch,
    damaged: AbstractSet[str] = frozenset(),
    *,
    put_part: Callable[[Piece, Readable], None] | None = None,
) -> tuple[int, int]:
    """Copy what the store lacks from the volume into the batch, checking each file against the signed table.

    What is `damaged` in the store counts as lacking; the batch then has to be one that replaces. Parts of files go
    to `put_part`. Gives number and bytes of what was copied. Raises BundleDamagedError for a file with another digest,
    and NoSpaceError before anything is copied.
    """

    def lacks(entry: FileEntry) -> bool:
        if entry.kind not in CONTENT or not entry.carried:
            return False
        stored = entry.sha256 not in damaged and ctx.store.blobs.has(entry.sha256, entry.size)
        return not stored and not batch.has(entry.sha256, entry.size)

    def take(piece: Piece) -> None:
        if piece.part is None:
            _stage_file(ctx, batch, piece)
            return
        assert put_part is not None, "a bundle with parts has several volumes"
        with piece.open() as source:
            put_part(piece, source)
        ctx.progress.advance(files=1, size=piece.digest.size)

    files, size = _weigh(bundle, lacks)
    require_space(ctx.store.state_dir, size + _HEAD_ROOM, "the import")
    ctx.progress.expect(files=files, size=size)
    pieces = bundle.pieces(lacks)
    if bundle.sequential:
        for piece in pieces:
            take(piece)
    else:
        run_all(partial(take, piece) for piece in pieces)
    return files, size


def _weigh(bundle: BundleReader, lacks: Callable[[FileEntry], bool]) -> tuple[int, int]:
    """Give number and bytes of the pieces that will be copied."""
    files = size = 0
    for entry in filter(lacks, bundle.entries(listed=False)):
        sizes = [part.size for part in entry.parts if part.volume == bundle.volume]
        if entry.volume == bundle.volume:
            sizes.append(entry.size)
        files, size = files + len(sizes), size + sum(sizes)
    return files, size


def content_entries(bundle: BundleReader) -> Iterator[FileEntry]:
    """Give the entries that belong to repositories, sorted by path: what the store keeps."""
    return (entry for entry in bundle.entries() if entry.kind in CONTENT)


def _stage_file(ctx: Context, batch: Batch, piece: Piece) -> None:
    def advance(count: int) -> None:
        ctx.progress.advance(size=count)

    with piece.open() as source:
        try:
            batch.add(source, sha256=piece.digest.sha256, size=piece.digest.size, advance=advance)
        except DigestMismatchError as error:
            raise BundleDamagedError(f"{piece.path} is not what the signed file table says: {error}") from error
    ctx.progress.advance(files=1)


def fill(ctx: Context, bundle: BundleReader, batch: Batch, drafts: Sequence[Draft]) -> None:
    """Write the files of each repository of the bundle into its draft, with what the repodata says of the packages.

    The drafts are in the order of the manifest's repositories. Raises BadManifestError when repodata, file table and
    manifest contradict each other.
    """
    repositories = bundle.manifest.repositories
    metadata: list[dict[str, str]] = [{} for _ in repositories]
    for entry in bundle.entries(listed=False):
        if entry.kind is EntryKind.METADATA:
            described = repositories[_index(entry)]
            metadata[_index(entry)][entry.path.removeprefix(f"{described.path}/")] = entry.sha256
    filled = set()
    # Sorted by path, and no repository lies inside another one: the entries of each stand together.
    for index, entries in groupby(content_entries(bundle), _index):
        again = partial(_entries_of, bundle, index)
        _fill_draft(ctx, batch, repositories[index], metadata[index], entries=entries, again=again, draft=drafts[index])
        filled.add(index)
    for index in set(range(len(repositories))) - filled:
        raise BadManifestError(f"the file table has no file of the repository {repositories[index].path}")


def _index(entry: FileEntry) -> int:
    assert entry.repository is not None, "the reader has checked it"
    return entry.repository


def _entries_of(bundle: BundleReader, index: int) -> Iterator[FileEntry]:
    return (entry for entry in content_entries(bundle) if entry.repository == index)


def _fill_draft(
    ctx: Context,
    batch: Batch,
    described: ManifestRepository,
    metadata: dict[str, str],
    *,
    entries: Iterable[FileEntry],
    again: Callable[[], Iterable[FileEntry]],
    draft: Draft,
) -> None:
    """Fill a draft with what the newest version has not, where that can be told, and else with all files."""
    if metadata.get(REPOMD_PATH) != described.version.repomd_sha256:
        raise BadManifestError(f"the {REPOMD_PATH} of {described.path} is not the one the manifest names")
    changes = primary_changes(ctx, batch, draft.key, metadata, described.path)
    if changes is not None:
        found = find_differences(ctx, draft.key, f"{described.path}/", entries, changes)
        if found is not None:
            draft.base(found.gone)
            draft.add(found.changed)
            return
        entries = again()
    packages = sorted_by_path(read_described(ctx, batch, described, metadata), batch.directory)
    draft.add(_files(described, entries, packages))


def read_described(
    ctx: Context, batch: Batch, described: ManifestRepository, metadata: Mapping[str, str]
) -> Iterator[PackageEntry]:
    """Give every package that the primary metadata of the repository describes, by its path in the repository.

    Kickstart trees may hold more repositories below the main one; each has a repomd.xml of its own. Raises
    BadManifestError, naming the metadata, for what cannot be read.
    """
    for path, sha256 in metadata.items():
        if path == REPOMD_PATH or path.endswith(f"/{REPOMD_PATH}"):
            prefix = path.removesuffix(REPOMD_PATH)
            try:
                repomd = parse_repomd(batch.locate(sha256).read_bytes())
            except (BadMetadataError, UnsafePathError) as error:
                raise BadManifestError(f"{described.path}/{path}: {error}") from error
            primary = next((record for record in repomd.records if record.type == "primary"), None)
            if primary is None or prefix + primary.href not in metadata:
                raise BadManifestError(f"{described.path}/{path} names no primary metadata that the bundle has")
            name = prefix + primary.href
            try:
                for entry in read_packages(
                    batch.locate(metadata[name]),
                    ctx.settings.synchronize.max_metadata_size,
                    name=f"{described.path}/{name}",
                    scratch=batch.directory,
                ):
                    yield replace(entry, path=prefix + entry.path) if prefix else entry
            except (BadMetadataError, UnsafePathError) as error:
                raise BadManifestError(str(error)) from error


def _files(
    described: ManifestRepository, entries: Iterable[FileEntry], packages: Iterator[PackageEntry]
) -> Iterator[RepositoryFile]:
    """Give the repository's files, each package with its description; both come sorted by path."""
    listed = next(packages, None)
    for entry in entries:
        path = entry.path.removeprefix(f"{described.path}/")
        if listed is not None and listed.path < path:
            break
        package: Package | None = None
        if entry.kind is EntryKind.PACKAGE:
            if listed is None or listed.path != path or listed.size != entry.size or not agrees(listed, entry):
                raise BadManifestError(f"{entry.path} is not described by the repodata, or differently")
            package, listed = listed.package, next(packages, None)
        yield RepositoryFile(path, entry.size, entry.sha256, CONTENT[entry.kind], package)
    if listed is not None:
        raise BadManifestError(
            f"the repodata of {described.path} lists {listed.path}, which the file table does not have"
        )
