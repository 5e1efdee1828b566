"""Hosts and their certificates page by page: by the key of a row, so that no page costs more than another."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from peewee import JOIN, Case, fn

from issbox.model import (
    EndingCertificate,
    EndingFilter,
    HostFilter,
    HostState,
    HostSummary,
    IssuedKind,
)
from issbox.store.consumers import Consumers
from issbox.store.database import Noun, rows
from issbox.store.entitlements import Entitlements
from issbox.store.organizations import organization_id
from issbox.store.profiles import read_profiles
from issbox.store.tables import CertificateRow, ConsumerRow, EntitlementRow

HostKey = tuple[str, str]
"""Name and UUID: the order of hosts."""
EndingKey = tuple[datetime, int]
"""End and serial number: the order of certificates."""


class HostLists(Noun):
    """Hosts by name, and their certificates by their end."""

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

    def page(self, wanted: HostFilter, after: HostKey | None, limit: int) -> list[HostState]:
        """Give the wanted hosts after a key, or the first ones."""
        query = _beyond(_hosts(wanted, ConsumerRow.uuid), after).order_by(ConsumerRow.name, ConsumerRow.uuid)
        uuids = [uuid for (uuid,) in rows(query.limit(limit))]
        known = self._consumers.several(uuids)
        states = _states(uuids)
        return [HostState(known[uuid], *states.get(uuid, (0, 0, 0, None))) for uuid in uuids if uuid in known]

    def skip(self, wanted: HostFilter, after: HostKey | None, skipped: int) -> HostKey | None:
        """Give the key of the host so many after a key, or None beyond the end."""
        query = _beyond(_hosts(wanted, ConsumerRow.name, ConsumerRow.uuid), after)
        found = rows(query.order_by(ConsumerRow.name, ConsumerRow.uuid).offset(skipped - 1).limit(1))
        return next(((name, uuid) for name, uuid in found), None)

    def count_ending(self, wanted: EndingFilter) -> int:
        """Give how many certificates are wanted."""
        return int(_ending(wanted, CertificateRow.serial).count())

    def ending(self, wanted: EndingFilter, after: EndingKey | None, limit: int) -> list[EndingCertificate]:
        """Give the wanted certificates after a key, or those that end first."""
        columns = (
            CertificateRow.serial,
            CertificateRow.kind,
            CertificateRow.consumer,
            ConsumerRow.name,
            CertificateRow.valid_until,
        )
        query = _later(_ending(wanted, *columns), after)
        found = rows(query.order_by(CertificateRow.valid_until, CertificateRow.serial).limit(limit))
        return [
            EndingCertificate(serial, IssuedKind(kind), consumer, name, ends)
            for serial, kind, consumer, name, ends in found
        ]

    def skip_ending(self, wanted: EndingFilter, after: EndingKey | None, skipped: int) -> EndingKey | None:
        """Give the key of the certificate so many after a key, or None beyond the end."""
        query = _later(_ending(wanted, CertificateRow.valid_until, CertificateRow.serial), after)
        ordered = query.order_by(CertificateRow.valid_until, CertificateRow.serial)
        return next(((ends, serial) for ends, serial in rows(ordered.offset(skipped - 1).limit(1))), None)


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


def _beyond(query: Any, after: HostKey | None) -> Any:
    if after is None:
        return query
    name, uuid = after
    return query.where(ConsumerRow.name >= name, (ConsumerRow.name > name) | (ConsumerRow.uuid > uuid))


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


def _later(query: Any, after: EndingKey | None) -> Any:
    if after is None:
        return query
    ends, serial = after
    return query.where(
        CertificateRow.valid_until >= ends, (CertificateRow.valid_until > ends) | (CertificateRow.serial > serial)
    )
