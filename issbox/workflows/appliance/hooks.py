"""Hooks: a command or a mail when something happens that people should know, each event once.

What happened is read from the rows of the store, so it does not matter which process did it, and nothing that works
waits for a hook. An event is noted before its hook runs: one that hangs or fails is logged and not tried again.
"""

import hashlib
import json
import logging
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import EmailMessage
from typing import Final

from issbox.model import ContentImport, ImportState
from issbox.names import format_time
from issbox.rules.health import Trouble
from issbox.screen_text import one_line
from issbox.workflows.appliance.health import problems
from issbox.workflows.context import Context, Permission
from issbox.workflows.exchange.skipped import SKIPPED

_LOG: Final = logging.getLogger("issbox.hooks")
_LATE: Final = timedelta(days=2)
"""Older events are not told: hooks that are switched on today are not told of last year."""
_AT_ONCE: Final = 20
"""Events told in one go; more follow at the next."""
_LONGEST_OUTPUT: Final = 500

_STATES: Final = {
    ImportState.REFUSED: "bundle-refused",
    ImportState.IMPORTED: "import-finished",
    ImportState.WAITING: "waiting",
}
_TROUBLES: Final = {Trouble.SPACE: "space-low", Trouble.CERTIFICATE: "certificate-expiring", Trouble.DAMAGED: "damaged"}


@dataclass(frozen=True, slots=True)
class Event:
    """Something that people should know."""

    name: str
    """One of those that [hooks] events lists."""
    key: str
    """The same for the same event."""
    text: str
    facts: dict[str, object] = field(default_factory=dict)


def tell_events(ctx: Context) -> list[Event]:
    """Run the hooks for what happened since the last time, and give the events told.

    Takes at most the configured time for each of up to 20 events; failures are logged and never raised.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    hooks = ctx.settings.hooks
    if not hooks.command and not hooks.mail_to:
        return []
    told = []
    with ctx.store.session():
        box = ctx.store.box.get().name
        for event in _events(ctx):
            if event.name not in hooks.events or not _note(ctx, event):
                continue
            _tell(ctx, box, event)
            told.append(event)
            if len(told) >= _AT_ONCE:
                break
    return told


def _note(ctx: Context, event: Event) -> bool:
    """Write down that an event is told now; False when it was before."""
    with ctx.store.transaction():
        return ctx.store.notices.add(event.key, ctx.clock())


def _events(ctx: Context) -> Iterator[Event]:
    since = ctx.clock() - _LATE
    for row in reversed(ctx.store.imports.list(states=tuple(_STATES), limit=500)):
        if row.updated_at >= since:
            yield from _of_import(row)
    today = f"{ctx.clock():%Y-%m-%d}"
    for problem in problems(ctx):
        name = _TROUBLES.get(problem.trouble)
        if name is not None:
            digest = hashlib.sha256(problem.what.encode()).hexdigest()[:16]
            # How much is free changes all the time; a certificate is told of once.
            key = f"{name}:{digest if name == 'certificate-expiring' else today}"
            yield Event(name, key, problem.what, {"what": problem.what})


def _of_import(row: ContentImport) -> Iterator[Event]:
    facts: dict[str, object] = {
        "import": row.id,
        "state": str(row.state),
        "organization": row.organization,
        "bundle_id": row.bundle_id,
        "path": row.path,
        "reason": row.reason,
        "error_code": row.error_code,
        "waits_for": str(row.waits_for) if row.waits_for else None,
        "updated_at": format_time(row.updated_at),
    }
    name = _STATES[row.state]
    if row.state is ImportState.WAITING:
        name = f"waiting-for-{row.waits_for}" if row.waits_for else name
    words = f"Import {row.id} is {row.state}" + (f": {row.reason}" if row.reason else ".")
    # The row of one that waits or came in changes for less than news; one that is retried may be refused once more.
    again = f":{format_time(row.updated_at)}" if row.state is ImportState.REFUSED else ""
    yield Event(name, f"import:{row.id}:{name}{again}", words, facts)
    if row.state is ImportState.IMPORTED and row.reason.startswith(SKIPPED):
        yield Event("sequence-skipped", f"import:{row.id}:skipped", f"Import {row.id}: {row.reason}", facts)


def _tell(ctx: Context, box: str, event: Event) -> None:
    hooks = ctx.settings.hooks
    at = format_time(ctx.clock())
    if hooks.command:
        facts = {**event.facts, "event": event.name, "box": box, "text": event.text, "at": at}
        _run(list(hooks.command), json.dumps(facts).encode() + b"\n", hooks.timeout_seconds, event)
    if hooks.mail_to:
        mail = EmailMessage()
        mail["To"] = hooks.mail_to
        mail["Subject"] = f"[issbox {one_line(box)}] {event.name}"
        mail.set_content(f"{event.text}\n\n{at}, box {box}\n")
        _run(["sendmail", "-i", "--", hooks.mail_to], bytes(mail), hooks.timeout_seconds, event)


def _run(command: list[str], data: bytes, timeout: float, event: Event) -> None:
    try:
        done = subprocess.run(command, input=data, capture_output=True, timeout=timeout, check=False, cwd="/")
    except subprocess.TimeoutExpired:
        _LOG.warning("hook took longer than %g seconds and was ended event=%s", timeout, event.name)
    except OSError as error:
        _LOG.warning("hook cannot be started: %s event=%s", error, event.name)
    else:
        if done.returncode != 0:
            said = one_line(done.stderr[-_LONGEST_OUTPUT:].decode(errors="replace"))
            _LOG.warning("hook failed with %d event=%s said=%r", done.returncode, event.name, said)
