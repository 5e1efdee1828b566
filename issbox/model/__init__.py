"""The words of issbox as frozen dataclasses: what the store holds and what a bundle says.

Labels carry identity; row ids stay in the store. Times are aware UTC, sizes are bytes.
"""

from issbox.model.box import (
    Actor,
    Box,
    TrustedKey,
)
from issbox.model.catalog import (
    LIBRARY,
    Content,
    ContentCredential,
    CredentialKind,
    ImportMark,
    LifecycleEnvironment,
    Organization,
    Product,
    ProductKind,
    Repository,
    RepositoryKey,
    Upstream,
)
from issbox.model.history import (
    AuditEntry,
    BundleForm,
    ContentExport,
    ContentImport,
    ExportedVersion,
    ExportState,
    ImportState,
    VersionChange,
    WaitsFor,
)
from issbox.model.users import (
    ApiToken,
    Attempts,
    Grant,
    Role,
    SshKey,
    User,
    UserSshKey,
)
from issbox.model.versions import (
    FileKind,
    Package,
    RepositoryFile,
    RepositoryVersion,
    VersionOrigin,
)

__all__ = [
    "LIBRARY",
    "Actor",
    "ApiToken",
    "Attempts",
    "AuditEntry",
    "Box",
    "BundleForm",
    "Content",
    "ContentCredential",
    "ContentExport",
    "ContentImport",
    "CredentialKind",
    "ExportState",
    "ExportedVersion",
    "FileKind",
    "Grant",
    "ImportMark",
    "ImportState",
    "LifecycleEnvironment",
    "Organization",
    "Package",
    "Product",
    "ProductKind",
    "Repository",
    "RepositoryFile",
    "RepositoryKey",
    "RepositoryVersion",
    "Role",
    "SshKey",
    "TrustedKey",
    "Upstream",
    "User",
    "UserSshKey",
    "VersionChange",
    "VersionOrigin",
    "WaitsFor",
]
