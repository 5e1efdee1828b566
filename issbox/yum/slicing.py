"""Cutting elements out of metadata: what stays is byte for byte what upstream wrote."""

import re
from collections.abc import Callable, Iterable
from typing import Final

from issbox.yum.xmlgate import XmlGate

_COUNT: Final = re.compile(rb"(<[^<>]*\spackages\s*=\s*[\"'])\d*([\"'])")


class _Slicer:
    """Copies XML without some of the elements below its root; for use by `slice_xml`."""

    def __init__(
        self,
        write: Callable[[bytes], object],
        element: str,
        keep: Callable[[int, dict[str, str]], bool],
        count: int | None,
    ) -> None:
        self._write = write
        self._element = element
        self._keep = keep
        self._count = count
        self._pending = bytearray()
        self._start = 0
        """Offset of the first pending byte."""
        self._head = True
        self._keeping = True
        self.number = 0
        """Elements decided on so far."""

    def take(self, block: bytes) -> None:
        """Hold bytes until it is known to which element they belong."""
        self._pending += block

    def start(self, depth: int, name: str, attributes: dict[str, str], offset: int) -> None:
        """End what was before an element below the root, and decide on it."""
        if depth == 2:
            self._cut(offset)
            self._keeping = True
            if name == self._element:
                self._keeping = self._keep(self.number, attributes)
                self.number += 1

    def end(self, depth: int, _name: str, offset: int) -> None:
        """End the last element at the root's end tag; what follows always stays."""
        if depth == 1:
            self._cut(offset)
            self._keeping = True

    def text(self, _data: str) -> None:
        """Nothing: text stays or goes with its element."""

    def finish(self) -> None:
        """Write what is left."""
        self._cut(self._start + len(self._pending))

    def _cut(self, offset: int) -> None:
        part = bytes(self._pending[: offset - self._start])
        del self._pending[: offset - self._start]
        self._start = offset
        if self._head and self._count is not None:
            part = _COUNT.sub(rb"\g<1>%d\g<2>" % self._count, part, count=1)
        self._head = False
        if self._keeping:
            self._write(part)


def slice_xml(
    blocks: Iterable[bytes],
    write: Callable[[bytes], object],
    *,
    name: str,
    root: str,
    element: str,
    keep: Callable[[int, dict[str, str]], bool],
    count: int | None = None,
) -> int:
    """Copy XML block by block without the elements below its root that `keep` says no to; gives how many there were.

    `keep` is told the number of an element of that name, from 0, and its attributes; others stay. `count`, when given,
    is written into the root's attribute `packages`. Raises BadMetadataError as the gate does.
    """
    slicer = _Slicer(write, element, keep, count)
    gate = XmlGate(name, root, slicer)
    for block in blocks:
        slicer.take(block)
        gate.feed(block)
    gate.finish()
    slicer.finish()
    return slicer.number
