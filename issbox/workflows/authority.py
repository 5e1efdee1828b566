"""The box's own authority: where it lies, and how it comes to be.

Key and chain lie in `keys/`, with the passphrase of the key in a file beside them unless the site has put its own key
and passphrase there. All files but the chain are for the owner alone.
"""

import secrets
import time
from datetime import timedelta
from pathlib import Path
from typing import Final

from issbox.certs.authority import Authority
from issbox.certs.authority_files import read_authority, read_passphrase, write_chain, write_key
from issbox.certs.keys import KeyKind, PrivateKey, new_serial
from issbox.errors import BusyError
from issbox.files import FileLock, atomic_write, error_from_os
from issbox.model import Validity
from issbox.workflows.context import Context, Permission

KEY: Final = Path("keys", "authority.key")
CHAIN: Final = Path("keys", "authority.pem")
"""The authority's certificate, and those above it."""
PASSPHRASE: Final = Path("keys", "authority.passphrase")
"""Where they lie in the state directory."""

VALID_FOR: Final = timedelta(days=3650)
_PATIENCE: Final = 10.0
"""Seconds to wait for another process that is making the authority."""


def read_chain(ctx: Context) -> str | None:
    """Give the authority's certificate and those above it in PEM, or None when there is no authority yet."""
    try:
        return (ctx.store.state_dir / CHAIN).read_text()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise error_from_os(error) from error


def open_authority(ctx: Context) -> Authority:
    """Give the box's authority, made on first use as a root of its own.

    Raises AuthorityKeyError when the passphrase does not open the key, PermissionDeniedError when others may read it,
    BadCertificateError when the chain cannot be read.
    """
    state = ctx.store.state_dir
    if not (state / CHAIN).exists():
        _make_once(ctx)
    return read_authority(state / KEY, state / CHAIN, read_passphrase(state / PASSPHRASE))


def _make_once(ctx: Context) -> None:
    ctx.require_anywhere(Permission.CERTIFICATE_MANAGE)
    lock = FileLock(ctx.store.locks / "authority.lock")
    until = time.monotonic() + _PATIENCE
    while not lock.try_acquire():
        if time.monotonic() > until:
            raise BusyError("another process is making the authority of this box")
        time.sleep(0.05)
    try:
        if not (ctx.store.state_dir / CHAIN).exists():
            _make(ctx)
    finally:
        lock.release()


def _make(ctx: Context) -> None:
    """Make passphrase, key and chain; the chain is written last, so that a killed process leaves no authority."""
    state, now = ctx.store.state_dir, ctx.clock().replace(microsecond=0)
    passphrase = secrets.token_hex(32)
    with ctx.store.session():
        name = f"issbox {ctx.store.box.get().name}"
    key = PrivateKey.generate(KeyKind.RSA_3072)
    valid = Validity(now - timedelta(hours=1), now + VALID_FOR)
    authority = Authority.create_root(key, name=name[:60], valid=valid, serial=new_serial())
    try:
        with atomic_write(state / PASSPHRASE, mode=0o600) as out:
            out.write(f"{passphrase}\n".encode())
    except OSError as error:
        raise error_from_os(error) from error
    write_key(state / KEY, key, passphrase.encode())
    with ctx.store.session(), ctx.store.transaction():
        ctx.audit("authority.create", authority.name, details={"serial": authority.serial})
    write_chain(state / CHAIN, authority)
