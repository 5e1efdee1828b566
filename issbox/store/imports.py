"""Rows of content imports: the inbox and the history of imports."""

from collections.abc import Collection
from dataclasses import fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import BundleForm, ContentImport, ImportState, VersionChange, WaitsFor
from issbox.store.database import Noun, rows, transaction
from issbox.store.tables import ImportRow
from issbox.store.tables.columns import from_json, to_json


class Imports(Noun):
    """Content imports."""

    def add(
        self,
        path: str,
        *,
        inbox: bool,
        first_seen: datetime,
        organization: str | None = None,
        allow_older: bool = False,
        with_environments: bool = False,
        state: ImportState = ImportState.SETTLED,
    ) -> ContentImport:
        """Record that a bundle lies at the path."""
        new = ContentImport(
            id=0,
            path=path,
            state=state,
            first_seen=first_seen,
            updated_at=first_seen,
            inbox=inbox,
            organization=organization,
            allow_older=allow_older,
            with_environments=with_environments,
        )
        with transaction():
            return self.get(int(ImportRow.insert(**_columns(new)).execute()))

    def get(self, import_id: int) -> ContentImport:
        """Give a content import by its number; raises NotFoundError."""
        found = _read(ImportRow.select().where(ImportRow.id == import_id))
        if not found:
            raise NotFoundError(f"there is no content import {import_id}", listed="content-import list")
        return found[0]

    def list(
        self,
        states: Collection[ImportState] | None = None,
        limit: int | None = None,
        *,
        below: Path | None = None,
        bundle_id: str | None = None,
        before: int | None = None,
    ) -> list[ContentImport]:
        """Give content imports, newest first.

        All, or those in these states, of a bundle, below a directory, or with numbers below one.
        """
        query = ImportRow.select().order_by(ImportRow.id.desc())
        if states is not None:
            query = query.where(ImportRow.state.in_(_values(states)))
        if bundle_id is not None:
            query = query.where(ImportRow.bundle_id == bundle_id)
        if below is not None:  # text sorts by its bytes, and '0' comes right after '/'
            query = query.where(ImportRow.path >= f"{below}/", ImportRow.path < f"{below}0")
        if before is not None:
            query = query.where(ImportRow.id < before)
        return _read(query if limit is None else query.limit(limit))

    def count(self) -> dict[tuple[str | None, ImportState], int]:
        """Give how many content imports there are of each organization and state, as far as there are any."""
        query = ImportRow.select(ImportRow.organization, ImportRow.state, fn.COUNT(ImportRow.id))
        counted = rows(query.group_by(ImportRow.organization, ImportRow.state))
        return {(organization, ImportState(state)): int(number) for organization, state, number in counted}

    def update(self, import_id: int, *, updated_at: datetime, **changes: object) -> ContentImport:
        """Change fields by name and give the row as it is then; raises NotFoundError."""
        with transaction():
            wanted = replace(self.get(import_id), updated_at=updated_at, **cast("dict[str, Any]", changes))
            ImportRow.update(**_columns(wanted)).where(ImportRow.id == import_id).execute()
            return self.get(import_id)

    def remove(self, import_id: int) -> None:
        """Forget a row that stands for nothing."""
        with transaction():
            ImportRow.delete().where(ImportRow.id == import_id).execute()

    def imported_bundle(self, bundle_id: str, organization: str | None = None) -> ContentImport | None:
        """Give the first import of this bundle that succeeded, into this organization if one is named, or None."""
        query = _imported().where(ImportRow.bundle_id == bundle_id)
        if organization is not None:
            query = query.where(ImportRow.organization == organization)
        return next(iter(_read(query.order_by(ImportRow.id).limit(1))), None)

    def sequences(self, organization: str) -> dict[tuple[str, str], dict[int, str]]:
        """Give what was imported into an organization: source box and destination to sequence number to bundle id."""
        found: dict[tuple[str, str], dict[int, str]] = {}
        columns = (ImportRow.source_box, ImportRow.destination, ImportRow.sequence, ImportRow.bundle_id)
        query = _imported(*columns).where(ImportRow.organization == organization, ImportRow.sequence.is_null(False))
        for source_box, destination, sequence, bundle_id in rows(query.order_by(ImportRow.id)):
            found.setdefault((source_box, destination), {})[sequence] = bundle_id
        return found

    def last_sequence(self, source_box: str, organization: str, destination: str) -> int | None:
        """Give the highest sequence number imported from that box for this organization and destination, or None."""
        query = _imported(fn.MAX(ImportRow.sequence)).where(
            ImportRow.source_box == source_box,
            ImportRow.organization == organization,
            ImportRow.destination == destination,
        )
        highest = query.scalar()
        return None if highest is None else int(highest)


def _imported(*columns: object) -> Any:
    return ImportRow.select(*columns).where(ImportRow.state == ImportState.IMPORTED.value)


def _values(states: Collection[ImportState]) -> list[str]:
    return [state.value for state in states]


def _columns(row: ContentImport) -> dict[str, object]:
    columns: dict[str, object] = {each.name: getattr(row, each.name) for each in fields(row) if each.name != "id"}
    return columns | {
        "state": row.state.value,
        "form": row.form and row.form.value,
        "waits_for": row.waits_for and row.waits_for.value,
        "approvals": to_json(row.approvals),
        "changes": to_json(row.changes),
    }


def _read(query: Any) -> list[ContentImport]:
    return [
        ContentImport(
            **{
                **row,
                "state": ImportState(row["state"]),
                "form": row["form"] and BundleForm(row["form"]),
                "waits_for": row["waits_for"] and WaitsFor(row["waits_for"]),
                "approvals": from_json(row["approvals"], tuple[str, ...]),
                "changes": from_json(row["changes"], tuple[VersionChange, ...]),
            }
        )
        for row in query.dicts()
    ]
