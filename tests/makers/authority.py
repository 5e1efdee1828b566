"""A throwaway certificate authority, and an upstream that uses it."""

import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from makers.upstream import Upstream, serve

NOW = datetime.datetime.now(datetime.UTC)


class Authority:
    """A throwaway certificate authority."""

    def __init__(self, directory: Path, name: str) -> None:
        self.directory = directory
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(name, self.key, authority=True)
        self.pem = self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, name: str) -> tuple[Path, Path]:
        """Make a certificate for a host or client and give the files of it and its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, private = self.directory / f"{self.name}-{name}.pem", self.directory / f"{self.name}-{name}.key"
        certificate.write_bytes(self._sign(name, key).public_bytes(serialization.Encoding.PEM))
        private.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return certificate, private

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, *, authority: bool = False) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW - datetime.timedelta(days=1))
            .not_valid_after(NOW + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if name == "127.0.0.1":
            names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(name))])
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self.key, hashes.SHA256())


@contextmanager
def serve_tls(
    root: Path, authority: Authority, *, clients: bool, client_ca: str = "", version: ssl.TLSVersion | None = None
) -> Iterator[Upstream]:
    """Serve a directory; `clients` have to show a certificate of `client_ca`, or of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.issue("127.0.0.1"))
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_ca or authority.pem)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    with serve(root, tls=context) as running:
        yield running
