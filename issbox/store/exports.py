"""Rows of content exports: the history of bundles made here."""

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from typing import Any, cast

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import BundleForm, ContentExport, ExportedVersion, ExportState
from issbox.store.database import Noun, rows, transaction
from issbox.store.tables import ExportRow
from issbox.store.tables.columns import from_json, to_json


class Exports(Noun):
    """Content exports."""

    def next_sequence(self, organization: str, destination: str) -> int:
        """Give the number that the next bundle for this destination gets; 1 for the first."""
        query = ExportRow.select(fn.MAX(ExportRow.sequence)).where(
            ExportRow.organization == organization, ExportRow.destination == destination
        )
        return int(query.scalar() or 0) + 1

    def add(self, new: ContentExport) -> ContentExport:
        """Record an export, whose id is given here."""
        with transaction():
            return self.get(int(ExportRow.insert(**_columns(new)).execute()))

    def list(
        self,
        organization: str | None = None,
        destination: str | None = None,
        *,
        states: Collection[ExportState] | None = None,
        sequence: int | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> list[ContentExport]:
        """Give exports, newest first.

        All, or those of an organization, for a destination, in these states, of a sequence number, or with numbers
        below one.
        """
        query = ExportRow.select().order_by(ExportRow.id.desc()).limit(limit)
        if states is not None:
            query = query.where(ExportRow.state.in_([state.value for state in states]))
        if sequence is not None:
            query = query.where(ExportRow.sequence == sequence)
        if before is not None:
            query = query.where(ExportRow.id < before)
        if organization is not None:
            query = query.where(ExportRow.organization == organization)
        if destination is not None:
            query = query.where(ExportRow.destination == destination)
        return _read(query)

    def find(self, bundle_id: str) -> ContentExport | None:
        """Give the export that made a bundle, or None."""
        return next(iter(_read(ExportRow.select().where(ExportRow.bundle_id == bundle_id))), None)

    def bundle_ids(self, states: Collection[ExportState]) -> set[str]:
        """Give the ids of the bundles of exports in these states."""
        query = ExportRow.select(ExportRow.bundle_id).where(ExportRow.state.in_([state.value for state in states]))
        return {bundle_id for (bundle_id,) in rows(query)}

    def timed(self, organization: str, form: BundleForm, limit: int) -> Sequence[ContentExport]:
        """Give the newest exports of a form that tell how long so many bytes took."""
        query = ExportRow.select().where(
            ExportRow.organization == organization,
            ExportRow.form == form.value,
            ExportRow.seconds > 0,
            ExportRow.size > 0,
        )
        return _read(query.order_by(ExportRow.id.desc()).limit(limit))

    def get(self, export_id: int) -> ContentExport:
        """Give an export by its number; raises NotFoundError."""
        found = _read(ExportRow.select().where(ExportRow.id == export_id))
        if not found:
            raise NotFoundError(f"there is no content export {export_id}", listed="content-export list")
        return found[0]

    def update(self, export_id: int, **changes: object) -> ContentExport:
        """Change fields by name and give the row as it is then; raises NotFoundError."""
        with transaction():
            wanted = replace(self.get(export_id), **cast("dict[str, Any]", changes))
            ExportRow.update(**_columns(wanted)).where(ExportRow.id == export_id).execute()
            return self.get(export_id)

    def delete(self, export_id: int) -> None:
        """Forget an export that came to nothing, so that its sequence number is used again."""
        with transaction():
            ExportRow.delete().where(ExportRow.id == export_id).execute()


def _columns(row: ContentExport) -> dict[str, object]:
    columns: dict[str, object] = {each.name: getattr(row, each.name) for each in fields(row) if each.name != "id"}
    return columns | {
        "state": row.state.value,
        "repositories": to_json(row.repositories),
        "form": row.form.value,
        "versions": to_json(row.versions),
        "base": None if row.base is None else to_json(row.base),
        "volumes": to_json(row.volumes),
    }


def _read(query: Any) -> list[ContentExport]:
    return [
        ContentExport(
            **{
                **row,
                "state": ExportState(row["state"]),
                "repositories": from_json(row["repositories"], tuple[str, ...]),
                "form": BundleForm(row["form"]),
                "versions": from_json(row["versions"], tuple[ExportedVersion, ...]),
                "base": None if row["base"] is None else from_json(row["base"], dict[str, object]),
                "volumes": from_json(row["volumes"], tuple[int, ...]),
            }
        )
        for row in query.dicts()
    ]
