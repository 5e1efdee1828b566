"""Every table, those that others refer to first."""

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
from issbox.store.tables.cdn import CdnLocationRow
from issbox.store.tables.certificates import CertificateBodyRow, CertificateRow, RegenerationRow, RevocationListRow
from issbox.store.tables.columns import Row
from issbox.store.tables.consumers import (
    ActivationKeyEnvironmentRow,
    ActivationKeyOverrideRow,
    ActivationKeyProductRow,
    ActivationKeyRow,
    ConsumerOverrideRow,
    ConsumerRow,
    DeletedConsumerRow,
    EntitlementRow,
    EnvironmentOverrideRow,
    ProfileEnvironmentRow,
    ProfileRow,
)
from issbox.store.tables.content import (
    DraftFileRow,
    DraftRow,
    FileRow,
    PackageRow,
    VersionRow,
)
from issbox.store.tables.history import AuditRow, ExportRow, ImportReportRow, ImportRow
from issbox.store.tables.jobs import JobRow
from issbox.store.tables.manifests import ManifestContentRow, ManifestEventRow, ManifestRow
from issbox.store.tables.promotions import PromotionHistoryRow, PromotionRow
from issbox.store.tables.receipts import AcknowledgementRow, ReceiptRow
from issbox.store.tables.takings import TakingRow
from issbox.store.tables.users import AttemptRow, GrantRow, PasswordRow, SshKeyRow, TokenRow, UserRow
from issbox.store.tables.views import PinRow, ViewFilterRow, ViewRepositoryRow, ViewRow, ViewVersionRow

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
    ProfileRow,
    ProfileEnvironmentRow,
    ConsumerRow,
    DeletedConsumerRow,
    EntitlementRow,
    ConsumerOverrideRow,
    EnvironmentOverrideRow,
    ActivationKeyRow,
    ActivationKeyEnvironmentRow,
    ActivationKeyOverrideRow,
    ActivationKeyProductRow,
    CertificateBodyRow,
    CertificateRow,
    RevocationListRow,
    RegenerationRow,
    ManifestRow,
    ManifestContentRow,
    ManifestEventRow,
    CdnLocationRow,
    TakingRow,
)
"""All of them, each after those it refers to."""
