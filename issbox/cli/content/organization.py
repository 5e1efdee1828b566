"""`issbox organization`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.options import creation_options, identity_options, label_and_name, pick, yes_option
from issbox.cli.shapes import Field, Shape
from issbox.model import CertificateType, Organization, Role

organization = noun("organization")
_ACCESS = {"content": CertificateType.BASIC, "organization": CertificateType.ORG_LEVEL}

ORGANIZATION = Shape[Organization](
    "organization",
    (
        Field("label", "label, unique in the box", lambda each: each.label, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field(
            "client_cas",
            "array of content credentials whose CAs sign certificates of hosts, besides the box's own",
            lambda each: each.client_cas,
        ),
        Field("content_prefix", "what certificates have before content paths", lambda each: each.content_prefix),
        Field(
            "access",
            "`Basic`: certificates name each content; `OrgLevel`: one for all below the host's environments",
            lambda each: each.access.value,
        ),
        Field(
            "environments_by",
            "`super-admin` or `org-admin`: who makes, changes and deletes its lifecycle environments",
            lambda each: str(Role.ORG_ADMIN if each.hands_over_environments else Role.SUPER_ADMIN),
        ),
    ),
)


@command(
    "create",
    group=organization,
    example='issbox organization create --name "ACME Corporation" --label ACME',
    shape=ORGANIZATION,
)
@creation_options("organization")
def create(run: Run, *, name: str | None, label: str | None) -> None:
    """Make an organization with its lifecycle environment Library."""
    from issbox.workflows.content import catalog

    label, name = label_and_name(label, name)
    made = catalog.create_organization(run.open(), label=label, name=name)
    run.say(f"Organization {made.label} created.")
    run.show(ORGANIZATION, made)


@command("list", group=organization, example="issbox organization list --json", shape=ORGANIZATION, many=True)
def list_(run: Run) -> None:
    """List the organizations of this box."""
    from issbox.workflows.content import catalog

    run.show_all(ORGANIZATION, catalog.list_organizations(run.open()))


@command("info", group=organization, example="issbox organization info --label ACME", shape=ORGANIZATION)
@identity_options("organization")
def info(run: Run, *, label: str | None, name: str | None) -> None:
    """Show one organization."""
    from issbox.workflows.content import catalog

    run.show(ORGANIZATION, pick(catalog.list_organizations(run.open()), label=label, name=name, what="organization"))


@command(
    "update",
    group=organization,
    example='issbox organization update --label ACME --name "ACME Limited"',
    shape=ORGANIZATION,
)
@click.option("--label", required=True, metavar="LABEL", help="Which organization.")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option(
    "--client-ca",
    "client_cas",
    multiple=True,
    metavar="LABEL",
    help="Content credential with a CA that signs certificates of hosts, with all certificates up to its root; instead "
    'of those so far. May be given several times; "" for none but the authority of this box.',
)
@click.option(
    "--content-prefix", metavar="PREFIX", help="What stands before content paths; $org and $env are filled in."
)
@click.option("--access", type=click.Choice(list(_ACCESS)), help="Certificates name each content, or open all.")
@click.option(
    "--environments-by",
    type=click.Choice([str(Role.SUPER_ADMIN), str(Role.ORG_ADMIN)]),
    help="Who makes, changes and deletes its lifecycle environments.",
)
def update(
    run: Run,
    *,
    label: str,
    name: str | None,
    client_cas: tuple[str, ...],
    content_prefix: str | None,
    access: str | None,
    environments_by: str | None,
) -> None:
    """Change an organization; what is not given stays as it is.

    Hosts whose certificates come from a CA given here may read the content of this organization that their
    certificates grant.
    """
    from issbox.workflows.content import catalog

    chosen = [each for each in client_cas if each] if client_cas else None
    made = catalog.update_organization(
        run.open(),
        label,
        name=name,
        client_cas=chosen,
        content_prefix=content_prefix,
        access=None if access is None else _ACCESS[access],
        hands_over_environments=None if environments_by is None else environments_by == Role.ORG_ADMIN,
    )
    run.say(f"Organization {label} updated.")
    run.show(ORGANIZATION, made)


@command("delete", group=organization, example="issbox organization delete --label ACME --yes", shape=ORGANIZATION)
@identity_options("organization")
@yes_option
def delete(run: Run, *, label: str | None, name: str | None, yes: bool) -> None:
    """Delete an organization that has no products."""
    from issbox.workflows.content import catalog

    ctx = run.open()
    chosen = pick(catalog.list_organizations(ctx), label=label, name=name, what="organization")
    run.confirm(f"Delete the organization {chosen.label} ({chosen.name})?", yes=yes)
    deleted = catalog.delete_organization(ctx, chosen.label)
    run.say(f"Organization {deleted.label} deleted.")
    run.show(ORGANIZATION, deleted)
