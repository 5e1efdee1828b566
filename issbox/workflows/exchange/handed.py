"""What a person hands over on the command line: a text itself, a file, or standard input, never more than a limit."""

import sys
from collections.abc import Callable
from pathlib import Path

from issbox.errors import InvalidValueError, NotFoundError
from issbox.files import error_from_os, open_regular


def handed_over(given: str, is_text: Callable[[str], bool], what: str, most: int) -> bytes:
    """Give the bytes of a text, of standard input for `-`, or else of the file at that path.

    Raises NotFoundError when there is neither, and InvalidValueError for more than `most` bytes or for what is no
    regular file.
    """
    if given == "-":
        data = sys.stdin.buffer.read(most + 1)
    elif is_text(given):
        data = given.encode(errors="replace")
    else:
        data = _read(Path(given), what, most)
    if len(data) > most:
        raise InvalidValueError(f"{given[:80]} is too large to be {what}")
    return data


def _read(path: Path, what: str, most: int) -> bytes:
    blocks, size = [], 0
    try:
        with open_regular(path) as source:
            while size <= most and (block := source.read(most + 1 - size)):
                blocks.append(block)
                size += len(block)
    except FileNotFoundError:
        raise NotFoundError(
            f"{str(path)[:200]!r} is neither a file nor the text of {what}", hint="Check the path or the text."
        ) from None
    except ValueError:  # a NUL character
        raise InvalidValueError(f"{str(path)[:200]!r} cannot be a path") from None
    except OSError as error:
        raise error_from_os(error) from None
    return b"".join(blocks)
