"""`issbox notify`."""

import os
from typing import TYPE_CHECKING

from issbox.cli.command import Run, command
from issbox.cli.shapes import Field, Shape

if TYPE_CHECKING:
    from issbox.workflows.appliance.hooks import Event

EVENT: "Shape[Event]" = Shape(
    "event",
    (
        Field("event", "its name, as [hooks] events lists them", lambda each: each.name, column=True),
        Field("text", "what happened, in words", lambda each: each.text, column=True),
        Field("facts", "object with what else hooks are told", lambda each: each.facts),
    ),
)


@command("notify", example="issbox notify", shape=EVENT, many=True)
def notify(run: Run) -> None:
    """Run the hooks of the configuration for what happened since the last time, and list it.

    A timer does it every ten minutes: bundles refused or imported, what waits, numbers skipped, certificates that end,
    little space. Each event is told once; a hook that fails is logged.
    """
    from issbox.wiring import require_local_administrator
    from issbox.workflows.appliance.hooks import tell_events

    require_local_administrator(os.environ)
    run.show_all(EVENT, tell_events(run.open()))
