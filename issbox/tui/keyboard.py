"""What the keys of a terminal mean: Esc is a key of its own, also when another one follows at once.

Terminals send Alt with a letter as Esc and the letter, so textual waits a moment after an Esc, and takes both for one
key that the console has no use for. Over SSH an Esc and what was typed after it come in one piece. Here only what can
begin the sequence of an arrow or F-key, `[` and `O`, is waited for, as long as before: on a slow line the parts of such
a sequence may come apart.
"""

import re
from collections.abc import Iterable
from typing import Final

from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver
from textual.message import Message

_ESC: Final = "\x1b"
_SEQUENCE: Final = ("[", "O", _ESC)
"""What may follow an Esc that is not over: the beginnings of sequences, and an Esc, which textual knows itself."""
_ALONE: Final = re.compile(r"(?<=\x1b)(?=[^\x1b\[O])")
"""Between an Esc that is a key and the key after it."""


class KeyParser(XTermParser):
    """textual's parser, which is told when an Esc stands alone."""

    def feed(self, data: str) -> Iterable[Message]:
        """Give the keys of what came from the terminal."""
        if data and not data.startswith(_SEQUENCE) and self._after_escape:
            yield from self._give_escape()
        first, *more = _ALONE.split(data)
        yield from super().feed(first)
        for part in more:
            yield from self._give_escape()
            yield from super().feed(part)
        self._after_escape = data.endswith(_ESC) if data else self._after_escape

    _after_escape = False
    """Whether the last thing that came was an Esc."""

    def _give_escape(self) -> Iterable[Message]:
        """Have the Esc that is waited at taken for a key, unless it was already."""
        if self._timeout_time is not None:
            self._timeout_time = 0.0
            yield from self.tick()


def take_escape_for_a_key() -> None:
    """Let the terminals of this process be read so; call it before an application runs."""
    setattr(linux_driver, "XTermParser", KeyParser)  # noqa: B010 - textual lets nobody choose the parser of its driver
