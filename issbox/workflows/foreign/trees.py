"""A syncable export: yum trees in a directory, mirrored from where they lie as any upstream is.

What the trees do not have, as the packages of an increment that were exported before, must be in this box.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from issbox.bundle.katello import KatelloMetadata
from issbox.bundle.katello.metadata import KatelloRepository
from issbox.bundle.tree import read_bounded, walk
from issbox.errors import BadManifestError, BundleDamagedError, BundleIncompleteError, OversizedError
from issbox.progress import Progress
from issbox.rules.bundles.layout import custom_path
from issbox.store import Batch, Store
from issbox.workflows.content.sinks import BatchSink
from issbox.workflows.context import Context
from issbox.workflows.foreign.form import Taken, Target, as_bundle_errors, package_keys, shown_latest
from issbox.yum.listed import ListedFile, list_repository
from issbox.yum.mirror import MirrorRequest, mirror
from issbox.yum.repomd import MAX_REPOMD_SIZE, REPOMD_PATH

_NAMED: Final = 20


@dataclass(frozen=True, slots=True)
class TreesExport:
    """Yum trees below a directory. No part of it is a link, a device or a pipe."""

    root: Path
    metadata: KatelloMetadata
    found: Mapping[str, int] = field(repr=False)
    """Size of every file by its path below the root."""
    heads: Mapping[str, bytes] = field(repr=False)
    """repomd.xml of each repository that has one, by its place below the root."""

    @property
    def identity(self) -> str:
        """Follows from metadata.json and every repomd.xml, which has checksums of everything else."""
        return trees_identity(self.metadata, self.heads)

    @property
    def files(self) -> int:
        """Number of files in the directory."""
        return len(self.found)

    @property
    def size(self) -> int:
        """Their bytes."""
        return sum(self.found.values())

    def check(self, targets: Sequence[KatelloRepository]) -> None:
        """Look whether every tree is there; raises BundleIncompleteError naming those that are not."""
        absent = [tree_path(each) for each in targets if tree_path(each) not in self.heads]
        if absent:
            named = ", ".join(f"{place}/{REPOMD_PATH}" for place in absent[:_NAMED])
            raise BundleIncompleteError(f"{len(absent)} repositories of the export are missing: {named}")

    def take(self, ctx: Context, batch: Batch, targets: Sequence[Target]) -> Iterator[Taken]:
        """Mirror each tree into the batch."""
        sink = _Sink(ctx.store, batch)
        with as_bundle_errors():
            for target in targets:
                latest = shown_latest(ctx, target)
                request = self._request(ctx, target, None if latest is None else latest.repomd_sha256)
                result = mirror(request, sink, _Quiet(ctx.progress))
                place = tree_path(target.described)
                if result.repomd_sha256 != sha256(self.heads[place]).hexdigest():
                    raise BundleDamagedError(f"{place}/{REPOMD_PATH} has become another one while it was read")
                if not result.unchanged:
                    yield Taken(target, result.files, result.repomd_sha256)

    def missing(self, ctx: Context, targets: Sequence[Target]) -> list[str]:
        """Name what the metadata of the trees names and neither they nor this box have."""
        with as_bundle_errors():
            return [path for target in targets for path in self._missing(ctx, target)]

    def _missing(self, ctx: Context, target: Target) -> Iterator[str]:
        place = tree_path(target.described)
        limit = ctx.settings.synchronize.max_metadata_size

        def read(path: str) -> Path | None:
            return self.root / place / path if f"{place}/{path}" in self.found else None

        for listed in list_repository(read, limit):
            path = f"{place}/{listed.path}"
            if path not in self.found and not is_stored(ctx.store, listed):
                yield path

    def _request(self, ctx: Context, target: Target, known_repomd: str | None) -> MirrorRequest:
        keys = package_keys(ctx, target)
        return MirrorRequest(
            url=f"{(self.root / tree_path(target.described)).as_uri()}/",
            gpg_keys=keys,
            check_metadata=False,
            check_packages=bool(keys),
            downloads=ctx.settings.synchronize.downloads,
            known_repomd=known_repomd,
            max_metadata_size=ctx.settings.synchronize.max_metadata_size,
        )


def tree_path(described: KatelloRepository) -> str:
    """Give the place of a repository's tree below the export."""
    if described.path is not None:
        return described.path
    if described.redhat:
        raise BadManifestError(f"metadata.json does not say where the tree of {described.label} lies (content.url)")
    return custom_path(described.product, described.label)


def read_heads(root: Path, metadata: KatelloMetadata) -> dict[str, bytes]:
    """Give the repomd.xml of every repository of the export that has one, by its place."""
    heads: dict[str, bytes] = {}
    for place in sorted({tree_path(each) for each in metadata.repositories}):
        with suppress(BundleIncompleteError):
            heads[place] = read_bounded(root, f"{place}/{REPOMD_PATH}", MAX_REPOMD_SIZE)
    return heads


def trees_identity(metadata: KatelloMetadata, heads: Mapping[str, bytes]) -> str:
    """Name an export by its metadata.json and the digests of every repomd.xml."""
    lines = (f"{sha256(data).hexdigest()}  {place}\n" for place, data in sorted(heads.items()))
    return f"katello-{sha256((metadata.sha256 + ''.join(lines)).encode()).hexdigest()}"


def open_trees_export(ctx: Context, root: Path, metadata: KatelloMetadata) -> TreesExport:
    """Look through a syncable export.

    Raises UnsafeFileError for a link, device or pipe anywhere in it, and OversizedError for too many files.
    """
    found: dict[str, int] = {}
    for file in walk(root):
        found[file.path] = file.size
        if len(found) > ctx.settings.inbox.max_files:
            raise OversizedError(
                f"the export holds more than the {ctx.settings.inbox.max_files} files allowed",
                hint="Raise [inbox] max_files if it is meant to be so.",
            )
    heads = read_heads(root, metadata)
    return TreesExport(root, metadata, found, heads)


def is_stored(store: Store, listed: ListedFile) -> bool:
    """Tell whether the box has a file that metadata names."""
    if listed.checksum.type == "sha256":
        return store.blobs.has(listed.checksum.value)
    digest = store.versions.known_digest(listed.checksum_type, listed.checksum.value)
    return digest is not None and store.blobs.has(digest.sha256, digest.size)


class _Sink(BatchSink):
    """Puts what is mirrored into the batch of the import; nothing is stored before everything has been checked."""

    def commit(self) -> None:
        """Wait: the import commits once."""


class _Quiet:
    """Passes on how far mirroring is, but not its steps: those are the import's."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress

    def step(self, name: str, message: str = "") -> None:
        """Say nothing."""

    def expect(self, *, files: int, size: int) -> None:
        self._progress.expect(files=files, size=size)

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        self._progress.advance(files=files, size=size)

    def note(self, message: str) -> None:
        self._progress.note(message)
