"""Registering hosts: by somebody who manages hosts, or with activation keys.

A host's private key is made here and lies in a file of its own, mode 0600.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from issbox.certs.keys import KeyKind, PrivateKey
from issbox.errors import InUseError, InvalidValueError, NotFoundError
from issbox.model import ActivationKey, Consumer, InstalledProduct, OverrideHolder, OverrideKind, Purpose
from issbox.names import check_label, check_name, plural
from issbox.rules.entitlements.consumers import (
    check_environments,
    check_facts,
    check_installed,
    check_purpose,
    check_release,
    profile_of,
)
from issbox.workflows.certificates.issuing import Issuer
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.host_keys import delete_key, write_key
from issbox.workflows.people.attempts import count_attempt_from

STEPS: Final = ("make-key", "record-host")
"""What registering announces, in order."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a host tells of itself besides its facts."""

    release: str = ""
    purpose: Purpose = field(default_factory=Purpose)
    installed: tuple[InstalledProduct, ...] = ()


def register(
    ctx: Context,
    *,
    organization: str,
    name: str,
    facts: Mapping[str, str],
    environments: Sequence[str] = (),
    products: Sequence[str] = (),
    keys: Sequence[str] = (),
    type_: str = "system",
    told: Told | None = None,
) -> Consumer:
    """Register a host; without products it is entitled to all, also those to come.

    With activation keys it gets the products and content overrides that they give, and counts for the first one; it
    goes into the environments named here and not into theirs. Raises NotFoundError for keys, environments and products,
    InvalidValueError, and InUseError when a key has let in as many hosts as it may.
    """
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        known = [_known_key(ctx, organization, label) for label in dict.fromkeys(keys)]
    _check_limits(known)
    return _register(
        ctx,
        organization=organization,
        name=name,
        facts=facts,
        environments=environments,
        products=[*products, *_products_of(known)],
        type_=type_,
        keys=known,
        told=told,
    )


def register_with_keys(
    ctx: Context,
    *,
    organization: str,
    keys: Sequence[str],
    name: str,
    facts: Mapping[str, str],
    type_: str = "system",
    told: Told | None = None,
) -> Consumer:
    """Register a host that knows activation keys: they say where it goes and what it gets.

    With several, environments come in their order and it is entitled to all that any of them gives. Only the first one
    counts its hosts, so no other may have a limit. Raises NotFoundError, InvalidValueError, InUseError when the key has
    let in as many hosts as it may, and TooManyAttemptsError: wrong keys from an address are limited as passwords are.
    """
    if not keys:
        raise InvalidValueError("no activation key was given")
    known = _known_keys(ctx, organization, keys)
    _check_limits(known)
    environments = list(dict.fromkeys(label for key in known for label in key.environments))
    return _register(
        ctx,
        organization=organization,
        name=name,
        facts=facts,
        environments=environments,
        products=_products_of(known),
        type_=type_,
        keys=known,
        told=told,
    )


def _check_limits(keys: Sequence[ActivationKey]) -> None:
    for key in keys[1:]:
        if key.max_hosts is not None:
            raise InvalidValueError(
                f"the activation key {key.label}, which may let in {plural(key.max_hosts, 'host')}, is not the first "
                "one given",
                hint="Name it first, or alone: a host counts only for the first of its activation keys.",
            )


def _products_of(keys: Sequence[ActivationKey]) -> list[str]:
    """Give the products that keys entitle to; none means all."""
    everything = any(not key.products for key in keys)
    return [] if everything else sorted({label for key in keys for label in key.products})


def _register(
    ctx: Context,
    *,
    organization: str,
    name: str,
    facts: Mapping[str, str],
    environments: Sequence[str],
    products: Sequence[str],
    type_: str,
    told: Told | None,
    keys: Sequence[ActivationKey] = (),
) -> Consumer:
    check_name(name, "host name")
    check_label(type_, "host type")
    told = told or Told()
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
        release=check_release(told.release),
        purpose=check_purpose(told.purpose),
        installed=check_installed(told.installed),
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
                for product in dict.fromkeys(products or (None,)):
                    ctx.store.entitlements.create(uuid4().hex, consumer.uuid, product, organization)
                for each in reversed(keys):  # what the first one says counts
                    given = ctx.store.overrides.of(
                        OverrideHolder(OverrideKind.ACTIVATION_KEY, each.label, organization)
                    )
                    ctx.store.overrides.put(OverrideHolder(OverrideKind.CONSUMER, consumer.uuid), given)
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


def _known_keys(ctx: Context, organization: str, labels: Sequence[str]) -> list[ActivationKey]:
    with ctx.store.session():
        attempt = count_attempt_from(ctx, ctx.actor.origin)
        found = [_known_key(ctx, organization, label) for label in dict.fromkeys(labels)]
        with ctx.store.transaction():
            attempt.forgive()
        return found


def _known_key(ctx: Context, organization: str, label: str) -> ActivationKey:
    try:
        return ctx.store.activation_keys.get(organization, label)
    except NotFoundError:  # whoever guesses must not learn which organizations there are
        raise NotFoundError(
            f"the organization {organization} has no activation key {label!r}", listed="activation-key list"
        ) from None


def _check_room(ctx: Context, known: ActivationKey) -> None:
    key = ctx.store.activation_keys.get(known.organization, known.label)  # as it is at this moment
    present = ctx.store.consumers.count_by_key(key)
    if key.max_hosts is not None and present >= key.max_hosts:
        raise InUseError(
            f"the activation key {key.label} has let in {plural(present, 'host')} and may let in {key.max_hosts}",
            hint="Delete hosts that are no more, or let the key have more: `issbox activation-key update --max-hosts`.",
        )
