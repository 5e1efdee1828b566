"""Two halves of a stream's work at the same time: one thread digests files while another digests chunks or writes.

hashlib, zlib and the operating system let go of Python's lock while they work, so two threads really are faster.
Each stage hands blocks from one thread to the other, and has no more memory than its few blocks.
"""

from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Self

from issbox.files import BLOCK, Readable, Writable

_BLOCKS = 4


class WriteBehind:
    """Writes to `out` in a thread of its own what it is given.

    A context manager: left in order, everything has been written; left by an error, the thread has ended and what
    it had not written yet is dropped. What `out` raises is raised by a later `write`, or when the context is left.
    """

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._free: SimpleQueue[memoryview] = SimpleQueue()
        self._full: SimpleQueue[memoryview | None] = SimpleQueue()
        for _ in range(_BLOCKS):
            self._free.put(memoryview(bytearray(BLOCK)))
        self._block = self._free.get()
        self._filled = 0
        self._dropping = False
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, name="write-behind", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, traceback: TracebackType | None) -> None:
        if kind is None:
            self._full.put(self._block[: self._filled])
        else:
            self._dropping = True
        self._full.put(None)
        self._thread.join()
        if kind is None:
            self._raise()

    def write(self, data: memoryview, /) -> None:
        """Take all of the data; the buffer may be used again at once."""
        while len(data):
            part = data[: BLOCK - self._filled]
            self._block[self._filled : self._filled + len(part)] = part
            self._filled += len(part)
            data = data[len(part) :]
            if self._filled == BLOCK:
                self._raise()
                self._full.put(self._block)
                self._block, self._filled = self._free.get(), 0

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        while (block := self._full.get()) is not None:
            if self._error is None and not self._dropping:
                try:
                    self._out.write(block)
                except BaseException as error:  # It is raised in the thread that writes.
                    self._error = error
            self._free.put(block)


class ReadAhead:
    """Reads from `source` in a thread of its own before it is asked for.

    A context manager; when it is left, the thread has ended, and `source` stands somewhere after what was read. What
    `source` raises is raised by `readinto` when everything before it has been read.
    """

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._free: SimpleQueue[memoryview | None] = SimpleQueue()
        self._full: SimpleQueue[tuple[memoryview, int] | BaseException] = SimpleQueue()
        for _ in range(_BLOCKS):
            self._free.put(memoryview(bytearray(BLOCK)))
        self._block: memoryview | None = None
        self._left = memoryview(b"")
        self._ended = False
        self._error: BaseException | None = None
        self._stopped = False
        self._thread = Thread(target=self._run, name="read-ahead", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped = True
        self._free.put(None)
        self._thread.join()

    def readinto(self, buffer: memoryview, /) -> int:
        """Fill the buffer and give the number of bytes, 0 at the end."""
        if not len(self._left):
            self._next()
        part = self._left[: len(buffer)]
        buffer[: len(part)] = part
        self._left = self._left[len(part) :]
        return len(part)

    def _next(self) -> None:
        if self._block is not None:
            self._free.put(self._block)
            self._block = None
        if not self._ended:
            found = self._full.get()
            if isinstance(found, BaseException):
                self._ended, self._error = True, found
            else:
                self._block, count = found
                self._left = self._block[:count]
                self._ended = not count
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while (block := self._free.get()) is not None and not self._stopped:
                count = self._source.readinto(block) or 0
                self._full.put((block, count))
                if not count:
                    return
        except BaseException as error:  # It is raised in the thread that reads.
            self._full.put(error)
