"""Several stages of a stream's work at the same time: one thread digests files, others digest chunks and write.

hashlib, zlib and the operating system let go of Python's lock while they work, so two threads really are faster.
Each stage hands blocks from one thread to the other, and has no more memory than its few blocks.
"""

from queue import SimpleQueue
from threading import Thread
from types import TracebackType
from typing import Final, Self

from issbox.files import BLOCK, Fillable, Readable, Writable

_BLOCKS: Final = 4
"""Blocks that are read ahead."""
_BEHIND: Final = 8
"""Pieces of memory on their way through the stages of a `WriteBehind`."""
_PIECE: Final = 2 * BLOCK
"""Bytes of each: handing it on wakes up another thread, which costs as much as copying some of it."""
_Filled = tuple[memoryview, int]
"""Such a piece, and how many bytes of it are there; none at the end."""


class WriteBehind(Fillable):
    """Gives what is written to it to one `out` after the other, each of which works in a thread of its own.

    All of them see the same memory, so it is copied once, or not at all when it is filled in place (`Fillable`). No
    `out` may change what it is given, or keep it. A context manager: left in order, every `out` has had everything;
    left by an error, the threads have ended and what they had not come to yet is dropped. What an `out` raises ends
    the work of all, and is raised by a later `write` or `fill`, or when the context is left.
    """

    def __init__(self, *outs: Writable) -> None:
        """Take them in their order: the last one gets what all the others have seen."""
        lines: list[SimpleQueue[_Filled]] = [SimpleQueue() for _ in range(len(outs) + 1)]
        self._first, self._free = lines[0], lines[-1]
        for _ in range(_BEHIND - 1):
            self._free.put((memoryview(bytearray(_PIECE)), 0))
        self._piece, self._filled = memoryview(bytearray(_PIECE)), 0
        self._dropping = False
        self._error: BaseException | None = None
        self._threads = [
            Thread(target=self._run, args=each, name="write-behind", daemon=True)
            for each in zip(outs, lines[:-1], lines[1:], strict=True)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, _: object, traceback: TracebackType | None) -> None:
        if kind is not None:
            self._dropping = True
        elif self._filled:
            self._first.put((self._piece, self._filled))
        self._first.put((self._piece, 0))
        for thread in self._threads:
            thread.join()
        if kind is None:
            self._raise()

    def room(self) -> memoryview:
        """Give memory to be filled, not too much for the processor's cache."""
        return self._piece[self._filled : self._filled + BLOCK]

    def fill(self, count: int, /) -> None:
        """Take so many bytes that were put into `room`."""
        self._filled += count
        if self._filled == _PIECE:
            self._hand_on()

    def _hand_on(self) -> None:
        self._raise()
        self._first.put((self._piece, self._filled))
        (self._piece, _), self._filled = self._free.get(), 0

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self, out: Writable, source: SimpleQueue[_Filled], target: SimpleQueue[_Filled]) -> None:
        filled = 1
        while filled:
            piece, filled = source.get()
            if filled and self._error is None and not self._dropping:
                try:
                    out.write(piece[:filled])
                except BaseException as error:  # It is raised in the thread that writes.
                    self._error = error
            target.put((piece, filled))


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
