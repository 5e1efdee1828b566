"""`issbox inbox`."""

from issbox.cli.command import Run, command
from issbox.cli.content_import import IMPORT, refusal
from issbox.cli.index import noun
from issbox.errors import ExitCode
from issbox.model import ImportState

inbox = noun("inbox")


@command("list", group=inbox, example="issbox inbox list", shape=IMPORT, many=True)
def list_(run: Run) -> None:
    """List what lies in the inbox or in quarantine, its state, and what it waits for."""
    from issbox.workflows.inbox import list_inbox

    run.show_all(IMPORT, list_inbox(run.open()))


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
