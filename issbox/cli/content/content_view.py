"""`issbox content-view`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.content.content_view_filter import filter_
from issbox.cli.content.content_view_version import version
from issbox.cli.content.repositories import find_repository, product_option
from issbox.cli.content.views import VIEW, VIEW_VERSION, find_view, force_option
from issbox.cli.index import noun
from issbox.cli.options import (
    chosen_organization,
    creation_options,
    identity_options,
    label_and_name,
    organization_option,
    yes_option,
)

content_view = noun("content-view")
content_view.add_command(filter_)
content_view.add_command(version)


@command("create", group=content_view, example='issbox content-view create --name "RHEL 9 base"', shape=VIEW)
@organization_option
@creation_options("content view")
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
def create(run: Run, *, organization: str | None, name: str | None, label: str | None, description: str) -> None:
    """Make a content view: a named set of repositories that is published as a whole."""
    from issbox.workflows.content import views

    ctx = run.open()
    label, name = label_and_name(label, name)
    owner = chosen_organization(ctx, organization)
    made = views.create_view(ctx, organization=owner, label=label, name=name, description=description)
    run.say(f"Content view {made.label} created.")
    run.show(VIEW, made)


@command("list", group=content_view, example="issbox content-view list --organization ACME", shape=VIEW, many=True)
@organization_option
def list_(run: Run, *, organization: str | None) -> None:
    """List the content views of an organization."""
    from issbox.workflows.content import views

    ctx = run.open()
    run.show_all(VIEW, views.list_views(ctx, chosen_organization(ctx, organization)))


@command("info", group=content_view, example="issbox content-view info --label base", shape=VIEW)
@organization_option
@identity_options("content view")
def info(run: Run, *, organization: str | None, label: str | None, name: str | None) -> None:
    """Show one content view."""
    ctx = run.open()
    run.show(VIEW, find_view(ctx, chosen_organization(ctx, organization), label=label, name=name))


@command(
    "update", group=content_view, example='issbox content-view update --label base --description "Servers"', shape=VIEW
)
@organization_option
@click.option("--label", required=True, metavar="LABEL", help="Which content view.")
@click.option("--name", metavar="NAME", help="Its new name.")
@click.option("--description", metavar="TEXT", help="What it is for.")
def update(run: Run, *, organization: str | None, label: str, name: str | None, description: str | None) -> None:
    """Change a content view; what is not given stays as it is."""
    from issbox.workflows.content import views

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    made = views.update_view(ctx, owner, label, name=name, description=description)
    run.say(f"Content view {made.label} updated.")
    run.show(VIEW, made)


@command("delete", group=content_view, example="issbox content-view delete --label base --yes", shape=VIEW)
@organization_option
@identity_options("content view")
@force_option
@yes_option
def delete(run: Run, *, organization: str | None, label: str | None, name: str | None, force: bool, yes: bool) -> None:
    """Delete a content view with all its versions, unless an environment holds one or an export is based on one."""
    from issbox.workflows.content import views

    ctx = run.open()
    chosen = find_view(ctx, chosen_organization(ctx, organization), label=label, name=name)
    run.confirm(f"Delete the content view {chosen.label} of {chosen.organization} with all its versions?", yes=yes)
    deleted = views.delete_view(ctx, chosen.organization, chosen.label, force=force)
    run.say(f"Content view {deleted.label} deleted.")
    run.show(VIEW, deleted)


@command(
    "add-repository",
    group=content_view,
    example="issbox content-view add-repository --label base --product Tools --repository main",
    shape=VIEW,
)
@organization_option
@identity_options("content view")
@product_option
@click.option("--repository", required=True, metavar="LABEL", help="Which repository; PRODUCT/LABEL too.")
def add_repository(
    run: Run, *, organization: str | None, label: str | None, name: str | None, product: str | None, repository: str
) -> None:
    """Add a repository to a content view. Versions published from now on have it."""
    from issbox.workflows.content import views

    ctx = run.open()
    chosen = find_view(ctx, chosen_organization(ctx, organization), label=label, name=name)
    key = find_repository(ctx, chosen.organization, product, label=repository, name=None).key
    made = views.add_repository(ctx, chosen.organization, chosen.label, key)
    run.say(f"Repository {key.short} added to the content view {made.label}.")
    run.show(VIEW, made)


@command(
    "remove-repository",
    group=content_view,
    example="issbox content-view remove-repository --label base --product Tools --repository main",
    shape=VIEW,
)
@organization_option
@identity_options("content view")
@product_option
@click.option("--repository", required=True, metavar="LABEL", help="Which repository; PRODUCT/LABEL too.")
def remove_repository(
    run: Run, *, organization: str | None, label: str | None, name: str | None, product: str | None, repository: str
) -> None:
    """Take a repository out of a content view. Versions that have it stay as they are."""
    from issbox.workflows.content import views

    ctx = run.open()
    chosen = find_view(ctx, chosen_organization(ctx, organization), label=label, name=name)
    key = find_repository(ctx, chosen.organization, product, label=repository, name=None).key
    made = views.remove_repository(ctx, chosen.organization, chosen.label, key)
    run.say(f"Repository {key.short} taken out of the content view {made.label}.")
    run.show(VIEW, made)


@command(
    "publish",
    group=content_view,
    example='issbox content-view publish --label base --description "November updates"',
    shape=VIEW_VERSION,
)
@organization_option
@identity_options("content view")
@click.option("--description", default="", metavar="TEXT", help="What is new in this version.")
def publish(run: Run, *, organization: str | None, label: str | None, name: str | None, description: str) -> None:
    """Make the next version of a content view, of what Library holds now.

    Versions are numbered 1.0, 2.0, ... and never change; environments get them by `content-view version promote`.
    """
    from issbox.workflows.content import view_publishing

    ctx = run.open()
    chosen = find_view(ctx, chosen_organization(ctx, organization), label=label, name=name)
    made = view_publishing.publish_view(ctx, chosen.organization, chosen.label, description=description)
    run.say(f"Version {made.number} of the content view {made.view} published.")
    run.show(VIEW_VERSION, made)
