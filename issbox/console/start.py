"""The line mode on standard input and output, and what both modes need to begin."""

import getpass
import os
import shutil
import sys
from contextlib import suppress
from io import TextIOWrapper
from typing import Final

from issbox.console.dialogue import Dialogue, LeftError, Teletype, told
from issbox.console.plain import PlainConsole
from issbox.console.session import Session
from issbox.errors import IssboxError
from issbox.screen_text import printable
from issbox.wiring import open_context
from issbox.workflows.context import Context, Permission

_COLUMNS: Final = 80


def box_name(ctx: Context) -> str:
    """Give the name of the box, for those who may know it."""
    if not ctx.reach(Permission.BOX_READ).everywhere:
        return ""
    with ctx.store.session():
        return ctx.store.box.get().name


class StandardTeletype:
    """Standard input and output."""

    def __init__(self) -> None:
        self.columns = max(40, shutil.get_terminal_size((_COLUMNS, 24)).columns or _COLUMNS)
        if isinstance(sys.stdin, TextIOWrapper):  # a key of another encoding is no reason to end
            sys.stdin.reconfigure(errors="replace")

    def ask(self, prompt: str, *, secret: bool = False) -> str | None:
        """Read a line, without showing it when it is secret; None at the end of input."""
        if secret and sys.stdin.isatty():
            with suppress(EOFError):
                return getpass.getpass(printable(prompt))
            return None
        sys.stdout.write(printable(prompt))
        sys.stdout.flush()
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None

    def tell(self, line: str) -> None:
        """Write a line."""
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


def run_plain(ctx: Context | None, *, ascii_only: bool) -> None:
    """Serve the line mode on a box, first making one where there is none."""
    teletype = StandardTeletype()
    if ctx is None:
        if not make_box(teletype):
            return
        ctx = open_context()
    PlainConsole(Session(ctx, ascii_only=ascii_only), teletype).run()


def make_box(teletype: Teletype) -> bool:
    """Go through the first run; tell whether there is a box then."""
    from issbox.console import first_run

    first_run.begin()
    talk = Dialogue(teletype)
    made = False
    for step in first_run.STEPS:
        talk.say(f"{step.title}. {step.why}")
        while True:
            try:
                answers = {each.id: talk.question(each) for each in step.questions}
                talk.say(step.do(os.environ, answers))
            except LeftError:
                return made
            except (IssboxError, OSError) as error:
                why = told(error)
                talk.say(f"{why} {why.hint}")
                continue
            made = True
            break
    return made
