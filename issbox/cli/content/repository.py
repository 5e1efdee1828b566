"""`issbox repository`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.content.repositories import (
    REPOSITORY,
    VERSION,
    check_metadata_option,
    check_packages_option,
    find_repository,
    product_option,
)
from issbox.cli.content.repository_promote import promote
from issbox.cli.content.synchronize import synchronize
from issbox.cli.index import noun
from issbox.cli.options import (
    chosen_organization,
    creation_options,
    identity_options,
    label_and_name,
    organization_option,
    yes_option,
)

repository = noun("repository")
repository.add_command(synchronize)
repository.add_command(promote)


@command(
    "create",
    group=repository,
    example="issbox repository create --product Tools --name base --url https://mirror.example.com/tools/",
    shape=REPOSITORY,
)
@organization_option
@click.option("--product", required=True, metavar="LABEL", help="Product it belongs to.")
@creation_options("repository")
@click.option(
    "--url",
    "--source-url",
    "source_url",
    metavar="URL",
    help="Where it is synchronized from: http, https or file. Without it only imports fill it.",
)
@click.option(
    "--arch",
    "arches",
    multiple=True,
    metavar="ARCH",
    help="Architecture it is for. May be given several times; without it, any.",
)
@click.option(
    "--gpg-key", metavar="LABEL", help="Content credential with the GPG key that signs repomd.xml or packages."
)
@click.option(
    "--ca", metavar="LABEL", help="Content credential with the CA of the server. Without it, those of the system."
)
@click.option("--client-certificate", metavar="LABEL", help="Content credential shown to the server.")
@click.option("--proxy", metavar="URL", help="Proxy to the server, http or https.")
@check_metadata_option(default=True)
@check_packages_option(default=False)
def create(
    run: Run,
    *,
    organization: str | None,
    product: str,
    name: str | None,
    label: str | None,
    source_url: str | None,
    arches: tuple[str, ...],
    gpg_key: str | None,
    ca: str | None,
    client_certificate: str | None,
    proxy: str | None,
    check_metadata: bool,
    check_packages: bool,
) -> None:
    """Make a repository in a custom product. It is empty until it is synchronized or imported."""
    from issbox.workflows.content import repositories

    ctx = run.open()
    label, name = label_and_name(label, name)
    made = repositories.create_repository(
        ctx,
        organization=chosen_organization(ctx, organization),
        product=product,
        label=label,
        name=name,
        url=source_url,
        arches=arches,
        gpg_key=gpg_key,
        ca=ca,
        client_certificate=client_certificate,
        proxy=proxy,
        check_metadata=check_metadata,
        check_packages=check_packages,
    )
    run.say(f"Repository {made.key} created.")
    run.show(REPOSITORY, made)


@command("list", group=repository, example="issbox repository list --product Tools", shape=REPOSITORY, many=True)
@organization_option
@click.option("--product", metavar="LABEL", help="Only repositories of this product.")
def list_(run: Run, *, organization: str | None, product: str | None) -> None:
    """List the repositories of an organization."""
    from issbox.workflows.content import repositories

    ctx = run.open()
    run.show_all(REPOSITORY, repositories.list_repositories(ctx, chosen_organization(ctx, organization), product))


@command("info", group=repository, example="issbox repository info --product Tools --label base", shape=REPOSITORY)
@organization_option
@product_option
@identity_options("repository")
def info(run: Run, *, organization: str | None, product: str | None, label: str | None, name: str | None) -> None:
    """Show one repository."""
    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    run.show(REPOSITORY, find_repository(ctx, owner, product, label=label, name=name))


@command(
    "versions",
    group=repository,
    example="issbox repository versions --product Tools --label base",
    shape=VERSION,
    many=True,
)
@organization_option
@product_option
@identity_options("repository")
def versions(run: Run, *, organization: str | None, product: str | None, label: str | None, name: str | None) -> None:
    """List the versions of a repository, oldest first."""
    from issbox.workflows.content import repositories

    ctx = run.open()
    chosen = find_repository(ctx, chosen_organization(ctx, organization), product, label=label, name=name)
    run.show_all(VERSION, repositories.list_versions(ctx, chosen.key))


@command(
    "update",
    group=repository,
    example='issbox repository update --product Tools --label base --proxy ""',
    shape=REPOSITORY,
)
@organization_option
@product_option
@click.option("--label", required=True, metavar="LABEL", help="Which repository.")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option(
    "--url", "--source-url", "source_url", metavar="URL", help='Where it is synchronized from; "" for nowhere.'
)
@click.option(
    "--arch",
    "arches",
    multiple=True,
    metavar="ARCH",
    help='Architecture it is for, instead of those so far. May be given several times; "" for any.',
)
@click.option("--gpg-key", metavar="LABEL", help='Content credential; "" for none.')
@click.option("--ca", metavar="LABEL", help='Content credential; "" for the CAs of the system.')
@click.option("--client-certificate", metavar="LABEL", help='Content credential; "" for none.')
@click.option("--proxy", metavar="URL", help='Proxy; "" for none.')
@check_metadata_option(default=None)
@check_packages_option(default=None)
@click.option("--unprotected/--protected", default=None, help="Whether hosts may read it without a certificate.")
def update(
    run: Run,
    *,
    organization: str | None,
    product: str | None,
    label: str,
    name: str | None,
    source_url: str | None,
    arches: tuple[str, ...],
    gpg_key: str | None,
    ca: str | None,
    client_certificate: str | None,
    proxy: str | None,
    check_metadata: bool | None,
    check_packages: bool | None,
    unprotected: bool | None,
) -> None:
    """Change a repository; what is not given stays as it is."""
    from issbox.workflows.content import repositories

    ctx = run.open()
    chosen = find_repository(ctx, chosen_organization(ctx, organization), product, label=label, name=None)
    made = repositories.update_repository(
        ctx,
        chosen.key,
        name=name,
        url=source_url,
        arches=[each for each in arches if each] if arches else None,
        gpg_key=gpg_key,
        ca=ca,
        client_certificate=client_certificate,
        proxy=proxy,
        check_metadata=check_metadata,
        check_packages=check_packages,
        unprotected=unprotected,
    )
    run.say(f"Repository {made.key} updated.")
    run.show(REPOSITORY, made)


@command(
    "delete", group=repository, example="issbox repository delete --product Tools --label base --yes", shape=REPOSITORY
)
@organization_option
@product_option
@identity_options("repository")
@yes_option
def delete(
    run: Run, *, organization: str | None, product: str | None, label: str | None, name: str | None, yes: bool
) -> None:
    """Delete a repository with all its versions.

    Its packages leave the store with the next `issbox store cleanup`, unless other repositories need them.
    """
    from issbox.workflows.content import repositories

    ctx = run.open()
    chosen = find_repository(ctx, chosen_organization(ctx, organization), product, label=label, name=name)
    run.confirm(f"Delete the repository {chosen.key} with all its versions?", yes=yes)
    deleted = repositories.delete_repository(ctx, chosen.key)
    run.say(f"Repository {deleted.key} deleted.")
    run.show(REPOSITORY, deleted)
