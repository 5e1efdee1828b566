"""What an operator's session knows: the box, who it is, the organization at work, and how to begin long work."""

import os
import threading
from collections.abc import Mapping
from dataclasses import replace

from issbox.console.words import Action, Target
from issbox.errors import InterruptedByUserError
from issbox.job_running import Caretaker, begin
from issbox.model import Job
from issbox.rules.people import permissions
from issbox.rules.people.permissions import Verdict
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.job_kinds import JobParameters


class Session:
    """One operator at one terminal. Used by several threads, each with its own session of the store."""

    def __init__(self, ctx: Context, environ: Mapping[str, str] | None = None, *, ascii_only: bool = False) -> None:
        """Begin in the first organization that the operator may see; `ascii_only` is for codes of squares."""
        self.ending = threading.Event()
        """Set when the console ends: what it computes by itself then stops."""
        self.ctx = replace(ctx, progress=_Ending(self.ending))
        self.ascii_only = ascii_only
        self._environ = dict(os.environ if environ is None else environ)
        self._caretaker = Caretaker(self.ctx, self._environ)
        labels = self.organizations()
        self.organization = labels[0] if labels else ""
        """Label of the organization at work; empty when there is none to see."""

    def organizations(self) -> list[str]:
        """Give the labels of the organizations that the operator may see."""
        return [each.label for each in catalog.list_organizations(self.ctx)]

    def begin(self, parameters: JobParameters) -> Job:
        """Begin long work; raises what it would be refused for."""
        return begin(self.ctx, parameters, self._environ)

    def see_to_jobs(self) -> None:
        """Start a worker when jobs wait and nobody does them."""
        self._caretaker.look()

    def pulse(self) -> tuple[object, ...]:
        """Give what is another value after every change that any operator, the service or a job made."""
        with self.ctx.store.session():
            return self.ctx.store.pulse.read()

    def why_not(self, action: Action, target: Target) -> str:
        """Say why the operator cannot do this now; empty when it can. Nothing is written into the audit log."""
        if action.needs is not None and not isinstance(target.thing, action.needs):
            return "choose a line that it can be done to"
        if action.permission is not None:
            refused = self._refused(action, target)
            if refused:
                return refused
        return "" if action.why_not is None else action.why_not(self, target)

    def _refused(self, action: Action, target: Target) -> str:
        ctx, permission = self.ctx, action.permission
        if ctx.user is None or permission is None:
            return ""
        organization, products = (self.organization, ()) if action.where is None else action.where(self, target)
        grants = ctx.grants()
        if permissions.decide(grants, permission, organization, products) is Verdict.ALLOWED:
            return ""
        return "not permitted: " + permissions.refusal(ctx.user, grants, permission, organization, products)


def whole_box(session: Session, target: Target) -> tuple[None, tuple[()]]:
    """Give the box itself as what an action touches."""
    del session, target
    return None, ()


class _Ending:
    """The progress of what the console computes itself: shows nothing, and stops when the console ends."""

    def __init__(self, ending: threading.Event) -> None:
        self._ending = ending

    def step(self, name: str, message: str = "") -> None:
        """Show nothing."""

    def expect(self, *, files: int, size: int) -> None:
        """Show nothing."""

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        """Go on, or raise InterruptedByUserError when the console ends."""
        del files, size
        if self._ending.is_set():
            raise InterruptedByUserError("the console is ending")

    def note(self, message: str) -> None:
        """Show nothing."""
