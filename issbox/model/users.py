"""People and programs that use the box: users, the roles granted to them, and what they prove themselves with."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """What somebody is for. All but super-admin are granted in an organization."""

    VIEWER = "viewer"
    EXPORTER = "exporter"
    IMPORTER = "importer"
    PROMOTER = "promoter"
    ORG_ADMIN = "org-admin"
    SUPER_ADMIN = "super-admin"


@dataclass(frozen=True, slots=True)
class User:
    """Somebody with an account on the box: a person, or a program that uses the API."""

    name: str
    """Unique, never changes; in lower case."""
    full_name: str
    created_at: datetime
    disabled: bool = False
    """Whether the user is kept out, with grants and keys kept for later."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role that a user has."""

    role: Role
    organization: str | None = None
    """Label of the organization it is for; None for super-admin alone, which is for the whole box."""
    products: tuple[str, ...] = ()
    """Labels of the products it is limited to, sorted; none means that it is not limited."""
    environments: bool = field(default=False, compare=False)
    """Whether it is for lifecycle environments as well, since the organization hands them to its org-admins."""


@dataclass(frozen=True, slots=True)
class SshKey:
    """A public key with which a user comes in over SSH."""

    type: str
    """As OpenSSH names it, for example `ssh-ed25519`."""
    key: str
    """The key in the form of the SSH protocol, in base64."""
    comment: str
    fingerprint: str
    """As `ssh-keygen -l` shows it: `SHA256:` and the digest of the key in base64."""

    @property
    def line(self) -> str:
        """The key as a line of an authorized_keys file, without options."""
        return f"{self.type} {self.key} {self.comment}".rstrip()


@dataclass(frozen=True, slots=True)
class UserSshKey:
    """A public key and whose it is."""

    user: str
    key: SshKey
    added_at: datetime


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A secret that a program shows instead of name and password. Only its digest is kept."""

    user: str
    name: str
    """Unique among the tokens of the user."""
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None
    """When it was last used, to the hour; None when never."""


@dataclass(frozen=True, slots=True)
class Attempts:
    """How often a password was wrong in a row."""

    failures: int = 0
    blocked_until: datetime | None = None
    """No attempt counts before; None when nothing is blocked."""
