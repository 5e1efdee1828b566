"""`issbox repository promote`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.content.repositories import find_repository, product_option
from issbox.cli.environments.promotions import PLAN, carry_out, promotion_options
from issbox.cli.options import chosen_organization, identity_options, organization_option
from issbox.errors import NotFoundError


@command(
    "promote",
    example="issbox repository promote --product Tools --label base --version 4 --to-environment dev --dry-run",
    shape=PLAN,
)
@organization_option
@product_option
@identity_options("repository")
@click.option("--version", "number", type=int, metavar="NUMBER", help="Its version; the newest when left out.")
@promotion_options
def promote(
    run: Run,
    *,
    organization: str | None,
    product: str | None,
    label: str | None,
    name: str | None,
    number: int | None,
    environment: str,
    force: bool,
    reason: str,
    dry_run: bool,
) -> None:
    """Put one version of a repository into a lifecycle environment, without any content view.

    It takes the place of whatever stands at the repository's content path there, also of what a content view brought.
    """
    from issbox.workflows.environments import promoting

    ctx = run.open()
    chosen = find_repository(ctx, chosen_organization(ctx, organization), product, label=label, name=name)
    number = chosen.latest if number is None else number
    if number is None:
        raise NotFoundError(f"the repository {chosen.key} has no version yet", hint="Synchronize or import it first.")
    plan = promoting.plan_repository_promotion(ctx, chosen.key, number, environment, force=force, reason=reason)
    carry_out(run, ctx, plan, dry_run=dry_run)
