"""`issbox lifecycle-environment`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.environments.environment_content import promote, remove_content, set_content
from issbox.cli.environments.environment_shapes import CONTENT, DELETION, ENVIRONMENT, PATH
from issbox.cli.environments.environments import find_environment
from issbox.cli.index import noun
from issbox.cli.options import (
    chosen_organization,
    creation_options,
    identity_options,
    label_and_name,
    organization_option,
    yes_option,
)

lifecycle_environment = noun("lifecycle-environment")
lifecycle_environment.add_command(promote)
lifecycle_environment.add_command(set_content)
lifecycle_environment.add_command(remove_content)
_PREFIX = "What stands after the organization's prefix in the paths of certificates."


@command(
    "create",
    group=lifecycle_environment,
    example="issbox lifecycle-environment create --name Development --label dev --prior Library",
    shape=ENVIRONMENT,
)
@organization_option
@creation_options("lifecycle environment")
@click.option("--prior", required=True, metavar="LABEL", help="Environment before it; Library for the first of a path.")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
@click.option("--id", "id_", default="", metavar="ID", help="What programs call it by; made when left out.")
@click.option("--type", "type_", default="", metavar="TYPE", help="What kind of environment programs take it for.")
@click.option("--content-prefix", default="", metavar="PREFIX", help=_PREFIX)
def create(
    run: Run,
    *,
    organization: str | None,
    name: str | None,
    label: str | None,
    prior: str,
    description: str,
    id_: str,
    type_: str,
    content_prefix: str,
) -> None:
    """Make a lifecycle environment: a stage that content is promoted into.

    Library is the first one of every organization. Several environments may follow the same one, which makes several
    paths. Hosts find its content below /content/ORGANIZATION/LABEL.
    """
    from issbox.workflows.environments import environments

    ctx = run.open()
    label, name = label_and_name(label, name)
    owner = chosen_organization(ctx, organization)
    made = environments.create_environment(
        ctx,
        organization=owner,
        label=label,
        name=name,
        prior=prior,
        description=description,
        id_=id_,
        type_=type_,
        content_prefix=content_prefix,
    )
    run.say(f"Lifecycle environment {made.label} created.")
    run.show(ENVIRONMENT, made)


@command(
    "list",
    group=lifecycle_environment,
    example="issbox lifecycle-environment list --organization ACME",
    shape=ENVIRONMENT,
    many=True,
)
@organization_option
def list_(run: Run, *, organization: str | None) -> None:
    """List the lifecycle environments of an organization, Library first."""
    from issbox.workflows.environments import environments

    ctx = run.open()
    run.show_all(ENVIRONMENT, environments.list_environments(ctx, chosen_organization(ctx, organization)))


@command(
    "paths",
    group=lifecycle_environment,
    example="issbox lifecycle-environment paths",
    shape=PATH,
    many=True,
)
@organization_option
def paths(run: Run, *, organization: str | None) -> None:
    """List the ways that content takes from Library to a last environment."""
    from issbox.workflows.environments import environments

    ctx = run.open()
    run.show_all(PATH, environments.list_paths(ctx, chosen_organization(ctx, organization)))


@command("info", group=lifecycle_environment, example="issbox lifecycle-environment info --label dev", shape=CONTENT)
@organization_option
@identity_options("lifecycle environment")
def info(run: Run, *, organization: str | None, label: str | None, name: str | None) -> None:
    """Show one lifecycle environment, which versions it holds, and which content view versions brought them."""
    from issbox.workflows.environments import environments

    ctx = run.open()
    chosen = find_environment(ctx, organization, label, name)
    run.show(CONTENT, environments.get_environment(ctx, chosen.organization, chosen.label))


@command(
    "update",
    group=lifecycle_environment,
    example='issbox lifecycle-environment update --label dev --name "Development"',
    shape=ENVIRONMENT,
)
@organization_option
@click.option("--label", required=True, metavar="LABEL", help="Which environment.")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option("--type", "type_", metavar="TYPE", help="What kind of environment programs take it for.")
@click.option("--content-prefix", metavar="PREFIX", help=_PREFIX)
@click.option("--description", metavar="TEXT", help="What it is for.")
@click.option(
    "--cdn/--no-cdn",
    "serves_as_cdn",
    default=None,
    help="Whether it stands in for a CDN: certificates of a manifest, whose paths begin with /content, open it.",
)
def update(
    run: Run,
    *,
    organization: str | None,
    label: str,
    name: str | None,
    description: str | None,
    serves_as_cdn: bool | None,
    type_: str | None,
    content_prefix: str | None,
) -> None:
    """Change a lifecycle environment; what is not given stays as it is."""
    from issbox.workflows.environments import environments

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    made = environments.update_environment(
        ctx,
        owner,
        label,
        name=name,
        description=description,
        serves_as_cdn=serves_as_cdn,
        type_=type_,
        content_prefix=content_prefix,
    )
    run.say(f"Lifecycle environment {made.label} updated.")
    run.show(ENVIRONMENT, made)


@command(
    "delete",
    group=lifecycle_environment,
    example="issbox lifecycle-environment delete --label dev --dry-run",
    shape=DELETION,
)
@organization_option
@identity_options("lifecycle environment")
@click.option(
    "--force",
    is_flag=True,
    help="Also when it holds content, which leaves it, comes before others, which move up, or has hosts.",
)
@click.option("--delete-hosts", is_flag=True, help="Delete the hosts that are in no other environment, too.")
@click.option("--dry-run", is_flag=True, help="Only show what would go and change.")
@yes_option
def delete(
    run: Run,
    *,
    organization: str | None,
    label: str | None,
    name: str | None,
    force: bool,
    delete_hosts: bool,
    dry_run: bool,
    yes: bool,
) -> None:
    """Delete a lifecycle environment. Repository versions and content view versions stay.

    Its hosts stay too: those in no other environment get nothing until they are moved, never more than before.
    """
    from issbox.workflows.environments import environments

    ctx = run.open()
    chosen = find_environment(ctx, organization, label, name)
    plan = environments.plan_deletion(ctx, chosen.organization, chosen.label)
    if not dry_run:
        run.confirm(
            f"Delete the lifecycle environment {chosen.label} of {chosen.organization} (repositories in it: "
            f"{len(plan.content)}, environments after it: {len(plan.followers)}, hosts in it: {plan.hosts.number})?",
            yes=yes,
        )
        plan = environments.delete_environment(
            ctx, chosen.organization, chosen.label, force=force, delete_hosts=delete_hosts
        )
        run.say(f"Lifecycle environment {chosen.label} deleted.")
    run.show(DELETION, plan)
