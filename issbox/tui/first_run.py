"""The first run, full-screen: one form after the other, until there is a box with an operator."""

import os
from typing import ClassVar

from textual.app import App
from textual.binding import BindingType
from textual.widgets import Static

from issbox.console.first_run import STEPS, Step
from issbox.console.terminal import Terminal
from issbox.console.words import Answers, Question, Text
from issbox.errors import IssboxError
from issbox.files import error_from_os
from issbox.tui.app_style import STYLE
from issbox.tui.dialogs import ErrorDialog, TextDialog
from issbox.tui.form import FormDialog


class FirstRun(App[bool]):
    """Makes a box; gives whether there is one at the end."""

    CSS_PATH = STYLE
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(ansi_color=True)
        self._terminal = terminal
        self._said: list[str] = []
        self.animation_level = "none"
        self.theme = "ansi-light" if terminal.light else "ansi-dark"

    def on_mount(self) -> None:
        """Begin with the first form."""
        self.set_class(self._terminal.ascii_only, "-ascii")
        self.mount(Static(""))
        self._ask(0, STEPS[0].questions)

    def _ask(self, number: int, questions: tuple[Question, ...]) -> None:
        step = STEPS[number]

        def answered(answers: Answers | None) -> None:
            if answers is None:
                self.exit(number > 0)
            elif self._do(step, number, answers):
                self._go_on(number + 1)

        title = f"First run, {number + 1} of {len(STEPS)}: {step.title}"
        self.push_screen(FormDialog(title, questions, step.why), answered)

    def _do(self, step: Step, number: int, answers: Answers) -> bool:
        try:
            self._said.append(step.do(os.environ, answers))
        except OSError as error:
            self._fail(number, answers, error_from_os(error))
            return False
        except IssboxError as error:
            self._fail(number, answers, error)
            return False
        return True

    def _fail(self, number: int, answers: Answers, error: IssboxError) -> None:
        """Show what is wrong, and the form again as it was filled in."""
        step = STEPS[number]
        again = tuple(
            Question(each.id, each.label, each.kind, answers[each.id], each.choices, each.required, each.help)
            for each in step.questions
        )
        dialog = ErrorDialog(step.title, str(error), error.hint, error.code)
        self.push_screen(dialog, lambda _: self._ask(number, again))

    def _go_on(self, number: int) -> None:
        if number < len(STEPS):
            self._ask(number, STEPS[number].questions)
            return
        self.push_screen(TextDialog(Text("The box is ready", tuple(self._said))), lambda _: self.exit(True))
