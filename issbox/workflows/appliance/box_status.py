"""How the box is doing: counts, space and what needs a person."""

import shutil
from dataclasses import dataclass

from issbox.model import Box, ContentImport, ImportState, WaitsFor
from issbox.rules.health import Problem
from issbox.workflows.appliance.health import problems
from issbox.workflows.context import Context, Permission
from issbox.workflows.visibility import count_seen_imports, seen_imports


@dataclass(frozen=True, slots=True)
class Status:
    """How the box is doing."""

    box: Box
    organizations: int
    repositories: int
    imports: dict[str, int]
    """Number of bundles by state."""
    needs_attention: tuple[ContentImport, ...]
    """Bundles that were refused and wait for a person."""
    needs_approval: tuple[int, ...]
    """Numbers of the imports that wait for somebody's approval, the oldest first."""
    trusted_keys: int
    free: int
    """Bytes free for the store."""
    total: int
    problems: tuple[Problem, ...] = ()
    """What is wrong, as far as who asks may see it."""


def status(ctx: Context) -> Status:
    """Say how the box is doing, as far as who asks may see it."""
    ctx.require(Permission.BOX_READ)
    reach = ctx.reach(Permission.CONTENT_READ)
    with ctx.store.session():
        refused = ctx.store.imports.list(states=(ImportState.REFUSED,))
        waiting = seen_imports(ctx, ctx.store.imports.list(states=(ImportState.WAITING,)))
        organizations = {each.label: reach.products(each.label) for each in ctx.store.organizations.list()}
        repositories = [each.key for each in ctx.store.repositories.list()]
        usage = shutil.disk_usage(ctx.store.state_dir)
        return Status(
            box=ctx.store.box.get(),
            organizations=sum(map(bool, organizations.values())),
            repositories=sum(key.product in organizations[key.organization] for key in repositories),
            imports=count_seen_imports(ctx),
            needs_attention=tuple(seen_imports(ctx, refused)),
            needs_approval=tuple(sorted(each.id for each in waiting if each.waits_for is WaitsFor.APPROVAL)),
            trusted_keys=len(ctx.store.trusted_keys.list()),
            free=usage.free,
            total=usage.total,
            problems=tuple(problems(ctx)),
        )
