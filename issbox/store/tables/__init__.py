"""The tables, as the newest migration leaves them. Rows never leave the store: nouns give the words of issbox.model."""

from typing import Final

from issbox.store.tables.catalog import (
    BoxRow,
    ContentRow,
    CredentialRow,
    EnvironmentRow,
    OrganizationRow,
    ProductRow,
    RepositoryRow,
    TrustedKeyRow,
)
from issbox.store.tables.columns import Row
from issbox.store.tables.content import (
    PACKAGE_COLUMNS,
    DraftFileRow,
    DraftRow,
    FileRow,
    PackageRow,
    PromotionRow,
    VersionRow,
)
from issbox.store.tables.history import AuditRow, ExportRow, ImportRow

__all__ = [
    "PACKAGE_COLUMNS",
    "TABLES",
    "AuditRow",
    "BoxRow",
    "ContentRow",
    "CredentialRow",
    "DraftFileRow",
    "DraftRow",
    "EnvironmentRow",
    "ExportRow",
    "FileRow",
    "ImportRow",
    "OrganizationRow",
    "PackageRow",
    "ProductRow",
    "PromotionRow",
    "RepositoryRow",
    "Row",
    "TrustedKeyRow",
    "VersionRow",
]

TABLES: Final[tuple[type[Row], ...]] = (
    BoxRow,
    TrustedKeyRow,
    OrganizationRow,
    EnvironmentRow,
    CredentialRow,
    ProductRow,
    ContentRow,
    RepositoryRow,
    VersionRow,
    PromotionRow,
    PackageRow,
    FileRow,
    DraftRow,
    DraftFileRow,
    ImportRow,
    ExportRow,
    AuditRow,
)
"""All of them, each after those it refers to."""
