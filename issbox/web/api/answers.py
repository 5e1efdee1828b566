"""What functions of routes may answer besides JSON, and how it goes out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

import msgspec

Stamp = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\+0000$",
        description="A time of UTC as Candlepin writes it.",
        examples=["2026-11-22T17:24:48+0000"],
    ),
]
JSON: Final = "application/json"


@dataclass(frozen=True, slots=True)
class Document:
    """Bytes that are no JSON, or JSON with headers of its own."""

    data: bytes
    media_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotModified:
    """What the client has is still right."""


def stamp(at: datetime) -> str:
    """Give a time as Candlepin writes it, in whole seconds."""
    return at.strftime("%Y-%m-%dT%H:%M:%S+0000")
