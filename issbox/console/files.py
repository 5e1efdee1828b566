"""Files of this box that an operator names in a form: read in bounds, and written only where nothing is."""

from pathlib import Path
from typing import Final

from issbox.errors import AlreadyExistsError, InvalidValueError
from issbox.files import atomic_write

MOST_BYTES: Final = 1 << 20
"""Largest file with keys or certificates."""


def read_text(path: str, what: str, most: int = MOST_BYTES) -> str:
    """Give the text of a file.

    Raises NotFoundError, InvalidValueError for one that is too large or no regular file, and what opening it raises.
    """
    from issbox.workflows.exchange.handed import handed_over

    if path.strip() == "-":
        raise InvalidValueError("the console has no standard input to read", hint="Give the path of a file.")
    return handed_over(path.strip(), lambda _: False, what, most).decode(errors="replace")


def new_path(path: str) -> Path:
    """Give the path of a file that is to be made; raises AlreadyExistsError when something is there.

    Raises InvalidValueError for what no path can be.
    """
    if "\0" in path:
        raise InvalidValueError(f"{path!r} cannot be a path")
    found = Path(path.strip())
    if found.exists():
        raise AlreadyExistsError(f"{found} exists already", hint="Choose another name.")
    return found


def write_text(path: Path, text: str) -> None:
    """Write a file, whole or not at all; raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as out:
        out.write(text.encode())
