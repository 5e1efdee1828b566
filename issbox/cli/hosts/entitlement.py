"""`issbox entitlement`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.hosts.consumer_shapes import ENTITLEMENT
from issbox.cli.index import noun
from issbox.cli.options import yes_option

entitlement = noun("entitlement")
_consumer = click.option("--consumer", required=True, metavar="UUID", help="Which host.")


@command(
    "create",
    group=entitlement,
    example="issbox entitlement create --consumer 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11 --product tools",
    shape=ENTITLEMENT,
)
@_consumer
@click.option("--product", metavar="LABEL", help="To this product; to all products, also those to come, without it.")
def create(run: Run, *, consumer: str, product: str | None) -> None:
    """Entitle a host to a product or to all of them; what is promoted to its environments is what it gets."""
    from issbox.workflows.hosts import entitling

    run.show(ENTITLEMENT, entitling.entitle(run.open(), consumer, product))


@command(
    "list",
    group=entitlement,
    example="issbox entitlement list --consumer 4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11",
    shape=ENTITLEMENT,
    many=True,
)
@_consumer
def list_(run: Run, *, consumer: str) -> None:
    """List the entitlements of a host."""
    from issbox.workflows.hosts import entitling

    run.show_all(ENTITLEMENT, entitling.list_entitlements(run.open(), consumer))


@command(
    "delete",
    group=entitlement,
    example="issbox entitlement delete 0123456789abcdef0123456789abcdef --yes",
    shape=ENTITLEMENT,
)
@click.argument("entitlement_id", metavar="ID")
@yes_option
def delete(run: Run, *, entitlement_id: str, yes: bool) -> None:
    """Take an entitlement away and revoke its certificate."""
    from issbox.workflows.hosts import entitling

    run.confirm(f"Take the entitlement {entitlement_id} away and revoke its certificate?", yes=yes)
    run.show(ENTITLEMENT, entitling.disentitle(run.open(), entitlement_id))
