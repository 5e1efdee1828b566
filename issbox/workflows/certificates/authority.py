"""The box's authority: making it, having it signed by the site's, and renewing it.

Each authority lies in a directory of its own with key and chain; the file `current` names the one in use and is
replaced whole. Killed anywhere, the old one or the new one is in use, whole.
"""

import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final
from uuid import uuid4

from issbox.certs.authority import Authority
from issbox.certs.authority_files import read_authority, read_key, read_passphrase, write_chain, write_key
from issbox.certs.certificates import read_certificates, validity_of
from issbox.certs.keys import KeyKind, PrivateKey, new_serial
from issbox.certs.profiles import shortened
from issbox.certs.site_authority import accept_answer, request_certificate
from issbox.errors import AlreadyExistsError, BusyError, NotFoundError
from issbox.files import FileLock, atomic_write, error_from_os
from issbox.model import Validity
from issbox.names import check_label
from issbox.rules.entitlements.renewal import AuthorityOutlook, authority_outlook
from issbox.workflows.context import Context, Permission

_KEY: Final = "key.pem"
_CHAIN: Final = "chain.pem"
_CURRENT: Final = "current"
_REQUEST: Final = "request"
_CLOCK_SKEW: Final = timedelta(hours=1)
"""Certificates are valid from so long ago: clocks of hosts may be behind."""
_EARLY: Final = timedelta(days=180)
_PATIENCE: Final = 10.0
"""Seconds to wait for another process that is changing the authority."""

STEPS: Final = ("write-key", "write-chain", "mark-stale", "switch-authority")
"""What making, installing and renewing announce, in order; renewing writes no key and marks nothing."""


@dataclass(frozen=True, slots=True)
class AuthorityStatus:
    """The authority of the box, and what lies ahead of it."""

    name: str
    serial: int
    is_root: bool
    """Whether it is a root of its own, or stands below the site's authority."""
    valid: Validity
    chain_pem: str
    root_pem: str
    """What hosts have to trust."""
    outlook: AuthorityOutlook
    request_pending: bool
    """Whether a request waits for the answer of the site's authority."""


def show_authority(ctx: Context) -> AuthorityStatus:
    """Say what the authority is; raises NotFoundError when none has been made yet."""
    ctx.require(Permission.BOX_READ)
    authority = _read(ctx)
    if authority is None:
        raise NotFoundError(
            "this box has no authority yet",
            hint="Make one with `issbox ca create`, or a request for the site's authority with `issbox ca request`.",
        )
    return _status(ctx, authority)


def create_authority(ctx: Context, *, name: str | None = None, organization: str | None = None) -> AuthorityStatus:
    """Make an authority that is a root of its own; raises AlreadyExistsError when there is one."""
    ctx.require(Permission.TRUST_MANAGE)
    with _changing(ctx):
        if _read(ctx) is not None:
            raise AlreadyExistsError(
                "this box has an authority already", hint="`issbox ca renew` gives it a new certificate."
            )
        return _status(ctx, _make_root(ctx, name, organization))


def open_authority(ctx: Context) -> Authority:
    """Give the authority, made now when a certificate is issued for the first time."""
    authority = _read(ctx)
    if authority is not None:
        return authority
    with _changing(ctx):
        return _read(ctx) or _make_root(ctx, None, None)


def request_authority(ctx: Context, *, name: str | None = None, organization: str | None = None) -> str:
    """Give a certificate request for the site's authority, in PEM; its key waits here for the answer.

    A request made before is replaced. The present authority stays until the answer is installed.
    """
    ctx.require(Permission.TRUST_MANAGE)
    with _changing(ctx):
        key = PrivateKey.generate(KeyKind(ctx.settings.certificates.authority_key))
        request = request_certificate(key, name=name or _default_name(ctx), organization=organization)
        with _disk():
            place = ctx.store.authority / _REQUEST
            place.mkdir(mode=0o700, exist_ok=True)
            write_key(place / _KEY, key, _passphrase(ctx))
        with ctx.store.session(), ctx.store.transaction():
            ctx.audit("ca.request", name or _default_name(ctx))
        return request


def install_authority(ctx: Context, answer: str | bytes, *, above: str | bytes = b"") -> AuthorityStatus:
    """Use the certificate that the site's authority made of the request; every certificate of hosts is stale then.

    Raises NotFoundError when there is no request, AuthorityAnswerError with every reason against the answer.
    """
    ctx.require(Permission.TRUST_MANAGE)
    with _changing(ctx):
        waiting = ctx.store.authority / _REQUEST / _KEY
        if not waiting.is_file():
            raise NotFoundError("no certificate request waits for an answer", hint="Make one with `issbox ca request`.")
        key = read_key(waiting, _passphrase(ctx))
        authority = accept_answer(key, answer, now=ctx.clock(), above=above)
        _use(ctx, authority)
        with _disk():
            waiting.unlink(missing_ok=True)
        return _status(ctx, authority)


def renew_authority(ctx: Context) -> AuthorityStatus:
    """Give a root of its own a new certificate for the same key: what it signed stays good.

    Raises NotFoundError, and CertificateError for an authority that another one signed.
    """
    ctx.require(Permission.TRUST_MANAGE)
    with _changing(ctx):
        present = _read(ctx)
        if present is None:
            raise NotFoundError("this box has no authority yet", hint="Make one with `issbox ca create`.")
        renewed = present.renewed(valid=_validity(ctx), serial=new_serial())
        ctx.progress.step("write-chain")
        place = _place(ctx)
        assert place is not None, "it was read from there"
        write_chain(place / _CHAIN, renewed)
        with ctx.store.session(), ctx.store.transaction():
            ctx.audit("ca.renew", renewed.name, details={"serial": str(renewed.serial)})
        return _status(ctx, renewed)


def read_chain(ctx: Context) -> str | None:
    """Give the authority's certificate and those above it in PEM, or None when there is no authority yet."""
    place = _place(ctx)
    with _disk():
        return None if place is None else (place / _CHAIN).read_text()


def own_chains(ctx: Context) -> list[str]:
    """Give the certificate of each authority that this box ever had with those above it, in PEM, the present first.

    What earlier ones signed may still be out there. There are none before the first authority is made.
    """
    present = read_chain(ctx)
    if present is None:
        return []
    with _disk():
        others = [path.read_text() for path in sorted(ctx.store.authority.glob(f"*/{_CHAIN}"))]
    return list(dict.fromkeys([present, *others]))


def former_authorities(ctx: Context) -> list[tuple[str, Path]]:
    """Give the chains of earlier authorities that are still valid, with where the key of each lies, if it does."""
    present = _place(ctx)
    with _disk():
        places = [path.parent for path in sorted(ctx.store.authority.glob(f"*/{_CHAIN}")) if path.parent != present]
        found = [((each / _CHAIN).read_text(), each / _KEY) for each in places if (each / _KEY).is_file()]
    now = ctx.clock()
    return [
        each for each in found if validity_of(read_certificates(each[0], "an earlier authority")[0]).not_after > now
    ]


def open_former(ctx: Context, key: Path) -> Authority:
    """Open an earlier authority by where its key lies; raises CertificateError when the passphrase is another one."""
    return _opened(key, key.with_name(_CHAIN), _passphrase(ctx), (_stamp(key), _stamp(key.with_name(_CHAIN))))


@contextmanager
def _changing(ctx: Context) -> Iterator[None]:
    lock = FileLock(ctx.store.locks / "authority.lock")
    until = time.monotonic() + _PATIENCE
    while not lock.try_acquire():
        if time.monotonic() > until:
            raise BusyError("another process is changing the authority of this box")
        time.sleep(0.05)
    try:
        yield
    finally:
        lock.release()


@contextmanager
def _disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise error_from_os(error) from error


def _read(ctx: Context) -> Authority | None:
    place = _place(ctx)
    if place is None:
        return None
    passphrase, stamps = _passphrase(ctx), tuple(_stamp(place / name) for name in (_KEY, _CHAIN))
    return _opened(place / _KEY, place / _CHAIN, passphrase, stamps)


@lru_cache(maxsize=4)
def _opened(key: Path, chain: Path, passphrase: bytes, stamps: tuple[object, ...]) -> Authority:
    """Open the authority once, as long as its files (`stamps`) and its passphrase are the same.

    Opening takes a tenth of a second by design, and hosts ask all the time.
    """
    del stamps
    return read_authority(key, chain, passphrase)


def _stamp(path: Path) -> tuple[int, int, int]:
    with _disk():
        found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _passphrase(ctx: Context) -> bytes:
    """Give the passphrase; one is made when the usual file is meant and not there."""
    path = ctx.settings.certificates.passphrase_file
    if path == ctx.store.authority / "passphrase" and not path.exists():
        with _disk(), atomic_write(path, mode=0o600) as out:
            out.write(f"{secrets.token_urlsafe(32)}\n".encode())
    return read_passphrase(path)


def _make_root(ctx: Context, name: str | None, organization: str | None) -> Authority:
    key = PrivateKey.generate(KeyKind(ctx.settings.certificates.authority_key))
    authority = Authority.create_root(
        key,
        name=name or _default_name(ctx),
        organization=organization,
        valid=_validity(ctx),
        serial=new_serial(),
    )
    _use(ctx, authority)
    return authority


def _use(ctx: Context, authority: Authority) -> None:
    """Write an authority whole, mark what another one signed as stale, then let it be the one in use.

    Killed before the last step, the old one is in use, and what was marked turns out to be as it should be. What the
    old one signs between the two steps is marked in a transaction that no certificate can be written beside.
    """
    place = ctx.store.authority / uuid4().hex
    with _disk():
        ctx.progress.step("write-key")
        place.mkdir(mode=0o700)
        write_key(place / _KEY, authority.key, _passphrase(ctx))
        ctx.progress.step("write-chain")
        write_chain(place / _CHAIN, authority)
    ctx.progress.step("mark-stale")
    with ctx.store.session(), ctx.store.transaction():
        marked = ctx.store.entitlements.mark_all_stale()
        ctx.audit("ca.install", authority.name, details={"serial": str(authority.serial), "stale": marked})
    ctx.progress.step("switch-authority")
    with ctx.store.session(), ctx.store.transaction(), _disk():
        ctx.store.entitlements.mark_all_stale()
        _switch(ctx.store.authority, place.name)


def _switch(directory: Path, name: str) -> None:
    with atomic_write(directory / _CURRENT, mode=0o600) as out:
        out.write(f"{name}\n".encode())


def _place(ctx: Context) -> Path | None:
    """Give the directory of the authority in use, or None when none has been made."""
    try:
        name = (ctx.store.authority / _CURRENT).read_text().strip()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise error_from_os(error) from error
    return ctx.store.authority / check_label(name, "the name of the authority in use")


def _default_name(ctx: Context) -> str:
    with ctx.store.session():
        return shortened(f"issbox {ctx.store.box.get().name}")


def _validity(ctx: Context) -> Validity:
    now = ctx.clock()
    return Validity(now - _CLOCK_SKEW, now + timedelta(days=ctx.settings.certificates.authority_days))


def _status(ctx: Context, authority: Authority) -> AuthorityStatus:
    settings = ctx.settings.certificates
    above = [validity_of(each) for each in read_certificates(authority.chain_pem, "the authority")[1:]]
    longest = timedelta(days=max(settings.identity_days, settings.entitlement_days))
    outlook = authority_outlook(authority.valid, ctx.clock(), early=_EARLY, longest=longest, above=above)
    return AuthorityStatus(
        name=authority.name,
        serial=authority.serial,
        is_root=authority.is_root,
        valid=authority.valid,
        chain_pem=authority.chain_pem,
        root_pem=authority.root_pem,
        outlook=outlook,
        request_pending=(ctx.store.authority / _REQUEST / _KEY).is_file(),
    )
