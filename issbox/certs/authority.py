"""The authority of a box: it signs certificates, entitlement payloads and revocation lists.

It is a root of its own here, or an intermediate that the site's authority signed (`certs.site_authority`).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Self

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from issbox.certs import assembly, pem, profiles
from issbox.certs.certificates import constraints_of, read_certificates, validity_of
from issbox.certs.keys import PrivateKey, PublicKey
from issbox.errors import AuthorityExpiredError, CertificateError, InvalidValueError
from issbox.model import Validity
from issbox.names import format_time

LARGEST_SERIAL: Final = 2**63 - 1
"""What stock servers keep in a column; serials made here are smaller (`certs.keys.new_serial`)."""


class Authority:
    """A private key with the certificate that makes it an authority."""

    def __init__(self, key: PrivateKey, chain: Sequence[x509.Certificate]) -> None:
        """Take the key and its certificate, followed by those of the authorities above it.

        Raises CertificateError when the certificate belongs to another key or is not that of an authority.
        """
        if not chain:
            raise CertificateError("the authority has no certificate")
        self._own = chain[0]
        self._chain = tuple(chain)
        if PublicKey.of(self._own.public_key()).spki != key.public.spki:
            raise CertificateError(f"the certificate of {self.name} belongs to another key")
        constraints = constraints_of(self._own)
        if constraints is None or not constraints.ca:
            raise CertificateError(f"the certificate of {self.name} is not that of an authority")
        self._key = key
        identifier = assembly.key_identifier(_key_id_of(self._own, key))
        self._issuer = assembly.Issuer(key, self._own.subject.public_bytes(), identifier)
        self.valid = validity_of(self._own)
        """From when until when the authority may sign."""

    @classmethod
    def create_root(
        cls, key: PrivateKey, *, name: str, valid: Validity, serial: int, organization: str | None = None
    ) -> Self:
        """Make an authority that signs itself and may sign hosts and servers, but no authority below it."""
        subject = profiles.name(name, organization).public_bytes()
        statement = assembly.Statement(subject, profiles.authority_extensions(path_length=0))
        signed = assembly.certificate(statement, key.public, valid, serial, assembly.Issuer(key, subject))
        return cls(key, [x509.load_der_x509_certificate(signed)])

    @classmethod
    def from_pem(cls, key: PrivateKey, chain: str | bytes) -> Self:
        """Take the key and a text with the chain of certificates, its own first."""
        return cls(key, read_certificates(chain, "the authority's certificate"))

    def renewed(self, *, valid: Validity, serial: int) -> Self:
        """Give this root with a new certificate for the same key and name: what it signed stays verifiable.

        Raises CertificateError for an intermediate, which only the authority above it can renew.
        """
        if not self.is_root:
            raise CertificateError(
                f"{self.name} was signed by another authority, so only that one can renew it",
                hint="Make a certificate request and have it signed.",
            )
        subject = self._own.subject.public_bytes()
        statement = assembly.Statement(subject, profiles.authority_extensions(path_length=0))
        issuer = assembly.Issuer(self._key, subject)
        signed = assembly.certificate(statement, self._key.public, valid, serial, issuer)
        return type(self)(self._key, [x509.load_der_x509_certificate(signed)])

    def issue(self, statement: assembly.Statement, public: PublicKey, *, valid: Validity, serial: int) -> str:
        """Sign a certificate and give it in PEM.

        Raises AuthorityExpiredError when it would be valid longer than the authority, and InvalidValueError for a
        serial that is not from 1 to 2**63 - 1.
        """
        if not 1 <= serial <= LARGEST_SERIAL:
            raise InvalidValueError(f"the serial number {serial} is not from 1 to {LARGEST_SERIAL}")
        if valid.not_after > self.valid.not_after:
            raise AuthorityExpiredError(
                f"a certificate until {format_time(valid.not_after)} cannot be signed: {self.name} itself is valid "
                f"until {format_time(self.valid.not_after)}"
            )
        return pem.write("CERTIFICATE", assembly.certificate(statement, public, valid, serial, self._issuer))

    def validity(self, now: datetime, begin: datetime, end: datetime) -> Validity:
        """Give the validity of a certificate issued now, which ends with the authority at the latest.

        Raises AuthorityExpiredError when that has ended already.
        """
        if now >= self.valid.not_after:
            raise AuthorityExpiredError(f"{self.name} was valid until {format_time(self.valid.not_after)}")
        return Validity(begin, end).within(self.valid)

    def sign(self, data: bytes) -> bytes:
        """Sign SHA-256 of the data, as entitlement payloads are signed."""
        return self._key.sign(data)

    @property
    def issuer(self) -> assembly.Issuer:
        """Who signs, for `certs.revocation`."""
        return self._issuer

    @property
    def key(self) -> PrivateKey:
        """The private key, for `certs.authority_files`."""
        return self._key

    @property
    def signs_with_rsa(self) -> bool:
        """Whether its signatures are RSA, else they are ECDSA."""
        return self._key.is_rsa

    @property
    def name(self) -> str:
        """Its subject for people, such as `CN=issbox near,O=Acme`."""
        return self._own.subject.rfc4514_string()

    @property
    def serial(self) -> int:
        """Serial number of its certificate."""
        return self._own.serial_number

    @property
    def is_root(self) -> bool:
        """Whether it signed itself."""
        return self._own.issuer == self._own.subject

    @property
    def chain_pem(self) -> str:
        """Its own certificate and those above it."""
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in self._chain)

    @property
    def root_pem(self) -> str:
        """The last certificate of the chain: what hosts have to trust."""
        return self._chain[-1].public_bytes(Encoding.PEM).decode()

    def __repr__(self) -> str:
        return f"Authority({self.name})"


def _key_id_of(certificate: x509.Certificate, key: PrivateKey) -> bytes:
    """Give the identifier as the certificate has it, since another authority may have computed it in another way."""
    for extension in certificate.extensions:
        if extension.oid == ExtensionOID.SUBJECT_KEY_IDENTIFIER and isinstance(
            extension.value, x509.SubjectKeyIdentifier
        ):
            return extension.value.digest
    return key.public.key_id
