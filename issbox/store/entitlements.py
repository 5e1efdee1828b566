"""Rows of entitlements: who is entitled to what, and whose certificate is stale."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from peewee import JOIN, fn

from issbox.errors import NotFoundError
from issbox.model import Claim, Entitlement, HostCount, RegenerationScope
from issbox.rules.entitlements.staleness import Holder
from issbox.store.consumers import consumer_id
from issbox.store.database import Noun, execute_many, first, rows, transaction
from issbox.store.organizations import environment_id, organization_id
from issbox.store.products import product_id
from issbox.store.profiles import read_profiles
from issbox.store.tables import ConsumerRow, EntitlementRow, ProductRow, ProfileEnvironmentRow

_NAMED: Final = 20
"""How many hosts a plan names."""


@dataclass(frozen=True, slots=True)
class Pending:
    """An entitlement that a regeneration looks at."""

    position: int
    """Later ones have larger ones."""
    claim: Claim


class Entitlements(Noun):
    """Entitlements of hosts."""

    def create(self, uid: str, consumer: str, product: str | None, organization: str) -> Entitlement:
        """Entitle a host; one it has already stays. Raises NotFoundError."""
        with transaction():
            for present in self.of(consumer):
                if present.product == product:
                    return present
            EntitlementRow.insert(
                uid=uid,
                consumer=consumer_id(consumer),
                product=None if product is None else product_id(organization, product),
                stale=False,
                serial=None,
            ).execute()
            return self.get(uid)

    def get(self, uid: str) -> Entitlement:
        """Give one entitlement by its id; raises NotFoundError."""
        found = _read(_query().where(EntitlementRow.uid == uid))
        if not found:
            raise NotFoundError(f"there is no entitlement {uid}", listed="entitlement list")
        return found[0]

    def of(self, consumer: str) -> list[Entitlement]:
        """Give the entitlements of a host, the oldest first; raises NotFoundError, ConsumerDeletedError."""
        query = _query().where(EntitlementRow.consumer == consumer_id(consumer)).order_by(EntitlementRow.id)
        return _read(query)

    def delete(self, uid: str) -> None:
        """Take an entitlement away; raises NotFoundError."""
        if not EntitlementRow.delete().where(EntitlementRow.uid == uid).execute():
            raise NotFoundError(f"there is no entitlement {uid}", listed="entitlement list")

    def certified(self, serials: Mapping[str, int | None]) -> None:
        """Write down which certificates entitlements have, by their ids; these are not stale then."""
        execute_many(
            "UPDATE entitlement SET serial = ?, stale = ? WHERE uid = ?",
            [(serial, False, uid) for uid, serial in serials.items()],
        )

    def listed(self, uid: str) -> tuple[str, datetime] | None:
        """Give the digest of the contents told last apart from its certificate, and since when they are so."""
        row = first(
            EntitlementRow.select(EntitlementRow.listing, EntitlementRow.listed_at).where(EntitlementRow.uid == uid)
        )
        return None if row is None or row[0] is None else (str(row[0]), row[1])

    def list_contents(self, uid: str, digest: str, at: datetime) -> None:
        """Write down which contents are told apart from its certificate, and since when."""
        EntitlementRow.update(listing=digest, listed_at=at).where(EntitlementRow.uid == uid).execute()

    def holders(self, organization: str) -> list[Holder]:
        """Give everybody who may hold an entitlement: each profile of hosts with each scope that there is.

        Not every one need have a host: looking that up would cost as much as there are hosts.
        """
        owner = organization_id(organization)
        used = EntitlementRow.select(EntitlementRow.product).distinct()
        labels = dict(rows(ProductRow.select(ProductRow.id, ProductRow.label).where(ProductRow.organization == owner)))
        scopes = {
            identity: labels.get(identity) for (identity,) in rows(used) if identity is None or identity in labels
        }
        return [
            Holder.staying(profile, scope)
            for profile in read_profiles(organization).values()
            for scope in scopes.values()
        ]

    def mark_stale(self, organization: str, holders: Collection[Holder], consumer: str | None = None) -> int:
        """Mark the certificates of these holders, or only of one host among them; gives how many were not so yet.

        One statement, however many hosts there are. What has no certificate yet cannot be stale.
        """
        condition = _held_by(organization, holders)
        if condition is None:
            return 0
        condition &= EntitlementRow.stale == False  # noqa: E712  # SQL
        if consumer is not None:
            condition &= EntitlementRow.consumer == consumer_id(consumer)
        changed = EntitlementRow.update(stale=True).where(condition, EntitlementRow.serial.is_null(False))
        return int(changed.execute())

    def mark_all_stale(self) -> int:
        """Mark every certificate of the box, as for a new authority; gives how many were not so yet."""
        changed = EntitlementRow.update(stale=True).where(
            EntitlementRow.stale == False,  # noqa: E712  # SQL
            EntitlementRow.serial.is_null(False),
        )
        return int(changed.execute())

    def count_held(self, organization: str, holders: Collection[Holder]) -> tuple[HostCount, int]:
        """Give the hosts among these holders, the first few by name, and the number of their certificates."""
        condition = _held_by(organization, holders)
        if condition is None:
            return HostCount(), 0
        counted = first(
            EntitlementRow.select(fn.COUNT(EntitlementRow.consumer.distinct()), fn.COUNT(EntitlementRow.serial)).where(
                condition
            )
        )
        assert counted is not None, "a count always is"
        inside = EntitlementRow.select(EntitlementRow.consumer).where(condition)
        named = ConsumerRow.select(ConsumerRow.name).where(ConsumerRow.id.in_(inside))
        names = tuple(name for (name,) in rows(named.order_by(ConsumerRow.name).limit(_NAMED)))
        return HostCount(int(counted[0]), names), int(counted[1])

    def count(self, scope: RegenerationScope) -> int:
        """Give the number of entitlements that a regeneration is about; raises NotFoundError."""
        return int(EntitlementRow.select().join(ConsumerRow).where(_within(scope)).count())

    def page(self, scope: RegenerationScope, after: int, most: int) -> list[Pending]:
        """Give the next entitlements that a regeneration is about, in order."""
        # A sum is in no index: SQLite cannot begin with all hosts of the organization and sort them for each page.
        host = EntitlementRow.consumer + 0
        query = _query(host).select_extend(EntitlementRow.id, ConsumerRow.profile, ConsumerRow.public_key)
        query = query.where(_within(scope), EntitlementRow.id > after).order_by(EntitlementRow.id).limit(most)
        found = rows(query)
        profiles = read_profiles(scope.organization, {profile for *_, profile, _ in found})
        return [
            Pending(position, Claim(_entitlement(*columns), scope.organization, profiles[profile], public_key))
            for *columns, position, profile, public_key in found
        ]

    def count_stale(self, organization: str) -> int:
        """Give the number of stale certificates of an organization."""
        owner = ConsumerRow.organization == organization_id(organization)
        return int(EntitlementRow.select().join(ConsumerRow).where(owner, EntitlementRow.stale).count())


def _query(host: Any = EntitlementRow.consumer) -> Any:
    columns = (ProductRow.label, EntitlementRow.stale, EntitlementRow.serial)
    return (
        EntitlementRow.select(EntitlementRow.uid, ConsumerRow.uuid, *columns)
        .join(ConsumerRow, on=(host == ConsumerRow.id))
        .switch(EntitlementRow)
        .join(ProductRow, JOIN.LEFT_OUTER)
    )


def _read(query: Any) -> list[Entitlement]:
    return [_entitlement(*columns) for columns in rows(query)]


def _entitlement(uid: str, consumer: str, product: str | None, stale: int, serial: int | None) -> Entitlement:
    return Entitlement(uid, consumer, product, bool(stale), serial)


def _held_by(organization: str, holders: Iterable[Holder]) -> Any:
    """Give the condition for the entitlements of holders, or None when no host has their profiles of now."""
    known = {profile: identity for identity, profile in read_profiles(organization).items()}
    profiles: dict[str | None, set[int]] = {}
    for holder in holders:
        if holder.after in known:
            profiles.setdefault(holder.scope, set()).add(known[holder.after])
    scopes: dict[frozenset[int], list[str | None]] = {}
    for scope, identities in profiles.items():
        scopes.setdefault(frozenset(identities), []).append(scope)
    condition: Any = None
    for same, labels in scopes.items():
        hosts = ConsumerRow.select(ConsumerRow.id).where(ConsumerRow.profile.in_(sorted(same)))
        part = EntitlementRow.consumer.in_(hosts) & _scoped(organization, labels)
        condition = part if condition is None else condition | part
    return condition


def _scoped(organization: str, labels: Sequence[str | None]) -> Any:
    products = [product_id(organization, label) for label in labels if label is not None]
    named = EntitlementRow.product.in_(products)
    if None not in labels:
        return named
    return (EntitlementRow.product.is_null() | named) if products else EntitlementRow.product.is_null()


def _within(scope: RegenerationScope) -> Any:
    condition: Any = ConsumerRow.organization == organization_id(scope.organization)
    if not scope.unchanged:
        condition &= EntitlementRow.stale | EntitlementRow.serial.is_null()
    if scope.consumer is not None:
        condition &= ConsumerRow.uuid == scope.consumer
    if scope.environment is not None:
        inside = ProfileEnvironmentRow.select(ProfileEnvironmentRow.profile).where(
            ProfileEnvironmentRow.environment == environment_id(scope.organization, scope.environment)
        )
        condition &= ConsumerRow.profile.in_(inside)
    if scope.product is not None:
        identity = product_id(scope.organization, scope.product)
        condition &= EntitlementRow.product.is_null() | (EntitlementRow.product == identity)
    return condition
