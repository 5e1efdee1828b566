"""`issbox product`."""

from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.content.definitions import export_csv, import_csv
from issbox.cli.content.source_plan import PLAN, SourcePlan, change_in_words
from issbox.cli.content.synchronize import synchronize_product
from issbox.cli.index import noun
from issbox.cli.listing import add_list_and_info
from issbox.cli.options import (
    chosen_organization,
    creation_options,
    identity_options,
    label_and_name,
    organization_option,
    pick,
    yes_option,
)
from issbox.cli.shapes import Field, Shape
from issbox.errors import CommandLineError
from issbox.model import Product

if TYPE_CHECKING:
    from issbox.workflows.context import Context

product = noun("product")
product.add_command(synchronize_product)
product.add_command(export_csv)
product.add_command(import_csv)

PRODUCT = Shape[Product](
    "product",
    (
        Field("organization", "label of its organization", lambda each: each.organization),
        Field("label", "label, unique in the organization", lambda each: each.label, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field(
            "kind", "`custom`, or `redhat` when a subscription manifest made it", lambda each: each.kind, column=True
        ),
        Field("number", "Red Hat's number of the product; empty for custom ones", lambda each: each.number),
        Field("description", "free text", lambda each: each.description),
        Field(
            "gpg_key",
            "content credential for repositories without a key of their own, or null",
            lambda each: each.gpg_key,
            column=True,
        ),
    ),
)


@command("create", group=product, example='issbox product create --name "Tools" --gpg-key tools-key', shape=PRODUCT)
@organization_option
@creation_options("product")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@click.option("--gpg-key", metavar="LABEL", help="Content credential for its repositories without a key of their own.")
def create(
    run: Run, *, organization: str | None, name: str | None, label: str | None, description: str, gpg_key: str | None
) -> None:
    """Make a custom product. Red Hat's products come from a subscription manifest."""
    from issbox.workflows.content import catalog

    ctx = run.open()
    label, name = label_and_name(label, name)
    made = catalog.create_product(
        ctx,
        organization=chosen_organization(ctx, organization),
        label=label,
        name=name,
        description=description,
        gpg_key=gpg_key,
    )
    run.say(f"Product {made.label} created.")
    run.show(PRODUCT, made)


def _read(ctx: "Context", organization: str) -> list[Product]:
    from issbox.workflows.content import catalog

    return catalog.list_products(ctx, organization)


add_list_and_info(product, PRODUCT, _read, example="Tools")


@command(
    "update",
    group=product,
    example="issbox product update --label Tools --source-url https://mirror.example.com/exports/ --dry-run",
    shape=PRODUCT,
    instead={"--dry-run": PLAN},
)
@organization_option
@click.option("--label", required=True, metavar="LABEL", help="Which product.")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option("--gpg-key", metavar="LABEL", help='Content credential; "" for none.')
@click.option(
    "--source-url",
    metavar="URL",
    help="From now on all its repositories are synchronized from below here, each from its path there, as in exports: "
    'custom/PRODUCT/REPOSITORY; "" for nowhere.',
)
@click.option("--ca", metavar="LABEL", help='With --source-url: content credential; "" for the CAs of the system.')
@click.option("--client-certificate", metavar="LABEL", help='With --source-url: content credential; "" for none.')
@click.option("--proxy", metavar="URL", help='With --source-url: proxy; "" for none.')
@click.option("--dry-run", is_flag=True, help="With --source-url: only show which repositories would come from where.")
def update(
    run: Run,
    *,
    organization: str | None,
    label: str,
    name: str | None,
    description: str | None,
    gpg_key: str | None,
    source_url: str | None,
    dry_run: bool,
    **reach: str | None,
) -> None:
    """Change a custom product, or where the repositories of any product come from; what is not given stays as it is."""
    from issbox.workflows.content import catalog, sources

    own = (name, description, gpg_key)
    if source_url is None and (dry_run or any(each is not None for each in reach.values())):
        raise CommandLineError("--ca, --client-certificate, --proxy and --dry-run go with --source-url")
    if source_url is not None and any(each is not None for each in own):
        raise CommandLineError("--source-url goes without --name, --description and --gpg-key")
    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    if source_url is None:
        made = catalog.update_product(ctx, owner, label, name=name, description=description, gpg_key=gpg_key)
        run.say(f"Product {made.label} updated.")
        run.show(PRODUCT, made)
        return
    planned = sources.plan_repointing(ctx, owner, label, source_url, **reach)
    if dry_run:
        run.show(PLAN, SourcePlan(owner, label, tuple(planned)))
        return
    changed = sources.repoint(ctx, planned)
    for change in changed:
        run.say(change_in_words(change))
    run.say(f"Repositories that come from another place now: {len(changed)} of {len(planned)}.")
    run.show(PRODUCT, catalog.get_product(ctx, owner, label))


@command("delete", group=product, example="issbox product delete --label Tools --yes", shape=PRODUCT)
@organization_option
@identity_options("product")
@yes_option
def delete(run: Run, *, organization: str | None, label: str | None, name: str | None, yes: bool) -> None:
    """Delete a custom product that has no repositories."""
    from issbox.workflows.content import catalog

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = pick(catalog.list_products(ctx, owner), label=label, name=name, what="product")
    run.confirm(f"Delete the product {chosen.label} ({chosen.name}) of {owner}?", yes=yes)
    deleted = catalog.delete_product(ctx, owner, chosen.label)
    run.say(f"Product {deleted.label} deleted.")
    run.show(PRODUCT, deleted)
