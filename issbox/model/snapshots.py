"""What a promotion keeps of a content, and what lifecycle environments and products hold of contents."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from issbox.model.entitlement import CertificateType

DEFAULT_PREFIX = "/$org/$env"
"""What stands before every content path of an organization, unless it is told otherwise."""


@dataclass(frozen=True, slots=True)
class ContentSnapshot:
    """A content as it was at one time: all that hosts are told of it, apart from where it lies."""

    id: str
    label: str
    name: str
    path: str
    """Content path template."""
    type: str = "yum"
    arches: tuple[str, ...] = ()
    required_tags: tuple[str, ...] = ()
    enabled: bool = True
    """Whether hosts have it enabled by default."""
    gpg_key: str | None = None
    """Label of a content credential."""
    vendor: str = ""
    """As the manifest says, never empty for contents of one; empty for custom content."""
    gpg_url: str = ""
    """Where hosts find the GPG key when there is no content credential, as a manifest says; may be empty."""


@dataclass(frozen=True, slots=True)
class PromotedContent:
    """A content that an environment holds."""

    snapshot: ContentSnapshot
    enabled: bool | None = None
    """Override of its default; None leaves it."""


@dataclass(frozen=True, slots=True)
class Stage:
    """An environment as certificates see it."""

    label: str
    prefix: str = ""
    """Content prefix, after that of the organization."""
    content: Mapping[str, PromotedContent] = field(default_factory=dict)
    """By content id."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A product as certificates see it."""

    label: str
    name: str
    content: Mapping[str, ContentSnapshot] = field(default_factory=dict)
    """What it has now, by content id: the content of hosts that are in no environment."""
    withdrawn: frozenset[str] = frozenset()
    """Content ids that it had when they were promoted and has no more; they stay where they were promoted."""
    number: str = ""
    """Red Hat's engineering product number; empty for custom products."""

    def has(self, content: str) -> bool:
        """Tell whether an entitlement to the product is one to this content id, wherever it was promoted."""
        return content in self.content or content in self.withdrawn


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All of an organization that decides what certificates say."""

    organization: str
    prefix: str = DEFAULT_PREFIX
    """Content prefix of the organization."""
    access: CertificateType = CertificateType.BASIC
    """What entitlements to everything grant: each content by name, or all below the environments' prefixes."""
    products: Mapping[str, Offer] = field(default_factory=dict)
    """By label."""
    stages: Mapping[str, Stage] = field(default_factory=dict)
    """By label."""


@dataclass(frozen=True, slots=True, order=True)
class HostProfile:
    """All of a host that decides what its certificates say; many hosts have the same one."""

    environments: tuple[str, ...] = ()
    """Labels, the most important first; a host may be in none."""
    arches: tuple[str, ...] = ()
    """Architectures it runs, sorted; empty when it did not say."""
    version: int = 3
    """Version of the certificates it reads: 1 or 3."""
    orphaned: bool = False
    """Whether it is in no environment because its last one was deleted: it gets nothing until somebody moves it."""

    @property
    def confined(self) -> bool:
        """Whether it gets promoted content only, be it nothing at all."""
        return self.orphaned or bool(self.environments)
