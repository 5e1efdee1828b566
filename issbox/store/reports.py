"""Verification reports of imports, kept byte for byte."""

from issbox.store.database import Noun, first
from issbox.store.tables import ImportReportRow


class Reports(Noun):
    """Reports of imports."""

    def add(self, import_id: int, *, bundle_id: str, organization: str, content: bytes) -> None:
        """Keep the report of an import, UTF-8 text; call it in the transaction of the import."""
        ImportReportRow.insert(
            content_import=import_id, bundle_id=bundle_id, organization=organization, content=content.decode()
        ).execute()

    def find(self, import_id: int) -> bytes | None:
        """Give the report of an import, or None."""
        row = first(ImportReportRow.select(ImportReportRow.content).where(ImportReportRow.content_import == import_id))
        return None if row is None else str(row[0]).encode()

    def find_bundle(self, bundle_id: str, organization: str) -> bytes | None:
        """Give the newest report of a bundle that went into an organization, or None."""
        query = ImportReportRow.select(ImportReportRow.content).where(
            ImportReportRow.bundle_id == bundle_id, ImportReportRow.organization == organization
        )
        row = first(query.order_by(ImportReportRow.content_import.desc()).limit(1))
        return None if row is None else str(row[0]).encode()
