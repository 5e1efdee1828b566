"""The audit log: every entry holds the digest of the one before it, so that no change of the past goes unseen."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from issbox.errors import StoreDamagedError
from issbox.model import Actor, AuditEntry, AuditFilter, AuditHead
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import AuditHeadRow, AuditRow
from issbox.store.tables.columns import format_stamp

_BEGINNING: Final = "0" * 64
"""What stands for the digest before the first entry."""
_PAGE: Final = 1000
_ANY: Final = AuditFilter()


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

    def add_head(self, head: AuditHead) -> None:
        """Keep a signed head; one that is kept already stays as it is."""
        with transaction():
            if AuditHeadRow.select().where(AuditHeadRow.number == head.number).exists():
                return
            AuditHeadRow.insert(
                number=head.number,
                digest=head.digest,
                signed_at=head.signed_at,
                key_id=head.key_id,
                signature=head.signature,
            ).execute()

    def heads(self) -> list[AuditHead]:
        """Give all signed heads in their order: one a day."""
        columns = (AuditHeadRow.number, AuditHeadRow.digest, AuditHeadRow.signed_at, AuditHeadRow.key_id)
        query = AuditHeadRow.select(*columns, AuditHeadRow.signature).order_by(AuditHeadRow.number)
        return [AuditHead(*row) for row in rows(query)]

    def list(
        self,
        limit: int | None = None,
        organization: str | None = None,
        after: int | None = None,
        *,
        before: int | None = None,
        only: AuditFilter = _ANY,
    ) -> list[AuditEntry]:
        """Give entries in their order, all or those of an organization or filter.

        With `after`, the first `limit` entries beyond that number; without it the last `limit` entries, before the
        number `before` when there is one. Both are keys of pages: no entry of another page is read.
        """
        query = _filtered(AuditRow.select(), only)
        if organization is not None:
            query = query.where(AuditRow.organization == organization)
        if before is not None:
            query = query.where(AuditRow.number < before)
        if after is not None:
            return read_entries(query.where(AuditRow.number > after).order_by(AuditRow.number).limit(limit))
        return read_entries(query.order_by(AuditRow.number.desc()).limit(limit))[::-1]

    def entries(self, only: AuditFilter = _ANY) -> Iterator[AuditEntry]:
        """Give the entries of a filter in their order, a page in memory at a time."""
        after = 0
        while page := self.list(_PAGE, after=after, only=only):
            yield from page
            after = page[-1].number

    def head(self) -> tuple[int, str]:
        """Give number and digest of the last entry; 0 and the digest before the first one when there is none."""
        found = first(AuditRow.select(AuditRow.number, AuditRow.digest).order_by(AuditRow.number.desc()))
        return (found[0], found[1]) if found is not None else (0, _BEGINNING)

    def verify(self, heads: Sequence[AuditHead] = (), start: AuditHead | None = None) -> int:
        """Check the chain, whole or from a signed head on, and that it leads through these heads; give its length.

        Raises StoreDamagedError naming the first entry that was changed, moved, follows one that is missing, or was cut
        off at the end.
        """
        number, previous = (start.number, start.digest) if start is not None else (0, _BEGINNING)
        expected = {head.number: head for head in heads}
        if start is not None:
            self._check_start(start)
        for entry in self._from(number):
            number += 1
            if entry.number != number:
                raise _damaged(f"audit entry {number} is missing: entry {entry.number} comes in its place")
            if entry.digest != chain_digest(previous, entry):
                raise _damaged(f"audit entry {number} of {entry.at:%Y-%m-%d %H:%M} UTC ({entry.action}) was changed")
            previous = entry.digest
            _check_head(expected.get(number), previous)
        last = max(expected, default=0)
        if last > number:
            raise _damaged(
                f"the audit log was cut off: it ends with entry {number}, but entry {last} was signed on"
                f" {expected[last].signed_at:%Y-%m-%d %H:%M} UTC"
            )
        return number

    def _from(self, number: int) -> Iterator[AuditEntry]:
        while page := read_entries(
            AuditRow.select().where(AuditRow.number > number).order_by(AuditRow.number).limit(_PAGE)
        ):
            yield from page
            number = page[-1].number

    def _check_start(self, start: AuditHead) -> None:
        found = first(AuditRow.select(AuditRow.digest).where(AuditRow.number == start.number))
        if found is None:
            raise _damaged(f"audit entry {start.number} is missing, which was signed")
        _check_head(start, found[0])


def _filtered(query: Any, only: AuditFilter) -> Any:
    if only.user is not None:
        query = query.where(AuditRow.actor == only.user)
    if only.action is not None:
        whole = "." in only.action
        # A range, not LIKE: an index serves it on both databases. `/` comes after `.`
        below = (AuditRow.action >= f"{only.action}.") & (AuditRow.action < f"{only.action}/")
        query = query.where(AuditRow.action == only.action if whole else below)
    if only.organizations is not None:
        named = [each for each in only.organizations if each is not None]
        nobody = AuditRow.organization.is_null() if None in only.organizations else False
        query = query.where(AuditRow.organization.in_(named) | nobody)
    if only.since is not None:
        query = query.where(AuditRow.at >= only.since)
    if only.until is not None:
        query = query.where(AuditRow.at < only.until)
    return query


def _check_head(head: AuditHead | None, digest: str) -> None:
    if head is not None and head.digest != digest:
        raise _damaged(
            f"audit entry {head.number}, or one before it, is not what was signed on {head.signed_at:%Y-%m-%d}"
        )


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


def _damaged(message: str) -> StoreDamagedError:
    return StoreDamagedError(
        message, hint="Somebody or something changed the database: compare it with a backup before you go on."
    )


def read_entries(query: Any) -> list[AuditEntry]:
    """Give the entries of a query of whole rows."""
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
