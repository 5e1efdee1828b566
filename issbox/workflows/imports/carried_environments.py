"""Taking over the lifecycle environments that a bundle carries, which nobody gets who does not ask.

They come in the transaction of the import, so that both are there or neither; of a bundle that was imported before, in
one of their own. Killed after it, the next start swaps the symlinks.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from typing import Final

from issbox.errors import ImportRefusedError, NotFoundError
from issbox.manifest import Manifest, ManifestEnvironment
from issbox.model import ContentImport, RepositoryKey
from issbox.rules.bundles.carried_environments import (
    CarriedEnvironment,
    EnvironmentFate,
    EnvironmentsPlan,
    Pinned,
    PromotionFate,
    plan_environments,
    view_version_of,
)
from issbox.rules.bundles.importing import PlannedRepository
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.content.publishing import point_environment
from issbox.workflows.context import Context, Permission
from issbox.workflows.environments.promoting import changing_environment
from issbox.workflows.environments.promotion_parts import record_promotion

STEPS: Final = ("record-environments", "switch-environments")
"""What taking over announces, in order, besides the steps of an import."""


def asked_for(ctx: Context, row: ContentImport, manifest: Manifest, organization: str) -> bool:
    """Tell whether the environments of a bundle are to be taken over, if it carries any.

    A person who asks has to be allowed to change environments and what they hold: raises NotPermittedError. The setting
    of the inbox is the word of whoever configures the box.
    """
    if row.with_environments:
        ctx.require(Permission.ENVIRONMENT_MANAGE, organization)
        ctx.require(Permission.CONTENT_PROMOTE, organization)
        if not manifest.lifecycle_environments:
            ctx.progress.note("the bundle carries no lifecycle environments")
    configured = row.inbox and ctx.settings.inbox.with_lifecycle_environments
    return bool(manifest.lifecycle_environments) and (row.with_environments or configured)


def plan_carried(
    ctx: Context, organization: str, manifest: Manifest, coming: Sequence[PlannedRepository] = ()
) -> EnvironmentsPlan:
    """Say what the environments of a bundle change; call it inside a session.

    `coming` are repositories whose versions are in the bundle and perhaps not in the store yet.
    """
    carried = manifest.lifecycle_environments
    if not carried:
        return EnvironmentsPlan(organization)
    present = ctx.store.environments.list(organization)
    held = {each.label: [one.held for one in ctx.store.promotions.list(organization, each.label)] for each in present}
    known = defaultdict[tuple[str, str, str], list[tuple[RepositoryKey, int | None]]](list)
    digests = {promotion.repomd_sha256 for each in carried for promotion in each.promotions}
    for repository, number, digest in ctx.store.versions.with_repomd(organization, digests):
        known[repository.content.label, repository.path, digest].append((repository.key, number))
    for planned in coming:
        described = manifest.repositories[planned.index]
        version = (described.content.label, described.path, described.version.repomd_sha256)
        known[version] = known[version] or [(planned.repository.key, None)]
    return plan_environments(organization, carried, present, held, known, pinned=_pinned(ctx, organization, carried))


def _pinned(ctx: Context, organization: str, carried: Sequence[ManifestEnvironment]) -> Pinned:
    """Give what those content view versions pin that the promotions name and that are here."""
    named = {view_version_of(promotion) for each in carried for promotion in each.promotions}
    pinned = {}
    for name in sorted(named - {None}, key=str):
        assert name is not None, "it has been taken out"
        with suppress(NotFoundError):
            pins = ctx.store.view_versions.get(organization, name).repositories
            pinned[name] = {(each.repository.key, each.number) for each in pins}
    return pinned


def refuse_clashes(ctx: Context, organization: str, manifest: Manifest) -> None:
    """Raise ImportRefusedError for environments that cannot be made here."""
    plan = plan_carried(ctx, organization, manifest)
    if plan.refusals:
        raise ImportRefusedError(
            "; ".join(each.message for each in plan.refusals),
            hint=" ".join(dict.fromkeys(each.hint for each in plan.refusals)),
        )


@contextmanager
def taking_over(ctx: Context, organization: str, manifest: Manifest) -> Iterator[None]:
    """Hold what protects the environments of a bundle from being changed twice at once; raises BusyError."""
    refuse_clashes(ctx, organization, manifest)
    with ExitStack() as stack:
        for label in sorted(each.label for each in manifest.lifecycle_environments):
            stack.enter_context(changing_environment(ctx, organization, label))
        yield


def take_over(ctx: Context, organization: str, manifest: Manifest) -> EnvironmentsPlan:
    """Make and update environments and promote to them what is here; inside `taking_over` and a transaction.

    Gives what was done.
    """
    plan = plan_carried(ctx, organization, manifest)
    ctx.progress.step("record-environments", f"of the bundle {manifest.bundle.id}")
    for each in plan.environments:
        if each.fate is not EnvironmentFate.KEPT:
            _describe(ctx, each)
    for promotions in plan.promotion_plans(f"bundle {manifest.bundle.id}"):
        record_promotion(ctx, promotions)
    for note in (*plan.notes, *_missing(plan)):
        ctx.progress.note(note)
    return plan


def take_over_now(ctx: Context, organization: str, manifest: Manifest) -> None:
    """Do the same for a bundle that was imported before, all of it."""
    with taking_over(ctx, organization, manifest):
        with ctx.store.transaction(), certificates_follow(ctx, organization):
            take_over(ctx, organization, manifest)
        show(ctx, organization, manifest)


def show(ctx: Context, organization: str, manifest: Manifest) -> None:
    """Let the environments of a bundle show what they hold by now; inside `taking_over`, after the transaction."""
    ctx.progress.step("switch-environments")
    for each in manifest.lifecycle_environments:
        point_environment(ctx, organization, each.label)


def _describe(ctx: Context, carried: CarriedEnvironment) -> None:
    after, before = carried.after, carried.before
    if before is None:
        ctx.store.environments.create(replace(after, created_at=ctx.clock()))
        details: Mapping[str, object] = {"name": after.name, "prior": after.prior}
        action = "lifecycle-environment.create"
    else:
        ctx.store.environments.update(
            after.organization,
            after.label,
            name=after.name,
            description=after.description,
            type_=after.type,
            content_prefix=after.content_prefix,
            at=ctx.clock(),
        )
        fields = ("name", "description", "type", "content_prefix")
        changed = [name for name in fields if getattr(before, name) != getattr(after, name)]
        details = {name: getattr(after, name) for name in changed}
        details = {**details, "before": {name: getattr(before, name) for name in changed}}
        action = "lifecycle-environment.update"
    ctx.audit(action, after.label, organization=after.organization, details=dict(details))


def _missing(plan: EnvironmentsPlan) -> Iterable[str]:
    left: dict[str, int] = {}
    for each in plan.promotions:
        if each.fate is PromotionFate.MISSING:
            left[each.environment] = left.get(each.environment, 0) + 1
    for label, count in left.items():
        versions = "1 repository version is" if count == 1 else f"{count} repository versions are"
        yield f"{versions} not here, so that {label} does not get what it holds on the other side"
