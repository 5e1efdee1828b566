"""How a command that writes bundles is made, and what it does: plan, then say what it would be, or write."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from issbox.cli.command import Run, command
from issbox.cli.exchange.export_options import base_options, common_options
from issbox.cli.exchange.export_shapes import EXPORT, PLAN
from issbox.cli.options import chosen_organization
from issbox.cli.output import StandardOutput
from issbox.errors import CommandLineError
from issbox.manifest import ScopeKind
from issbox.model import BundleForm

if TYPE_CHECKING:
    from issbox.workflows.context import Context
    from issbox.workflows.exports import ExportRequest

PIPE: Final = "-"
"""Stands for standard output."""

complete = click.Group("complete", help="Write bundles that hold everything.")
incremental = click.Group("incremental", help="Write bundles that hold what the other side lacks.")


def export_scope(
    run: Run,
    scope: ScopeKind,
    common: dict[str, Any],
    describe: Callable[["Context", str], dict[str, Any]] = lambda _ctx, _organization: {},
    *,
    incremental: bool,
) -> None:
    """Plan, and unless it is a dry run write, a bundle for each organization; all are planned before one is written."""
    from issbox.workflows import exports

    streamed = common["output"] == PIPE
    if streamed:
        _check_stream(common)
    ctx = run.open()
    requests = [
        _request(organization, scope, common, describe(ctx, organization), incremental=incremental)
        for organization in (chosen_organization(ctx, label) for label in common["organizations"] or (None,))
    ]
    plans = [exports.plan_export(ctx, request) for request in requests]
    several = len(plans) > 1
    for plan in plans:
        if plan.brings_nothing:
            whom = plan.destination or "the other side"
            run.say(f"Nothing of {plan.organization} is new for {whom}: the bundle carries metadata only.")
    output = None if streamed or common["output"] is None else Path(common["output"])
    if common["dry_run"]:
        estimates = [exports.estimate(ctx, plan, output, streamed=streamed) for plan in plans]
        run.show_all(PLAN, estimates) if several else run.show(PLAN, estimates[0])
    elif streamed:
        run.show_aside(EXPORT, exports.stream(ctx, plans[0], StandardOutput()))
    else:
        done = []
        for plan in plans:
            done.append(exports.export(ctx, plan, output))
            run.say(f"The bundle is complete: {done[-1].path}")
        run.show_all(EXPORT, done) if several else run.show(EXPORT, done[0])


def _request(
    organization: str, scope: ScopeKind, common: dict[str, Any], described: dict[str, Any], *, incremental: bool
) -> "ExportRequest":
    from issbox.names import parse_time
    from issbox.rules.bundles.volumes import volume_limits
    from issbox.workflows.exports import ExportRequest

    form = _form(common)
    volume_size, largest_file = volume_limits(common["volume_size"], form)
    since = common.get("since")
    return ExportRequest(
        organization=organization,
        scope=scope,
        destination=common["destination_server"],
        form=form,
        volume_size=volume_size,
        largest_file=largest_file,
        udf=common["udf"],
        with_environments=common["with_environments"],
        incremental=incremental,
        since=None if since is None else parse_time(since),
        from_export=common.get("from_export"),
        from_receipt=common.get("from_receipt"),
        **described,
    )


def _form(common: dict[str, Any]) -> BundleForm:
    if common["form"] is None:
        return BundleForm.TAR if common["output"] == PIPE else BundleForm.DIRECTORY
    return BundleForm(common["form"])


def _check_stream(common: dict[str, Any]) -> None:
    """Raise CommandLineError for what cannot go down a pipe."""
    from issbox.workflows.exports import STREAMED_FORMS

    if _form(common) not in STREAMED_FORMS:
        raise CommandLineError(f"--format {common['form']} cannot be written to a pipe", hint="Use tar or tgz.")
    if common["volume_size"] is not None:
        raise CommandLineError("a pipe has no volumes", hint="Leave --volume-size out.")
    if len(common["organizations"]) > 1:
        raise CommandLineError("a pipe takes the bundle of one organization", hint="Export the others by themselves.")
    if not common["dry_run"] and sys.stdout.isatty():
        raise CommandLineError(
            "standard output is a terminal, which cannot show a tar", hint="Write it to a file or a pipe."
        )


Scoped = Callable[..., None]
"""Gets the Run, the values of the options, and whether the bundle is incremental."""


def make_command(
    group: click.Group, name: str, help_text: str, example: str, *options: Callable[[Any], Any]
) -> Callable[[Scoped], Scoped]:
    """Make a command of a scope; its help says whether it is complete or incremental."""

    def decorate(function: Scoped) -> Scoped:
        is_incremental = group is incremental

        def run_it(run: Run, **values: Any) -> None:
            function(run, values, incremental=is_incremental)

        run_it.__doc__ = f"{help_text}\n\n{_INCREMENTAL if is_incremental else _COMPLETE}"
        decorated: Any = run_it
        for option in reversed([*options, *([base_options] if is_incremental else []), common_options]):
            decorated = option(decorated)
        command(
            name,
            group=group,
            example=example.format(kind="incremental" if is_incremental else "complete"),
            shape=EXPORT,
            instead={"--dry-run": PLAN},
        )(decorated)
        return function

    return decorate


_COMPLETE = """The bundle is signed by this box and carries all files. A directory is a yum repository that dnf can
read as it is. It has its name only once it is whole. Carry it to the other side, as a whole or volume by volume, and
drop it into the inbox there."""

_INCREMENTAL = """The bundle is signed by this box and carries the files that the other side lacks; metadata travels
whole, and what upstream removed is removed there too. The result on the other side is the same as that of a complete
bundle. If files are missing there after all, the bundle waits and says which."""
