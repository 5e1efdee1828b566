"""Hosts and their certificates page by page: by the key of a row, so that no page costs more than another."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final

from peewee import JOIN, Case, fn

from issbox.model import (
    EndingCertificate,
    EndingFilter,
    HostFilter,
    HostOrder,
    HostState,
    HostSummary,
    IssuedKind,
)
from issbox.store.consumers import Consumers
from issbox.store.database import Noun, rows
from issbox.store.entitlements import Entitlements
from issbox.store.keysets import Key, Order, Part
from issbox.store.organizations import organization_id
from issbox.store.profiles import read_profiles
from issbox.store.tables import CertificateRow, ConsumerRow, EntitlementRow

_SEEN: Final = Part((ConsumerRow.seen_at, ConsumerRow.uuid), ConsumerRow.seen_at.is_null(False))
_NEVER_SEEN: Final = Part((ConsumerRow.uuid,), ConsumerRow.seen_at.is_null())
_ENDING: Final = Part((CertificateRow.valid_until, CertificateRow.serial))


class HostLists(Noun):
    """Hosts and their certificates, in the order that is wanted."""

    def __init__(self) -> None:
        self._consumers = Consumers()
        self._entitlements = Entitlements()

    def summary(self, organization: str) -> HostSummary:
        """Give how many hosts there are, and where; raises NotFoundError."""
        profiles = read_profiles(organization)
        environments: dict[str, int] = {}
        outside = total = 0
        counted = ConsumerRow.select(ConsumerRow.profile, fn.COUNT(ConsumerRow.id))
        for profile, number in rows(counted.where(ConsumerRow.profile.in_([*profiles])).group_by(ConsumerRow.profile)):
            labels = profiles[profile].environments
            for label in labels:
                environments[label] = environments.get(label, 0) + number
            outside += 0 if labels else number
            total += number
        return HostSummary(environments, outside, total, self._entitlements.count_stale(organization))

    def count(self, wanted: HostFilter) -> int:
        """Give how many hosts are wanted."""
        return int(_hosts(wanted, ConsumerRow.id).count())

    def page(self, wanted: HostFilter, after: Key | None, limit: int) -> list[tuple[Key, HostState]]:
        """Give key and state of the wanted hosts after a key, or of the first ones."""
        found = _host_order(wanted).page(partial(_hosts, wanted), after, limit, ConsumerRow.uuid)
        uuids = [uuid for _, (uuid,) in found]
        known = self._consumers.several(uuids)
        states = _states(uuids)
        return [
            (key, HostState(known[uuid], *states.get(uuid, (0, 0, 0, None)))) for key, (uuid,) in found if uuid in known
        ]

    def skip(self, wanted: HostFilter, after: Key | None, skipped: int) -> Key | None:
        """Give the key of the host so many after a key, or None beyond the end."""
        return _host_order(wanted).skip(partial(_hosts, wanted), after, skipped)

    def count_ending(self, wanted: EndingFilter) -> int:
        """Give how many certificates are wanted."""
        return int(_ending(wanted, CertificateRow.serial).count())

    def ending(self, wanted: EndingFilter, after: Key | None, limit: int) -> list[tuple[Key, EndingCertificate]]:
        """Give key and facts of the wanted certificates after a key, or of the first ones."""
        columns = (
            CertificateRow.serial,
            CertificateRow.kind,
            CertificateRow.consumer,
            ConsumerRow.name,
            CertificateRow.valid_until,
        )
        return [
            (key, EndingCertificate(serial, IssuedKind(kind), consumer, name, ends))
            for key, (serial, kind, consumer, name, ends) in _ending_order(wanted).page(
                partial(_ending, wanted), after, limit, *columns
            )
        ]

    def skip_ending(self, wanted: EndingFilter, after: Key | None, skipped: int) -> Key | None:
        """Give the key of the certificate so many after a key, or None beyond the end."""
        return _ending_order(wanted).skip(partial(_ending, wanted), after, skipped)


def _host_order(wanted: HostFilter) -> Order:
    if wanted.order is HostOrder.NAME:
        return Order((Part((ConsumerRow.name, ConsumerRow.uuid)),), wanted.descending)
    return Order((_SEEN, _NEVER_SEEN) if wanted.descending else (_NEVER_SEEN, _SEEN), wanted.descending)


def _ending_order(wanted: EndingFilter) -> Order:
    return Order((_ENDING,), wanted.descending)


def _hosts(wanted: HostFilter, *columns: Any) -> Any:
    query = ConsumerRow.select(*columns).where(ConsumerRow.organization == organization_id(wanted.organization))
    if wanted.environment is not None:
        inside = [
            identity
            for identity, profile in read_profiles(wanted.organization).items()
            if wanted.environment in (profile.environments or ("",))
        ]
        query = query.where(ConsumerRow.profile.in_(inside))
    if wanted.waiting:
        unready = EntitlementRow.select(EntitlementRow.id).where(
            EntitlementRow.consumer == ConsumerRow.id, EntitlementRow.stale | EntitlementRow.serial.is_null()
        )
        query = query.where(fn.EXISTS(unready))
    for word in wanted.search.split():
        query = query.where(
            ConsumerRow.name.contains(word)
            | ConsumerRow.uuid.startswith(word)
            | ConsumerRow.activation_key.contains(word)
        )
    return query


def _states(uuids: Sequence[str]) -> dict[str, tuple[int, int, int, datetime | None]]:
    """Give of hosts the number of entitlements, of stale and of missing certificates, and the first end."""
    query = (
        EntitlementRow.select(
            ConsumerRow.uuid,
            fn.COUNT(EntitlementRow.id),
            fn.SUM(Case(None, ((EntitlementRow.stale, 1),), 0)),
            fn.COUNT(EntitlementRow.serial),
            fn.MIN(CertificateRow.valid_until),
        )
        .join(ConsumerRow)
        .switch(EntitlementRow)
        .join(CertificateRow, JOIN.LEFT_OUTER, on=EntitlementRow.serial == CertificateRow.serial)
        .where(ConsumerRow.uuid.in_([*uuids]))
        .group_by(ConsumerRow.uuid)
    )
    return {
        uuid: (number, int(stale), number - certified, None if ends is None else datetime.fromisoformat(str(ends)))
        for uuid, number, stale, certified, ends in rows(query)
    }


def _ending(wanted: EndingFilter, *columns: Any) -> Any:
    query = (
        CertificateRow.select(*columns)
        .join(ConsumerRow, on=CertificateRow.consumer == ConsumerRow.uuid)
        .where(CertificateRow.revoked_at.is_null(), ConsumerRow.organization == organization_id(wanted.organization))
    )
    if wanted.after is not None:
        query = query.where(CertificateRow.valid_until >= wanted.after)
    if wanted.before is not None:
        query = query.where(CertificateRow.valid_until < wanted.before)
    for word in wanted.search.split():
        query = query.where(ConsumerRow.name.contains(word) | ConsumerRow.uuid.startswith(word))
    return query
