"""An authority below the site's own: a certificate request goes out, and the answer is checked before it is used."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.hashes import MD5, SHA1

from issbox.certs import profiles
from issbox.certs.authority import Authority
from issbox.certs.certificates import UNREADABLE, constraints_of, read_certificates, validity_of
from issbox.certs.keys import PrivateKey, PublicKey
from issbox.errors import AuthorityAnswerError, InvalidValueError
from issbox.names import format_time

DEPTH: Final = 5
"""Authorities above the one of this box."""


def request_certificate(key: PrivateKey, *, name: str, organization: str | None = None) -> str:
    """Give a certificate request (PKCS#10) in PEM for an authority that signs hosts and servers only."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(profiles.name(name, organization))
    for extension in profiles.authority_constraints(path_length=0):
        builder = builder.add_extension(extension, critical=True)
    return key.certificate_request(builder)


def accept_answer(key: PrivateKey, answer: str | bytes, *, now: datetime, above: str | bytes = b"") -> Authority:
    """Give the authority that the site's answer makes of this key.

    `answer` holds the certificate for the key and may hold those above it; `above` holds what it does not. The chain
    has to lead to one that signs itself. Raises BadCertificateError when either cannot be read, and
    AuthorityAnswerError with every reason why the answer cannot be used.
    """
    found = read_certificates(answer, "the answer of the site's authority")
    others = read_certificates(above, "the chain of the site's authority") if above else []
    own = next((each for each in found if _belongs(each, key)), None)
    if own is None:
        raise AuthorityAnswerError("none of the certificates in the answer belongs to the key of this box's request")
    chain, problems = _chain(own, [*found, *others])
    problems += _problems(chain, now)
    if problems:
        raise AuthorityAnswerError(f"the answer of the site's authority cannot be used: {'; '.join(problems)}")
    return Authority(key, chain)


def _belongs(certificate: x509.Certificate, key: PrivateKey) -> bool:
    try:
        return PublicKey.of(certificate.public_key()).spki == key.public.spki
    except (InvalidValueError, *UNREADABLE):
        return False


def _chain(own: x509.Certificate, known: Sequence[x509.Certificate]) -> tuple[list[x509.Certificate], list[str]]:
    """Give the certificates from this box's up to one that signs itself, and what is wrong with that."""
    chain = [own]
    while not _signed_by(chain[-1], chain[-1]):
        issuer = next((each for each in known if each not in chain and _signed_by(chain[-1], each)), None)
        if issuer is None:
            return chain, [f"the certificate of {chain[-1].issuer.rfc4514_string()} is missing or did not sign it"]
        chain.append(issuer)
        if len(chain) > DEPTH + 1:
            return chain, [f"there are more than {DEPTH} authorities above this box"]
    return chain, []


def _signed_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _problems(chain: Sequence[x509.Certificate], now: datetime) -> list[str]:
    return [problem for place, each in enumerate(chain) for problem in _flaws(each, place, now)]


def _flaws(certificate: x509.Certificate, below: int, now: datetime) -> Iterable[str]:
    """Say what keeps a certificate with so many authorities below it from being one itself."""
    shown = certificate.subject.rfc4514_string()
    constraints = constraints_of(certificate)
    if constraints is None or not constraints.ca:
        yield f"{shown} is not an authority (CA:TRUE is missing)"
    elif constraints.path_length is not None and constraints.path_length < below:
        yield f"{shown} allows {constraints.path_length} authorities below it, and there would be {below}"
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.KeyUsage) and not extension.value.key_cert_sign:
            yield f"{shown} may not sign certificates"
        elif isinstance(extension.value, x509.KeyUsage) and below == 0 and not extension.value.crl_sign:
            yield f"{shown} may not sign revocation lists"
    valid = validity_of(certificate)
    if not valid.holds(now):
        yield f"{shown} is valid from {format_time(valid.not_before)} to {format_time(valid.not_after)} only"
    if isinstance(certificate.signature_hash_algorithm, SHA1 | MD5):
        yield f"the signature of {shown} uses {certificate.signature_hash_algorithm.name}"
