"""What the terminal can show, going by TERM, the locale and NO_COLOR; decided before textual is imported."""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Final

from issbox.screen_text import has_blocks

_WITHOUT_MOUSE: Final = ("linux", "vt", "dumb", "ansi", "cons")
"""Beginnings of the names of terminals that have no mouse, or show its reports as garbage."""
_ASCII: Final = ("vt", "ansi", "cons", "dumb")
_FRAMES: Final = "30"
"""Most paints a second: a key is answered at once, and held keys do not flood a slow line. What changes by itself is
painted once a second."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the console paints."""

    ascii_only: bool
    """Whether borders are of +, - and |, and codes of squares of #."""
    mouse: bool
    light: bool = False
    """Whether the ground is light, as COLORFGBG says."""


def look_at(environ: Mapping[str, str], encoding: str | None, *, ascii_only: bool = False) -> Terminal:
    """Say how to paint on this terminal."""
    kind = environ.get("TERM", "dumb")
    ground = environ.get("COLORFGBG", "").rpartition(";")[2]
    return Terminal(
        ascii_only=ascii_only or kind.startswith(_ASCII) or not has_blocks(environ, encoding),
        mouse=not kind.startswith(_WITHOUT_MOUSE) and environ.get("ISSBOX_MOUSE", "1") != "0",
        light=ground in ("7", "15"),
    )


def is_screen(environ: Mapping[str, str], *, tty: bool, columns: int, lines: int) -> bool:
    """Tell whether the full-screen console can be shown; the line mode is for everything else."""
    return (
        tty and columns >= _LEAST_COLUMNS and lines >= _LEAST_LINES and environ.get("TERM", "dumb") not in ("", "dumb")
    )


_LEAST_COLUMNS: Final = 40
_LEAST_LINES: Final = 12


def prepare(environ: MutableMapping[str, str]) -> None:
    """Tell textual, through its variables, to keep still; call it before textual is imported."""
    environ["TEXTUAL_ANIMATIONS"] = "none"
    environ.setdefault("TEXTUAL_FPS", _FRAMES)
    environ["TEXTUAL_SMOOTH_SCROLL"] = "0"
    environ["TEXTUAL_DISABLE_KITTY_KEY"] = "1"
    if environ.get("TERM", "").startswith(("linux", "vt", "screen", "ansi")) and "256" not in environ.get("TERM", ""):
        environ.setdefault("TEXTUAL_COLOR_SYSTEM", "standard")
