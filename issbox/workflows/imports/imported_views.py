"""Content view versions that come with a bundle: kept here under the same number, so that they can be promoted."""

from issbox.errors import InUseError, NotFoundError
from issbox.manifest import Scope, ScopeKind
from issbox.model import ViewVersionName
from issbox.rules.bundles.importing import ImportPlan
from issbox.workflows.context import Context


def keep_view_version(ctx: Context, scope: Scope | None, plan: ImportPlan) -> ViewVersionName | None:
    """Record the content view version that the bundle was made of; in the transaction that records the versions.

    The view is made, or gets what it lacks; its filters stay at home. A version of that number that is here already
    stays as it is, and a note says so. Gives the version that was made, None when there was none to make.
    """
    if scope is None or scope.kind is not ScopeKind.CONTENT_VIEW_VERSION:
        return None
    organization, label = plan.organization, scope.content_view
    if not ctx.store.views.exists(organization, label):
        ctx.store.views.create(organization, label, name=scope.content_view_name)
    keys = [planned.repository.key for planned in plan.repositories]
    ctx.store.views.complete(organization, label, keys)
    name = ViewVersionName(label, scope.content_view_version)
    if name.number in {version.number for version in ctx.store.view_versions.list(organization, label)}:
        ctx.progress.note(f"the content view version {name} is here already and stays as it is")
        return None
    newest = {key: ctx.store.versions.latest(key) for key in keys}
    version = ctx.store.view_versions.add(
        organization,
        label,
        created_at=ctx.clock(),
        description=scope.description,
        pins={key: each.number for key, each in newest.items() if each is not None},
        number=name.number,
    )
    ctx.audit("content-view.import", str(version), organization=organization)
    return name


def take_back_view_version(ctx: Context, organization: str, text: str) -> str:
    """Delete a content view version that an import brought, and say in words what was not done.

    One that an environment holds by now stays. Call it in the transaction that takes the import back.
    """
    name = ViewVersionName(*text.split(" "))
    try:
        ctx.store.view_versions.delete(organization, name)
    except NotFoundError:
        return ""
    except InUseError as error:
        return f"{error}, so that version stays"
    ctx.audit("content-view-version.delete", str(name), organization=organization)
    return ""
