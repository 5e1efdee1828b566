"""`issbox content`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.hosts.consumer_shapes import CONTENT_STATUS, OVERRIDE
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option
from issbox.errors import CommandLineError
from issbox.model import ContentOverride, OverrideHolder, OverrideKind

content = noun("content")
_ENABLED = {"yes": True, "no": False, "default": None}


@command("status", group=content, example="issbox content status --environment dev", shape=CONTENT_STATUS, many=True)
@organization_option
@click.option("--environment", required=True, metavar="LABEL", help="Which lifecycle environment.")
def status(run: Run, *, organization: str | None, environment: str) -> None:
    """Show how each content stands to an environment: changed since it was promoted, available, partly promoted.

    `dangling` is what a subscription manifest took away and stays promoted, `unusable` what no client could ask for.
    """
    from issbox.workflows.environments import contents

    ctx = run.open()
    run.show_all(CONTENT_STATUS, contents.list_statuses(ctx, chosen_organization(ctx, organization), environment))


@command(
    "enable",
    group=content,
    example="issbox content enable --environment dev --label tools_optional --enabled yes",
    shape=CONTENT_STATUS,
)
@organization_option
@click.option("--environment", required=True, metavar="LABEL", help="Which lifecycle environment.")
@click.option("--label", required=True, metavar="LABEL", help="Which content.")
@click.option("--enabled", required=True, type=click.Choice(list(_ENABLED)), help="Whether hosts have it enabled.")
def enable(run: Run, *, organization: str | None, environment: str, label: str, enabled: str) -> None:
    """Let hosts of an environment have a promoted content enabled or not, whatever its default is."""
    from issbox.workflows.environments import contents

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    run.show(CONTENT_STATUS, contents.enable_content(ctx, owner, environment, label, enabled=_ENABLED[enabled]))


@command(
    "override",
    group=content,
    example="issbox content override --environment dev --label tools --set priority=10",
    shape=OVERRIDE,
    many=True,
)
@organization_option
@click.option("--environment", metavar="LABEL", help="For all hosts in this lifecycle environment.")
@click.option("--consumer", metavar="UUID", help="For this host.")
@click.option("--activation-key", "key", metavar="LABEL", help="For hosts that register with this activation key.")
@click.option("--label", metavar="LABEL", help="Which content.")
@click.option("--set", "put", multiple=True, metavar="NAME=VALUE", help="Value of the repository file that hosts use.")
@click.option("--remove", "drop", multiple=True, metavar="NAME", help="Override to take away.")
@click.option("--remove-all", is_flag=True, help="Take away all of the content, or all there are without --label.")
def override(
    run: Run,
    *,
    organization: str | None,
    environment: str | None,
    consumer: str | None,
    key: str | None,
    label: str | None,
    put: tuple[str, ...],
    drop: tuple[str, ...],
    remove_all: bool,
) -> None:
    """Show, set and take away what hosts use in place of what their certificates say; no certificate changes by it.

    A host's own overrides stand over those of its environments; those of an activation key become its own when it
    registers. Without --set and --remove they are only shown.
    """
    from issbox.workflows.hosts.overrides import change_overrides, read_overrides

    if sum(each is not None for each in (environment, consumer, key)) != 1:
        raise CommandLineError("whose? Give --environment, --consumer or --activation-key")
    if (put or drop) and label is None:
        raise CommandLineError("of which content? Give --label")
    ctx = run.open()
    wanted = [_override(label or "", each) for each in put]
    gone: list[tuple[str | None, str | None]] = [(label, name) for name in drop]
    gone += [(label, None)] if remove_all else []
    if consumer is not None:
        holder = OverrideHolder(OverrideKind.CONSUMER, consumer)
    else:
        kind = OverrideKind.ENVIRONMENT if key is None else OverrideKind.ACTIVATION_KEY
        holder = OverrideHolder(kind, key or environment or "", chosen_organization(ctx, organization))
    changes = bool(wanted or gone)
    found = change_overrides(ctx, holder, put=wanted, drop=gone) if changes else read_overrides(ctx, holder)
    run.show_all(OVERRIDE, found)


def _override(label: str, text: str) -> ContentOverride:
    name, separator, value = text.partition("=")
    if not separator:
        raise CommandLineError(f"{text!r} is not a value such as priority=10")
    return ContentOverride(label, name, value)
