"""Writes a stream as numbered files of one size, digested on the way, and lists them in a signed table of contents."""

import sys
from collections.abc import Callable, Set
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Self

from issbox.bundle.signature import SigningKey
from issbox.bundle.staged import create_file, os_errors
from issbox.bundle.stages import WriteBehind
from issbox.bundle.tar.toc import decode_toc, encode_toc, new_toc
from issbox.bundle.tar.toc_checks import (
    MAX_CHUNKS,
    MIN_DIGITS,
    SIGNATURE_SUFFIX,
    TOC_SUFFIX,
    Chunk,
    Compression,
    Toc,
    check_set_name,
    chunk_name,
)
from issbox.errors import InvalidValueError
from issbox.files import Digest, Fillable, atomic_write
from issbox.syncing import DurableFile, Writeback


def chunk_digits(size: int, chunk_size: int) -> int:
    """Give the digits of a number with which the shell, too, puts the chunks of a stream of this size in order."""
    return max(MIN_DIGITS, len(str(-(-size // chunk_size))))


class ChunkWriter(Fillable):
    """`NAME.tgz.001`, `NAME.tgz.002`, ... in a directory, or a single `NAME.tgz` without a chunk size.

    What is written to it is divided into chunks of exactly `chunk_size` bytes, only the last may be smaller. One thread
    digests them, another one writes. A context manager; left without `finish`, the files in the directory, which is the
    caller's to remove, are of no use.
    """

    def __init__(
        self,
        directory: Path,
        name: str,
        compression: Compression,
        chunk_size: int | None = None,
        *,
        shown: Path | None = None,
        digits: int = MIN_DIGITS,
        only: Set[int] | None = None,
    ) -> None:
        """Name the files; raises InvalidValueError when the name is no single visible file name or too long.

        `compression` is that of the stream that will be written, see `writing.tar_stream`. Messages call the directory
        `shown`. Numbers have at least `digits` digits. With `only`, no other chunks than those of these numbers are
        kept, while all are digested: so single ones are made once more.
        """
        if chunk_size is not None and chunk_size < 1:
            raise InvalidValueError(f"a chunk of {chunk_size} bytes holds nothing")
        self._directory = directory
        self._shown = (shown or directory) / check_set_name(name)
        self._name = name
        self._compression = compression
        self._chunk_size = chunk_size
        self._digits = digits
        self._only = only
        self._resources = ExitStack()
        self._digests = _ChunkDigests(chunk_size)
        self._files = _ChunkFiles(self._create, chunk_size, self._shown)
        self._sink = WriteBehind(self._digests, self._files)

    def __enter__(self) -> Self:
        self._resources.enter_context(self._files)
        self._resources.enter_context(self._sink)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._resources.__exit__(kind, error, traceback)

    def room(self) -> memoryview:
        """Give memory to be filled; raises what `fill` raises."""
        return self._sink.room()

    def fill(self, count: int, /) -> None:
        """Take so many bytes that were put into `room`; raises NoSpaceError and what else the disk says, maybe later.

        Raises InvalidValueError, maybe later, when there would be more chunks than a table of contents may list.
        """
        self._sink.fill(count)

    def finish(self, bundle_id: str, key: SigningKey) -> Toc:
        """Write the table of contents and its signature when all chunks are durable, and give the table.

        Raises BadManifestError for a bundle id that no bundle has, and what `fill` raises.
        """
        with os_errors(self._shown):
            self._resources.close()
            chunks = [
                Chunk(name=self._chunk_name(number), size=digest.size, sha256=digest.sha256)
                for number, digest in enumerate(self._digests.finish(), start=1)
            ]
            toc = new_toc(bundle_id, key.key_id, self._compression, tuple(chunks))
            data = encode_toc(toc)
            decode_toc(data, f"{self._name}{TOC_SUFFIX}")
            for suffix, content in ((SIGNATURE_SUFFIX, key.sign(data)), (TOC_SUFFIX, data)):
                with atomic_write(self._directory / f"{self._name}{suffix}") as out:
                    out.write(content)
        return toc

    def _chunk_name(self, number: int) -> str:
        return chunk_name(self._name, self._compression, None if self._chunk_size is None else number, self._digits)

    def _create(self, number: int, behind: Writeback) -> DurableFile | None:
        """Open the file of a chunk, or give None when it is not to be kept."""
        if self._only is not None and number not in self._only:
            return None
        name = self._chunk_name(number)
        return DurableFile(create_file(self._directory / name), str(self._shown.with_name(name)), behind)


class _ChunkDigests:
    """Digests each chunk of what it is given."""

    def __init__(self, size: int | None) -> None:
        self._size = sys.maxsize if size is None else size
        self._done: list[Digest] = []
        self._digest = sha256()
        self._digested = 0

    def write(self, data: memoryview, /) -> None:
        while len(data):
            part, data = data[: self._size - self._digested], data[self._size - self._digested :]
            self._digest.update(part)
            self._digested += len(part)
            if self._digested == self._size:
                self._end()

    def finish(self) -> list[Digest]:
        """Give size and digest of every chunk."""
        if self._digested:
            self._end()
        return self._done

    def _end(self) -> None:
        if len(self._done) == MAX_CHUNKS:
            raise InvalidValueError(
                f"chunks of {self._size} bytes are too small: there would be more than {MAX_CHUNKS}",
                hint="Choose a larger size.",
            )
        self._done.append(Digest(self._digested, self._digest.hexdigest()))
        self._digest, self._digested = sha256(), 0


class _ChunkFiles:
    """Divides what it is given over files. A context manager: left in order, all files are durable."""

    def __init__(self, create: Callable[[int, Writeback], DurableFile | None], size: int | None, shown: Path) -> None:
        self._create = create
        self._size = sys.maxsize if size is None else size
        self._shown = shown
        self._behind = Writeback()
        self._file: DurableFile | None = None
        self._number = 0
        self._room = 0

    def write(self, data: memoryview, /) -> None:
        with os_errors(self._shown):
            while len(data):
                if not self._room:
                    self._next()
                part, data = data[: self._room], data[self._room :]
                if self._file is not None:
                    self._file.write(part)
                self._room -= len(part)

    def _next(self) -> None:
        self._finish_file()
        self._number += 1
        self._room = self._size
        self._file = self._create(self._number, self._behind)

    def _finish_file(self) -> None:
        if self._file is not None:
            self._file.finish()
            self._file = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with self._behind:
            if kind is None:
                with os_errors(self._shown):
                    self._finish_file()
                    self._behind.finish()
            elif self._file is not None:
                self._file.close()
