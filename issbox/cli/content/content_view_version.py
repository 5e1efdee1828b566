"""`issbox content-view version`."""

import click

from issbox.cli.command import Run, command
from issbox.cli.content.views import VIEW_VERSION, find_view_version, force_option, version_option, view_option
from issbox.cli.environments.promotions import PLAN, carry_out, promotion_options
from issbox.cli.options import chosen_organization, organization_option, yes_option
from issbox.model import ViewVersionName

version = click.Group("version", help="Show, promote and delete published versions of content views.")


@command(
    "list",
    group=version,
    example="issbox content-view version list --content-view base",
    shape=VIEW_VERSION,
    many=True,
)
@organization_option
@view_option
def list_(run: Run, *, organization: str | None, view: str) -> None:
    """List the versions of a content view, newest first."""
    from issbox.workflows.content import views

    ctx = run.open()
    run.show_all(VIEW_VERSION, views.list_view_versions(ctx, chosen_organization(ctx, organization), view))


@command(
    "info",
    group=version,
    example="issbox content-view version info --content-view base --version 3.0",
    shape=VIEW_VERSION,
)
@organization_option
@view_option
@version_option(required=False)
def info(run: Run, *, organization: str | None, view: str, number: str | None) -> None:
    """Show one version of a content view, and which repository versions it holds."""
    ctx = run.open()
    run.show(VIEW_VERSION, find_view_version(ctx, chosen_organization(ctx, organization), view, number))


@command(
    "delete",
    group=version,
    example="issbox content-view version delete --content-view base --version 1.0 --yes",
    shape=VIEW_VERSION,
)
@organization_option
@view_option
@version_option(required=True)
@force_option
@yes_option
def delete(run: Run, *, organization: str | None, view: str, number: str, force: bool, yes: bool) -> None:
    """Delete a version of a content view, unless an environment holds it or an export is based on it.

    The repository versions that only it held leave the store with the next `issbox store cleanup`.
    """
    from issbox.workflows.content import views

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = find_view_version(ctx, owner, view, number)
    run.confirm(f"Delete version {chosen.number} of the content view {owner}/{view}?", yes=yes)
    deleted = views.delete_view_version(ctx, owner, ViewVersionName(view, chosen.number), force=force)
    run.say(f"Version {deleted.number} of the content view {view} deleted.")
    run.show(VIEW_VERSION, deleted)


@command(
    "promote",
    group=version,
    example="issbox content-view version promote --content-view base --version 3.0 --to-environment dev --dry-run",
    shape=PLAN,
)
@organization_option
@view_option
@version_option(required=False)
@promotion_options
def promote(
    run: Run,
    *,
    organization: str | None,
    view: str,
    number: str | None,
    environment: str,
    force: bool,
    reason: str,
    dry_run: bool,
) -> None:
    """Put a version of a content view into a lifecycle environment, in place of any other version of it there.

    It goes from Library along the path of the environment, one step at a time. A repository that the content view does
    not have any more leaves the environment; what other content views brought stays, but a repository that two of them
    have is the one promoted last.
    """
    from issbox.workflows.environments import promoting

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = find_view_version(ctx, owner, view, number)
    plan = promoting.plan_view_promotion(
        ctx, owner, ViewVersionName(view, chosen.number), environment, force=force, reason=reason
    )
    carry_out(run, ctx, plan, dry_run=dry_run)
