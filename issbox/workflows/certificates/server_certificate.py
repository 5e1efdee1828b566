"""The certificate of the HTTPS server: the site's own, or one that the box's authority issues and renews."""

import socket
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from issbox.certs.authority import Authority
from issbox.certs.certificates import read_certificates, validity_of
from issbox.certs.identity import issue_server, server_certificate_suits
from issbox.certs.keys import KeyKind, PrivateKey, new_serial
from issbox.errors import (
    AuthorityKeyError,
    InvalidValueError,
    NotFoundError,
    ServerCertificateError,
)
from issbox.files import FileLock, atomic_write, error_from_os
from issbox.model import Validity
from issbox.private_files import read_secret
from issbox.workflows.certificates.authority import open_authority, read_chain
from issbox.workflows.context import Context, Permission

CERTIFICATE: Final = Path("keys", "web", "server.pem")
KEY: Final = Path("keys", "web", "server.key")
"""Where they lie in the state directory when the box's authority issues them."""

VALID_FOR: Final = timedelta(days=397)
"""What clients accept of servers at most."""
RENEW_BEFORE: Final = timedelta(days=30)
_LARGEST: Final = 64 << 10


@dataclass(frozen=True, slots=True)
class ServerCertificate:
    """Where the server's certificate, followed by those above it, and its key lie."""

    certificate: Path
    key: Path
    by_box: bool
    """Whether the box's authority issued it."""


def server_certificate(ctx: Context) -> ServerCertificate:
    """Give the certificate of the server; one of the box's authority is issued when there is none that suits.

    It suits as long as it has the configured names, comes from the present authority and is valid for another month.
    Raises ServerCertificateError when only one of certificate and key is configured, and what opening the authority
    raises.
    """
    web = ctx.settings.web
    if (web.certificate is None) != (web.certificate_key is None):
        raise ServerCertificateError("[web] certificate and certificate_key belong together, but only one is set")
    if web.certificate is not None and web.certificate_key is not None:
        return ServerCertificate(web.certificate, web.certificate_key, by_box=False)
    found = ServerCertificate(ctx.store.state_dir / CERTIFICATE, ctx.store.state_dir / KEY, by_box=True)
    with FileLock(ctx.store.locks / "server-certificate.lock", busy="another process is issuing the certificate"):
        if not _suits(ctx, found):
            _issue(ctx, open_authority(ctx), found)
    return found


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """The certificate that hosts see of the server."""

    place: ServerCertificate
    names: tuple[str, ...]
    """What it is for, as far as the box knows: the configured names."""
    subject: str
    valid: Validity
    pem: str
    """It and those above it."""


def show_server_certificate(ctx: Context) -> ServerStatus:
    """Say what hosts see of the server; raises NotFoundError while there is none, since no server ran yet."""
    ctx.require(Permission.BOX_READ)
    web = ctx.settings.web
    certificate, key = web.certificate, web.certificate_key
    by_box = certificate is None or key is None
    if certificate is None or key is None:
        certificate, key = ctx.store.state_dir / CERTIFICATE, ctx.store.state_dir / KEY
    try:
        text = certificate.read_text(errors="replace")
    except FileNotFoundError:
        raise NotFoundError(
            f"there is no server certificate at {certificate}",
            hint="`issbox serve` issues one when it starts, `issbox web certificate --renew` now.",
        ) from None
    except OSError as error:
        raise error_from_os(error) from error
    found = read_certificates(text, "the server certificate")
    if not found:
        raise ServerCertificateError(f"{certificate} holds no certificate")
    place = ServerCertificate(certificate, key, by_box)
    return ServerStatus(place, server_names(ctx), found[0].subject.rfc4514_string(), validity_of(found[0]), text)


def renew_server_certificate(ctx: Context) -> ServerStatus:
    """Issue another certificate for the server, with a new key and the configured names.

    A running server takes it up by itself. Raises ServerCertificateError when the site's own certificate is
    configured, which is renewed where it came from, and what opening the authority raises.
    """
    ctx.require(Permission.TRUST_MANAGE)
    if ctx.settings.web.certificate is not None or ctx.settings.web.certificate_key is not None:
        raise ServerCertificateError(
            "the server has a certificate of the site, not one of this box",
            hint="Have it renewed by who issued it and put the files in place, or unset it in [web].",
        )
    found = ServerCertificate(ctx.store.state_dir / CERTIFICATE, ctx.store.state_dir / KEY, by_box=True)
    with FileLock(ctx.store.locks / "server-certificate.lock", busy="another process is issuing the certificate"):
        _issue(ctx, open_authority(ctx), found)
    with ctx.store.session(), ctx.store.transaction():
        ctx.audit("server-certificate.renew", ", ".join(server_names(ctx)))
    return show_server_certificate(ctx)


def server_names(ctx: Context) -> tuple[str, ...]:
    """Give what hosts call this box: the names that are configured, or what the system calls itself."""
    names = ctx.settings.web.names
    if names:
        return names
    host = socket.gethostname()
    return tuple(dict.fromkeys([socket.getfqdn(host), host, "localhost", "127.0.0.1"]))


def _suits(ctx: Context, found: ServerCertificate) -> bool:
    authority = read_chain(ctx)
    if authority is None or not (found.certificate.exists() and found.key.exists()):
        return False
    try:
        key = PrivateKey.from_pem(read_secret(found.key, "the server's key", limit=_LARGEST))
        text = found.certificate.read_text()
    except (AuthorityKeyError, UnicodeDecodeError):
        return False
    except OSError as error:
        raise error_from_os(error) from error
    wanted = server_names(ctx)
    return server_certificate_suits(text, key.public, names=wanted, authority=authority, at=ctx.clock() + RENEW_BEFORE)


def _issue(ctx: Context, authority: Authority, place: ServerCertificate) -> None:
    """Issue a certificate for a new key; a process killed between the two files leaves what does not suit."""
    now = ctx.clock()
    valid = authority.validity(now, now - timedelta(hours=1), now + VALID_FOR)
    key = PrivateKey.generate(KeyKind.EC_P256)
    names = server_names(ctx)
    try:
        text = issue_server(authority, names=names, public=key.public, valid=valid, serial=new_serial())
    except InvalidValueError as error:
        raise ServerCertificateError(
            f"no certificate can be issued for {', '.join(names)}: {error}", hint="Correct [web] names."
        ) from None
    try:
        place.key.parent.mkdir(mode=0o700, exist_ok=True)
        with atomic_write(place.key, mode=0o600) as out:
            out.write(key.pem().encode())
        with atomic_write(place.certificate) as out:
            out.write((text + authority.chain_pem).encode())
    except OSError as error:
        raise error_from_os(error) from error
