"""`issbox status`."""

from typing import TYPE_CHECKING

from issbox.cli.command import Run, command
from issbox.cli.content_import import IMPORT
from issbox.cli.shapes import Field, Shape, size

if TYPE_CHECKING:
    from issbox.workflows.upkeep import Status

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
                f"{len(refused)} refused bundles: see `issbox content-import list --state refused`"  # type: ignore[arg-type] # it is the list made above
                if refused
                else ""
            ),
        ),
    ),
)


@command("status", example="issbox status --json", shape=STATUS)
def status(run: Run) -> None:
    """Show how the box is doing: what it holds, what came in, and what waits for a person."""
    from issbox.workflows import upkeep

    run.show(STATUS, upkeep.status(run.open()))
