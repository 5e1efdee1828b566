"""Verifying that certificates lead to an authority that is trusted, by the path validation of RFC 5280."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from issbox.certs.certificates import UNREADABLE, read_certificates, validity_of
from issbox.errors import UntrustedCertificateError
from issbox.names import format_time

DEPTH: Final = 5
"""Authorities between a host's certificate and a trusted one, unless said otherwise."""


class TrustedAuthorities:
    """The authorities that are trusted, several at once: after a renewal the old one stays among them."""

    def __init__(self, anchors: Sequence[x509.Certificate], *, depth: int = DEPTH) -> None:
        """Trust these certificates, with up to `depth` intermediates below them."""
        self.anchors = tuple(anchors)
        self._depth = depth
        self._store = Store(list(anchors)) if anchors else None

    @classmethod
    def from_pem(cls, text: str | bytes, *, depth: int = DEPTH) -> "TrustedAuthorities":
        """Trust the certificates of a text; BadCertificateError when one cannot be read."""
        return cls(read_certificates(text, "the trusted authorities"), depth=depth)

    def verify_client(
        self,
        certificate: x509.Certificate,
        intermediates: Sequence[x509.Certificate] = (),
        *,
        at: datetime,
    ) -> tuple[x509.Certificate, ...]:
        """Give the chain from a host's certificate to the trusted one.

        `at` is the time that counts. Raises UntrustedCertificateError saying why there is no chain. SHA-1 signatures
        and RSA keys below 2048 bits are never accepted. Whether one was revoked is not asked here.
        """
        shown = f"the certificate {certificate.serial_number} of {certificate.subject.rfc4514_string()}"
        _require_time(certificate, at, shown)
        chain = self._chain(certificate, intermediates, at, shown)
        for each in chain:
            _require_known_extensions(each)
        return chain

    def _chain(
        self, certificate: x509.Certificate, intermediates: Sequence[x509.Certificate], at: datetime, shown: str
    ) -> tuple[x509.Certificate, ...]:
        if self._store is None:
            raise UntrustedCertificateError(f"{shown} cannot be trusted, since no authority is")
        verifier = (
            PolicyBuilder()
            .store(self._store)
            .time(at)
            .max_chain_depth(self._depth)
            .extension_policies(ca_policy=_AUTHORITY_POLICY, ee_policy=_HOST_POLICY)
            .build_client_verifier()
        )
        try:
            return tuple(verifier.verify(certificate, list(intermediates)).chain)
        except (VerificationError, *UNREADABLE) as error:
            raise UntrustedCertificateError(
                f"{shown}, signed by {certificate.issuer.rfc4514_string()}, does not lead to a trusted authority: "
                f"{str(error)[:300]}"
            ) from None


def _require_time(certificate: x509.Certificate, at: datetime, shown: str) -> None:
    valid = validity_of(certificate)
    if at < valid.not_before:
        raise UntrustedCertificateError(f"{shown} is valid from {format_time(valid.not_before)} on only")
    if at > valid.not_after:
        raise UntrustedCertificateError(f"{shown} was valid until {format_time(valid.not_after)}")


def _require_known_extensions(certificate: x509.Certificate) -> None:
    """Refuse what says that nobody may use it without understanding something that is not understood here."""
    for extension in certificate.extensions:
        if extension.critical and isinstance(extension.value, x509.UnrecognizedExtension):
            raise UntrustedCertificateError(
                f"the certificate of {certificate.subject.rfc4514_string()} has the critical extension "
                f"{extension.oid.dotted_string}, which is not known here"
            )


def _must_sign_certificates(_: Policy, certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError(f"{certificate.subject.rfc4514_string()} may not sign certificates")


def _must_be_authority(_: Policy, certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError(f"{certificate.subject.rfc4514_string()} is no authority")


def _must_not_be_authority(_: Policy, certificate: x509.Certificate, found: x509.BasicConstraints | None) -> None:
    if found is not None and found.ca:
        raise ValueError(f"{certificate.subject.rfc4514_string()} is an authority and no host")


def _must_be_for_clients(_: Policy, certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    allowed = {ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if usage is not None and not allowed.intersection(usage):
        raise ValueError(f"{certificate.subject.rfc4514_string()} is not for clients")


_AUTHORITY_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _must_be_authority)
    .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _must_sign_certificates)
)
_HOST_POLICY: Final = (
    ExtensionPolicy.permit_all()
    .may_be_present(x509.BasicConstraints, Criticality.AGNOSTIC, _must_not_be_authority)
    .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _must_be_for_clients)
)
