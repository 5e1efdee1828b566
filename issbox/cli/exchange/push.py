"""`issbox push`."""

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from issbox.cli.command import Run, command
from issbox.cli.content.repositories import find_repositories
from issbox.cli.exchange.export_options import environment_option
from issbox.cli.options import chosen_organization, organization_option
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import CommandLineError, InvalidValueError
from issbox.manifest import ScopeKind
from issbox.model import LIBRARY

if TYPE_CHECKING:
    from issbox.workflows.context import Context
    from issbox.workflows.exchange.push import PushPlan, PushReport
    from issbox.workflows.exports import Estimate, ExportRequest


@dataclass(frozen=True, slots=True)
class Pushed:
    """What a push did, or would do."""

    plan: "PushPlan"
    estimate: "Estimate | None" = None
    report: "PushReport | None" = None

    @property
    def result(self) -> str:
        """One word for it."""
        if self.report is None:
            return "planned" if self.plan.needed else "up-to-date"
        if self.report.export is None:
            return "up-to-date"
        return "imported"

    @property
    def files(self) -> int:
        """Files that were or would be sent."""
        return self._sent("files")

    @property
    def size(self) -> int:
        """Their bytes."""
        return self._sent("size")

    def _sent(self, name: str) -> int:
        told: Any = self.estimate if self.report is None else self.report.export
        return 0 if told is None or self.result == "up-to-date" else getattr(told, name)


def _import_in_words(report: object) -> str:
    """Give which import it is over there, and what became of it; `--json` has all of it."""
    return f"import {report['id']}, {report['state']}" if isinstance(report, dict) else str(report)


PUSHED = Shape[Pushed](
    "push",
    (
        Field("target", "the other box as a URL", lambda each: str(each.plan.far.target)),
        Field("box", "its name", lambda each: each.plan.receipt.receipt.box.name),
        Field("box_id", "its id", lambda each: each.plan.receipt.receipt.box.id),
        Field("receipt", "number of the receipt that said what it held", lambda each: each.plan.receipt.id),
        Field(
            "verified", "whether that receipt was signed by a key trusted here", lambda each: each.plan.receipt.verified
        ),
        Field("organization", "label of the organization", lambda each: each.plan.export.organization),
        Field("scope", "what was meant, in words", lambda each: each.plan.export.words),
        Field(
            "destination",
            "destination server that the export is numbered for",
            lambda each: each.plan.export.destination,
        ),
        Field(
            "result",
            "`imported`, `up-to-date` when the other box held everything, or `planned`",
            lambda each: each.result,
        ),
        Field("files", "number of files sent", lambda each: each.files),
        Field("size", "bytes of these files", lambda each: each.size, show=size),
        Field(
            "export",
            "number of the export here, or null",
            lambda each: each.report.export.id if each.report and each.report.export else None,
        ),
        Field(
            "report",
            "the other box's import as `content-import info --json` gives it there, or null",
            lambda each: each.report and each.report.report,
            show=_import_in_words,
        ),
    ),
)


@command("push", example="issbox push ssh://issbox@far.example.com/ --product Tools", shape=PUSHED)
@click.argument("target", metavar="SSH-URL")
@organization_option
@click.option(
    "--product", "products", multiple=True, metavar="LABEL", help="Only this product. May be given several times."
)
@click.option(
    "--repository",
    "repositories",
    multiple=True,
    metavar="LABEL",
    help="Only this repository, LABEL or PRODUCT/LABEL. May be given several times.",
)
@click.option("--content-view", metavar="LABEL", help="A version of this content view instead.")
@click.option("--version", metavar="NUMBER", help="Which one, for example 3.0; without it the newest one.")
@environment_option
@click.option(
    "--destination-server",
    default="",
    metavar="NAME",
    help="For whom it is numbered; without it, the other box's name.",
)
@click.option(
    "--with-lifecycle-environments",
    "with_environments",
    is_flag=True,
    help="Also send which lifecycle environments there are here and what is promoted to them, and ask the other box to "
    "take that over; whoever connects there has to be allowed to. Always sends something.",
)
@click.option("--dry-run", is_flag=True, help="Only ask the other box and say what would be sent.")
@click.option("--force", is_flag=True, help="Send the descriptions even when the other box holds all contents already.")
@click.option(
    "--ssh-option",
    "ssh_options",
    multiple=True,
    metavar="NAME=VALUE",
    help="Option of ssh, for example BatchMode=yes. May be given several times.",
)
@click.option(
    "--far-command", default="issbox", show_default=True, metavar="COMMAND", help="What runs issbox on the other box."
)
def push(run: Run, *, target: str, organization: str | None, dry_run: bool, force: bool, **values: Any) -> None:
    """Send another box exactly what it lacks, over SSH: ssh://[USER@]HOST[:PORT]/.

    The stock client connects, with the keys and known hosts of this account. The other box states in a receipt what it
    holds, takes the difference in as it comes, and reports. Nothing is written to a disk in between. The exit code is
    that of the import there. If the connection is lost, push again.
    """
    from issbox.workflows.exchange import push as pushing

    far = _far_side(target, values.pop("ssh_options"), values.pop("far_command"))
    ctx = run.open()
    plan = pushing.plan_push(ctx, far, _request(ctx, chosen_organization(ctx, organization), values))
    if dry_run:
        run.show(PUSHED, Pushed(plan, pushing.estimate_push(ctx, plan)))
        return
    report = pushing.push(ctx, plan, force=force)
    pushed = Pushed(plan, report=report)
    run.say(f"{plan.receipt.receipt.box.name or target}: {pushed.result}")
    run.show(PUSHED, pushed)


def _far_side(target: str, options: tuple[str, ...], far_command: str) -> Any:
    from issbox.rules.people.ssh_targets import parse_ssh_target
    from issbox.workflows.exchange.far_side import FarSide

    try:
        words = tuple(shlex.split(far_command))
    except ValueError:
        words = ()
    if not words:
        raise InvalidValueError(f"{far_command!r} is not a command")
    return FarSide(parse_ssh_target(target), options, words)


def _request(ctx: "Context", organization: str, values: dict[str, Any]) -> "ExportRequest":
    from issbox.workflows.exports import ExportRequest

    products, labels, view = values["products"], values["repositories"], values["content_view"]
    number, environment = values["version"], values["lifecycle_environment"]
    if view is not None and (products or labels):
        raise CommandLineError("--content-view goes without --product and --repository")
    if number is not None and view is None:
        raise CommandLineError("--version goes with --content-view")
    kind = ScopeKind.LIBRARY if environment == LIBRARY else ScopeKind.LIFECYCLE_ENVIRONMENT
    chosen: dict[str, Any] = {}
    if view is not None:
        kind = ScopeKind.CONTENT_VIEW_VERSION
        full = "" if number is None else number if "." in number else f"{number}.0"
        chosen = {"content_view": view, "content_view_version": full}
    elif labels:
        if len(products) > 1:
            raise CommandLineError("--repository goes with one --product; write PRODUCT/LABEL instead")
        kind = ScopeKind.REPOSITORY
        found = find_repositories(ctx, organization, products[0] if products else None, labels)
        chosen = {"repositories": tuple(each.key for each in found)}
    elif products:
        kind, chosen = ScopeKind.PRODUCT, {"products": tuple(products)}
    return ExportRequest(
        organization=organization,
        scope=kind,
        environment=environment,
        destination=values["destination_server"],
        with_environments=values["with_environments"],
        **chosen,
    )
