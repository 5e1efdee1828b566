"""Applying the filters of a content view to a repository version: new metadata, and the packages that stay.

Kickstart trees may hold more repositories below the main one: each is filtered by itself. Images and other files of
the tree are carried as they are.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from issbox.model import FileKind, RepositoryFile, RepositoryKey, ViewFilter
from issbox.rules.content.filtering import Sieve, needs_errata
from issbox.store import Batch
from issbox.workflows.content.comparing import updateinfo_of
from issbox.workflows.context import Context
from issbox.yum.repomd import REPOMD_PATH
from issbox.yum.subset import NewFile, Subset, make_subset
from issbox.yum.updateinfo import read_updateinfo


@dataclass(frozen=True, slots=True)
class FilteredVersion:
    """What filters leave of a repository version; its new files are staged in the batch."""

    source: RepositoryKey
    number: int
    subsets: dict[str, Subset]
    """By the directory of the repository inside the version, empty or with a slash at its end."""
    made: dict[str, RepositoryFile]
    """New metadata files, by path."""
    repomd_sha256: str

    @property
    def dropped(self) -> int:
        """Number of packages that go."""
        return sum(subset.dropped for subset in self.subsets.values())

    def files(self, ctx: Context) -> Iterator[RepositoryFile]:
        """Give all files of the filtered version, in a session."""
        replaced = {prefix + path for prefix, subset in self.subsets.items() for path in subset.replaced}
        kept = {prefix + path for prefix, subset in self.subsets.items() for path in subset.packages}
        for file in ctx.store.versions.files(self.source, self.number):
            if file.path in kept if file.kind is FileKind.PACKAGE else file.path not in replaced:
                yield file
        yield from self.made.values()


def filter_version(
    ctx: Context, batch: Batch, key: RepositoryKey, number: int, filters: Sequence[ViewFilter]
) -> FilteredVersion | None:
    """Apply filters to a repository version, in a session; None when all its packages stay.

    Raises BadMetadataError naming the metadata file that cannot be read.
    """
    metadata = {
        file.path: file.sha256 for file in ctx.store.versions.files(key, number) if file.kind is FileKind.METADATA
    }
    sieve = _sieve(ctx, key, number, filters)
    subsets: dict[str, Subset] = {}
    made: dict[str, RepositoryFile] = {}
    for path in sorted(metadata):
        if path != REPOMD_PATH and not path.endswith(f"/{REPOMD_PATH}"):
            continue
        prefix = path.removesuffix(REPOMD_PATH)
        subset = make_subset(
            partial(_locate, ctx, metadata, prefix),
            sieve.keeps,
            scratch=batch.directory,
            max_size=ctx.settings.synchronize.max_metadata_size,
            name=f"{key.short}/{prefix}",
        )
        subsets[prefix] = subset
        for new in subset.files:
            made[prefix + new.path] = _stage(batch, prefix, new)
    if not any(subset.dropped for subset in subsets.values()):
        return None
    repomd = made[REPOMD_PATH].sha256 if REPOMD_PATH in made else metadata[REPOMD_PATH]
    return FilteredVersion(key, number, subsets, made, repomd)


def _sieve(ctx: Context, key: RepositoryKey, number: int, filters: Sequence[ViewFilter]) -> Sieve:
    sieve = Sieve(filters)
    if needs_errata(filters):
        for sha256, name in updateinfo_of(ctx, key, number).items():
            path = ctx.store.blobs.path(sha256)
            for advisory in read_updateinfo(path, ctx.settings.synchronize.max_metadata_size, name=name):
                sieve.learn(advisory)
    return sieve


def _locate(ctx: Context, metadata: dict[str, str], prefix: str, path: str) -> Path | None:
    sha256 = metadata.get(prefix + path)
    return None if sha256 is None else ctx.store.blobs.path(sha256)


def _stage(batch: Batch, prefix: str, new: NewFile) -> RepositoryFile:
    batch.adopt(new.place, new.digest)
    return RepositoryFile(prefix + new.path, new.digest.size, new.digest.sha256, FileKind.METADATA)
