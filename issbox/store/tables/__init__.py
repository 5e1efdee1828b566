"""The tables, as the newest migration leaves them. Rows never leave the store: nouns give the words of issbox.model."""

from typing import Final

from issbox.store.tables.appliance import AuditHeadRow, BlobCheckRow, NoticeRow
from issbox.store.tables.catalog import (
    BoxRow,
    ClientAuthorityRow,
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
    VersionRow,
)
from issbox.store.tables.history import AuditRow, ExportRow, ImportReportRow, ImportRow
from issbox.store.tables.jobs import JobRow
from issbox.store.tables.promotions import PromotionHistoryRow, PromotionRow
from issbox.store.tables.receipts import AcknowledgementRow, ReceiptRow
from issbox.store.tables.users import AttemptRow, GrantRow, PasswordRow, SshKeyRow, TokenRow, UserRow
from issbox.store.tables.views import PinRow, ViewFilterRow, ViewRepositoryRow, ViewRow, ViewVersionRow

__all__ = [
    "PACKAGE_COLUMNS",
    "TABLES",
    "AcknowledgementRow",
    "AttemptRow",
    "AuditHeadRow",
    "AuditRow",
    "BlobCheckRow",
    "BoxRow",
    "ClientAuthorityRow",
    "ContentRow",
    "CredentialRow",
    "DraftFileRow",
    "DraftRow",
    "EnvironmentRow",
    "ExportRow",
    "FileRow",
    "GrantRow",
    "ImportReportRow",
    "ImportRow",
    "JobRow",
    "NoticeRow",
    "OrganizationRow",
    "PackageRow",
    "PasswordRow",
    "PinRow",
    "ProductRow",
    "PromotionHistoryRow",
    "PromotionRow",
    "ReceiptRow",
    "RepositoryRow",
    "Row",
    "SshKeyRow",
    "TokenRow",
    "TrustedKeyRow",
    "UserRow",
    "VersionRow",
    "ViewFilterRow",
    "ViewRepositoryRow",
    "ViewRow",
    "ViewVersionRow",
]

TABLES: Final[tuple[type[Row], ...]] = (
    BoxRow,
    TrustedKeyRow,
    OrganizationRow,
    EnvironmentRow,
    CredentialRow,
    ClientAuthorityRow,
    ProductRow,
    ContentRow,
    RepositoryRow,
    VersionRow,
    ViewRow,
    ViewRepositoryRow,
    ViewFilterRow,
    ViewVersionRow,
    PinRow,
    PromotionRow,
    PromotionHistoryRow,
    PackageRow,
    FileRow,
    DraftRow,
    DraftFileRow,
    ImportRow,
    ImportReportRow,
    ExportRow,
    AuditRow,
    AuditHeadRow,
    BlobCheckRow,
    NoticeRow,
    UserRow,
    GrantRow,
    PasswordRow,
    AttemptRow,
    TokenRow,
    SshKeyRow,
    ReceiptRow,
    AcknowledgementRow,
    JobRow,
)
"""All of them, each after those it refers to."""
