"""Text as terminals show it: nothing in it that could command one, and as wide as it says."""

import unicodedata
from collections.abc import Mapping
from typing import Final

_UNPRINTABLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories that control a terminal, change the direction of text, or show as nothing."""


def printable(text: str) -> str:
    r"""Give text that is safe on a terminal: control and invisible characters become `\x1b` and the like."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if unicodedata.category(c) in _UNPRINTABLE else c for c in text)


def one_line(text: str) -> str:
    """Give what a program said as one line without control characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())


def width(text: str) -> int:
    """Give the columns that text takes on a terminal: East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def fact(name: str, value: str, column: int) -> list[str]:
    """Give printable lines that tell a fact: the value begins at the column, and its further lines stand under it."""
    first, *more = [printable(line) for line in value.rstrip("\n").split("\n")]
    return [f"{name + ':':<{column}}{first}", *(f"{'':<{column}}{line}".rstrip() for line in more)]


def fitted(text: str, columns: int, *, cut: str = "~") -> str:
    """Give printable text in exactly so many columns; `cut` stands at the end of one that is too long."""
    shown = printable(text)
    if width(shown) > columns:
        kept, used = [], 0
        for character in shown:
            wide = width(character)
            if used + wide > columns - 1:
                break
            kept.append(character)
            used += wide
        shown = "".join(kept) + cut if columns > 0 else ""
    return shown + " " * (columns - width(shown))


def wrapped(text: str, columns: int) -> list[str]:
    """Give text in lines of at most so many columns, broken at spaces where there are any; indents are kept."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        rest = printable(paragraph)
        indent = rest[: len(rest) - len(rest.lstrip(" "))][: columns // 2]
        while width(rest) > columns:
            head = rest[: _fitting(rest, columns)]
            at = head.rfind(" ")
            cut = at if at > len(indent) else len(head)
            lines.append(rest[:cut].rstrip(" "))
            rest = indent + rest[cut:].lstrip(" ")
        lines.append(rest)
    return lines


def _fitting(text: str, columns: int) -> int:
    used = 0
    for index, character in enumerate(text):
        used += width(character)
        if used > columns:
            return max(1, index)
    return len(text)


def has_blocks(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Tell whether lines and blocks can be shown: the encoding, the locale and the kind of terminal have them."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale == "C.UTF-8" and not environ.get("LC_ALL") and environ.get("LANG", "C") in {"", "C", "POSIX"}:
        locale = "C"  # Python itself sets LC_CTYPE so in the locale C (PEP 538); the terminal knows nothing of it
    utf8 = all(
        word.lower().replace("-", "").endswith("utf8") for word in (locale.partition("@")[0], encoding or "ascii")
    )
    return utf8 and environ.get("TERM", "") not in {"linux", "dumb"}
