"""An importable export: repositories out of a Pulp archive, which has their packages but not their repodata."""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from issbox.bundle.katello import KatelloMetadata
from issbox.bundle.katello.advisories import updateinfo
from issbox.bundle.katello.comps import comps
from issbox.bundle.katello.content import PulpContent, check_versions, read_content, repository_directories
from issbox.bundle.katello.metadata import KatelloRepository
from issbox.bundle.katello.pulp_archive import PulpArchive, open_archive
from issbox.bundle.katello.toc import Toc, read_toc
from issbox.errors import BundleDamagedError, BundleIncompleteError, DigestMismatchError
from issbox.files import remove_tree, require_space
from issbox.names import plural
from issbox.store import Batch
from issbox.workflows.context import Context
from issbox.workflows.foreign.building import build_repository
from issbox.workflows.foreign.form import (
    HEAD_ROOM,
    Taken,
    Target,
    as_bundle_errors,
    package_keys,
    same_as_latest,
)
from issbox.yum.gpg import check_packages

_TOC: Final = "-toc.json"
_MADE_AT: Final = re.compile(r"-(\d{8}_\d{4})-toc\.json$")
_REWRITTEN: Final = ("repodata/repomd.xml", "treeinfo")
"""Files that say when the repodata was written, or refer to those that do."""


def find_toc(export: Path, metadata: KatelloMetadata) -> str:
    """Give the name of the table of contents: the one that metadata.json names, or the only one that is there."""
    if metadata.toc:
        return metadata.toc
    found = sorted(path.name for path in export.glob(f"*{_TOC}"))
    if len(found) != 1:
        raise BundleIncompleteError(
            f"metadata.json names no table of contents, and {len(found)} files in the export end with {_TOC}",
            hint="Copy the one table of contents of this export beside metadata.json.",
        )
    return found[0]


def archive_identity(metadata: KatelloMetadata, toc: bytes) -> str:
    """Name an export by its metadata.json and the bytes of its table of contents."""
    return f"katello-{sha256(metadata.sha256.encode() + toc).hexdigest()}"


@dataclass(frozen=True, slots=True)
class ArchiveExport:
    """A Pulp archive beside its table of contents."""

    root: Path
    metadata: KatelloMetadata
    toc: Toc
    archive: PulpArchive

    @property
    def identity(self) -> str:
        """Follows from metadata.json and the table of contents, which has checksums of everything else."""
        return archive_identity(self.metadata, self.toc.data)

    @property
    def files(self) -> int:
        """Number of artifacts in the archive."""
        return len(self.archive.artifacts)

    @property
    def size(self) -> int:
        """Bytes of the archive."""
        return self.toc.size

    def check(self, targets: Sequence[KatelloRepository]) -> None:
        """Look whether the archive has every repository; raises BundleIncompleteError naming those it lacks."""
        with self.archive.blaming_damage():
            check_versions(self.archive)
            directories = repository_directories(self.archive)
            absent = [each.pulp_name[:60] for each in targets if each.pulp_name not in directories]
            if absent:
                raise BundleIncompleteError(
                    f"metadata.json describes repositories that the archive does not have: {', '.join(absent[:20])}",
                    hint="metadata.json belongs to another export: copy the right one beside the archive.",
                )

    def missing(self, ctx: Context, targets: Sequence[Target]) -> list[str]:
        """Name the artifacts that are neither in the archive nor in this box."""
        with self.archive.blaming_damage():
            return [
                name
                for name, digest in self._artifacts(targets)
                if digest not in self.archive.artifacts and not ctx.store.blobs.has(digest)
            ]

    def take(self, ctx: Context, batch: Batch, targets: Sequence[Target]) -> Iterator[Taken]:
        """Stage what the store lacks in one pass over the archive, then build one repository after the other."""
        with as_bundle_errors():
            directories = repository_directories(self.archive)
            self._stage(ctx, batch, self._wanted(ctx, targets))
            ctx.progress.step("read-metadata", f"writing the repodata of {plural(len(targets), 'repository')}")
            with ctx.store.blobs.batch() as scratch:
                for number, target in enumerate(targets):
                    content = self._content(target, directories)
                    place = scratch.directory / f"repository-{number}"
                    taken = build_repository(
                        ctx, batch, target, ArchiveSources(self.archive, content), scratch=place, at=self._made_at(ctx)
                    )
                    remove_tree(place)
                    _check_signatures(ctx, batch, taken)
                    if not same_as_latest(ctx, taken, _REWRITTEN):
                        yield taken

    def _content(self, target: Target, directories: dict[str, str]) -> PulpContent:
        name = target.described.pulp_name
        return read_content(self.archive, name, directories[name])

    def _artifacts(self, targets: Sequence[Target]) -> Iterator[tuple[str, str]]:
        """Give name and digest of every artifact that these repositories need."""
        directories = repository_directories(self.archive)
        for target in targets:
            for path, digest in self._content(target, directories).files():
                yield f"{target.described.product}/{target.described.label}: {path}", digest

    def _wanted(self, ctx: Context, targets: Sequence[Target]) -> dict[str, int]:
        """Give digest and size of the artifacts to stage."""
        wanted: dict[str, int] = {}
        for _, digest in self._artifacts(targets):
            place = self.archive.artifacts.get(digest)
            if place is not None and digest not in wanted and not ctx.store.blobs.has(digest, place.size):
                wanted[digest] = place.size
        return wanted

    def _stage(self, ctx: Context, batch: Batch, wanted: dict[str, int]) -> None:
        require_space(ctx.store.state_dir, sum(wanted.values()) + HEAD_ROOM, "the import")
        ctx.progress.expect(files=len(wanted), size=self.toc.size)
        lacking = {digest for digest, size in wanted.items() if not batch.has(digest, size)}

        def advance(count: int) -> None:
            ctx.progress.advance(size=count)

        with closing(self.archive.read_through(lacking.__contains__, advance)) as artifacts:
            for digest, size, source in artifacts:
                try:
                    batch.add(source, sha256=digest, size=size)
                except DigestMismatchError as error:
                    name = f"artifact/{digest[:2]}/{digest[2:]}"
                    with self.archive.blaming_damage():
                        raise BundleDamagedError(f"{name} in the archive is not what it says: {error}") from error
                ctx.progress.advance(files=1)

    def _made_at(self, ctx: Context) -> int:
        """Give the time in the name that Pulp gives an export, so that the same export gives the same repodata."""
        match = _MADE_AT.search(self.toc.name)
        if match is None:
            return int(ctx.clock().timestamp())
        try:
            return int(datetime.strptime(match[1], "%Y%m%d_%H%M").replace(tzinfo=UTC).timestamp())
        except ValueError:
            return int(ctx.clock().timestamp())


def _check_signatures(ctx: Context, batch: Batch, taken: Taken) -> None:
    """Check the packages of a repository that asks for it; raises RepositorySignatureError."""
    keys = package_keys(ctx, taken.target)
    if keys:
        check_packages(keys, ((each.path, batch.locate(each.sha256)) for each in taken.files if each.package))


@dataclass(frozen=True, slots=True)
class ArchiveSources:
    """A repository of the archive, with the documents that its rows make."""

    archive: PulpArchive
    content: PulpContent

    def updateinfo(self, part: int) -> Iterator[bytes]:
        """Give updateinfo.xml of one of its parts."""
        return updateinfo(self.archive, self.content.directory, self.content.parts[part].ids)

    def comps(self, part: int) -> Iterator[bytes]:
        """Give comps.xml of one of its parts."""
        return comps(self.archive, self.content.directory, self.content.parts[part].ids)


def open_archive_export(ctx: Context, root: Path, metadata: KatelloMetadata) -> ArchiveExport:
    """Look through an importable export; raises what `read_toc` and `open_archive` do."""
    toc = read_toc(root, find_toc(root, metadata))
    archive = open_archive(root, toc, max_files=ctx.settings.inbox.max_files)
    return ArchiveExport(root, metadata, toc, archive)
