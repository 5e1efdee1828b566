"""The audit log: every entry holds the digest of the one before it, so that no change of the past goes unseen."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from issbox.errors import StoreDamagedError
from issbox.model import Actor, AuditEntry
from issbox.store.database import Noun, first, transaction
from issbox.store.tables import AuditRow
from issbox.store.tables.columns import format_stamp

_BEGINNING: Final = "0" * 64
"""What stands for the digest before the first entry."""
_PAGE: Final = 1000


class Audit(Noun):
    """The audit log."""

    def append(
        self,
        *,
        at: datetime,
        actor: Actor,
        action: str,
        subject: str,
        organization: str | None = None,
        details: Mapping[str, object] | None = None,
    ) -> AuditEntry:
        """Add an entry; call it inside the transaction of the change it tells of. Details must be plain JSON."""
        with transaction():
            last = first(AuditRow.select(AuditRow.number, AuditRow.digest).order_by(AuditRow.number.desc()))
            number, previous = (last[0] + 1, last[1]) if last is not None else (1, _BEGINNING)
            # Through JSON and back, so that the digest is over what a reader of the row gets.
            plain = json.loads(_dump(dict(details or {})))
            entry = AuditEntry(number, at, actor, action, subject, organization, plain, "")
            entry = replace(entry, digest=chain_digest(previous, entry))
            AuditRow.insert(
                number=number,
                at=at,
                actor=actor.name,
                origin=actor.origin,
                action=action,
                subject=subject,
                organization=organization,
                details=_dump(plain),
                digest=entry.digest,
            ).execute()
        return entry

    def list(
        self, limit: int | None = None, organization: str | None = None, after: int | None = None
    ) -> list[AuditEntry]:
        """Give entries in their order, all or those of an organization.

        With `after`, the first `limit` entries beyond that number; without it, the last `limit` entries.
        """
        query = AuditRow.select()
        if organization is not None:
            query = query.where(AuditRow.organization == organization)
        if after is not None:
            return _read(query.where(AuditRow.number > after).order_by(AuditRow.number).limit(limit))
        return _read(query.order_by(AuditRow.number.desc()).limit(limit))[::-1]

    def verify(self) -> int:
        """Check the whole chain and give the number of entries.

        Raises StoreDamagedError naming the first entry that was changed, moved, or follows one that is missing.
        """
        number, previous = 0, _BEGINNING
        for entry in _all():
            number += 1
            if entry.number != number:
                raise _damaged(f"audit entry {number} is missing: entry {entry.number} comes in its place")
            if entry.digest != chain_digest(previous, entry):
                raise _damaged(f"audit entry {number} of {entry.at:%Y-%m-%d %H:%M} UTC ({entry.action}) was changed")
            previous = entry.digest
        return number


def chain_digest(previous: str, entry: AuditEntry) -> str:
    """Give the SHA-256 over the previous digest and the entry as JSON with sorted keys and without spaces."""
    facts = {
        "number": entry.number,
        "at": format_stamp(entry.at),
        "actor": {"name": entry.actor.name, "origin": entry.actor.origin},
        "action": entry.action,
        "subject": entry.subject,
        "organization": entry.organization,
        "details": entry.details,
    }
    return hashlib.sha256(f"{previous}{_dump(facts)}".encode()).hexdigest()


def _all() -> Iterator[AuditEntry]:
    after = 0
    while page := _read(AuditRow.select().where(AuditRow.number > after).order_by(AuditRow.number).limit(_PAGE)):
        yield from page
        after = page[-1].number


def _damaged(message: str) -> StoreDamagedError:
    return StoreDamagedError(
        message, hint="Somebody or something changed the database: compare it with a backup before you go on."
    )


def _read(query: Any) -> list[AuditEntry]:
    return [
        AuditEntry(
            row["number"],
            row["at"],
            Actor(row["actor"], row["origin"]),
            row["action"],
            row["subject"],
            row["organization"],
            json.loads(row["details"]),
            row["digest"],
        )
        for row in query.dicts()
    ]


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
