"""A form made of questions: one line each, answered by letters, arrows, Space and Enter."""

from collections.abc import Iterator, Sequence
from typing import ClassVar, Final

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static

from issbox.console.words import Answers, Kind, Question
from issbox.screen_text import printable
from issbox.tui.dialogs import Option, PickDialog, fitted_title
from issbox.tui.typed_input import TypedInput

_OK: Final = "ok"


class TextField(TypedInput):
    """A line to type."""

    def __init__(self, question: Question) -> None:
        secret = question.kind is Kind.HIDDEN
        super().__init__(
            question.default, password=secret, compact=True, id=f"field-{question.id}", select_on_focus=False
        )

    def answer(self) -> str:
        """Give what was typed."""
        return self.value


class ChoiceField(Static, can_focus=True):
    """One of several: Left and Right change it, Enter or Space shows all."""

    class Opened(Message):
        """The whole list is wanted."""

        def __init__(self, field: "ChoiceField") -> None:
            super().__init__()
            self.field = field

    def __init__(self, question: Question) -> None:
        super().__init__("", markup=False, id=f"field-{question.id}")
        self.question = question
        self._at = next((at for at, each in enumerate(question.choices) if each[0] == question.default), 0)

    def on_mount(self) -> None:
        """Show the choice."""
        self.choose(self.answer())

    def answer(self) -> str:
        """Give the choice."""
        choices = self.question.choices
        return choices[self._at][0] if choices else ""

    def choose(self, answer: str) -> None:
        """Choose one."""
        choices = self.question.choices
        self._at = next((at for at, each in enumerate(choices) if each[0] == answer), self._at)
        words = printable(choices[self._at][1]) if choices else "nothing to choose from"
        self.update(f"< {words} >")

    def on_key(self, event: events.Key) -> None:
        """Change it."""
        if event.key in ("left", "right") and self.question.choices:
            event.stop()
            step = 1 if event.key == "right" else -1
            self.choose(self.question.choices[(self._at + step) % len(self.question.choices)][0])
        elif event.key in ("space", "enter"):
            event.stop()
            self.post_message(self.Opened(self))


class YesNoField(Static, can_focus=True):
    """Yes or no: Space or Enter turns it."""

    def __init__(self, question: Question) -> None:
        super().__init__("", markup=False, id=f"field-{question.id}")
        self._yes = question.default == "yes"

    def on_mount(self) -> None:
        """Show it."""
        self._paint()

    def answer(self) -> str:
        """Give `yes` or `no`."""
        return "yes" if self._yes else "no"

    def on_key(self, event: events.Key) -> None:
        """Turn it."""
        if event.key in ("space", "enter", "left", "right"):
            event.stop()
            self._yes = not self._yes
            self._paint()

    def _paint(self) -> None:
        self.update("[x] yes" if self._yes else "[ ] no")


class Button(Static, can_focus=True):
    """Something to press with Enter or Space."""

    class Pressed(Message):
        """It was pressed."""

        def __init__(self, name: str) -> None:
            super().__init__()
            self.name = name

    def __init__(self, words: str, name: str) -> None:
        super().__init__(f"[ {words} ]", markup=False, id=f"button-{name}")
        self._words = name

    def on_key(self, event: events.Key) -> None:
        """Be pressed."""
        if event.key in ("enter", "space"):
            event.stop()
            self.post_message(self.Pressed(self._words))

    def on_click(self) -> None:
        """Be pressed."""
        self.post_message(self.Pressed(self._words))


class FormDialog(ModalScreen[Answers | None]):
    """Asks questions and answers with all answers, or None."""

    # With priority, so that a key typed right after one of these goes to the field that it leads to.
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,tab", "next", "Next field", id="form.next", tooltip="Go to the next field", priority=True),
        Binding("up,shift+tab", "previous", "Field before", id="form.previous", tooltip="Go back", priority=True),
        Binding("f2", "finish", "OK", id="form.finish", tooltip="Answer all questions", priority=True),
        Binding("escape", "leave", "Leave", id="form.leave", tooltip="Leave it as it is", priority=True),
    ]

    def __init__(self, title: str, questions: Sequence[Question], intro: str = "") -> None:
        super().__init__()
        self._intro = intro
        self._title = title
        self._questions = questions

    def compose(self) -> ComposeResult:
        """Lay it out."""
        with Vertical(classes="dialog form"):
            yield Static(fitted_title(self._title), classes="title", markup=False)
            if self._intro:
                yield Static(printable(self._intro), classes="intro", markup=False)
            with VerticalScroll(can_focus=False):
                yield from self._fields()
                yield Button("OK", _OK)
            yield Static("", classes="hint help", markup=False)
            yield Static("Tab/Up/Down: next field  F2: OK  Esc: leave it", classes="hint", markup=False)

    def _fields(self) -> Iterator[Widget]:
        kinds = {Kind.CHOICE: ChoiceField, Kind.YES_NO: YesNoField}
        for question in self._questions:
            star = " *" if question.required else ""
            yield Static(printable(f"{question.label}{star}"), classes="label", markup=False)
            yield kinds.get(question.kind, TextField)(question)

    def on_mount(self) -> None:
        """Begin at the first question."""
        if self._questions:
            self.query_one(f"#field-{self._questions[0].id}").focus()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Show the help of the question."""
        words = {f"field-{each.id}": each.help for each in self._questions}
        help_text = words.get(event.widget.id or "", "")
        self.query_one(".help", Static).update(help_text)

    def action_next(self) -> None:
        """Go to the next field."""
        self.focus_next()

    def action_previous(self) -> None:
        """Go to the field before."""
        self.focus_previous()

    def action_finish(self) -> None:
        """Answer, once the field has seen the keys that were typed before."""
        (self.focused or self).call_later(self._finish)

    def action_leave(self) -> None:
        """Leave without answers."""
        self.dismiss(None)

    @on(Input.Submitted)
    def go_on(self, event: Input.Submitted) -> None:
        """Go to the next question; after the last one, to OK."""
        event.stop()
        self.focus_next()

    @on(Button.Pressed)
    def finish(self, event: Button.Pressed) -> None:
        """Answer."""
        event.stop()
        self._finish()

    @on(ChoiceField.Opened)
    def show_choices(self, event: ChoiceField.Opened) -> None:
        """Show all choices."""
        field = event.field
        options = [Option(answer, words) for answer, words in field.question.choices]
        if options:
            picked = PickDialog(field.question.label, options, chosen=field.answer())
            self.app.push_screen(picked, lambda answer: None if answer is None else field.choose(answer))

    def _finish(self) -> None:
        answers = {}
        for question in self._questions:
            widget = self.query_one(f"#field-{question.id}")
            assert isinstance(widget, TextField | ChoiceField | YesNoField)
            answers[question.id] = widget.answer()
            if question.required and not answers[question.id].strip():
                self.query_one(".help", Static).update(f"! {question.label} is needed.")
                widget.focus()
                return
        self.dismiss(answers)
