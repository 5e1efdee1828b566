"""Having actions done: each step in a worker that tells the screen by a message, and one place for all failures."""

from collections.abc import Callable

from textual import on, work
from textual.screen import Screen

from issbox.console.dialogue import told
from issbox.console.places.jobs import job_text
from issbox.console.session import Session
from issbox.console.words import Action, Answers, Opening, Outcome, Target, Text
from issbox.errors import InterruptedByUserError, IssboxError
from issbox.tui.dialogs import ConfirmDialog, ErrorDialog, TextDialog
from issbox.tui.form import FormDialog
from issbox.tui.messages import Asked, Failed, Finished, Planned, Reread, Said


class DoingScreen(Screen[None]):
    """A screen that has actions done."""

    session: Session

    def target(self) -> Target:
        """Give what the operator has chosen."""
        raise NotImplementedError

    def say(self, words: str) -> None:
        """Tell something in the status line."""
        raise NotImplementedError

    def load(self) -> object:
        """Read the place again."""
        raise NotImplementedError

    def go(self, opening: Opening) -> None:
        """Go to a place."""
        raise NotImplementedError

    def begin(self, action: Action) -> None:
        """Begin an action on the chosen line: say why not, or find its questions."""
        self.say("")
        self._ask(action, self.target())

    @work(thread=True, exit_on_error=False, group="action")
    def _ask(self, action: Action, target: Target) -> None:
        def ask() -> None:
            why_not = self.session.why_not(action, target)
            if why_not:
                self.post_message(Said(f"{action.title}: {why_not}."))
                return
            questions = () if action.ask is None else action.ask(self.session, target)
            self.post_message(Asked(action, target, questions))

        self.attempt(action.title, ask)

    @on(Asked)
    def ask_questions(self, message: Asked) -> None:
        """Show the form, if there are questions."""
        action, target = message.action, message.target
        if not message.questions:
            self._plan(action, target, {})
            return

        def answered(answers: Answers | None) -> None:
            if answers is not None:
                self._plan(action, target, answers)

        self.app.push_screen(FormDialog(action.title, message.questions), answered)

    @work(thread=True, exit_on_error=False, group="action")
    def _plan(self, action: Action, target: Target, answers: Answers) -> None:
        def plan() -> None:
            if action.confirm is not None:
                self.post_message(Said(f"{action.title}: looking what it would do..."))
            consequences = None if action.confirm is None else action.confirm(self.session, target, answers)
            self.post_message(Planned(action, target, answers, consequences))

        self.attempt(action.title, plan)

    @on(Planned)
    def confirm(self, message: Planned) -> None:
        """Show the consequences, if they are to be confirmed."""
        action, target, consequences = message.action, message.target, message.consequences
        self.say("")
        if consequences is None:
            self._run(action, target, message.answers)
            return
        answers = {**message.answers, **consequences.extra}

        def confirmed(yes: bool | None) -> None:
            if yes:
                self._run(action, target, answers)

        self.app.push_screen(ConfirmDialog(consequences), confirmed)

    @work(thread=True, exit_on_error=False, group="action")
    def _run(self, action: Action, target: Target, answers: Answers) -> None:
        def run() -> None:
            self.post_message(Said(f"{action.title}..."))
            self.post_message(Finished(action, action.run(self.session, target, answers)))

        self.attempt(action.title, run)

    @on(Finished)
    def finished(self, message: Finished) -> None:
        """Tell what came of it."""
        self.tell(message.outcome)

    def tell(self, outcome: Outcome) -> None:
        """Show an outcome: its words, its text, its place, its job."""
        if outcome.opening is not None:
            self.go(outcome.opening)
        else:
            self.load()
        self.say(outcome.message)
        if outcome.text is not None:
            self.app.push_screen(TextDialog(outcome.text))
        if outcome.job is not None:
            self._watch(outcome.job)

    def _watch(self, job_id: int) -> None:
        """Show a job until it is closed: what goes wrong at the first look is told, later looks are tried again."""
        self._watched = TextDialog(Text(f"Job {job_id}", ("Reading...",)), lambda: self._look_at(job_id))
        self.app.push_screen(self._watched)
        self._look_at(job_id, quiet=False)

    _watched: TextDialog | None = None

    @work(thread=True, exclusive=True, exit_on_error=False, group="watch")
    def _look_at(self, job_id: int, *, quiet: bool = True) -> None:
        self.attempt("Watching a job", lambda: self.post_message(Reread(job_text(self.session, job_id))), quiet=quiet)

    @on(Reread)
    def show_again(self, message: Reread) -> None:
        """Show how far the watched job is now."""
        if self._watched is not None and self._watched.is_attached:
            self._watched.show(message.text)

    @on(Said)
    def tell_words(self, message: Said) -> None:
        """Tell what a worker says."""
        self.say(message.words)

    def attempt(self, what: str, work: Callable[[], object], *, quiet: bool = False) -> None:
        """Do something in a worker; whatever goes wrong becomes a message. `quiet` is for what is tried again soon."""
        try:
            work()
        except InterruptedByUserError:
            return
        except Exception as error:
            if not quiet:
                self.post_message(Failed(what, self.told(error)))

    def told(self, error: Exception) -> IssboxError:
        """Give what an operator is told of an error; a bug is logged."""
        if not isinstance(error, IssboxError | OSError):
            self.log.error(error)
        return told(error)

    @on(Failed)
    def show_failure(self, message: Failed) -> None:
        """Show what went wrong and what to do: the one place for all failures."""
        error = message.error
        self.say("")
        self.app.push_screen(ErrorDialog(message.what, str(error), error.hint, error.code))
