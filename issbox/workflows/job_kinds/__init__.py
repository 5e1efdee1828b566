"""The kinds of jobs: what each is told, what it checks before it is accepted, and what it does.

Parameters are dataclasses that become JSON in the job's row; they hold no secrets. A kind is imported when a job of it
is asked for or done, so that looking at jobs stays quick.
"""

import importlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Protocol, runtime_checkable

import msgspec

from issbox.errors import StoreDamagedError
from issbox.workflows.context import Context


@dataclass(frozen=True, slots=True)
class Task:
    """What a job is about, as its row tells it."""

    subject: str
    organization: str | None = None
    products: Collection[str] = ()


class JobParameters(Protocol):
    """What a kind of job is told."""

    kind: ClassVar[str]
    """Its name, as rows have it."""

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises whatever it would be refused for."""

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it and give what came of it."""


@runtime_checkable
class Cancellable(Protocol):
    """A kind of job with something to put right when it is cancelled, before or while it runs."""

    def cancelled(self, ctx: Context) -> None:
        """Put it right; called inside a session, as nobody in particular."""


_HERE: Final = "issbox.workflows.job_kinds"
KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "synchronize": (f"{_HERE}.content", "SynchronizeJob"),
    "publish": (f"{_HERE}.content", "PublishJob"),
    "export": (f"{_HERE}.exporting", "ExportJob"),
    "recut": (f"{_HERE}.exporting", "RecutJob"),
    "promote": (f"{_HERE}.promotions", "PromoteJob"),
    "promote-content": (f"{_HERE}.content_promotions", "PromoteContentJob"),
    "regenerate": (f"{_HERE}.regeneration", "RegenerateJob"),
    "import": (f"{_HERE}.importing", "ImportJob"),
    "inbox": (f"{_HERE}.upkeep", "InboxJob"),
    "garbage": (f"{_HERE}.upkeep", "GarbageJob"),
    "audit": (f"{_HERE}.upkeep", "AuditJob"),
}
"""Names of the kinds, and where each is."""


def to_row(parameters: JobParameters) -> Mapping[str, object]:
    """Give the parameters as plain JSON."""
    plain: Mapping[str, object] = msgspec.to_builtins(parameters)
    return plain


def from_row(kind: str, plain: Mapping[str, object]) -> JobParameters:
    """Read what `to_row` wrote; raises StoreDamagedError for what is no job of this issbox."""
    convert: Callable[..., Any] = msgspec.convert
    try:
        module, name = KINDS[kind]
        parameters: JobParameters = convert(plain, getattr(importlib.import_module(module), name))
    except (KeyError, msgspec.ValidationError) as error:
        raise StoreDamagedError(
            f"a job of the kind {kind!r} cannot be read: {error}",
            hint="An older or newer issbox wrote it: ask for the work again.",
        ) from error
    return parameters
