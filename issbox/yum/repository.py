"""Mirroring one yum repository: its repomd.xml with signature, every metadata file, every package."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from issbox.errors import BadMetadataError, RepositorySignatureError, UpstreamError
from issbox.files import Digest
from issbox.model import FileKind, RepositoryFile
from issbox.yum.checksums import WEAK
from issbox.yum.fetch import Fetcher, Wanted
from issbox.yum.gpg import verify_detached
from issbox.yum.primary import PackageEntry, read_packages
from issbox.yum.repomd import MAX_REPOMD_SIZE, REPOMD_PATH, Repomd, RepomdRecord, parse_repomd
from issbox.yum.request import MirrorRequest
from issbox.yum.snapshot import Snapshot

_MAX_SIGNATURE_SIZE: Final = 1 << 20
_SIGNATURE: Final = f"{REPOMD_PATH}.asc"
_KEY: Final = f"{REPOMD_PATH}.key"


@dataclass(frozen=True, slots=True)
class Head:
    """A repomd.xml that has been fetched."""

    digest: Digest
    data: bytes


class RepositoryMirror:
    """Mirrors the repository at one place below the source into a snapshot."""

    def __init__(
        self,
        request: MirrorRequest,
        fetcher: Fetcher,
        snapshot: Snapshot,
        note: Callable[[str], None],
        prefix: str = "",
    ) -> None:
        """Prepare; `prefix` is the place with a slash at its end, empty for the source itself."""
        self._request = request
        self._fetcher = fetcher
        self._snapshot = snapshot
        self._note = note
        self._prefix = prefix

    async def fetch_head(self, *, optional: bool = False) -> Head | None:
        """Fetch repomd.xml; None when it is optional and not there."""
        digest = await self._fetcher.get(
            Wanted(self._prefix + REPOMD_PATH, None, None, limit=MAX_REPOMD_SIZE), optional=optional
        )
        if digest is None:
            return None
        return Head(digest, self._fetcher.sink.read(digest.sha256).read_bytes())

    async def fetch_metadata(self, head: Head) -> list[PackageEntry]:
        """Fetch and check what repomd.xml names, and give the packages that primary lists, each path once.

        Raises RepositorySignatureError, BadMetadataError, UnsafePathError, DigestMismatchError, UpstreamError.
        """
        self._add(REPOMD_PATH, head.digest)
        await self._fetch_signature(head)
        repomd = parse_repomd(head.data)
        records = [record for record in repomd.records if record.href not in {REPOMD_PATH, _SIGNATURE, _KEY}]
        if len(records) != len(repomd.records):
            raise BadMetadataError(f"{self._prefix}{REPOMD_PATH} names itself or its signature as metadata")
        self._note_weak("metadata", Counter(record.checksum.type for record in records))
        digests = await self._fetcher.get_all([self._want_record(record) for record in records])
        for record, digest in zip(records, digests, strict=True):
            self._add(record.href, _present(digest))
        primary = _find_primary(repomd)
        entries = await asyncio.to_thread(self._read_primary, primary, _present(digests[records.index(primary)]))
        self._note_weak("packages", Counter(entry.checksum.type for entry in entries))
        return entries

    async def fetch_packages(self, entries: list[PackageEntry]) -> None:
        """Fetch and check packages."""
        digests = await self._fetcher.get_all([self._want_package(entry) for entry in entries])
        for entry, digest in zip(entries, digests, strict=True):
            self._add(entry.path, _present(digest), entry)

    async def _fetch_signature(self, head: Head) -> None:
        found = {}
        for path in (_SIGNATURE, _KEY):
            digest = await self._fetcher.get(
                Wanted(self._prefix + path, None, None, limit=_MAX_SIGNATURE_SIZE), optional=True
            )
            if digest is not None:
                self._add(path, digest)
                found[path] = digest
        if not (self._request.gpg_keys and self._request.check_metadata):
            return
        name = self._fetcher.source.address.shown(self._prefix + REPOMD_PATH)
        if _SIGNATURE not in found:
            raise RepositorySignatureError(
                f"{name} is not signed (there is no {_SIGNATURE}), but the repository has a GPG key to check it with",
                hint="If this upstream signs only its packages, use "
                "`issbox repository update --no-check-metadata --check-packages`.",
            )
        signature = self._fetcher.sink.read(found[_SIGNATURE].sha256).read_bytes()
        await asyncio.to_thread(verify_detached, self._request.gpg_keys, head.data, signature, name=name)

    def _want_record(self, record: RepomdRecord) -> Wanted:
        limit = self._request.max_metadata_size
        if record.size is not None and record.size > limit:
            raise BadMetadataError(
                f"{self._prefix}{record.href} has {record.size} bytes, more than [synchronize] max_metadata_size"
            )
        return Wanted(self._prefix + record.href, record.checksum, record.size, limit=limit)

    def _want_package(self, entry: PackageEntry) -> Wanted:
        return Wanted(self._prefix + entry.path, entry.checksum, entry.size, known_as=entry.package.checksum_type)

    def _read_primary(self, record: RepomdRecord, digest: Digest) -> list[PackageEntry]:
        entries: dict[str, PackageEntry] = {}
        for entry in self._iterate(record, digest):
            other = entries.setdefault(entry.path, entry)
            if (other.checksum, other.size) != (entry.checksum, entry.size):
                raise BadMetadataError(f"{self._prefix}{record.href} lists {entry.path} twice, with different contents")
        return list(entries.values())

    def _iterate(self, record: RepomdRecord, digest: Digest) -> Iterator[PackageEntry]:
        return read_packages(
            self._fetcher.sink.read(digest.sha256),
            self._request.max_metadata_size,
            name=self._prefix + record.href,
            open_size=record.open_size,
            scratch=self._fetcher.sink.temporary("primary").parent,
        )

    def _note_weak(self, what: str, types: Counter[str]) -> None:
        for type_ in sorted(WEAK & types.keys()):
            self._note(
                f"upstream gives only {type_} checksums for {types[type_]} {what} files"
                f"{f' of {self._prefix}' if self._prefix else ''}: enough to see damage, not to see deceit"
            )

    def _add(self, path: str, digest: Digest, entry: PackageEntry | None = None) -> None:
        kind = FileKind.METADATA if entry is None else FileKind.PACKAGE
        package = None if entry is None else entry.package
        self._snapshot.add(RepositoryFile(self._prefix + path, digest.size, digest.sha256, kind, package))


def _find_primary(repomd: Repomd) -> RepomdRecord:
    primary = repomd.find("primary")
    if primary is not None:
        return primary
    if any(record.type == "primary_zck" for record in repomd.records):
        raise BadMetadataError(
            f"{REPOMD_PATH} names its packages only in zchunk (primary_zck), which issbox keeps but cannot read",
            hint="Have upstream publish primary with gzip, xz or zstd too, as createrepo_c does.",
        )
    raise BadMetadataError(f"{REPOMD_PATH} names no primary metadata, so nobody can know its packages")


def _present(digest: Digest | None) -> Digest:
    """Narrow the type: a file that is not optional is either there or has raised."""
    if digest is None:
        raise UpstreamError("a file that must be there is missing")
    return digest
