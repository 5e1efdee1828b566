"""What a terminal can show, by TERM and locale."""

import pytest

from issbox.console.terminal import is_screen, look_at, prepare


@pytest.mark.parametrize(
    ("term", "locale", "ascii_only", "mouse"),
    [
        ("xterm-256color", "en_US.UTF-8", False, True),
        ("xterm", "C", True, True),
        ("linux", "C.UTF-8", True, False),
        ("vt220", "en_US.UTF-8", True, False),
        ("screen", "de_DE.UTF-8", False, True),
        ("screen", "de_DE.ISO-8859-1", True, True),
    ],
)
def test_borders_and_mouse(term: str, locale: str, ascii_only: bool, mouse: bool) -> None:
    terminal = look_at({"TERM": term, "LC_ALL": locale}, "utf-8")
    assert (terminal.ascii_only, terminal.mouse) == (ascii_only, mouse)


def test_the_operator_decides_too() -> None:
    environ = {"TERM": "xterm", "LC_ALL": "C.UTF-8", "ISSBOX_MOUSE": "0", "COLORFGBG": "0;15"}
    terminal = look_at(environ, "utf-8", ascii_only=True)
    assert (terminal.ascii_only, terminal.mouse, terminal.light) == (True, False, True)


@pytest.mark.parametrize(
    ("term", "tty", "columns", "lines", "screen"),
    [
        ("xterm", True, 80, 24, True),
        ("dumb", True, 80, 24, False),
        ("", True, 80, 24, False),
        ("xterm", False, 80, 24, False),
        ("vt220", True, 0, 0, False),
    ],
)
def test_line_mode_where_no_screen_can_be(term: str, tty: bool, columns: int, lines: int, screen: bool) -> None:
    assert is_screen({"TERM": term}, tty=tty, columns=columns, lines=lines) is screen


def test_nothing_moves_by_itself() -> None:
    environ = {"TERM": "linux"}
    prepare(environ)
    assert environ["TEXTUAL_ANIMATIONS"] == "none"
    assert environ["TEXTUAL_COLOR_SYSTEM"] == "standard"
