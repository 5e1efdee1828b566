"""Adds up a file table, to fill in a manifest or to compare with one."""

from dataclasses import dataclass, replace

from issbox.errors import BadManifestError
from issbox.manifest import MANIFEST_NAME, EntryKind, FileEntry, Manifest, Totals, Volume

REPOMD = "repodata/repomd.xml"
"""Path, relative to a yum repository, of the file that its version is known by."""
_YUM = "yum"


@dataclass(slots=True)
class _RepositorySum:
    files: int = 0
    size: int = 0
    packages: int = 0
    repomd_sha256: str | None = None


@dataclass(slots=True)
class _VolumeSum:
    size: int = 0
    count: int = 0

    def add(self, size: int) -> None:
        self.size += size
        self.count += 1


class TableTotals:
    """The sums of a table. Told checked entries of one bundle in any order."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._count = self._size = self._carried_count = 0
        self._volumes = [_VolumeSum() for _ in manifest.volumes]
        self._repositories = [_RepositorySum() for _ in manifest.repositories]
        self._repomd = [f"{repository.path}/{REPOMD}" for repository in manifest.repositories]

    def add(self, entry: FileEntry) -> None:
        """Add an entry."""
        self._count += 1
        self._size += entry.size
        self._carried_count += entry.carried
        if entry.volume is not None:
            self._volumes[entry.volume - 1].add(entry.size)
        for part in entry.parts:
            self._volumes[part.volume - 1].add(part.size)
        if entry.repository is not None:
            repository = self._repositories[entry.repository]
            repository.files += 1
            repository.size += entry.size
            repository.packages += entry.kind is EntryKind.PACKAGE
            if entry.path == self._repomd[entry.repository]:
                repository.repomd_sha256 = entry.sha256

    def fill(self) -> Manifest:
        """Give the manifest with counts and sizes as the table has them."""
        repositories = tuple(
            replace(repository, files=found.files, size=found.size)
            for repository, found in zip(self._manifest.repositories, self._repositories, strict=True)
        )
        totals = Totals(
            count=self._count,
            size=self._size,
            carried_count=self._carried_count,
            carried_size=sum(volume.size for volume in self._volumes),
        )
        volumes = tuple(
            Volume(number=number, size=volume.size, count=volume.count)
            for number, volume in enumerate(self._volumes, start=1)
        )
        return replace(self._manifest, repositories=repositories, files=totals, volumes=volumes)

    def compare(self, said: Manifest) -> None:
        """Raise BadManifestError, naming the field, when the manifest says anything else than the table.

        Volumes that the totals were begun with, and that carry nothing, may be left out at the end.
        """
        found = self.fill()
        _compare("$.files", said.files, found.files)
        _compare("$.volumes", said.volumes, found.volumes[: len(said.volumes)])
        for index, (repository, sums) in enumerate(zip(said.repositories, self._repositories, strict=True)):
            place = f"$.repositories[{index}]"
            _compare(f"{place}.files", repository.files, sums.files)
            _compare(f"{place}.size", repository.size, sums.size)
            _compare(f"{place}.version.packages", repository.version.packages, sums.packages)
            if repository.content.type == _YUM:
                _compare(f"{place}.version.repomd_sha256", repository.version.repomd_sha256, sums.repomd_sha256)


def _compare(place: str, said: object, found: object) -> None:
    if said != found:
        raise BadManifestError(f"{MANIFEST_NAME}: {place}: the manifest says {said}, the file table {found}"[:500])
