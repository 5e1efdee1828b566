"""Contents in environments: how they stand to what there is, whether hosts have them enabled, and overrides."""

from collections.abc import Sequence

from issbox.errors import NotFoundError
from issbox.model import ContentOverride
from issbox.rules.consumers import check_override, layered
from issbox.rules.promoted_states import ContentStatus, content_statuses
from issbox.workflows.consumers import get_consumer
from issbox.workflows.context import Context, Permission
from issbox.workflows.following import certificates_follow
from issbox.workflows.promoting import changing_environment


def list_statuses(ctx: Context, organization: str, environment: str) -> list[ContentStatus]:
    """Say how each content stands to an environment, by label, as far as who asks may see; raises NotFoundError."""
    visible = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        ctx.store.environments.get(organization, environment)
        known = ctx.store.catalogues.get(organization)
        shown = [each.repository.path for each in ctx.store.promotions.list(organization, environment)]
        instances = ctx.store.catalogues.instances(organization)
        found = content_statuses(known, known.stages[environment], instances, shown)
        return [each for each in found if any(product in visible for product in each.products)]


def enable_content(
    ctx: Context, organization: str, environment: str, label: str, *, enabled: bool | None
) -> ContentStatus:
    """Let hosts of an environment have a promoted content enabled or not; None leaves it to the content's default.

    Raises NotFoundError when the environment does not hold it.
    """
    ctx.require(Permission.CONTENT_PROMOTE, organization)
    with ctx.store.session(), changing_environment(ctx, organization, environment):
        found = [each for each in list_statuses(ctx, organization, environment) if each.label == label]
        with ctx.store.transaction(), certificates_follow(ctx, organization):
            changed = sum(
                ctx.store.promotions.enable(organization, environment, each.id, enabled=enabled) for each in found
            )
            if not changed:
                raise NotFoundError(f"the environment {environment} does not hold the content {label}")
            details: dict[str, object] = {"content": label, "enabled": enabled}
            ctx.audit("content.enable", environment, organization=organization, details=details)
        return next(each for each in list_statuses(ctx, organization, environment) if each.label == label)


def environment_overrides(ctx: Context, organization: str, environment: str) -> Sequence[ContentOverride]:
    """Give the content overrides of an environment; raises NotFoundError."""
    ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        return ctx.store.overrides.of_environment(organization, environment)


def override_in_environment(
    ctx: Context,
    organization: str,
    environment: str,
    *,
    put: Sequence[ContentOverride] = (),
    drop: Sequence[tuple[str | None, str | None]] = (),
) -> Sequence[ContentOverride]:
    """Set and take away content overrides for all hosts of an environment, and give those there are then.

    `drop` names label and key; without a key all of a content, without a label all. Certificates stay as they are.
    Raises InvalidValueError, and then nothing is changed; NotFoundError.
    """
    ctx.require(Permission.CONTENT_PROMOTE, organization)
    checked = [check_override(each) for each in put]
    with ctx.store.session(), ctx.store.transaction():
        for label, name in drop:
            ctx.store.overrides.drop_of_environment(organization, environment, label, name)
        ctx.store.overrides.set_of_environment(organization, environment, checked)
        ctx.audit("content.override", environment, organization=organization, details=_details(checked, drop))
        return ctx.store.overrides.of_environment(organization, environment)


def consumer_overrides(ctx: Context, uuid: str) -> Sequence[ContentOverride]:
    """Give the content overrides that a host uses: its own, over those of its environments; raises NotFoundError."""
    consumer = get_consumer(ctx, uuid)
    with ctx.store.session():
        own = ctx.store.overrides.of_consumer(uuid)
        places = [ctx.store.overrides.of_environment(consumer.organization, each) for each in consumer.environments]
        return layered(own, places)


def override_for_consumer(
    ctx: Context,
    uuid: str,
    *,
    put: Sequence[ContentOverride] = (),
    drop: Sequence[tuple[str | None, str | None]] = (),
) -> Sequence[ContentOverride]:
    """Set and take away content overrides of a host, and give those that it uses then; raises as for environments."""
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    checked = [check_override(each) for each in put]
    with ctx.store.session(), ctx.store.transaction():
        for label, name in drop:
            ctx.store.overrides.drop_of_consumer(uuid, label, name)
        ctx.store.overrides.set_of_consumer(uuid, checked)
        ctx.audit("consumer.override", uuid, organization=consumer.organization, details=_details(checked, drop))
        return consumer_overrides(ctx, uuid)


def key_overrides(ctx: Context, organization: str, key: str) -> Sequence[ContentOverride]:
    """Give the content overrides that hosts get when they register with an activation key; raises NotFoundError."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.overrides.of_activation_key(organization, key)


def override_for_key(
    ctx: Context,
    organization: str,
    key: str,
    *,
    put: Sequence[ContentOverride] = (),
    drop: Sequence[tuple[str | None, str | None]] = (),
) -> Sequence[ContentOverride]:
    """Set and take away what hosts get with an activation key, and give it; raises as for environments.

    Hosts that came by it already keep what they have.
    """
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    checked = [check_override(each) for each in put]
    with ctx.store.session(), ctx.store.transaction():
        for label, name in drop:
            ctx.store.overrides.drop_of_activation_key(organization, key, label, name)
        ctx.store.overrides.set_of_activation_key(organization, key, checked)
        ctx.audit("activation-key.override", key, organization=organization, details=_details(checked, drop))
        return ctx.store.overrides.of_activation_key(organization, key)


def _details(put: Sequence[ContentOverride], drop: Sequence[tuple[str | None, str | None]]) -> dict[str, object]:
    return {"set": [[each.label, each.name, each.value] for each in put], "removed": [list(each) for each in drop]}
