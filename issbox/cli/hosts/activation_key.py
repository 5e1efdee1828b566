"""`issbox activation-key`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.hosts.consumer_shapes import ACTIVATION_KEY
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, organization_option, yes_option
from issbox.model import ActivationKey

activation_key = noun("activation-key")
_label = click.option("--label", required=True, metavar="LABEL", help="Which activation key: what hosts give.")


@command(
    "create",
    group=activation_key,
    example="issbox activation-key create --label web --environment dev --product tools",
    shape=ACTIVATION_KEY,
)
@organization_option
@_label
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@click.option("--environment", "environments", multiple=True, metavar="LABEL", help="The most important one first.")
@click.option("--product", "products", multiple=True, metavar="LABEL", help="Entitled to it; to all when left out.")
@click.option("--max-hosts", type=click.IntRange(min=1), metavar="NUMBER", help="How many hosts it may let in.")
def create(
    run: Run,
    *,
    organization: str | None,
    label: str,
    description: str,
    environments: tuple[str, ...],
    products: tuple[str, ...],
    max_hosts: int | None,
) -> None:
    """Make an activation key: hosts that give it register without a password and go where it says."""
    from issbox.workflows.hosts import activation_keys

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    key = ActivationKey(owner, label, description, environments, tuple(sorted(products)), max_hosts)
    made = activation_keys.create_activation_key(ctx, key)
    run.say(f"Activation key {label} created.")
    run.show(ACTIVATION_KEY, made)


@command("list", group=activation_key, example="issbox activation-key list", shape=ACTIVATION_KEY, many=True)
@organization_option
def list_(run: Run, *, organization: str | None) -> None:
    """List the activation keys of an organization."""
    from issbox.workflows.hosts import activation_keys

    ctx = run.open()
    run.show_all(ACTIVATION_KEY, activation_keys.list_activation_keys(ctx, chosen_organization(ctx, organization)))


@command("info", group=activation_key, example="issbox activation-key info --label web", shape=ACTIVATION_KEY)
@organization_option
@_label
def info(run: Run, *, organization: str | None, label: str) -> None:
    """Show one activation key."""
    from issbox.workflows.hosts import activation_keys

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    run.show(ACTIVATION_KEY, activation_keys.get_activation_key(ctx, owner, label))


@command(
    "update",
    group=activation_key,
    example="issbox activation-key update --label web --environment prod",
    shape=ACTIVATION_KEY,
)
@organization_option
@_label
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option(
    "--environment", "environments", multiple=True, metavar="LABEL", help='Instead of those so far; "" for none.'
)
@click.option("--product", "products", multiple=True, metavar="LABEL", help='Instead of those so far; "" for all.')
@click.option("--max-hosts", type=click.IntRange(min=0), metavar="NUMBER", help="0 for any number.")
def update(
    run: Run,
    *,
    organization: str | None,
    label: str,
    description: str | None,
    environments: tuple[str, ...],
    products: tuple[str, ...],
    max_hosts: int | None,
) -> None:
    """Change an activation key; hosts that came by it stay as they are."""
    from issbox.workflows.hosts import activation_keys

    ctx = run.open()
    made = activation_keys.update_activation_key(
        ctx,
        chosen_organization(ctx, organization),
        label,
        description=description,
        environments=[each for each in environments if each] if environments else None,
        products=[each for each in products if each] if products else None,
        max_hosts=max_hosts,
    )
    run.say(f"Activation key {label} updated.")
    run.show(ACTIVATION_KEY, made)


@command("delete", group=activation_key, example="issbox activation-key delete --label web --yes", shape=ACTIVATION_KEY)
@organization_option
@_label
@yes_option
def delete(run: Run, *, organization: str | None, label: str, yes: bool) -> None:
    """Delete an activation key; hosts that came by it stay."""
    from issbox.workflows.hosts import activation_keys

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    present = activation_keys.get_activation_key(ctx, owner, label)
    run.confirm(f"Delete the activation key {present.label} of {owner}?", yes=yes)
    run.show(ACTIVATION_KEY, activation_keys.delete_activation_key(ctx, owner, label))
    run.say(f"Activation key {label} deleted.")
