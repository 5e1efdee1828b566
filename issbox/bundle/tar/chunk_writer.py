"""Writes a stream as numbered files of one size, digested on the way, and lists them in a signed table of contents."""

import re
from collections.abc import Set
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, Self

from issbox.bundle.signature import SigningKey
from issbox.bundle.staged import os_errors
from issbox.bundle.tar.staged_files import StagedFiles, close_durable
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


def chunk_digits(size: int, chunk_size: int) -> int:
    """Give the digits of a number with which the shell, too, puts the chunks of a stream of this size in order."""
    return max(MIN_DIGITS, len(str(-(-size // chunk_size))))


class ChunkWriter:
    """`NAME.tgz.001`, `NAME.tgz.002`, ... in `parent`, or a single `NAME.tgz` without a chunk size.

    What is written to it is divided into chunks of exactly `chunk_size` bytes, only the last may be smaller. Until
    `finish` everything lies in the hidden directory `.NAME.tgz.part`. A context manager; leaving it without `finish`
    removes everything, and what a killed process left behind is removed by the next writer of the same name.
    """

    def __init__(
        self,
        parent: Path,
        name: str,
        compression: Compression,
        chunk_size: int | None = None,
        *,
        digits: int = MIN_DIGITS,
        only: Set[int] | None = None,
    ) -> None:
        """Name the files; raises InvalidValueError when the name is no single visible file name or too long.

        `compression` is that of the stream that will be written, see `writing.tar_stream`. Numbers have at least
        `digits` digits. With `only`, no other chunks than those of these numbers are kept, while all are digested: so
        single ones are made once more.
        """
        if chunk_size is not None and chunk_size < 1:
            raise InvalidValueError(f"a chunk of {chunk_size} bytes holds nothing")
        self._parent = parent
        self._name = check_set_name(name)
        self._compression = compression
        self._chunk_size = chunk_size
        self._digits = digits
        self._only = only
        whole = f"{name}.{compression.suffix}"
        own = rf"{re.escape(whole)}(\.\d+)?|{re.escape(name)}({re.escape(TOC_SUFFIX)}|{re.escape(SIGNATURE_SUFFIX)})"
        self._files = StagedFiles(parent, whole, re.compile(own))
        self._chunks: list[Chunk] = []
        self._current: _Unfinished | None = None

    def __enter__(self) -> Self:
        """Begin; raises AlreadyExistsError, BusyError when another process writes it, NoSpaceError..."""
        self._files.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        if self._current is not None:
            self._current.abandon()
        self._files.__exit__(*_)

    def write(self, data: memoryview, /) -> None:
        """Take all of the data; raises NoSpaceError and what else the disk says.

        Raises InvalidValueError when there would be more chunks than a table of contents may list.
        """
        with os_errors(self._parent / self._name):
            while len(data):
                chunk = self._current = self._current or self._begin()
                room = len(data) if self._chunk_size is None else self._chunk_size - chunk.size
                chunk.write(data[:room])
                data = data[room:]
                if chunk.size == self._chunk_size:
                    self._end()

    def finish(self, bundle_id: str, key: SigningKey) -> Toc:
        """Write the table of contents and its signature, give all files their names, and give the table.

        The table of contents gets its name last. Raises AlreadyExistsError, BadManifestError for a bundle id that no
        bundle has, and what `write` raises.
        """
        with os_errors(self._parent / self._name):
            self._end()
            toc = new_toc(bundle_id, key.key_id, self._compression, tuple(self._chunks))
            data = encode_toc(toc)
            toc_name, signature_name = f"{self._name}{TOC_SUFFIX}", f"{self._name}{SIGNATURE_SUFFIX}"
            decode_toc(data, toc_name)
            self._files.write(signature_name, key.sign(data))
            self._files.write(toc_name, data)
            kept = [chunk.name for number, chunk in enumerate(toc.chunks, start=1) if self._keeps(number)]
            self._files.finish([*kept, signature_name, toc_name])
        return toc

    def _begin(self) -> "_Unfinished":
        number = len(self._chunks) + 1
        if number > MAX_CHUNKS:
            raise InvalidValueError(
                f"chunks of {self._chunk_size} bytes are too small: there would be more than {MAX_CHUNKS}",
                hint="Choose a larger size.",
            )
        name = chunk_name(self._name, self._compression, None if self._chunk_size is None else number, self._digits)
        return _Unfinished(name, self._files.create(name) if self._keeps(number) else None)

    def _end(self) -> None:
        if self._current is not None:
            self._chunks.append(self._current.finish())
            self._current = None

    def _keeps(self, number: int) -> bool:
        return self._only is None or number in self._only


class _Unfinished:
    """The chunk that is being written, or only digested."""

    def __init__(self, name: str, out: BinaryIO | None) -> None:
        self.size = 0
        self._name = name
        self._out = out
        self._digest = sha256()

    def write(self, data: memoryview) -> None:
        self._digest.update(data)
        if self._out is not None:
            self._out.write(data)
        self.size += len(data)

    def finish(self) -> Chunk:
        """Have it on the medium, and give what it is."""
        if self._out is not None:
            close_durable(self._out)
        return Chunk(name=self._name, size=self.size, sha256=self._digest.hexdigest())

    def abandon(self) -> None:
        if self._out is not None:
            with suppress(OSError):  # What is left in the buffer does not matter, nor whether there is room for it.
                self._out.close()
