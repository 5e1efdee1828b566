"""The server's side of TLS: certificates and authorities that can change without a restart.

A client is asked for a certificate but let in without one, so that a refusal can be told in words. What a certificate
may do, and whether it is valid at all, is decided by the guard; only one of an unknown authority is turned away here.
"""

import logging
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.errors import ServerCertificateError

_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: that a certificate has expired is told in words later."""
_LOG: Final = logging.getLogger("issbox.web")


@dataclass(frozen=True, slots=True)
class ServerFiles:
    """Where the server's certificate with its chain, and its key, lie."""

    certificate: Path
    key: Path

    def stamp(self) -> tuple[tuple[int, int, int], ...]:
        """Give what changes when one of the files does; raises OSError."""
        found = (self.certificate.stat(), self.key.stat())
        return tuple((each.st_ino, each.st_size, each.st_mtime_ns) for each in found)


class _Session(ssl.SSLObject):
    """One connection's TLS, which tells a client why its certificate is not taken before the connection ends.

    Event loops end a connection as soon as its handshake fails. Here the failure is told them one step later, so that
    the alert that OpenSSL has written goes out first.
    """

    _refused: ssl.SSLCertVerificationError | None = None

    def do_handshake(self) -> None:
        """Go on with the handshake."""
        if self._refused is not None:
            raise self._refused
        try:
            super().do_handshake()
        except ssl.SSLCertVerificationError as error:
            _LOG.info("a client certificate was refused: %s", error.verify_message)
            self._refused = error
            raise ssl.SSLWantReadError from None


class ServerTls:
    """The TLS context that listeners are given once, and what it stands for now."""

    def __init__(self, files: ServerFiles, authorities: str) -> None:
        """Read certificate and key; raises ServerCertificateError."""
        self._files = files
        self._authorities = authorities
        self._stamp = files.stamp()
        self.context = self._present = _make(files, authorities)
        self.context.sni_callback = self._take_present

    def _take_present(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._present

    def refresh(self, authorities: str) -> bool:
        """Use changed files and these authorities from the next connection on; tells whether anything changed.

        Raises ServerCertificateError, and stays as it was, when a changed file cannot be used.
        """
        try:
            stamp = self._files.stamp()
        except OSError as error:
            raise ServerCertificateError(f"the server's certificate cannot be read: {error}") from None
        if (stamp, authorities) == (self._stamp, self._authorities):
            return False
        self._present = _make(self._files, authorities)
        self._stamp, self._authorities = stamp, authorities
        return True


def _make(files: ServerFiles, authorities: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslobject_class = _Session
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(files.certificate, files.key, _no_passphrase)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise ServerCertificateError(
            f"the server cannot use {files.certificate} with {files.key}: {error.strerror or error}"
            if isinstance(error, OSError)
            else f"the server cannot use {files.key}: {error}"
        ) from None
    context.verify_mode = ssl.CERT_OPTIONAL
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    if authorities:
        context.load_verify_locations(cadata=authorities)
    return context


def _no_passphrase() -> str:
    raise ValueError("the key has a passphrase, which nobody could type when the service starts")
