"""`issbox tui`."""

import os
import shutil
import sys
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.errors import CommandLineError, NotInitializedError

if TYPE_CHECKING:
    from issbox.workflows.context import Context


@command("tui", example="issbox tui")
@click.option("--plain", is_flag=True, help="Use numbered menus, line by line: for screen readers and serial lines.")
@click.option("--ascii", "ascii_only", is_flag=True, help="Draw borders with + - | on every terminal.")
def tui(run: Run, *, plain: bool, ascii_only: bool) -> None:
    """Open the console: everything an operator does, full-screen.

    It runs in any terminal of 80 columns and 24 lines, also in tmux and screen. With TERM=dumb, or without a terminal,
    it is the line mode. What it begins goes on when it ends. On a state directory without a box, it makes one.
    """
    from issbox.console.terminal import is_screen, look_at, prepare

    if run.as_json:
        raise CommandLineError("the console has no JSON", hint="Every command has --json; see issbox --help.")
    size = shutil.get_terminal_size((0, 0))
    tty = sys.stdin.isatty() and sys.stdout.isatty()
    terminal = look_at(os.environ, sys.stdout.encoding, ascii_only=ascii_only)
    run.progress.close()
    if plain or not is_screen(os.environ, tty=tty, columns=size.columns, lines=size.lines):
        from issbox.console.start import run_plain

        run_plain(_box(run), ascii_only=terminal.ascii_only)
        return
    prepare(os.environ)
    from issbox.tui.app import run_console

    run_console(terminal, _box(run))


def _box(run: Run) -> "Context | None":
    """Open the box; None when there is none yet, and the console begins with making one."""
    try:
        return run.open()
    except NotInitializedError:
        return None
