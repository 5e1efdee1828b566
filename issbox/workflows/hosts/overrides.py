"""Content overrides of hosts, of lifecycle environments, and of activation keys, for hosts that register with them.

Certificates stay as they are: overrides reach hosts by themselves.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import ContentOverride, OverrideHolder, OverrideKind
from issbox.rules.entitlements.consumers import check_override, layered
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.consumers import get_consumer

_MOST: Final = 5000
"""Overrides that one may have."""
_CHANGING: Final[Mapping[OverrideKind, tuple[Permission, str]]] = {
    OverrideKind.CONSUMER: (Permission.CONSUMER_MANAGE, "consumer.override"),
    OverrideKind.ENVIRONMENT: (Permission.CONTENT_PROMOTE, "content.override"),
    OverrideKind.ACTIVATION_KEY: (Permission.CONSUMER_MANAGE, "activation-key.override"),
}
"""What changing them takes, and what that is called in the audit log."""


def read_overrides(ctx: Context, holder: OverrideHolder) -> Sequence[ContentOverride]:
    """Give content overrides by label and name; for a host those that it uses: its own, over those of its environments.

    Raises NotFoundError, ConsumerDeletedError.
    """
    if holder.kind is OverrideKind.CONSUMER:
        return _used_by(ctx, holder)
    if holder.kind is OverrideKind.ENVIRONMENT:
        ctx.require_some(Permission.CONTENT_READ, holder.organization)
    else:
        ctx.require(Permission.CONSUMER_MANAGE, holder.organization)
    with ctx.store.session():
        return ctx.store.overrides.of(holder)


def change_overrides(
    ctx: Context,
    holder: OverrideHolder,
    *,
    put: Sequence[ContentOverride] = (),
    drop: Sequence[tuple[str | None, str | None]] = (),
) -> Sequence[ContentOverride]:
    """Take content overrides away and set some, and give what `read_overrides` gives then.

    `drop` names label and key; without a key all of a content, without a label all. Hosts that came by an activation
    key keep what they have. Raises InvalidValueError, and then nothing is changed; NotFoundError, ConsumerDeletedError.
    """
    permission, action = _CHANGING[holder.kind]
    consumer = holder.kind is OverrideKind.CONSUMER
    organization = get_consumer(ctx, holder.name).organization if consumer else holder.organization
    ctx.require(permission, organization)
    checked = [check_override(each) for each in put]
    with ctx.store.session(), ctx.store.transaction():
        for label, name in drop:
            ctx.store.overrides.drop(holder, label, name)
        ctx.store.overrides.put(holder, checked)
        held = len(ctx.store.overrides.of(holder))
        if held > _MOST:
            raise InvalidValueError(f"{held} content overrides are too many: {_MOST} may be")
        details: dict[str, object] = {
            "set": [[each.label, each.name, each.value] for each in checked],
            "removed": [list(each) for each in drop],
        }
        ctx.audit(action, holder.name, organization=organization, details=details)
        return read_overrides(ctx, holder)


def _used_by(ctx: Context, holder: OverrideHolder) -> Sequence[ContentOverride]:
    consumer = get_consumer(ctx, holder.name)
    with ctx.store.session():
        places = [
            OverrideHolder(OverrideKind.ENVIRONMENT, each, consumer.organization) for each in consumer.environments
        ]
        return layered(ctx.store.overrides.of(holder), [ctx.store.overrides.of(each) for each in places])
