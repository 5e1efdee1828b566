"""Hosts: registering, showing, changing, moving and deleting them.

In updates, None leaves a value as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import uuid4

from issbox.certs.keys import KeyKind, PrivateKey
from issbox.errors import InUseError, InvalidValueError, NotFoundError
from issbox.model import ActivationKey, Consumer, HostProfile, IssuedKind
from issbox.names import check_label, check_name
from issbox.rules.consumers import check_environments, check_facts, profile_of
from issbox.workflows.context import Context, Permission
from issbox.workflows.following import mark_moved
from issbox.workflows.host_keys import delete_key, read_key_file, write_key
from issbox.workflows.issuing import Issuer

STEPS: Final = ("make-key", "record-host")
"""What registering announces, in order."""
MOVE_STEPS: Final = ("record-move",)
"""What moving announces, in order."""
_MOST_MOVED: Final = 1000


def register(
    ctx: Context,
    *,
    organization: str,
    name: str,
    facts: Mapping[str, str],
    environments: Sequence[str] = (),
    products: Sequence[str] = (),
    type_: str = "system",
) -> Consumer:
    """Register a host; without products it is entitled to all, also those to come.

    Raises NotFoundError for environments and products, InvalidValueError.
    """
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    return _register(
        ctx,
        organization=organization,
        name=name,
        facts=facts,
        environments=environments,
        products=products,
        type_=type_,
    )


def register_with_keys(
    ctx: Context,
    *,
    organization: str,
    keys: Sequence[str],
    name: str,
    facts: Mapping[str, str],
    type_: str = "system",
) -> Consumer:
    """Register a host that knows activation keys: they say where it goes and what it gets.

    With several, environments come in their order and it is entitled to all that any of them gives. Only the first one
    counts its hosts, so no other may have a limit. Raises NotFoundError, InvalidValueError, and InUseError when the key
    has let in as many hosts as it may.
    """
    if not keys:
        raise InvalidValueError("no activation key was given")
    with ctx.store.session():
        known = [ctx.store.activation_keys.get(organization, label) for label in dict.fromkeys(keys)]
    for key in known[1:]:
        if key.max_hosts is not None:
            raise InvalidValueError(
                f"the activation key {key.label} may let in {key.max_hosts} hosts, and is not the first one given",
                hint="Name it first, or alone: a host counts only for the first of its activation keys.",
            )
    environments = list(dict.fromkeys(label for key in known for label in key.environments))
    everything = any(not key.products for key in known)
    products = [] if everything else sorted({label for key in known for label in key.products})
    return _register(
        ctx,
        organization=organization,
        name=name,
        facts=facts,
        environments=environments,
        products=products,
        type_=type_,
        keys=known,
    )


def _register(
    ctx: Context,
    *,
    organization: str,
    name: str,
    facts: Mapping[str, str],
    environments: Sequence[str],
    products: Sequence[str],
    type_: str,
    keys: Sequence[ActivationKey] = (),
) -> Consumer:
    check_name(name, "host name")
    check_label(type_, "host type")
    profile = profile_of(check_facts(facts), check_environments(environments))
    ctx.progress.step("make-key", name)
    private = PrivateKey.generate(KeyKind(ctx.settings.certificates.host_key))
    consumer = Consumer(
        organization=organization,
        uuid=str(uuid4()),
        name=name,
        type=type_,
        facts=dict(facts),
        profile=profile,
        created_at=ctx.clock(),
        public_key=private.public.pem,
        activation_key=keys[0].label if keys else None,
    )
    write_key(ctx, consumer.uuid, private)
    try:
        with ctx.store.session():
            issuer = Issuer(ctx)
            ctx.progress.step("record-host")
            with ctx.store.transaction():
                for each in keys[:1]:  # the one that the host is counted for
                    _check_room(ctx, each)
                ctx.store.consumers.create(consumer)
                for product in products or (None,):
                    ctx.store.entitlements.create(uuid4().hex, consumer.uuid, product, organization)
                issuer.identity(consumer)
                details: dict[str, object] = {
                    "name": name,
                    "environments": list(environments),
                    "products": list(products),
                    "activation_keys": [each.label for each in keys],
                }
                ctx.audit("consumer.create", consumer.uuid, organization=organization, details=details)
    except BaseException:
        delete_key(ctx, consumer.uuid)
        raise
    return consumer


def _check_room(ctx: Context, key: ActivationKey) -> None:
    present = ctx.store.consumers.count(key.organization, activation_key=key.label)
    if key.max_hosts is not None and present >= key.max_hosts:
        raise InUseError(
            f"the activation key {key.label} has let in {present} hosts and may let in {key.max_hosts}",
            hint="Delete hosts that are no more, or let the key have more: `issbox activation-key update --max-hosts`.",
        )


def list_consumers(
    ctx: Context,
    organization: str,
    *,
    environment: str | None = None,
    name: str | None = None,
    limit: int | None = None,
) -> list[Consumer]:
    """Give hosts of an organization by name, all or those in an environment or of a name; raises NotFoundError."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.consumers.list(organization, environment=environment, name=name, limit=limit)


def get_consumer(ctx: Context, uuid: str) -> Consumer:
    """Give one host; raises NotFoundError, ConsumerDeletedError."""
    ctx.require_anywhere(Permission.CONSUMER_MANAGE)
    with ctx.store.session():
        consumer = ctx.store.consumers.get(uuid)
    try:
        ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    except NotFoundError:  # whoever has no role in its organization must not learn which one that is
        raise NotFoundError(f"there is no host {uuid}") from None
    return consumer


def update_consumer(
    ctx: Context, uuid: str, *, name: str | None = None, facts: Mapping[str, str] | None = None
) -> Consumer:
    """Change name and facts of a host; other processors or another certificate version make certificates stale."""
    present = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, present.organization)
    if name is not None:
        check_name(name, "host name")
    profile = present.profile if facts is None else _with_facts(present.profile, check_facts(facts))
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.consumers.update(uuid, name=name, facts=facts, profile=profile)
        mark_moved(ctx, uuid, present.organization, present.profile, profile)
        if name is not None and name != present.name:
            ctx.audit("consumer.update", uuid, organization=present.organization, details={"name": name})
        return ctx.store.consumers.get(uuid)


def _with_facts(profile: HostProfile, facts: Mapping[str, str]) -> HostProfile:
    told = profile_of(facts, profile.environments)
    return HostProfile(profile.environments, told.arches, told.version, profile.orphaned)


def move_consumers(ctx: Context, organization: str, uuids: Sequence[str], environments: Sequence[str]) -> int:
    """Put hosts of an organization into exactly these environments; gives how many certificates are stale then.

    Without environments they get the present content of their products. All hosts are moved or none. Raises
    NotFoundError for a host or environment that the organization does not have, InvalidValueError.
    """
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    labels = check_environments(environments)
    if len(uuids) > _MOST_MOVED:
        raise InvalidValueError(f"{len(uuids)} hosts are too many to be moved at once: {_MOST_MOVED} may be")
    with ctx.store.session():
        ctx.progress.step("record-move")
        with ctx.store.transaction():
            marked = 0
            for uuid in uuids:
                marked += _move(ctx, organization, uuid, labels)
            details: dict[str, object] = {"hosts": list(uuids), "environments": list(labels)}
            where = ", ".join(labels) or "no environment"
            ctx.audit("consumer.move", where, organization=organization, details=details)
            return marked


def _move(ctx: Context, organization: str, uuid: str, environments: tuple[str, ...]) -> int:
    present = ctx.store.consumers.get(uuid)
    if present.organization != organization:
        raise InvalidValueError(f"the host {uuid} does not belong to the organization {organization}")
    after = HostProfile(environments, present.profile.arches, present.profile.version)
    ctx.store.consumers.update(uuid, profile=after)
    return mark_moved(ctx, uuid, organization, present.profile, after)


def delete_consumer(ctx: Context, uuid: str) -> Consumer:
    """Delete a host, revoke everything that was issued to it, and give what it was."""
    with ctx.store.session(), ctx.store.transaction():
        present = forget_consumer(ctx, uuid)
    delete_key(ctx, uuid)
    return present


def forget_consumer(ctx: Context, uuid: str) -> Consumer:
    """Do what `delete_consumer` does inside a transaction; once that is committed, call `host_keys.delete_key`."""
    present = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, present.organization)
    revoked = ctx.store.certificates.revoke_all_of([uuid], ctx.clock())
    ctx.store.consumers.delete(uuid, ctx.clock())
    details: dict[str, object] = {"name": present.name, "certificates": revoked}
    ctx.audit("consumer.delete", uuid, organization=present.organization, details=details)
    return present


def read_key(ctx: Context, uuid: str) -> str:
    """Give the private key of a host in PEM, for the host itself and for whoever manages hosts."""
    get_consumer(ctx, uuid)
    return read_key_file(ctx, uuid)


def identity_of(ctx: Context, uuid: str, *, renew: bool = False) -> str:
    """Give the identity certificate of a host in PEM, a new one when it is due or one is asked for."""
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    with ctx.store.session():
        issuer = Issuer(ctx)
        with ctx.store.transaction():
            present = ctx.store.certificates.of(uuid, IssuedKind.IDENTITY)
            if present and not renew and not issuer.is_due(present[0]):
                return present[0].pem
            issued = issuer.identity(ctx.store.consumers.get(uuid))
            details: dict[str, object] = {"serial": str(issued.serial)}
            ctx.audit("consumer.identity", uuid, organization=consumer.organization, details=details)
            return issued.pem
