"""Re-request slips: which volumes or chunks of a bundle are missing or damaged."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

SLIP_FORMAT = "issbox-slip"
SLIP_FORMAT_VERSION = 1
"""The newest format this issbox writes and reads; every older one is read too."""


class SlipForm(StrEnum):
    """What the numbers of a slip count."""

    VOLUMES = "volumes"
    """Directories or discs, from 1."""
    CHUNKS = "chunks"
    """Chunks of a tar stream, from 1; 0 is its table of contents."""


class SlipReason(StrEnum):
    """Why a volume is asked for again."""

    MISSING = "missing"
    DAMAGED = "damaged"
    UNSTATED = "unstated"
    """A short text does not say why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipItem:
    """One volume or chunk that is asked for again."""

    number: int
    reason: SlipReason
    detail: str = ""
    """In words, for people."""
    files: tuple[str, ...] = ()
    """Paths in the bundle of its damaged or missing files when they are few; none means the whole volume."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slip:
    """What is asked for again of one bundle."""

    format: str
    format_version: int
    created_at: datetime
    """When it was written; for a short text, when it was read."""
    box: str
    """Name of the box that asks; empty when a short text did not say it."""
    bundle_id: str
    organization: str
    destination: str
    sequence: int
    """0 when nothing that is there says it."""
    form: SlipForm
    items: tuple[SlipItem, ...]
    """Ascending by number, each once."""

    @property
    def numbers(self) -> tuple[int, ...]:
        """The numbers of the volumes or chunks, ascending."""
        return tuple(item.number for item in self.items)


@dataclass(frozen=True, slots=True)
class ShortSlip:
    """What the short text of a slip says, before the sender has found the export."""

    tag: str
    """6 digits of the SHA-256 of the bundle's id."""
    sequence: int
    form: SlipForm
    numbers: tuple[int, ...]
