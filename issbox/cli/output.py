"""Standard output: data for people or programs, with nothing in it that could command a terminal."""

import json
import os
import select
import sys
from collections.abc import Sequence

from issbox.errors import IssboxError
from issbox.files import error_from_os
from issbox.screen_text import fact, printable, width

__all__ = ["EMPTY", "OutputClosedError", "details", "printable", "safe_lines", "table", "to_json", "write"]

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


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give aligned columns; without rows there is only a heading."""
    cells = [list(headings), *([printable(cell) or EMPTY for cell in row] for row in rows)]
    widths = [max(width(row[column]) for row in cells) for column in range(len(headings))]
    return "".join(_pad(row, widths) + "\n" for row in cells)


def details(pairs: Sequence[tuple[str, str]]) -> str:
    """Give facts, names and values aligned."""
    column = max(len(name) for name, _ in pairs) + 2
    return "".join(f"{line}\n" for name, value in pairs for line in fact(name, value or EMPTY, column))


def _pad(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (column - width(cell)) for cell, column in zip(row, widths, strict=True))
    return "  ".join(padded).rstrip()
