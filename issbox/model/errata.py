"""Advisories: what updateinfo tells of why packages were updated."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.model.versions import Nevra


class ErratumType(StrEnum):
    """Why an advisory was issued; upstream's words for anything else become OTHER."""

    SECURITY = "security"
    BUGFIX = "bugfix"
    ENHANCEMENT = "enhancement"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Advisory:
    """One advisory of a repository."""

    id: str
    """For example `RHSA-2026:1234`."""
    type: ErratumType
    title: str
    severity: str
    """Upstream's word, such as `Important`; empty when it gives none."""
    issued: datetime | None
    updated: datetime | None
    cves: tuple[str, ...]
    """Sorted."""
    packages: tuple[Nevra, ...]
    """What it names, whether the repository has it or not."""
