"""May the holder of this certificate read this path? A decision without side effects."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from issbox.certs.decode import CertificateKind, DecodedCertificate
from issbox.names import format_time
from issbox.rules.entitlements.path_tree import grants


class Reason(StrEnum):
    """Why a path is granted or not."""

    GRANTED = "granted"
    NOT_AN_ENTITLEMENT = "not-an-entitlement"
    NOT_YET_VALID = "not-yet-valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    NOT_TRUSTED = "not-trusted"
    OTHER_ORGANIZATION = "other-organization"
    NO_CONTENT = "no-content"
    PATH_NOT_GRANTED = "path-not-granted"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer, and why."""

    granted: bool
    reason: Reason
    message: str
    """For people; names path, serial and dates."""


def decide(certificate: DecodedCertificate, path: str, *, now: datetime, revoked: bool) -> Verdict:
    """Say whether a certificate whose chain has been verified grants a path, and why or why not.

    `path` is what `rules.paths.request_path` gives; `revoked` tells whether the serial number is. An organization-wide
    certificate grants all below its prefix: which contents lie there is for the server to keep. Raises
    InvalidValueError for a path without a leading slash.
    """
    shown = f"the certificate {certificate.serial}"
    refusal = _not_now(certificate, now, shown, revoked=revoked)
    if refusal is not None:
        return refusal
    if grants(certificate.tree, path):
        return Verdict(True, Reason.GRANTED, f"{shown} grants {path}")
    if not certificate.tree.nodes:
        return _refused(Reason.NO_CONTENT, f"{shown} grants no content at all")
    return _refused(Reason.PATH_NOT_GRANTED, f"{shown} grants other content, but not {path}")


def _not_now(certificate: DecodedCertificate, now: datetime, shown: str, *, revoked: bool) -> Verdict | None:
    """Give the reason why the certificate grants nothing whatever the path, if there is one."""
    if certificate.kind is not CertificateKind.ENTITLEMENT:
        return _refused(Reason.NOT_AN_ENTITLEMENT, f"{shown} is of kind {certificate.kind} and grants no content")
    if now < certificate.valid.not_before:
        since = format_time(certificate.valid.not_before)
        return _refused(Reason.NOT_YET_VALID, f"{shown} is valid from {since} on only")
    if now > certificate.valid.not_after:
        return _refused(Reason.EXPIRED, f"{shown} was valid until {format_time(certificate.valid.not_after)}")
    return _refused(Reason.REVOKED, f"{shown} was revoked") if revoked else None


def _refused(reason: Reason, message: str) -> Verdict:
    return Verdict(False, reason, message)
