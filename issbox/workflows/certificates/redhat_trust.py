"""Red Hat's entitlement authority: trusted only when an administrator says so, from a file that the site provides.

Its certificates then open environments that stand in for the CDN, by the paths that they have there.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from issbox.certs.certificates import constraints_of, read_certificates, validity_of
from issbox.errors import InvalidValueError
from issbox.files import atomic_write, error_from_os
from issbox.workflows.context import Context, Permission

REDHAT_CA: Final = Path("keys", "redhat-entitlement-ca.pem")
"""Where its certificates lie in the state directory while they are trusted."""
LARGEST: Final = 1 << 20
"""Bytes of the file that a site provides."""


@dataclass(frozen=True, slots=True)
class RedHatTrust:
    """Whether Red Hat's entitlement authority is trusted, and which certificates it is known by."""

    trusted: bool
    subjects: tuple[str, ...] = ()
    expires: datetime | None = None
    """When the first of them does."""


def read_redhat_ca(ctx: Context) -> str | None:
    """Give its certificates in PEM, or None when it is not trusted."""
    try:
        return (ctx.store.state_dir / REDHAT_CA).read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise error_from_os(error) from error


def show_redhat_trust(ctx: Context) -> RedHatTrust:
    """Say whether it is trusted."""
    ctx.require(Permission.BOX_READ)
    text = read_redhat_ca(ctx)
    return RedHatTrust(False) if text is None else _describe(text)


def trust_redhat(ctx: Context, text: str) -> RedHatTrust:
    """Trust the authorities in this text, which the site had from Red Hat.

    Raises BadCertificateError for what cannot be read and InvalidValueError for certificates that are no authorities.
    """
    ctx.require(Permission.TRUST_MANAGE)
    found = _describe(text)
    try:
        with ctx.store.session(), ctx.store.transaction():
            ctx.audit("redhat.trust", "entitlement CA", details={"subjects": list(found.subjects)})
            with atomic_write(ctx.store.state_dir / REDHAT_CA) as out:
                out.write(text.encode())
    except OSError as error:
        raise error_from_os(error) from error
    return found


def distrust_redhat(ctx: Context) -> RedHatTrust:
    """Trust it no longer; certificates of it open nothing from now on."""
    ctx.require(Permission.TRUST_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        ctx.audit("redhat.distrust", "entitlement CA")
        (ctx.store.state_dir / REDHAT_CA).unlink(missing_ok=True)
    return RedHatTrust(False)


def _describe(text: str) -> RedHatTrust:
    if len(text) > LARGEST:
        raise InvalidValueError(f"a file of more than {LARGEST >> 20} MiB holds no CA certificate")
    certificates = read_certificates(text, "the file with Red Hat's authority")
    if "PRIVATE KEY" in text:
        raise InvalidValueError("the file holds a private key: a CA certificate goes without it")
    for each in certificates:
        constraints = constraints_of(each)
        if constraints is None or not constraints.ca:
            raise InvalidValueError(
                f"{each.subject.rfc4514_string()} is no authority",
                hint="Give the file with the CA that signs entitlement certificates, not one of the certificates.",
            )
    if not certificates:
        raise InvalidValueError("the file holds no certificate")
    ends = min(validity_of(each).not_after for each in certificates)
    return RedHatTrust(True, tuple(each.subject.rfc4514_string() for each in certificates), ends)
