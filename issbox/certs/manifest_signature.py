"""Whether a subscription manifest is genuine, and whether its certificates and keys belong together."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, mldsa, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512

from issbox.certs.certificates import UNREADABLE, constraints_of, load_certificate, read_certificates, validity_of
from issbox.certs.decode import CertificateKind, DecodedCertificate, decode_certificate
from issbox.certs.keys import PrivateKey, verifies
from issbox.errors import AuthorityKeyError, BadCertificateError, NotASubscriptionManifestError
from issbox.model import SignedExport
from issbox.rules.entitlements.path_tree import count_paths, grants

ACCEPTED: Final = frozenset({"sha256", "sha384", "sha512", "ml-dsa"})
"""Algorithms of signatures that count. ML-DSA is that of FIPS 204 without a context, as Candlepin signs from 4.8 on."""
_ML_DSA: Final = (mldsa.MLDSA44PublicKey, mldsa.MLDSA65PublicKey, mldsa.MLDSA87PublicKey)
_UNDERSTOOD: Final = re.compile(r"(?i:SHA-?(?:1|256|384|512)with(?:RSA|ECDSA)|ML-?DSA(?:-?(?:44|65|87))?)?")
"""What manifests call the algorithms that are known here; empty when they do not say."""
_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----[^-]*-----END \1-----[ \t]*\r?\n?"
)  # the back reference keeps one block from reaching into the next


@dataclass(frozen=True, slots=True)
class SignatureFinding:
    """What a signature turned out to be."""

    signed_by: str
    """Subject of the authority that vouches for it; empty when none does."""
    problem: str = ""
    """Why none does, in words; empty when one does."""
    forged: bool = False
    """Whether the signer is trusted and the signature is not that of these bytes: no setting lets that pass."""


@dataclass(frozen=True, slots=True)
class CertificateAndKey:
    """A certificate with what follows it, in PEM, and its private key."""

    decoded: DecodedCertificate = field(repr=False)
    certificate: str = field(repr=False)
    key: str = field(repr=False)

    @property
    def paths(self) -> int:
        """How many content paths it opens."""
        return count_paths(self.decoded.tree)


def check_signature(export: SignedExport, *, trusted: str, now: datetime) -> SignatureFinding:
    """Say who signed a manifest, if it is one of the trusted authorities, given in PEM.

    A manifest that brings the certificate of its signer is checked by that one, which has to be trusted or signed by
    an authority that is. Otherwise each trusted certificate is tried. Raises BadCertificateError for certificates that
    cannot be read.
    """
    if not export.signature:
        return SignatureFinding("", "the manifest has no signature")
    authorities = read_certificates(trusted, "the authorities of manifests") if trusted.strip() else []
    if not authorities:
        return SignatureFinding("", "no authority that signs manifests is known here")
    if export.certificate is not None:
        return _by_signer(export, load_certificate(export.certificate, "the signer's certificate"), authorities, now)
    for each in authorities:
        how = _how_signed(_key_of(each), export)
        if how in ACCEPTED:
            return SignatureFinding(each.subject.rfc4514_string())
        if how is not None:
            return SignatureFinding("", _too_weak(each.subject.rfc4514_string(), how))
    names = ", ".join(each.subject.rfc4514_string() for each in authorities[:3])
    kinds = "".join(f"; keys of kind {each} cannot be used here" for each in _unusable(authorities))
    return SignatureFinding("", f"the signature is that of none of the authorities known here ({names}){kinds}")


def _by_signer(
    export: SignedExport, signer: x509.Certificate, authorities: Sequence[x509.Certificate], now: datetime
) -> SignatureFinding:
    shown, key = signer.subject.rfc4514_string(), _key_of(signer)
    if not any(_vouches(each, signer) for each in authorities):
        kinds = "".join(f"; keys of kind {each} cannot be used here" for each in _unusable(authorities))
        return SignatureFinding("", f"the signer {shown} is not an authority known here, nor signed by one{kinds}")
    if not validity_of(signer).holds(now):
        return SignatureFinding("", f"the certificate of the signer {shown} is not valid now")
    how = _how_signed(key, export)
    if how in ACCEPTED:
        return SignatureFinding(shown)
    if how is not None:
        return SignatureFinding("", _too_weak(shown, how))
    if _unusable([signer]) or not _UNDERSTOOD.fullmatch(export.algorithm):
        kind = export.algorithm[:40] if export.algorithm.isprintable() and export.algorithm else "that is not named"
        return SignatureFinding(
            "",
            f"the signature of {shown} is of the kind {kind}, with a key of kind {_kind(signer)}: not understood here",
        )
    return SignatureFinding("", f"the signature of {shown} is not that of this manifest", forged=True)


def _how_signed(key: object, export: SignedExport) -> str | None:
    """Say which algorithm a key made the signature with; None when it did not, by none that is known here.

    What the manifest calls the algorithm does not matter: each one is tried that the key can have been used with.
    """
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        for digest in (SHA256(), SHA384(), SHA512(), SHA1()):  # noqa: S303  # the last one only to name it in the refusal
            if verifies(key, export.data, export.signature, digest):
                return digest.name
        return None
    if isinstance(key, _ML_DSA):
        try:
            key.verify(export.signature, export.data)
        except InvalidSignature:
            return None
        return "ml-dsa"
    return None


def _too_weak(signer: str, how: str) -> str:
    return (
        f"the manifest was signed by {signer} with {how.upper()}, which is not accepted, since such signatures can be "
        "forged. Have it exported again by a server that signs with SHA-256"
    )


def _unusable(certificates: Sequence[x509.Certificate]) -> list[str]:
    """Give the kinds of keys among certificates that no signature can be checked by."""
    usable = (rsa.RSAPublicKey, ec.EllipticCurvePublicKey, *_ML_DSA)
    return sorted({_kind(each) for each in certificates if not isinstance(_key_of(each), usable)})


def _kind(certificate: x509.Certificate) -> str:
    oid = certificate.public_key_algorithm_oid
    return oid.dotted_string if oid._name == "Unknown OID" else oid._name  # noqa: SLF001  # the only name it has


def _key_of(certificate: x509.Certificate) -> object:
    """Give the key of a certificate; None for one of a kind that is not known here."""
    try:
        return certificate.public_key()
    except UNREADABLE:
        return None


def _vouches(authority: x509.Certificate, signer: x509.Certificate) -> bool:
    if authority == signer:
        return True
    constraints = constraints_of(authority)
    if constraints is None or not constraints.ca:
        return False
    try:
        signer.verify_directly_issued_by(authority)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def split_entitlement(text: str, what: str) -> CertificateAndKey:
    """Take an entitlement certificate and its private key apart, and look whether they belong together.

    Raises NotASubscriptionManifestError, naming `what`; nothing of the key is in the message.
    """
    found = _PRIVATE_KEY.search(text)
    if found is None:
        raise NotASubscriptionManifestError(f"{what} comes without its private key")
    made = pair_up(_PRIVATE_KEY.sub("", text), found[0], what)
    if made.decoded.kind is not CertificateKind.ENTITLEMENT:
        raise NotASubscriptionManifestError(f"{what} is no entitlement certificate but one of kind {made.decoded.kind}")
    return made


def pair_up(certificate: str, key: str, what: str) -> CertificateAndKey:
    """Put a certificate and its private key together; raises NotASubscriptionManifestError when they are no pair."""
    try:
        decoded = decode_certificate(certificate)
        private = PrivateKey.from_pem(key, where=f"the private key of {what}")
    except (BadCertificateError, AuthorityKeyError) as error:
        raise NotASubscriptionManifestError(f"{what} cannot be used: {error}") from None
    if not verifies(_key_of(decoded.certificate), b"issbox", private.sign(b"issbox")):
        raise NotASubscriptionManifestError(f"{what} and its private key do not belong together")
    return CertificateAndKey(decoded, certificate, private.pem())


def opens(certificate: str, path: str) -> bool:
    """Tell whether an entitlement certificate in PEM opens a path of the CDN; one that cannot be read opens nothing."""
    try:
        return grants(decode_certificate(certificate).tree, path)
    except BadCertificateError:
        return False
