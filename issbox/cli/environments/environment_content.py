"""`issbox lifecycle-environment promote`, `set-content` and `remove-content`: what an environment holds."""

from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.content.repositories import find_repository, product_option
from issbox.cli.environments.environments import find_environment
from issbox.cli.environments.promotions import PLAN, carry_out, order_options, promotion_options
from issbox.cli.options import identity_options, organization_option, read_text_file
from issbox.errors import CommandLineError, InvalidValueError
from issbox.model import ViewVersionName, WantedContent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from issbox.workflows.context import Context


@command(
    "promote",
    example="issbox lifecycle-environment promote --label dev --to-environment qa --dry-run",
    shape=PLAN,
)
@organization_option
@identity_options("lifecycle environment")
@click.option("--exactly", is_flag=True, help="Take out whatever else the other one holds.")
@promotion_options
def promote(
    run: Run,
    *,
    organization: str | None,
    label: str | None,
    name: str | None,
    exactly: bool,
    environment: str,
    force: bool,
    reason: str,
    dry_run: bool,
) -> None:
    """Put everything that a lifecycle environment holds into another one, at the same versions.

    What else the other one holds stays, but for repositories that its content views do not have any more.
    """
    from issbox.workflows.environments import exact_content

    ctx = run.open()
    source = find_environment(ctx, organization, label, name)
    plan = exact_content.plan_everything(
        ctx, source.organization, source.label, environment, exactly=exactly, force=force, reason=reason
    )
    carry_out(run, ctx, plan, dry_run=dry_run)


@command(
    "set-content",
    example="issbox lifecycle-environment set-content --label dev --content-view base=3.0 --repository tools/extra=4",
    shape=PLAN,
)
@organization_option
@identity_options("lifecycle environment")
@click.option("--content-view", "views", multiple=True, metavar="LABEL=VERSION", help="All of a content view version.")
@click.option(
    "--repository", "repositories", multiple=True, metavar="PRODUCT/LABEL=VERSION", help="A version of a repository."
)
@click.option("--file", metavar="FILE", help="What `lifecycle-environment info --json` writes, or `-` to read it.")
@click.option("--nothing", is_flag=True, help="Let it hold nothing.")
@order_options
def set_content(
    run: Run,
    *,
    organization: str | None,
    label: str | None,
    name: str | None,
    views: tuple[str, ...],
    repositories: tuple[str, ...],
    file: str | None,
    nothing: bool,
    force: bool,
    reason: str,
    dry_run: bool,
) -> None:
    """Let a lifecycle environment hold exactly this and nothing else; what it holds already stays as it is.

    Given again, it changes nothing, so it may be run as often as wanted. `lifecycle-environment info --json` writes
    what --file reads: change it, or keep it under version control.
    """
    from issbox.workflows.environments import exact_content

    if nothing == bool(views or repositories or file):
        raise CommandLineError(
            "what is it to hold? Give --content-view, --repository and --file, or --nothing",
        )
    ctx = run.open()
    chosen = find_environment(ctx, organization, label, name)
    wanted = _wanted(ctx, chosen.organization, views, repositories, file)
    plan = exact_content.plan_content_set(ctx, chosen.organization, chosen.label, wanted, force=force, reason=reason)
    carry_out(run, ctx, plan, dry_run=dry_run)


def _wanted(
    ctx: "Context", organization: str, views: "Sequence[str]", repositories: "Sequence[str]", file: str | None
) -> list[WantedContent]:
    from issbox.names import check_view_version
    from issbox.workflows.environments import wanted_content

    names = [ViewVersionName(view, check_view_version(number)) for view, number in map(_pair, views)]
    found = wanted_content.view_content(ctx, organization, names)
    for label, number in map(_pair, repositories):
        key = find_repository(ctx, organization, None, label=label, name=None).key
        if not (number.isascii() and number.isdecimal() and len(number) < 10):
            raise InvalidValueError(f"{number!r} is not the number of a version of {key.short}")
        found.append(WantedContent(key.product, key.label, int(number)))
    if file is not None:
        text = read_text_file(file, "a list of content", wanted_content.MAX_BYTES)
        found += wanted_content.read_wanted(text.encode(), file)
    return found


def _pair(text: str) -> tuple[str, str]:
    label, separator, number = text.partition("=")
    if not separator:
        raise CommandLineError(f"{text!r} names no version", hint="Write for example base=3.0 or tools/base=4.")
    return label, number


@command(
    "remove-content",
    example="issbox lifecycle-environment remove-content --label dev --content-view base --dry-run",
    shape=PLAN,
)
@organization_option
@identity_options("lifecycle environment")
@click.option("--content-view", "view", metavar="LABEL", help="Take out all that this content view brought.")
@product_option
@click.option("--repository", "repositories", multiple=True, metavar="LABEL", help="Repository to take out.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
def remove_content(
    run: Run,
    *,
    organization: str | None,
    label: str | None,
    name: str | None,
    view: str | None,
    product: str | None,
    repositories: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Take repositories out of a lifecycle environment: those named, and those that a content view brought."""
    from issbox.workflows.environments import promoting

    ctx = run.open()
    if view is None and not repositories:
        raise CommandLineError("what is to be taken out? Neither --content-view nor --repository was given")
    chosen = find_environment(ctx, organization, label, name)
    keys = [find_repository(ctx, chosen.organization, product, label=each, name=None).key for each in repositories]
    plan = promoting.plan_demotion(ctx, chosen.organization, chosen.label, keys, view=view)
    carry_out(run, ctx, plan, dry_run=dry_run)
