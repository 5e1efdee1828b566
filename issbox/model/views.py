"""Content views: named sets of repositories, their filters, and the versions published of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.model.catalog import Repository, RepositoryKey
from issbox.model.errata import ErratumType


class FilterKind(StrEnum):
    """What a filter looks at."""

    PACKAGE = "rpm"
    """Packages by name, version and architecture; the word is hammer's."""
    ERRATUM = "erratum"
    """Packages of advisories chosen by id, date or type."""


class ErratumDate(StrEnum):
    """Which date of an advisory a filter looks at."""

    UPDATED = "updated"
    ISSUED = "issued"


@dataclass(frozen=True, slots=True)
class PackageRule:
    """Which packages a filter means; what is empty or None matches all."""

    names: tuple[str, ...] = ()
    """Shell patterns: `kernel*`, `python3-?ml`, `[a-m]*`."""
    version: str | None = None
    """Exactly this `[epoch:]version[-release]`; parts left out are not compared."""
    min_version: str | None = None
    """At least this one."""
    max_version: str | None = None
    """At most this one."""
    arches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErratumRule:
    """Which advisories a filter means; all that is given must be so."""

    ids: tuple[str, ...] = ()
    types: tuple[ErratumType, ...] = ()
    start: datetime | None = None
    """Not before this time."""
    end: datetime | None = None
    """Not after this time."""
    date: ErratumDate = ErratumDate.UPDATED
    """Which date start and end are about; an advisory without it counts by the other one."""


@dataclass(frozen=True, slots=True)
class ViewFilter:
    """One filter of a content view: it includes or excludes packages."""

    name: str
    """Unique in the view."""
    inclusion: bool
    """Whether what it means is all that stays, or what goes."""
    rule: PackageRule | ErratumRule
    without_errata: bool = False
    """Whether packages that no advisory names belong to what it means, too."""
    repositories: tuple[str, ...] = ()
    """`product/label` of the repositories it looks at; empty means all of the view."""
    description: str = ""

    @property
    def kind(self) -> FilterKind:
        """What it looks at."""
        return FilterKind.PACKAGE if isinstance(self.rule, PackageRule) else FilterKind.ERRATUM


@dataclass(frozen=True, slots=True)
class ContentView:
    """A named set of repositories, with filters."""

    organization: str
    label: str
    name: str
    description: str = ""
    repositories: tuple[RepositoryKey, ...] = ()
    """Sorted."""
    filters: tuple[ViewFilter, ...] = ()
    """By name."""
    latest: str | None = None
    """Number of the newest version, such as `3.0`."""


@dataclass(frozen=True, slots=True)
class PinnedVersion:
    """A repository version that a content view version holds."""

    repository: Repository
    """Its key has the view's label when the view's filters change what is in it."""
    number: int
    packages: int
    size: int
    """Bytes of all files."""


@dataclass(frozen=True, slots=True)
class ViewVersion:
    """A published version of a content view: one repository version of each of its repositories."""

    organization: str
    view: str
    """Label of the content view."""
    major: int
    minor: int
    created_at: datetime
    description: str
    repositories: tuple[PinnedVersion, ...]
    """By content path."""
    environments: tuple[str, ...] = ()
    """Labels of the environments that hold something of it."""

    @property
    def number(self) -> str:
        """How people write it: `3.0`."""
        return f"{self.major}.{self.minor}"

    def __str__(self) -> str:
        return f"{self.view} {self.number}"
