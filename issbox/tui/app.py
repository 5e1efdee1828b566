"""The full-screen console as an application: its screen, its end, and taking texts out of it.

Nothing long is done here. What takes time is a job; what takes a moment runs in a worker. When the terminal is lost
or the process is told to end, the console ends at once and jobs go on.
"""

import asyncio
import signal
import sys
from typing import ClassVar

from textual import on
from textual.app import App, SuspendNotSupported
from textual.binding import BindingType

from issbox.console.session import Session
from issbox.console.start import box_name
from issbox.console.terminal import Terminal
from issbox.console.words import Text
from issbox.screen_text import printable
from issbox.tui.app_style import STYLE
from issbox.tui.dialogs import CopyAsked, TextDialog
from issbox.tui.keyboard import take_escape_for_a_key
from issbox.tui.place_screen import PlaceScreen
from issbox.wiring import open_context
from issbox.workflows.context import Context


class Console(App[None]):
    """The console of one operator."""

    CSS_PATH = STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, session: Session, terminal: Terminal, title: str = "") -> None:
        super().__init__(ansi_color=True)
        self.session = session
        self.terminal = terminal
        self.title = title
        self.animation_level = "none"
        self.theme = "ansi-light" if terminal.light else "ansi-dark"

    def on_mount(self) -> None:
        """Show the screen, and end cleanly when the terminal is lost."""
        self.set_class(self.terminal.ascii_only, "-ascii")
        loop = asyncio.get_running_loop()
        for number in (signal.SIGHUP, signal.SIGTERM):
            loop.add_signal_handler(number, self.end)
        self.push_screen(PlaceScreen(self.session, self.title or ""))

    def end(self) -> None:
        """End now; what is being computed stops at its next step."""
        self.session.ending.set()
        self.exit()

    def on_unmount(self) -> None:
        """Let workers stop."""
        self.session.ending.set()

    @on(CopyAsked)
    def copy_out(self, message: CopyAsked) -> None:
        """Print values on the normal screen, where any terminal can copy them without borders around."""
        try:
            with self.suspend():
                _print_plainly(message.text)
        except SuspendNotSupported:
            lines = tuple(line for name, value in message.text.values for line in (f"{name}:", value, ""))
            self.push_screen(TextDialog(Text("To copy", lines or message.text.lines)))


def _print_plainly(text: Text) -> None:
    out = sys.__stdout__
    if out is None:
        return
    pairs = text.values or tuple(("", line) for line in text.lines)
    out.write("\n")
    for name, value in pairs:
        shown = "\n".join(printable(line) for line in value.splitlines())
        out.write(f"{name}:\n{shown}\n\n" if name else f"{shown}\n")
    out.write("Press Enter to go back to the console.\n")
    out.flush()
    sys.stdin.readline()


def run_console(terminal: Terminal, ctx: Context | None) -> None:
    """Show the console on a box until the operator leaves it, first making one where there is none."""
    take_escape_for_a_key()
    if ctx is None:
        from issbox.console import first_run
        from issbox.tui.first_run import FirstRun

        first_run.begin()
        if not FirstRun(terminal).run(mouse=terminal.mouse):
            return
        ctx = open_context()
    Console(Session(ctx, ascii_only=terminal.ascii_only), terminal, box_name(ctx)).run(mouse=terminal.mouse)
