"""What an organization owns: environments, products, content credentials, contents, repositories."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from issbox.model.entitlement import CertificateType
from issbox.model.snapshots import DEFAULT_PREFIX

LIBRARY = "Library"
"""Label of the first lifecycle environment of every organization."""


@dataclass(frozen=True, slots=True)
class Organization:
    """Owner of everything below it."""

    label: str
    name: str
    client_cas: tuple[str, ...] = ()
    """Labels of content credentials: hosts with certificates of these authorities may read its content."""
    content_prefix: str = DEFAULT_PREFIX
    """What stands before the content paths in certificates; `$org` and `$env` are filled in."""
    access: CertificateType = CertificateType.BASIC
    """What hosts that are entitled to everything get: certificates that name each content, or one for all of it."""
    hands_over_environments: bool = False
    """Whether its org-admins manage its lifecycle environments, which else only super-admins do."""


@dataclass(frozen=True, slots=True)
class LifecycleEnvironment:
    """A stage that content is promoted through."""

    organization: str
    label: str
    name: str
    prior: str | None
    """Label of the environment before this one; None for Library."""
    description: str = ""
    serves_as_cdn: bool = False
    """Whether certificates open it whose paths have neither organization nor environment, as those of manifests."""
    id: str = field(default="", compare=False)
    """What programs call it by, unique in the box: given by whoever made it, or made here."""
    type: str = ""
    """What kind of environment programs take it for, in lower case; most have none."""
    content_prefix: str = ""
    """What stands after the organization's prefix, before the content paths in certificates."""
    created_at: datetime | None = field(default=None, compare=False)
    """None for one that is older than the audit log."""
    updated_at: datetime | None = field(default=None, compare=False)
    """When what is said here was changed last; what it holds is not part of it."""


class ProductKind(StrEnum):
    """Where a product comes from."""

    CUSTOM = "custom"
    REDHAT = "redhat"


@dataclass(frozen=True, slots=True)
class Product:
    """A set of contents."""

    organization: str
    label: str
    name: str
    kind: ProductKind = ProductKind.CUSTOM
    description: str = ""
    gpg_key: str | None = None
    """Label of a content credential, used by repositories without a key of their own."""
    number: str = ""
    """Red Hat's engineering product number; empty for custom products."""


class CredentialKind(StrEnum):
    """What a content credential holds."""

    GPG_KEY = "gpg-key"
    CA_CERTIFICATE = "ca-certificate"
    CLIENT_CERTIFICATE = "client-certificate"


@dataclass(frozen=True, slots=True)
class ContentCredential:
    """A GPG key or certificate kept by label. A client certificate's private key lies in a file of its own."""

    organization: str
    label: str
    name: str
    kind: CredentialKind
    content: str
    """Armored GPG key, or PEM."""


@dataclass(frozen=True, slots=True)
class Content:
    """A content set."""

    id: str
    """Red Hat's content id, or a UUID made here for custom content."""
    label: str
    name: str
    path: str
    """Content path template, for example `/content/dist/rhel9/$releasever/$basearch/os`."""
    type: str = "yum"
    arches: tuple[str, ...] = ()
    enabled: bool = True
    """Whether hosts have it enabled by default."""
    required_tags: tuple[str, ...] = ()
    """Only hosts whose installed products provide all of these tags see it."""


@dataclass(frozen=True, slots=True, order=True)
class RepositoryKey:
    """What names a repository in this box."""

    organization: str
    product: str
    label: str
    view: str = ""
    """Label of the content view whose filters made it of the repository so named; empty for that one itself."""

    def __str__(self) -> str:
        return f"{self.organization}/{self.short}"

    @property
    def short(self) -> str:
        """How it is called inside its organization: `product/label`, and `@view` when filters made it."""
        return f"{self.product}/{self.label}{f'@{self.view}' if self.view else ''}"

    @property
    def source(self) -> "RepositoryKey":
        """The repository that this one is filtered from, or itself."""
        return replace(self, view="") if self.view else self


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a repository is synchronized from, and how."""

    url: str | None = None
    """http, https or file; None when the repository is only filled by imports."""
    ca: str | None = None
    """Label of a content credential of kind ca-certificate; None means the system's."""
    client_certificate: str | None = None
    """Label of a content credential of kind client-certificate."""
    proxy: str | None = None
    check_metadata: bool = True
    """The signature of repomd.xml must be there and right when the repository has a GPG key.

    Many vendors sign only their packages.
    """
    check_packages: bool = False
    """Check the GPG signature of every package."""


KATELLO = "katello"
"""How the ids of sources begin that are no box but a Katello."""
KATELLO_MINORS = 1_000_000
"""So many minor versions each major one of a Katello's content view has in a mark's number."""


@dataclass(frozen=True, slots=True)
class ImportMark:
    """Which version of the sending box was imported last, so that an older bundle is noticed."""

    box_id: str
    number: int
    lineage: str = ""
    """Content view whose filters made the version; numbers are compared only within one lineage."""

    @property
    def version(self) -> str:
        """Give the number as people know it: of a Katello, that of its content view version."""
        if not self.box_id.startswith(f"{KATELLO}-"):
            return str(self.number)
        return "{}.{}".format(*divmod(self.number, KATELLO_MINORS))


@dataclass(frozen=True, slots=True)
class Repository:
    """One concrete instance of a content."""

    key: RepositoryKey
    name: str
    content: Content
    path: str
    """Content path with its variables filled in, relative, for example `custom/tools/base`."""
    variables: Mapping[str, str] = field(default_factory=dict)
    """Values of `releasever`, `basearch` and the like."""
    gpg_key: str | None = None
    """Label of a content credential."""
    upstream: Upstream = field(default_factory=Upstream)
    latest: int | None = None
    """Number of the newest repository version."""
    library: int | None = None
    """Number of the version that Library holds: an older one when an import was rolled back."""
    imported: ImportMark | None = None
    unprotected: bool = False
    """Whether hosts may read it without a certificate."""
