"""Rows of what other boxes took from this one."""

from collections.abc import Iterable, Sequence
from typing import Final

from issbox.model import BOX_TYPES, Taking
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import organization_id
from issbox.store.tables import ConsumerRow, EntitlementRow, TakingRow

MOST_KEPT: Final = 1000
"""Certificates remembered for each organization; those not seen for longest are forgotten."""
_PART: Final = 500
"""Entitlements looked up at once."""
_COLUMNS: Final = (
    TakingRow.environment,
    TakingRow.fingerprint,
    TakingRow.subject,
    TakingRow.issuer,
    TakingRow.serial,
    TakingRow.first_at,
    TakingRow.last_at,
    TakingRow.requests,
    TakingRow.size,
    TakingRow.consumer,
)


class Takings(Noun):
    """What other boxes took."""

    def add(self, taking: Taking) -> None:
        """Add to what was taken before with the same certificate from the same environment; raises NotFoundError."""
        with transaction():
            owner = organization_id(taking.organization)
            same = (
                (TakingRow.organization == owner)
                & (TakingRow.environment == taking.environment)
                & (TakingRow.fingerprint == taking.fingerprint)
            )
            changed = TakingRow.update(
                last_at=taking.last_at,
                requests=TakingRow.requests + taking.requests,
                size=TakingRow.size + taking.size,
                consumer=taking.consumer,
            ).where(same)
            if changed.execute():
                return
            TakingRow.insert(
                organization=owner,
                environment=taking.environment,
                fingerprint=taking.fingerprint,
                subject=taking.subject,
                issuer=taking.issuer,
                serial=taking.serial,
                first_at=taking.first_at,
                last_at=taking.last_at,
                requests=taking.requests,
                size=taking.size,
                consumer=taking.consumer,
            ).execute()
            self._forget_old(owner)

    def _forget_old(self, owner: int) -> None:
        mine = TakingRow.organization == owner
        row = first(
            TakingRow.select(TakingRow.last_at)
            .where(mine)
            .order_by(TakingRow.last_at.desc())
            .offset(MOST_KEPT)
            .limit(1)
        )
        if row is not None:
            TakingRow.delete().where(mine & (TakingRow.last_at <= row[0])).execute()

    def list(self, organization: str) -> list[Taking]:
        """Give what was taken of an organization, the latest first; raises NotFoundError."""
        query = TakingRow.select(*_COLUMNS).where(TakingRow.organization == organization_id(organization))
        ordered = query.order_by(TakingRow.last_at.desc(), TakingRow.id)
        return [Taking(organization, *row) for row in rows(ordered)]

    def boxes(self, organization: str) -> Sequence[str]:
        """Give the UUIDs of registered hosts that are boxes, by name; raises NotFoundError."""
        query = ConsumerRow.select(ConsumerRow.uuid).where(
            ConsumerRow.organization == organization_id(organization), ConsumerRow.type.in_(BOX_TYPES)
        )
        return [uuid for (uuid,) in rows(query.order_by(ConsumerRow.name, ConsumerRow.uuid))]

    def entitled(self, entitlements: Iterable[str]) -> dict[str, str]:
        """Give, of some ids of entitlements, those of boxes, and whose each is, by UUID."""
        query = (
            EntitlementRow.select(EntitlementRow.uid, ConsumerRow.uuid)
            .join(ConsumerRow)
            .where(ConsumerRow.type.in_(BOX_TYPES))
        )
        wanted = sorted(set(entitlements))
        parts = (wanted[start : start + _PART] for start in range(0, len(wanted), _PART))
        return {uid: uuid for part in parts for uid, uuid in rows(query.where(EntitlementRow.uid.in_(part)))}
