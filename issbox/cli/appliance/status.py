"""`issbox status`."""

from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.exchange.import_shapes import IMPORT
from issbox.cli.shapes import Field, Shape, size
from issbox.names import plural
from issbox.rules.health import status_code

if TYPE_CHECKING:
    from issbox.workflows.appliance.box_status import Status

STATUS: "Shape[Status]" = Shape(
    "status",
    (
        Field("box", "name of the box", lambda each: each.box.name),
        Field("box_id", "its UUID", lambda each: each.box.id),
        Field("organizations", "number of organizations", lambda each: each.organizations),
        Field("repositories", "number of repositories", lambda each: each.repositories),
        Field("trusted_keys", "number of keys whose bundles are accepted", lambda each: each.trusted_keys),
        Field("free", "bytes free for the store", lambda each: each.free, show=size),
        Field("total", "bytes of the file system of the store", lambda each: each.total, show=size),
        Field("imports", "object: number of imports by state", lambda each: each.imports),
        Field(
            "needs_attention",
            "array of the refused imports, as `content-import info` shows them",
            lambda each: [IMPORT.document(refused) for refused in each.needs_attention],
            show=lambda refused: (
                f"{plural(len(refused), 'refused bundle')}: see `issbox content-import list --state refused`"
                if isinstance(refused, list) and refused
                else ""
            ),
        ),
        Field(
            "needs_approval",
            "array of the numbers of the imports that wait for somebody's approval",
            lambda each: list(each.needs_approval),
            show=lambda found: (
                f"import {', '.join(map(str, found))}: see `issbox content-import preview {found[0]}`"
                if isinstance(found, list) and found
                else ""
            ),
        ),
        Field(
            "problems",
            "array of what is wrong: `bit` of the exit code, `kind`, `what` in words",
            lambda each: [
                {"bit": int(one.trouble), "kind": (one.trouble.name or "").lower(), "what": one.what}
                for one in each.problems
            ],
            show=lambda found: "\n".join(one["what"] for one in found) if isinstance(found, list) else "",
        ),
        Field("code", "sum of the bits, 0 when all is well", lambda each: status_code(each.problems)),
    ),
)


@command("status", example="issbox status --code", shape=STATUS)
@click.option("--code", is_flag=True, help="End with the sum of the bits as exit code, for monitoring.")
def status(run: Run, *, code: bool) -> int:
    """Show how the box is doing: what it holds, what came in, and what waits for a person.

    With --code the exit code is a sum: 1 a bundle was refused, 2 one has waited too long, 4 little space, 8 a
    certificate ends soon, 16 an export never came, 32 no service runs, 64 the store is damaged.
    """
    from issbox.workflows.appliance import box_status

    found = box_status.status(run.open())
    run.show(STATUS, found)
    return status_code(found.problems) if code else 0
