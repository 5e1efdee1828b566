"""Where the authority lies on disk: its key, encrypted and for the owner alone, and its chain of certificates."""

from pathlib import Path
from typing import Final

from issbox.certs.authority import Authority
from issbox.certs.keys import PrivateKey
from issbox.errors import AuthorityKeyError
from issbox.files import atomic_write, error_from_os, open_regular
from issbox.private_files import read_secret

_MOST_PASSPHRASE_BYTES: Final = 4096
_MOST_KEY_BYTES: Final = 64 << 10
_MOST_CHAIN_BYTES: Final = 1 << 20


def read_passphrase(path: Path) -> bytes:
    """Give the first line of the file that holds the passphrase of the authority's key.

    Raises PermissionDeniedError when others than its owner may read it, and AuthorityKeyError when it is empty.
    """
    text = read_secret(path, "the passphrase file", limit=_MOST_PASSPHRASE_BYTES)
    passphrase = text.split(b"\n", 1)[0].rstrip(b"\r")
    if not passphrase:
        raise AuthorityKeyError(
            f"the passphrase file {path} is empty", hint="Write a long passphrase into its first line."
        )
    return passphrase


def write_key(path: Path, key: PrivateKey, passphrase: bytes) -> None:
    """Write a private key, encrypted, with mode 0600; raises PermissionDeniedError, NoSpaceError and the like."""
    _write(path, key.pem(passphrase).encode(), 0o600)


def read_key(path: Path, passphrase: bytes) -> PrivateKey:
    """Read a private key; raises AuthorityKeyError when the passphrase does not open it.

    Raises PermissionDeniedError when others than its owner may read the file.
    """
    data = read_secret(path, "the authority's key", limit=_MOST_KEY_BYTES)
    return PrivateKey.from_pem(data, passphrase, where=f"the authority's key {path}")


def write_chain(path: Path, authority: Authority) -> None:
    """Write the certificate of the authority and those above it, for everybody to read."""
    _write(path, authority.chain_pem.encode(), 0o644)


def read_authority(key: Path, chain: Path, passphrase: bytes) -> Authority:
    """Read key and chain.

    Raises what `read_key` raises, BadCertificateError when the chain cannot be read, and CertificateError when key and
    certificate do not belong together.
    """
    try:
        with open_regular(chain) as source:
            certificates = source.read(_MOST_CHAIN_BYTES) or b""
    except OSError as error:
        raise error_from_os(error) from None
    return Authority.from_pem(read_key(key, passphrase), certificates)


def _write(path: Path, data: bytes, mode: int) -> None:
    try:
        with atomic_write(path, mode=mode) as out:
            out.write(data)
    except OSError as error:
        raise error_from_os(error) from None
