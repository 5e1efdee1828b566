"""The words of issbox as frozen dataclasses: what the store holds and what a bundle says.

Labels carry identity; row ids stay in the store. Times are aware UTC, sizes are bytes.

The module of a word is loaded when the word is first asked for: making these classes is a good part of what a command
takes to start, and no command needs them all.
"""

from typing import TYPE_CHECKING, Final

from issbox.on_demand import on_demand

if TYPE_CHECKING:
    from issbox.model.box import *
    from issbox.model.catalog import *
    from issbox.model.cdn import *
    from issbox.model.consumers import *
    from issbox.model.entitlement import *
    from issbox.model.errata import *
    from issbox.model.history import *
    from issbox.model.host_lists import *
    from issbox.model.jobs import *
    from issbox.model.manifests import *
    from issbox.model.promotions import *
    from issbox.model.receipts import *
    from issbox.model.reports import *
    from issbox.model.slips import *
    from issbox.model.snapshots import *
    from issbox.model.takings import *
    from issbox.model.users import *
    from issbox.model.versions import *
    from issbox.model.views import *

_WORDS: Final = {
    "box": "Actor Box TrustedKey",
    "catalog": (
        "KATELLO KATELLO_MINORS LIBRARY Content ContentCredential CredentialKind ImportMark LifecycleEnvironment "
        "Organization Product ProductKind Repository RepositoryKey Upstream"
    ),
    "cdn": "REDHAT_CDN_URL CdnChoice CdnLocation CdnServer CdnType CdnUpstream",
    "consumers": (
        "ActivationKey Claim Consumer ContentOverride Entitlement HostCount InstalledProduct IssuedCertificate "
        "IssuedKind OverrideHolder OverrideKind Purpose PurposeChange Regeneration RegenerationScope RegenerationState"
    ),
    "entitlement": "CertificateType CertifiedContent CertifiedProduct EntitlementPayload Order Subscription Validity",
    "errata": "Advisory ErratumType",
    "history": (
        "AuditEntry AuditFilter AuditHead AuditOrder AuditSearch BundleForm ContentExport ContentImport "
        "ExportedVersion ExportState ImportState VersionChange WaitsFor"
    ),
    "host_lists": "EndingCertificate EndingFilter HostFilter HostOrder HostState HostSummary",
    "jobs": "Job JobProgress JobState",
    "manifests": (
        "Distributor EntitlementFile ManifestAction ManifestConflict ManifestEvent ManifestRecord "
        "ManifestSubscription OfferedContent OfferedProduct SignedExport SubscriptionManifest"
    ),
    "promotions": "Held Promotion PromotionAction PromotionRecord ViewVersionName WantedContent",
    "receipts": (
        "RECEIPT_FORMAT RECEIPT_FORMAT_VERSION Acknowledgement LastImport PackageDigests Receipt ReceiptBox "
        "ReceiptForm ReceiptOrganization ReceiptRepository ReceivedReceipt ShortReceipt"
    ),
    "reports": (
        "REPORT_FORMAT REPORT_FORMAT_VERSION ImportReport ReportBox ReportCheck ReportEnvironment "
        "ReportFiles ReportPromotion ReportRepository ReportSource ReportVolume"
    ),
    "slips": "SLIP_FORMAT SLIP_FORMAT_VERSION ShortSlip Slip SlipForm SlipItem SlipReason",
    "snapshots": "DEFAULT_PREFIX Catalogue ContentSnapshot HostProfile Offer PromotedContent Stage",
    "takings": "BOX_TYPES Downstream Taking",
    "users": "ApiToken Attempts Grant Role SshKey User UserSshKey",
    "versions": "FileKind Nevra Package PackageOrder PackageSearch RepositoryFile RepositoryVersion VersionOrigin",
    "views": "ContentView ErratumDate ErratumRule FilterKind PackageRule PinnedVersion ViewFilter ViewVersion",
}
"""Module -> its words that are known here."""

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _WORDS)
