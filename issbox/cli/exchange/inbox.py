"""`issbox inbox`."""

from pathlib import Path
from typing import TYPE_CHECKING

from issbox.cli.command import Run, command
from issbox.cli.exchange.content_import import refusal
from issbox.cli.exchange.import_shapes import IMPORT
from issbox.cli.index import noun
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import ExitCode
from issbox.model import ImportState

if TYPE_CHECKING:
    from issbox.workflows.inbox.inbox_sets import BundleOnItsWay

inbox = noun("inbox")


def _volumes(each: "BundleOnItsWay") -> str:
    noun = "chunks" if each.chunks else "volumes"
    return f"{len(each.here)} of {each.count} {noun}" if each.count > 1 or each.chunks else "whole"


BUNDLE: "Shape[BundleOnItsWay]" = Shape(
    "bundle in the inbox",
    (
        Field("id", "number of the import to preview, approve, refuse or retry", lambda each: each.row.id, column=True),
        Field(
            "state",
            "`importing`, `checking`, `settled`, `arriving`, `waiting` or `refused`",
            lambda each: each.row.state.value,
            column=True,
        ),
        Field("name", "name of it, or of its part that came first", lambda each: Path(each.row.path).name, column=True),
        Field("parts", "in words: how many of its volumes or chunks are here", _volumes, column=True),
        Field(
            "waits_for",
            "`volumes`, `base` or `approval` in state `waiting`, else null",
            lambda each: each.row.waits_for and each.row.waits_for.value,
            column=True,
        ),
        Field("organization", "label of the organization it goes into, or null", lambda each: each.organization),
        Field("bundle_id", "id of the bundle, or null while nothing says it", lambda each: each.bundle_id),
        Field("form", "`dir`, `tar`, `tgz` or `iso`, or null", lambda each: each.form and each.form.value),
        Field("destination", "destination server named at the export, or null", lambda each: each.destination),
        Field("sequence", "its number among the exports for that destination, or null", lambda each: each.sequence),
        Field("chunks", "whether `here` and `missing` count chunks instead of volumes", lambda each: each.chunks),
        Field("count", "how many volumes or chunks there are", lambda each: each.count),
        Field("here", "array of the numbers of those that are here", lambda each: each.here),
        Field("missing", "array of the numbers of those that are not", lambda each: each.missing),
        Field("imports", "array of the numbers of its imports", lambda each: [row.id for row in each.rows]),
        Field("paths", "array: where its parts lie", lambda each: [row.path for row in each.rows]),
        Field("size", "bytes of its files", lambda each: max(row.size for row in each.rows), show=size),
        Field("first_seen", "when its first part was seen", lambda each: each.first_seen),
        Field("error_code", "code of the error that refused it, or null", lambda each: each.row.error_code),
        Field("reason", "how far it has come, what it waits for, why it was refused", lambda each: each.reason),
        Field("next", "what to do, or what happens next", lambda each: each.next),
    ),
)


@command("list", group=inbox, example="issbox inbox list", shape=BUNDLE, many=True)
def list_(run: Run) -> None:
    """List the bundles in the inbox and in quarantine, in the order in which they will be imported.

    All volumes or chunks of a bundle are one line. Standard error tells of each what it waits for and what to do.
    """
    from issbox.workflows.inbox.inbox_sets import list_bundles

    bundles = list_bundles(run.open())
    run.show_all(BUNDLE, bundles)
    if run.as_json:
        return
    for each in bundles:
        reason = f"{each.reason.removesuffix('.')}. " if each.reason else ""
        run.say(f"{each.row.id}: {reason}Next: {each.next}.")


@command("scan", group=inbox, example="issbox inbox scan", shape=IMPORT, many=True)
def scan(run: Run) -> ExitCode:
    """Look into the inbox once and import what is complete, in the foreground.

    It is for boxes without a running service, for example from cron. What is still being copied is left for the next
    time. When bundles were refused, the exit code is that of the first of them.
    """
    from issbox.watcher.service import scan_once

    imports = scan_once(run.open())
    run.show_all(IMPORT, imports)
    refused = [each for each in imports if each.state is ImportState.REFUSED]
    return refusal(refused[0]).exit_code if refused else ExitCode.OK
