"""What lifecycle environments hold, and how it came there."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from issbox.model.box import Actor
from issbox.model.catalog import Repository, RepositoryKey
from issbox.model.snapshots import ContentSnapshot


@dataclass(frozen=True, slots=True, order=True)
class ViewVersionName:
    """Names a content view version inside its organization."""

    view: str
    """Label of the content view."""
    number: str
    """For example `3.0`."""

    def __str__(self) -> str:
        return f"{self.view} {self.number}"


@dataclass(frozen=True, slots=True)
class Promotion:
    """In an environment, this repository is version N, and hosts have it enabled or not."""

    repository: Repository
    number: int
    enabled: bool | None = None
    """Override of the content's default; None leaves it."""
    view_version: ViewVersionName | None = None
    """The content view version that brought it; None in Library, and for a repository promoted by itself."""
    snapshot: ContentSnapshot | None = field(default=None, compare=False)
    """Its content as hosts there are told of it."""

    @property
    def held(self) -> "Held":
        """The same by names only, as the history keeps it."""
        return Held(self.repository.key, self.number, self.enabled, self.view_version, self.snapshot)


@dataclass(frozen=True, slots=True, order=True)
class Held:
    """What an environment held, by names only: history outlives what it tells of."""

    key: RepositoryKey
    number: int
    enabled: bool | None = None
    view_version: ViewVersionName | None = None
    snapshot: ContentSnapshot | None = field(default=None, compare=False)
    """Its content as hosts were told of it; None takes it as it is now."""


@dataclass(frozen=True, slots=True)
class WantedContent:
    """What an environment is to hold at one content path, as somebody asks for it."""

    product: str
    """Label of the product."""
    repository: str
    """Label of the repository."""
    number: int
    """Its version."""
    view_version: ViewVersionName | None = None
    """Content view version that it is of; its filters decide then what is in it."""
    enabled: bool | None = None
    """Override of the content's default; None leaves what is there."""


class PromotionAction(StrEnum):
    """What changed the content of an environment."""

    PROMOTE = "promote"
    DEMOTE = "demote"
    SET = "set"
    """It was made to hold exactly what was asked for."""
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class PromotionRecord:
    """One change of what an environment holds."""

    id: int
    organization: str
    environment: str
    at: datetime
    actor: Actor
    action: PromotionAction
    subject: str
    """What was promoted or taken out, in words: `base 3.0`, `tools/base version 4`."""
    reason: str
    """Why it was done out of order; empty when it was not."""
    before: tuple[Held, ...]
    """What it replaced or took out, of the repositories that changed."""
    after: tuple[Held, ...]
    """What stands in their place."""
    undoes: int | None = None
    """Number of the change that this one took back."""
    undone_by: int | None = None
    """Number of the change that took this one back."""
