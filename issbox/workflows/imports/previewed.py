"""What a bundle's metadata says it would change, read from a moment's staging that is thrown away."""

from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from issbox.bundle.reader import BundleReader
from issbox.errors import BadMetadataError, BundleDamagedError, BundleIncompleteError, ImportRefusedError
from issbox.manifest import EntryKind, FileEntry, ManifestRepository
from issbox.model import Advisory, RepositoryKey
from issbox.rules.content.comparing import ContentDifference, compare_sorted
from issbox.sorting import sorted_on_disk
from issbox.store import Batch
from issbox.workflows.content.comparing import packages_of, read_advisories, updateinfo_of
from issbox.workflows.content.package_order import sorted_by_name
from issbox.workflows.context import Context
from issbox.workflows.imports.staging import read_described
from issbox.yum.repomd import REPOMD_PATH, parse_repomd
from issbox.yum.updateinfo import merge_advisories, read_updateinfo

Metadata = Mapping[str, FileEntry]
"""The metadata files of a repository by their path in it."""


def read_metadata(bundle: BundleReader, batch: Batch, *, lenient: bool) -> list[dict[str, FileEntry]]:
    """Stage the metadata that a volume carries, and give that of each repository, carried or not.

    With `lenient` it is read as far as the chunks of an archive are there.
    """
    try:
        for piece in bundle.pieces(_is_metadata):
            if piece.part is None:
                with piece.open() as source:
                    batch.add(source, sha256=piece.digest.sha256, size=piece.digest.size)
    except (BundleIncompleteError, BundleDamagedError):
        if not lenient:
            raise
    found: list[dict[str, FileEntry]] = [{} for _ in bundle.manifest.repositories]
    for entry in filter(_is_metadata, bundle.entries(listed=False)):
        assert entry.repository is not None, "the reader has checked it"
        described = bundle.manifest.repositories[entry.repository]
        found[entry.repository][entry.path.removeprefix(f"{described.path}/")] = entry
    return found


def difference_to(
    ctx: Context,
    batch: Batch,
    key: RepositoryKey,
    *,
    number: int | None,
    described: ManifestRepository,
    metadata: Metadata,
) -> ContentDifference | None:
    """Compare a repository of a bundle with the version that Library holds; None when not all metadata is here yet.

    Raises BadManifestError and ImportRefusedError for metadata that cannot be read.
    """
    if not all(batch.has(entry.sha256, entry.size) for entry in metadata.values()):
        return None
    digests = {path: entry.sha256 for path, entry in metadata.items()}
    packages = (entry.package for entry in read_described(ctx, batch, described, digests))
    return compare_sorted(
        sorted_by_name(packages_of(ctx, key, number), batch.directory),
        sorted_by_name(packages, batch.directory),
        read_advisories(ctx, updateinfo_of(ctx, key, number)),
        _advisories(ctx, batch, digests),
    )


def weigh_lacking(ctx: Context, bundle: BundleReader, scratch: Path) -> tuple[int, int]:
    """Give number and bytes of the different files that the bundle carries, in any volume, and the store lacks."""
    lacking = (
        f"{entry.sha256} {entry.size}"
        for entry in bundle.entries()
        if entry.carried and entry.repository is not None and not ctx.store.blobs.has(entry.sha256, entry.size)
    )
    count = size = 0
    last = ""
    for each in sorted_on_disk(lacking, str, encode=str.encode, decode=bytes.decode, scratch=scratch):
        if each != last:
            count, size = count + 1, size + int(each.partition(" ")[2])
        last = each
    return count, size


def _is_metadata(entry: FileEntry) -> bool:
    return entry.kind is EntryKind.METADATA


def _advisories(ctx: Context, batch: Batch, metadata: dict[str, str]) -> dict[str, Advisory]:
    def files() -> Iterator[Iterator[Advisory]]:
        for path, sha256 in metadata.items():
            if path == REPOMD_PATH or path.endswith(f"/{REPOMD_PATH}"):
                prefix = path.removesuffix(REPOMD_PATH)
                for record in parse_repomd(batch.locate(sha256).read_bytes()).records:
                    name = prefix + record.href
                    if record.type == "updateinfo" and name in metadata:
                        limit = ctx.settings.synchronize.max_metadata_size
                        yield read_updateinfo(batch.locate(metadata[name]), limit, name=name)

    try:
        return merge_advisories(chain.from_iterable(files()))
    except BadMetadataError as error:
        raise ImportRefusedError(f"the advisories of the bundle cannot be read: {error}") from error
