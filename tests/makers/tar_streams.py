"""Tar streams and chunks of made-up files, and what reads them in ways that a disk or pipe may."""

import tarfile
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from hashlib import sha256
from io import BytesIO
from pathlib import Path

from hypothesis import strategies as st

from issbox.bundle.members import Member
from issbox.bundle.signature import SigningKey
from issbox.bundle.tar.chunk_writer import ChunkWriter
from issbox.bundle.tar.chunked_stream import ChunkedStream, ChunkFile
from issbox.bundle.tar.tar_reader import TarReader
from issbox.bundle.tar.toc_checks import Compression, Toc
from issbox.bundle.tar.writing import tar_stream
from issbox.files import Digest, Readable
from issbox.names import path_problem
from makers.bundle_strategies import paths

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
FILES: Mapping[str, bytes] = {
    "issbox-bundle.json": b"{}\n",
    "custom/tools/base/Packages/bell-1.0-1.noarch.rpm": b"ding" * 500,
    "custom/tools/base/Packages/empty": b"",
    f"custom/{'long-' * 30}/{'longer-' * 20}/file": b"far down",
    "custom/tools/Größe": bytes(range(256)) * 3,
}
long_paths = (
    st.lists(st.text("ab.é-", min_size=40, max_size=120), min_size=1, max_size=7)
    .map("/".join)
    .filter(lambda path: path_problem(path) is None)
)
trees = st.dictionaries(paths | long_paths, st.binary(max_size=1500), max_size=5)
compressions = st.sampled_from(Compression)


class Sink:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.data = bytearray()

    def write(self, data: memoryview, /) -> None:
        self.data += data


class Trickle:
    """Gives bytes in pieces of these sizes, over and over, as a pipe does."""

    def __init__(self, data: bytes, sizes: list[int] | None = None) -> None:
        self._left = memoryview(data)
        self._sizes = sizes or [len(data) + 1]
        self._turn = 0

    def readinto(self, buffer: memoryview, /) -> int:
        size = min(len(buffer), self._sizes[self._turn % len(self._sizes)])
        self._turn += 1
        part, self._left = self._left[:size], self._left[size:]
        buffer[: len(part)] = part
        return len(part)


class Endless(Trickle):
    """Goes on with zeros for ever."""

    def readinto(self, buffer: memoryview, /) -> int:
        count = super().readinto(buffer)
        if not count:
            buffer[:] = bytes(len(buffer))
        return count or len(buffer)


def member(path: str, data: bytes) -> Member:
    """Give a member with these bytes."""
    return Member(path, Digest(len(data), sha256(data).hexdigest()), lambda: nullcontext(BytesIO(data)))


def stream_of(files: Mapping[str, bytes], compression: Compression = Compression.NONE) -> bytes:
    """Give the whole stream."""
    sink = Sink()
    with tar_stream(sink, compression, NOW) as tar:
        for path, data in files.items():
            tar.add(member(path, data))
    return bytes(sink.data)


def write_set(
    parent: Path,
    key: SigningKey,
    compression: Compression = Compression.GZIP,
    chunk_size: int | None = 700,
    files: Mapping[str, bytes] = FILES,
) -> Toc:
    """Write these files as a set of chunks called `set`."""
    with ChunkWriter(parent, "set", compression, chunk_size) as chunks:
        with tar_stream(chunks, compression, NOW) as tar:
            for path, data in files.items():
                tar.add(member(path, data))
        return chunks.finish("bundle-1", key)


def chunked(toc: Toc, folder: Path) -> ChunkedStream:
    """Give the stream of the chunks in this folder."""
    return ChunkedStream([ChunkFile(folder / chunk.name, Digest(chunk.size, chunk.sha256)) for chunk in toc.chunks])


def read_bytes(source: Readable, size: int = 1 << 16) -> bytes:
    """Read to the end, at most so many bytes at once."""
    found = bytearray()
    buffer = memoryview(bytearray(size))
    while count := source.readinto(buffer):
        found += buffer[:count]
    return bytes(found)


def read_members(reader: TarReader) -> list[tuple[str, bytes]]:
    """Read every file of a stream."""
    return [(found.path, read_bytes(found)) for found in reader]


def made_by_tarfile(add: Callable[[tarfile.TarFile], None], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Give a tar that Python's own library wrote."""
    out = BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        add(tar)
    return out.getvalue()


def tree_by_tarfile(files: Mapping[str, bytes], form: int) -> bytes:
    """Give a tar of these files that Python's own library wrote."""

    def add(tar: tarfile.TarFile) -> None:
        for path, data in files.items():
            info = tarfile.TarInfo(path)
            info.size = len(data)
            tar.addfile(info, BytesIO(data))

    return made_by_tarfile(add, form)
