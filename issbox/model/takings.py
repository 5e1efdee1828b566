"""Other boxes that read content from this one, and what they took."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from issbox.model.consumers import Consumer

BOX_TYPES: Final = ("candlepin", "satellite")
"""Types of registered hosts that are boxes themselves."""


@dataclass(frozen=True, slots=True)
class Taking:
    """What was taken from an environment with a certificate, since it was first shown."""

    organization: str
    environment: str
    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal."""
    subject: str
    issuer: str
    serial: str
    """Decimal digits."""
    first_at: datetime
    last_at: datetime
    requests: int
    size: int
    """Bytes."""
    consumer: str | None = None
    """UUID of the box, when it is registered here."""


@dataclass(frozen=True, slots=True)
class Downstream:
    """A box that may read content from this one, or did."""

    consumer: Consumer | None
    """None for one that came with a certificate of a manifest, or is registered no more."""
    taking: Taking | None
    """None for one that has not come yet."""

    @property
    def name(self) -> str:
        """Name of the box, or whose certificate it shows."""
        if self.consumer is not None:
            return self.consumer.name
        return "" if self.taking is None else self.taking.subject
