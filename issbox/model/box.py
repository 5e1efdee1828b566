"""The box itself, the boxes it trusts, and who does something."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Box:
    """This appliance, as other boxes know it."""

    id: str
    """A UUID made by `issbox init`."""
    name: str
    key_id: str
    """SHA-256 of the DER public key that signs its bundles, in hexadecimal."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """The public key of a box whose bundles are accepted."""

    name: str
    key_id: str
    public_key: str
    """PEM, SubjectPublicKeyInfo."""
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something, for the audit log."""

    name: str
    origin: str
    """From where: `local`, an SSH client's address, or the name of a service."""
