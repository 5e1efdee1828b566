"""Standard output: data for people or programs, with nothing in it that could command a terminal."""

import json
import os
import select
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Final

from issbox.errors import IssboxError
from issbox.files import error_from_os
from issbox.screen_text import fact, printable, width

__all__ = [
    "EMPTY",
    "OutputClosedError",
    "details",
    "printable",
    "safe_lines",
    "table",
    "terminal_columns",
    "to_json",
    "write",
]

_GAP: Final = "  "
_INDENT: Final = " " * 4

EMPTY = "-"
"""Stands in tables and details where there is nothing."""


class OutputClosedError(Exception):
    """Whoever read standard output wants no more of it."""


def safe_lines(text: str) -> str:
    """Give text of several lines that is safe on a terminal."""
    return "".join(f"{printable(line)}\n" for line in text.split("\n")[: -1 if text.endswith("\n") else None])


def write(text: str) -> None:
    """Write to standard output and flush.

    Raises OutputClosedError when nobody reads it any more, and NoSpaceError or OperatingSystemError when it is a file
    that cannot be written.
    """
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_rest()
        raise OutputClosedError from None
    except OSError as error:
        _discard_rest()
        raise _named(error) from error


class StandardOutput:
    """Takes bytes for standard output, whoever is behind it; raises BrokenPipeError when nobody reads it any more."""

    def __init__(self) -> None:
        sys.stdout.flush()
        self._descriptor = sys.stdout.fileno()

    def write(self, data: memoryview, /) -> None:
        """Write all of the data, waiting for a reader that is slow."""
        while len(data):
            try:
                data = data[os.write(self._descriptor, data) :]
            except BlockingIOError:  # a reader may have made the pipe so
                select.select([], [self._descriptor], [])
            except BrokenPipeError:
                raise
            except OSError as error:
                raise _named(error) from error


def _named(error: OSError) -> IssboxError:
    return error_from_os(OSError(error.errno, error.strerror, "standard output"))


def _discard_rest() -> None:
    """Let what is still buffered go nowhere, so that the interpreter does not complain about it at exit."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def to_json(document: object) -> str:
    """Give the JSON text of a document, readable and in ASCII, so that no terminal can be commanded by it."""
    return json.dumps(document, indent=2, ensure_ascii=True) + "\n"


def terminal_columns() -> int | None:
    """Give how wide the terminal is that standard output goes to; None when it goes elsewhere."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def table(headings: Sequence[str], rows: Sequence[Sequence[str]], columns: int | None = None) -> str:
    """Give aligned columns; without rows there is only a heading.

    What is wider than so many columns is told below each row, the widest first, so that the rest stays aligned.
    """
    cells = [list(headings), *([printable(cell) or EMPTY for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    if columns and len(widths) > 1 and columns // 2 < widths[0] and sum(widths) + len(_GAP) * len(widths) > columns:
        rest = table(
            headings[1:], [[cell.lstrip() for cell in row[1:]] for row in rows], columns - len(_INDENT)
        ).splitlines()
        return _below_the_first([row[0] for row in cells], rest)
    kept, below = _split(widths, columns)
    lines: list[str] = []
    for row in cells:
        lines.append(_pad([row[each] for each in kept], [widths[each] for each in kept]))
        if row is not cells[0]:
            for each in below:
                lines += _below(headings[each], row[each], columns or 0)
    return "".join(f"{line}\n" for line in lines)


def _below_the_first(firsts: Sequence[str], rest: Sequence[str]) -> str:
    """Put the lines of a table of all other columns below the cells of the first one."""
    lines: list[str] = []
    following = iter(firsts)
    for line in rest:
        if not line.startswith(_INDENT):
            lines.append(next(following))
        lines.append(f"{_INDENT}{line}")
    return "".join(f"{line}\n" for line in lines)


def _split(widths: Sequence[int], columns: int | None) -> tuple[list[int], list[int]]:
    """Say which columns of these widths stay in a table of so many columns, and which do not."""
    kept = list(range(len(widths)))
    while columns and len(kept) > 1 and sum(widths[each] + len(_GAP) for each in kept) - len(_GAP) > columns:
        kept.remove(max(kept[1:], key=lambda each: widths[each]))
    return kept, [each for each in range(len(widths)) if each not in kept]


def _below(heading: str, cell: str, columns: int) -> list[str]:
    if cell == EMPTY:
        return []
    line = f"{heading.lower()}: {cell}"
    if " " not in cell:  # such as a path, which stays whole so that it can be copied
        return [f"{_INDENT}{line}"]
    return textwrap.wrap(
        line,
        max(columns, 20),
        initial_indent=_INDENT,
        subsequent_indent=_INDENT * 2,
        break_long_words=False,
        break_on_hyphens=False,
    )


def details(pairs: Sequence[tuple[str, str]]) -> str:
    """Give facts, names and values aligned."""
    column = max(len(name) for name, _ in pairs) + 2
    return "".join(f"{line}\n" for name, value in pairs for line in fact(name, value or EMPTY, column))


def _pad(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (column - width(cell)) for cell, column in zip(row, widths, strict=True))
    return _GAP.join(padded).rstrip()
