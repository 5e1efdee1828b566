"""Chains of authorities as a site may have them, made with the cryptography package's builders and not with issbox."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from makers.certificates import NOW


@dataclass
class SiteAuthority:
    """An authority of the site, with a name, and whoever signed it."""

    name: str
    above: "SiteAuthority | None" = None
    path_length: int | None = None
    is_authority: bool = True
    signs_certificates: bool = True
    begin: datetime = NOW - timedelta(days=1)
    end: datetime = NOW + timedelta(days=365)
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        self.certificate = (self.above or self).sign(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]),
            self.key.public_key(),
            path_length=self.path_length,
            is_authority=self.is_authority,
            signs_certificates=self.signs_certificates,
            begin=self.begin,
            end=self.end,
        )

    @property
    def pem(self) -> str:
        return pem_of(self.certificate)

    def sign(
        self,
        subject: x509.Name,
        public: ec.EllipticCurvePublicKey,
        *,
        path_length: int | None = None,
        is_authority: bool = True,
        signs_certificates: bool = True,
        begin: datetime = NOW - timedelta(days=1),
        end: datetime = NOW + timedelta(days=365),
    ) -> x509.Certificate:
        length = path_length if is_authority else None
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=signs_certificates,
            crl_sign=signs_certificates,
            encipher_only=False,
            decipher_only=False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)]))
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=length), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier(b"site-" + self.name.encode()), critical=False)
            .sign(self.key, SHA256())
        )

    def answer(self, request: str, **wanted: object) -> str:
        """Sign a certificate request as asked for, or as wanted."""
        found = x509.load_pem_x509_csr(request.encode())
        assert found.is_signature_valid
        public = found.public_key()
        assert isinstance(public, ec.EllipticCurvePublicKey)
        return pem_of(self.sign(found.subject, public, **wanted))  # type: ignore[arg-type] # by name


def pem_of(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()
