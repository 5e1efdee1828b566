"""The tables, as the newest migration leaves them. Rows never leave the store: nouns give the words of issbox.model.

A table is made when it is first asked for, with those that it refers to.
"""

from typing import TYPE_CHECKING, Final

from issbox.on_demand import on_demand

if TYPE_CHECKING:
    from issbox.store.tables.appliance import *
    from issbox.store.tables.catalog import *
    from issbox.store.tables.cdn import *
    from issbox.store.tables.certificates import *
    from issbox.store.tables.columns import *
    from issbox.store.tables.consumers import *
    from issbox.store.tables.content import *
    from issbox.store.tables.history import *
    from issbox.store.tables.jobs import *
    from issbox.store.tables.manifests import *
    from issbox.store.tables.promotions import *
    from issbox.store.tables.receipts import *
    from issbox.store.tables.takings import *
    from issbox.store.tables.users import *
    from issbox.store.tables.views import *

_ROWS: Final = {
    "appliance": "AuditHeadRow BlobCheckRow NoticeRow",
    "catalog": (
        "BoxRow ClientAuthorityRow ContentRow CredentialRow EnvironmentRow OrganizationRow ProductRow "
        "RepositoryRow TrustedKeyRow"
    ),
    "cdn": "CdnLocationRow",
    "certificates": "CertificateBodyRow CertificateRow RegenerationRow RevocationListRow",
    "columns": "Row",
    "consumers": (
        "ActivationKeyEnvironmentRow ActivationKeyOverrideRow ActivationKeyProductRow ActivationKeyRow "
        "ConsumerOverrideRow ConsumerRow DeletedConsumerRow EntitlementRow EnvironmentOverrideRow "
        "ProfileEnvironmentRow ProfileRow"
    ),
    "content": "PACKAGE_COLUMNS DraftFileRow DraftRow FileRow PackageRow VersionRow",
    "history": "AuditRow ExportRow ImportReportRow ImportRow",
    "jobs": "JobRow",
    "manifests": "ManifestContentRow ManifestEventRow ManifestRow",
    "promotions": "PromotionHistoryRow PromotionRow",
    "receipts": "AcknowledgementRow ReceiptRow",
    "takings": "TakingRow",
    "users": "AttemptRow GrantRow PasswordRow SshKeyRow TokenRow UserRow",
    "views": "PinRow ViewFilterRow ViewRepositoryRow ViewRow ViewVersionRow",
}
"""Module -> what of it is known here."""

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _ROWS)
