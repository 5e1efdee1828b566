"""`issbox promotion`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.environments.promotions import PLAN, RECORD, carry_out
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, chosen_organization, id_option, organization_option

promotion = noun("promotion")


@command("list", group=promotion, example="issbox promotion list --environment prod", shape=RECORD, many=True)
@organization_option
@click.option("--environment", metavar="LABEL", help="Only changes of this lifecycle environment.")
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="Only so many of the newest.")
def list_(run: Run, *, organization: str | None, environment: str | None, limit: int | None) -> None:
    """List the changes of what lifecycle environments hold, newest first."""
    from issbox.workflows.environments import promoting

    ctx = run.open()
    run.show_all(RECORD, promoting.list_promotions(ctx, chosen_organization(ctx, organization), environment, limit))


@command("info", group=promotion, example="issbox promotion info 12", shape=RECORD)
@id_option("promotion")
def info(run: Run, *, number: int | None, id_: int | None) -> None:
    """Show one change of what a lifecycle environment holds."""
    from issbox.workflows.environments import promoting

    promotion_id = chosen_id(number, id_)
    run.show(RECORD, promoting.get_promotion(run.open(), promotion_id))


@command("undo", group=promotion, example="issbox promotion undo 12 --dry-run", shape=PLAN)
@id_option("promotion")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
def undo(run: Run, *, number: int | None, id_: int | None, dry_run: bool) -> None:
    """Take a promotion back: its environment gets again what it held before, of the repositories that changed.

    Later promotions of the same repositories have to be taken back first. What is undone can be undone again.
    """
    from issbox.workflows.environments import promoting

    promotion_id = chosen_id(number, id_)
    ctx = run.open()
    carry_out(run, ctx, promoting.plan_undo(ctx, promotion_id), dry_run=dry_run)
