"""`issbox doctor`."""

import os
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.shapes import Field, Shape
from issbox.errors import ExitCode

if TYPE_CHECKING:
    from issbox.workflows.appliance.doctoring import Finding

FINDING: "Shape[Finding]" = Shape(
    "finding",
    (
        Field("check", "which check found it", lambda each: each.check, column=True),
        Field("what", "what is wrong", lambda each: each.what, column=True),
        Field("fix", "what to do", lambda each: each.fix, column=True),
        Field("fixed", "whether --fix has done it", lambda each: each.fixed, column=True),
    ),
)


@command("doctor", example="issbox doctor --fix", shape=FINDING, many=True)
@click.option(
    "--fix", is_flag=True, help="Put right what can do no harm: modes of the box's files, and a missing inbox."
)
def doctor(run: Run, *, fix: bool) -> ExitCode:
    """Look for what is wrong with this box and its surroundings, and say how to put it right.

    Looks at owner and modes, keys, database, clock, inbox, free space, certificates and the service. Ends with exit
    code 1 when something is left to do.
    """
    from issbox.wiring import require_local_administrator
    from issbox.workflows.appliance.doctoring import examine

    require_local_administrator(os.environ)
    findings = examine(run.open(), fix=fix)
    run.show_all(FINDING, findings)
    if not findings:
        run.say("Nothing is wrong.")
    return ExitCode.OK if all(each.fixed for each in findings) else ExitCode.FAILURE
