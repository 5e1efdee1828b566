"""What lies where in a Pulp archive. The archive is read in place and never unpacked.

Looking through it touches only the headers of the tar; afterwards any document can be read at its place, and all
files of content in one pass from end to end, in which every piece is compared with its checksum.
"""

import re
import tarfile
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final, cast

from issbox.bundle.katello.pieces import CheckedStream, PieceStream, damaged, damaged_pieces
from issbox.bundle.katello.toc import Toc
from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleError,
    NameClashError,
    OversizedError,
    UnlistedFileError,
    UnsafeFileError,
)
from issbox.names import check_relative_path, format_size

_ARTIFACT: Final = re.compile(r"artifact/(?:[0-9a-f-]{36}/)?(?P<head>[0-9a-f]{2})/(?P<tail>[0-9a-f]{62})")
_REGULAR: Final = frozenset({tarfile.REGTYPE, tarfile.AREGTYPE})
_SMALL: Final = 64 << 20
"""Bytes of a document that is read whole."""
_BLOCK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where the bytes of a member lie in the archive."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class PulpArchive:
    """An archive whose headers have been looked through."""

    root: Path
    toc: Toc
    artifacts: Mapping[str, Place] = field(repr=False)
    """By SHA-256, as the names claim it."""
    documents: Mapping[str, Place] = field(repr=False)
    """JSON files by name."""

    def document(self, name: str) -> bytes | None:
        """Give a small document whole, or None when there is none. Raises OversizedError above 64 MiB."""
        place = self.documents.get(name)
        if place is None:
            return None
        if place.size > _SMALL:
            raise OversizedError(f"{name} in the archive is larger than {format_size(_SMALL)}", hint=_NOT_REAL)
        return b"".join(self.blocks(name))

    def blocks(self, name: str) -> Iterator[bytes]:
        """Give the bytes of a document in blocks; nothing when there is none."""
        place = self.documents.get(name, Place(0, 0))
        with closing(PieceStream(self.root, self.toc)) as stream:
            for start in range(0, place.size, _BLOCK):
                stream.seek(place.offset + start)
                yield stream.read(min(_BLOCK, place.size - start))

    def directories(self) -> set[str]:
        """Give the names of the directories that documents lie in: one for each repository version."""
        return {name.rpartition("/")[0] for name in self.documents if "/" in name}

    def read_through(
        self, wanted: Callable[[str], bool], advance: Callable[[int], None] = lambda _: None
    ) -> Generator[tuple[str, int, "ArtifactReader"], None, None]:
        """Read the whole archive once; give digest, size and bytes of the wanted artifacts, in its order.

        Each is to be read to its end before the next is asked for. Raises BundleDamagedError naming every piece with
        a wrong checksum; only when the iteration has ended are all of them known to be right.
        """
        places = sorted(self.artifacts.items(), key=lambda item: item[1].offset)
        with closing(CheckedStream(self.root, self.toc, advance)) as stream:
            for sha256, place in places:
                if wanted(sha256):
                    stream.skip_to(place.offset)
                    yield sha256, place.size, ArtifactReader(stream, place.size)
            stream.finish()

    @contextmanager
    def blaming_damage(self) -> Iterator[None]:
        """Turn a complaint about what stands in the archive into one about its pieces, when these are damaged."""
        try:
            yield
        except BundleError:
            wrong = damaged_pieces(self.root, self.toc.pieces)
            if wrong:
                raise damaged(wrong, self.toc.name) from None
            raise


class ArtifactReader:
    """The bytes of one artifact, from a stream that stands at its beginning."""

    def __init__(self, stream: CheckedStream, size: int) -> None:
        """Give so many bytes."""
        self._stream = stream
        self._left = size

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer; 0 at the end."""
        count = self._stream.readinto(buffer[: self._left]) if self._left else 0
        self._left -= count
        return count


_NOT_REAL: Final = "No Pulp writes such an archive: find out where it comes from."


def open_archive(root: Path, toc: Toc, *, max_files: int) -> PulpArchive:
    """Look through the headers of the archive.

    Raises BundleDamagedError for an archive that is cut, or naming the damaged pieces; UnsafeFileError for a link or
    device, UnsafePathError, NameClashError for a name that is there twice, UnlistedFileError for a file that no Pulp
    puts there, and OversizedError for more than `max_files` files.
    """
    artifacts: dict[str, Place] = {}
    documents: dict[str, Place] = {}
    archive = PulpArchive(root, toc, artifacts, documents)
    with archive.blaming_damage():
        for info in _members(root, toc):
            _check_member(info)
            place = Place(info.offset_data, info.size)
            match = _ARTIFACT.fullmatch(info.name)
            kept, key = (documents, info.name) if match is None else (artifacts, match["head"] + match["tail"])
            if key in kept:
                raise NameClashError(f"{info.name} is in the archive twice")
            kept[key] = place
            if len(artifacts) + len(documents) > max_files:
                raise OversizedError(
                    f"the archive holds more than the {max_files} files allowed",
                    hint="Raise [inbox] max_files if it is meant to be so.",
                )
        if "versions.json" not in documents:
            raise BadManifestError("the archive holds no versions.json, so it is none of Pulp's")
    return archive


def _check_member(info: tarfile.TarInfo) -> None:
    check_relative_path(info.name)
    if info.type not in _REGULAR or info.sparse is not None:
        raise UnsafeFileError(f"{info.name!r} in the archive is no plain file", hint=_NOT_REAL)
    if _ARTIFACT.fullmatch(info.name) is None and not (info.name.endswith(".json") and info.name.count("/") <= 1):
        raise UnlistedFileError(f"the archive holds {info.name[:200]!r}, which no Pulp puts there", hint=_NOT_REAL)


def _members(root: Path, toc: Toc) -> Iterator[tarfile.TarInfo]:
    with closing(PieceStream(root, toc)) as stream:
        try:
            with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r:") as tar:
                end = 0
                while (info := tar.next()) is not None:
                    end = info.offset_data + -(-info.size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE
                    if end > stream.size:
                        raise BundleDamagedError(f"the archive ends in the middle of {info.name[:200]!r}")
                    yield info
                    tar.members.clear()  # type: ignore[attr-defined]  # not in the stubs; it would keep them all
        except (tarfile.TarError, ValueError, OverflowError, RecursionError) as error:
            raise BundleDamagedError(f"the archive of {toc.name} cannot be read: {error}") from None
        _check_end(stream, end, toc)


def _check_end(stream: PieceStream, end: int, toc: Toc) -> None:
    """After the last member come two blocks of zeros; without them, what follows is no header but damage."""
    stream.seek(end)
    tail = stream.read(2 * tarfile.BLOCKSIZE)
    if tail != bytes(2 * tarfile.BLOCKSIZE):
        raise BundleDamagedError(f"the archive of {toc.name} is cut or damaged after {end} bytes")
