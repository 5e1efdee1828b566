"""Hosts: showing, changing, moving and deleting them, and their identity certificates.

In updates, None leaves a value as it is.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from issbox.errors import InvalidValueError, NotFoundError
from issbox.model import (
    Catalogue,
    Consumer,
    HostProfile,
    InstalledProduct,
    IssuedCertificate,
    IssuedKind,
    PurposeChange,
)
from issbox.names import check_name
from issbox.rules.entitlements.consumers import (
    check_environments,
    check_facts,
    check_installed,
    check_purpose,
    check_release,
    profile_of,
)
from issbox.workflows.certificates.issuing import Issuer, is_due
from issbox.workflows.certificates.moving import mark_moved
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.host_keys import delete_key, read_key_file

MOVE_STEPS: Final = ("record-move",)
"""What moving announces, in order."""
_MOST_MOVED: Final = 1000


def list_consumers(
    ctx: Context,
    organization: str,
    *,
    environment: str | None = None,
    name: str | None = None,
    limit: int | None = None,
    skip: int = 0,
) -> list[Consumer]:
    """Give hosts of an organization by name, all or those in an environment or of a name; raises NotFoundError.

    `limit` gives only so many, after the first `skip` ones.
    """
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.consumers.list(organization, environment=environment, name=name, limit=limit, skip=skip)


def count_consumers(ctx: Context, organization: str, *, environment: str | None = None, name: str | None = None) -> int:
    """Give the number of hosts that `list_consumers` gives; raises NotFoundError."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.consumers.count(organization, environment=environment, name=name)


def get_consumer(ctx: Context, uuid: str) -> Consumer:
    """Give one host; raises NotFoundError, ConsumerDeletedError."""
    ctx.require_anywhere(Permission.CONSUMER_MANAGE)
    with ctx.store.session():
        consumer = ctx.store.consumers.get(uuid)
    try:
        ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    except NotFoundError:  # whoever has no role in its organization must not learn which one that is
        raise NotFoundError(f"there is no host {uuid}", listed="consumer list") from None
    return consumer


def update_consumer(
    ctx: Context,
    uuid: str,
    *,
    name: str | None = None,
    facts: Mapping[str, str] | None = None,
    release: str | None = None,
    purpose: PurposeChange | None = None,
    installed: Sequence[InstalledProduct] | None = None,
    environments: Sequence[str] | None = None,
) -> Consumer:
    """Change a host; other environments, processors or another certificate version make its certificates stale.

    Everything is changed or nothing. Raises NotFoundError, ConsumerDeletedError, InvalidValueError.
    """
    organization = get_consumer(ctx, uuid).organization
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    if name is not None:
        check_name(name, "host name")
    with ctx.store.session(), ctx.store.transaction():
        present = ctx.store.consumers.get(uuid)
        if environments is not None and tuple(environments) != present.environments:
            move_consumers(ctx, organization, [uuid], environments)
            present = ctx.store.consumers.get(uuid)
        # What is changed in part is read here and not before: two who change different parts both have their way.
        wanted = None if purpose is None else check_purpose(purpose.of(present.purpose))
        profile = present.profile if facts is None else _with_facts(present.profile, check_facts(facts))
        ctx.store.consumers.update(
            uuid,
            name=name,
            facts=facts,
            profile=profile,
            release=None if release is None else check_release(release),
            purpose=None if wanted == present.purpose else wanted,
            installed=None if installed is None else check_installed(installed),
            at=ctx.clock(),
        )
        if profile != present.profile:
            mark_moved(ctx, uuid, ctx.store.catalogues.get(organization), present.profile, profile)
        told: dict[str, object] = {"name": name, "release": release}
        details = {key: value for key, value in told.items() if value is not None and value != getattr(present, key)}
        if details:
            ctx.audit("consumer.update", uuid, organization=organization, details=details)
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
            known = ctx.store.catalogues.get(organization)
            moved = list(dict.fromkeys(uuids))
            marked = sum(_move(ctx, known, uuid, labels) for uuid in moved)
            details: dict[str, object] = {"hosts": moved, "environments": list(labels)}
            where = ", ".join(labels) or "no environment"
            ctx.audit("consumer.move", where, organization=organization, details=details)
            return marked


def _move(ctx: Context, known: Catalogue, uuid: str, environments: tuple[str, ...]) -> int:
    present = ctx.store.consumers.get(uuid)
    if present.organization != known.organization:
        raise NotFoundError(
            f"there is no host {uuid}", listed="consumer list"
        )  # whoever asks must not learn that another one has it
    after = HostProfile(environments, present.profile.arches, present.profile.version)
    ctx.store.consumers.update(uuid, profile=after, at=ctx.clock())
    return mark_moved(ctx, uuid, known, present.profile, after)


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


def identity_of(ctx: Context, uuid: str, *, renew: bool = False) -> IssuedCertificate:
    """Give the identity certificate of a host, a new one when it is due or one is asked for.

    One that was asked for takes the place of the old one, which is revoked. One that was due leaves the old one good
    until it expires: a host that never gets the answer, or about which somebody else asked, still comes in with it.
    """
    consumer = get_consumer(ctx, uuid)
    ctx.require(Permission.CONSUMER_MANAGE, consumer.organization)
    with ctx.store.session():
        present = ctx.store.certificates.of(uuid, IssuedKind.IDENTITY)
        if present and not renew and not is_due(ctx, present[0].valid):
            return present[0]
        issuer = Issuer(ctx)
        with ctx.store.transaction():
            issued = issuer.identity(ctx.store.consumers.get(uuid), keep=not renew)
            details: dict[str, object] = {"serial": str(issued.serial)}
            ctx.audit("consumer.identity", uuid, organization=consumer.organization, details=details)
            return issued
