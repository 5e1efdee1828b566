"""What a content credential may hold: a GPG key, CA certificates, or a certificate with its private key."""

import re
import ssl
import tempfile
from pathlib import Path
from typing import Final

from issbox.errors import InvalidValueError
from issbox.files import atomic_write
from issbox.model import CredentialKind

LARGEST_CREDENTIAL: Final = 1 << 20
"""Bytes of a key or certificate file; bundles of CA certificates have about 250 KiB."""

_PRIVATE_KEY: Final = re.compile(
    r"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----[ \t]*\r?\n?", re.DOTALL
)  # the back reference keeps one block from reaching into the next
_GPG_PUBLIC: Final = "-----BEGIN PGP PUBLIC KEY BLOCK-----"
_GPG_PRIVATE: Final = "-----BEGIN PGP PRIVATE KEY BLOCK-----"


def check_content(kind: CredentialKind, content: str, private_key: str | None) -> tuple[str, str | None]:
    """Check what a credential of this kind holds and give its content and private key, if it has one."""
    if len(content) > LARGEST_CREDENTIAL or len(private_key or "") > LARGEST_CREDENTIAL:
        raise InvalidValueError(f"a {kind} of more than {LARGEST_CREDENTIAL >> 20} MiB is not accepted")
    if kind is CredentialKind.CLIENT_CERTIFICATE:
        return split_client_certificate(content, private_key)
    if private_key is not None:
        raise InvalidValueError(f"a {kind} has no private key")
    return (check_gpg_key(content) if kind is CredentialKind.GPG_KEY else check_ca_certificate(content)), None


def check_gpg_key(content: str) -> str:
    """Give an armored GPG public key back, or raise InvalidValueError."""
    if _GPG_PRIVATE in content:
        raise InvalidValueError(
            "the file holds a private GPG key", hint="Export the public key: gpg --export --armor KEY"
        )
    if _GPG_PUBLIC not in content:
        raise InvalidValueError(
            "the file holds no armored GPG public key", hint="Make one with: gpg --export --armor KEY"
        )
    return content


def check_ca_certificate(content: str) -> str:
    """Give PEM certificates back, or raise InvalidValueError; a private key among them is refused."""
    if _PRIVATE_KEY.search(content):
        raise InvalidValueError("the file holds a private key: a CA certificate goes without it")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=content)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidValueError(
            f"the file holds no PEM certificate that can be read: {_reason(error)}",
            hint="A DER file is converted with: openssl x509 -inform der -in FILE",
        ) from None
    return content


def split_client_certificate(content: str, private_key: str | None) -> tuple[str, str]:
    """Give certificate and private key apart; both may come in one text, as Red Hat's entitlement certificates do.

    Raises InvalidValueError when the key is missing, does not belong to the certificate, or has a passphrase.
    """
    if private_key is None:
        found = _PRIVATE_KEY.search(content)
        if found is None:
            raise InvalidValueError("a client certificate needs its private key: name its file with --key-file")
        private_key = found[0]
    certificate = _PRIVATE_KEY.sub("", content)
    _check_pair(certificate, private_key)
    return certificate, private_key


class _PassphraseAskedError(Exception):
    """The key is encrypted."""


def _check_pair(certificate: str, private_key: str) -> None:
    def refuse_passphrase() -> str:
        raise _PassphraseAskedError

    # OpenSSL reads a pair from files only; a directory made by tempfile is for this user alone.
    with tempfile.TemporaryDirectory(prefix="issbox-") as directory:
        certificate_file, key_file = Path(directory, "certificate.pem"), Path(directory, "key.pem")
        for file, text in ((certificate_file, certificate), (key_file, private_key)):
            with atomic_write(file, mode=0o600) as out:
                out.write(text.encode())
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(certificate_file, key_file, refuse_passphrase)
        except _PassphraseAskedError:
            raise InvalidValueError(
                "the private key has a passphrase, which nobody could type during an unattended synchronization",
                hint="Remove it with: openssl pkey -in FILE -out NEW_FILE",
            ) from None
        except ssl.SSLError as error:
            raise InvalidValueError(
                f"certificate and private key cannot be used together: {_reason(error)}",
                hint="Check that both files are PEM and belong to each other.",
            ) from None


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).lower().replace("_", " ") if reason else str(error)
