"""Names under which OpenSSL looks for authorities, compared with what the real one says."""

import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from issbox.certs.hashed_names import hashed_files, subject_hash

Attribute = x509.NameAttribute[str]
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
NAMES = [
    [[Attribute(NameOID.ORGANIZATION_NAME, "ACME"), Attribute(NameOID.COMMON_NAME, "box")], []],
    [[Attribute(NameOID.COMMON_NAME, "  Zwei   Wörter\tÄÖ ")], [Attribute(NameOID.COUNTRY_NAME, "DE")]],
    [[Attribute(NameOID.EMAIL_ADDRESS, "A@B.example"), Attribute(NameOID.DOMAIN_COMPONENT, "Example")]],
    [[Attribute(NameOID.COMMON_NAME, "x" * 64)], [Attribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "日本")]],
]


def certificate(name: x509.Name) -> x509.Certificate:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now)
    for extension in (  # by these OpenSSL tells authorities of one name apart
        x509.SubjectKeyIdentifier.from_public_key(key.public_key()),
        x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()),
    ):
        builder = builder.add_extension(extension, critical=False)
    return builder.not_valid_after(now + timedelta(days=1)).sign(key, SHA256())


def pem(each: x509.Certificate) -> str:
    return each.public_bytes(Encoding.PEM).decode()


@needs_openssl
@pytest.mark.parametrize("parts", NAMES)
def test_names_are_those_of_openssl(parts: list[list[Attribute]]) -> None:
    made = certificate(x509.Name([x509.RelativeDistinguishedName(each) for each in parts if each]))
    command = ["openssl", "x509", "-noout", "-subject_hash"]
    said = subprocess.run(command, input=pem(made), capture_output=True, text=True, check=True).stdout.strip()
    assert subject_hash(made.subject) == said


@needs_openssl
def test_openssl_finds_authorities_in_the_directory_also_those_of_one_name(tmp_path: Path) -> None:
    name = x509.Name([Attribute(NameOID.COMMON_NAME, "Box 1")])
    made = [certificate(name), certificate(name), certificate(x509.Name([Attribute(NameOID.COMMON_NAME, "other")]))]
    files = hashed_files("".join(map(pem, [*made, made[0]])))
    assert sorted(each.partition(".")[2] for each in files) == ["0", "0", "1"]
    for file, text in files.items():
        (tmp_path / file).write_text(text)
    for each in made:
        command = ["openssl", "verify", "-no-CAfile", "-CApath", str(tmp_path)]
        done = subprocess.run(command, input=pem(each), capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
