"""What XML must be before it goes to the parser in C, which takes three times the memory of its largest element."""

from typing import Final, Protocol
from xml.parsers import expat

from issbox.errors import BadMetadataError
from issbox.yum.repomd import refuse_doctype

_TOKEN_LIMIT: Final = 1 << 20
"""Bytes of one tag or comment, and of text without any tag."""
_ELEMENT_LIMIT: Final = 16 << 20
"""Bytes of one element below the root. The largest real packages, kernels, have 2 MB of primary metadata."""
_FEED: Final = 1 << 16


class XmlListener(Protocol):
    """Told of the elements that go by. The root has depth 1; offsets are in bytes from the beginning of the XML."""

    def start(self, depth: int, name: str, attributes: dict[str, str], offset: int) -> None:
        """Hear of a start tag at this offset."""

    def end(self, depth: int, name: str, offset: int) -> None:
        """Hear of an end tag at this offset; an element without content ends where it starts."""

    def text(self, data: str) -> None:
        """Hear a piece of text of the element that is open."""


class XmlGate:
    """Reads along while XML goes by; raises BadMetadataError as soon as it is not what it must be.

    It must be well-formed, have the expected root and no DOCTYPE, and no part that needs much memory.
    """

    def __init__(self, name: str, root: str, listener: XmlListener | None = None) -> None:
        """Name the file, for messages, and its root element; a listener hears of every element and of its text."""
        self._name = name
        self._root = root
        self._listener = listener
        self._fed = 0
        self._last_tag = 0
        self._depth = 0
        self._element_start = 0
        self._parser = expat.ParserCreate()
        self._parser.buffer_text = False
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = refuse_doctype
        if listener is not None:
            self._parser.CharacterDataHandler = listener.text

    def feed(self, block: bytes) -> None:
        """Look at the next bytes."""
        for start in range(0, len(block), _FEED):
            part = block[start : start + _FEED]
            self._watch_tags(part)
            self._parse(part, final=False)
            self._fed += len(part)
            if self._fed - self._parser.CurrentByteIndex > _TOKEN_LIMIT:
                raise BadMetadataError(f"{self._name} has a tag or comment of more than {_TOKEN_LIMIT} bytes")
            if self._depth > 1 and self._fed - self._element_start > _ELEMENT_LIMIT:
                raise BadMetadataError(f"{self._name} has an element of more than {_ELEMENT_LIMIT} bytes")

    def finish(self) -> None:
        """Say that there is no more."""
        self._parse(b"", final=True)

    def _watch_tags(self, part: bytes) -> None:
        first = part.find(b"<")
        if self._fed + (len(part) if first < 0 else first) - self._last_tag > _TOKEN_LIMIT:
            raise BadMetadataError(f"{self._name} has more than {_TOKEN_LIMIT} bytes of text without any tag")
        if first >= 0:
            self._last_tag = self._fed + part.rfind(b"<")

    def _parse(self, part: bytes, *, final: bool) -> None:
        try:
            self._parser.Parse(part, final)
        except (expat.ExpatError, LookupError, ValueError) as error:
            raise BadMetadataError(f"{self._name} is not well-formed XML: {error}") from None
        except BadMetadataError as error:
            raise BadMetadataError(f"{self._name}: {error}") from None

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth == 1 and name != self._root:
            raise BadMetadataError(f"it holds <{name[:60]}> instead of <{self._root}>")
        if self._depth == 2:
            self._element_start = self._parser.CurrentByteIndex
        if self._listener is not None:
            self._listener.start(self._depth, name, attributes, self._parser.CurrentByteIndex)

    def _end(self, name: str) -> None:
        if self._listener is not None:
            self._listener.end(self._depth, name, self._parser.CurrentByteIndex)
        self._depth -= 1
