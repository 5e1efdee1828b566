"""Says which chunks of a table of contents have to be sent again."""

import os
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from issbox.bundle.tar.chunked_stream import ChunkFile
from issbox.bundle.tar.toc_checks import Chunk, Toc
from issbox.bundle.tree import reading
from issbox.errors import BundleIncompleteError, OperatingSystemError, UnsafeFileError
from issbox.files import Digest, copy_and_digest


@dataclass(frozen=True, slots=True)
class Relisting:
    """What is wrong with a set of chunks, each in the order of the stream."""

    missing: tuple[Chunk, ...]
    wrong_size: tuple[Chunk, ...]
    damaged: tuple[Chunk, ...]
    """Of the right size, but with another SHA-256, or not to be read at all."""

    @property
    def wanted(self) -> frozenset[str]:
        """Give the names of all that have to be sent again."""
        return frozenset(chunk.name for chunk in (*self.missing, *self.wrong_size, *self.damaged))


def relist(toc: Toc, found: Mapping[str, Digest | None]) -> Relisting:
    """Compare what was found under each name, None for what cannot be read, with the table of contents. Pure."""
    there = [chunk for chunk in toc.chunks if chunk.name in found]
    sizes = {name: digest.size for name, digest in found.items() if digest is not None}
    return Relisting(
        missing=tuple(chunk for chunk in toc.chunks if chunk.name not in found),
        wrong_size=tuple(chunk for chunk in there if sizes.get(chunk.name, chunk.size) != chunk.size),
        damaged=tuple(
            chunk
            for chunk in there
            if sizes.get(chunk.name, chunk.size) == chunk.size and found[chunk.name] != Digest(chunk.size, chunk.sha256)
        ),
    )


def locate(toc: Toc, folders: Iterable[Path]) -> dict[str, Path]:
    """Give where each chunk lies, by its name; among several, the first of the right size, else the first."""
    places: dict[str, Path] = {}
    wanted = {chunk.name: chunk.size for chunk in toc.chunks}
    for folder in folders:
        # Going by what is there, since a table of contents may list many thousands that are not.
        for path in _listed(folder, wanted):
            with suppress(FileNotFoundError):
                if path.lstat().st_size == wanted[path.name]:
                    places[path.name] = path
                    del wanted[path.name]
                else:
                    places.setdefault(path.name, path)
    return places


def chunk_files(toc: Toc, beside: Path, folders: Iterable[Path]) -> list[ChunkFile]:
    """Give the chunks of a stream in their order: those that are not in any folder belong beside its table."""
    places = locate(toc, [beside, *folders])
    return [ChunkFile(places.get(each.name, beside / each.name), Digest(each.size, each.sha256)) for each in toc.chunks]


def _listed(folder: Path, wanted: Collection[str]) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if entry.name in wanted]
    except OSError:  # not there, no folder, or closed to us
        return []


def examine(toc: Toc, places: Mapping[str, Path], advance: Callable[[int], None] | None = None) -> Relisting:
    """Read the chunks that lie at these places, by name, to their end and compare them with the table of contents.

    One that is a link, or that the medium does not give back, counts as damaged.
    """
    found: dict[str, Digest | None] = {}
    for chunk in toc.chunks:
        if chunk.name in places:
            try:
                found[chunk.name] = _digest(places[chunk.name], chunk.size, advance)
            except BundleIncompleteError:
                continue  # It went away since it was seen.
            except (UnsafeFileError, OperatingSystemError):
                found[chunk.name] = None
    return relist(toc, found)


def _digest(path: Path, size: int, advance: Callable[[int], None] | None) -> Digest:
    with reading(path.parent, path.name) as source:
        return copy_and_digest(source, None, advance=advance, limit=size)
