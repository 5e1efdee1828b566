"""Jobs that import what somebody named."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from issbox.errors import InterruptedByUserError, InvalidValueError
from issbox.files import require_path
from issbox.model import ImportState
from issbox.workflows.context import Context, Permission
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.inbox import inbox
from issbox.workflows.job_kinds import Task


@dataclass(frozen=True, slots=True)
class ImportJob:
    """Import the bundle at a path, or all that lie there; they stay where they are."""

    kind: ClassVar = "import"
    path: str
    """Absolute."""
    allow_older: bool = False
    accept_unsigned: bool = False
    with_environments: bool = False

    def check(self, ctx: Context) -> Task:
        """Say what it is about; raises NotPermittedError, InvalidValueError, NotFoundError when nothing lies there."""
        ctx.require_anywhere(Permission.CONTENT_IMPORT)
        path = whole_path(self.path)
        require_path(path)
        return Task(f"what lies at {path.name or path}")

    def run(self, ctx: Context) -> Mapping[str, object]:
        """Do it; raises the reason when a bundle is refused. What a killed attempt left of the same path is let go."""
        done = run_import(
            ctx,
            Path(self.path),
            allow_older=self.allow_older,
            accept_unsigned=self.accept_unsigned,
            with_environments=self.with_environments,
        )
        with ctx.store.session():
            settled = ctx.store.imports.list(states=(ImportState.SETTLED,))
        paths = {row.path for row in done}
        for row in settled:
            if row.path in paths and not row.inbox and row.error_code == InterruptedByUserError.code:
                inbox.discard(ctx, row.id)
        waiting = [row.id for row in done if row.state is ImportState.WAITING]
        return {"imports": [row.id for row in done], "waiting": waiting}


def whole_path(text: str) -> Path:
    """Give the path that a text is; raises InvalidValueError for one that would mean another to whoever runs a job."""
    path = Path(text)
    if "\0" in text or not path.is_absolute():
        raise InvalidValueError(f"{text!r} is not a whole path", hint="Begin with /, as in /media/usb.")
    return path
