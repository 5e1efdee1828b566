"""Rows of content exports: the history of bundles made here."""

import json
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, cast

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import ContentExport, ExportState
from issbox.store.database import Noun, transaction
from issbox.store.tables import ExportRow


class Exports(Noun):
    """Content exports."""

    def next_sequence(self, organization: str, destination: str) -> int:
        """Give the number that the next bundle for this destination gets; 1 for the first."""
        query = ExportRow.select(fn.MAX(ExportRow.sequence)).where(
            ExportRow.organization == organization, ExportRow.destination == destination
        )
        return int(query.scalar() or 0) + 1

    def add(
        self,
        *,
        bundle_id: str,
        organization: str,
        repositories: tuple[str, ...],
        destination: str,
        sequence: int,
        path: str,
        created_at: datetime,
        files: int,
        size: int,
        state: ExportState = ExportState.WRITTEN,
    ) -> ContentExport:
        """Record an export."""
        new = ContentExport(
            id=0,
            bundle_id=bundle_id,
            organization=organization,
            repositories=repositories,
            destination=destination,
            sequence=sequence,
            path=path,
            created_at=created_at,
            files=files,
            size=size,
            state=state,
        )
        with transaction():
            return self.get(int(ExportRow.insert(**_columns(new)).execute()))

    def list(self, organization: str | None = None) -> list[ContentExport]:
        """Give exports, newest first, all or those of an organization."""
        query = ExportRow.select().order_by(ExportRow.id.desc())
        return _read(query if organization is None else query.where(ExportRow.organization == organization))

    def get(self, export_id: int) -> ContentExport:
        """Give an export by its number; raises NotFoundError."""
        found = _read(ExportRow.select().where(ExportRow.id == export_id))
        if not found:
            raise NotFoundError(f"there is no content export {export_id}")
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
    columns = asdict(row)
    del columns["id"]
    columns["state"] = row.state.value
    columns["repositories"] = json.dumps(row.repositories)
    return columns


def _read(query: Any) -> list[ContentExport]:
    return [
        ContentExport(
            **{**row, "state": ExportState(row["state"]), "repositories": tuple(json.loads(row["repositories"]))}
        )
        for row in query.dicts()
    ]
