"""What was revoked: the serial numbers, signed lists of them, and the list that everybody may have.

A list is signed when an administrator asks for one. The one that is offered over HTTP is signed only when it has to say
something else than before or half of its time is over, so that whoever asks for it again and again makes no work.
"""

from datetime import timedelta
from pathlib import Path
from typing import Final

from issbox.certs.certificates import read_certificates
from issbox.certs.revocation import MOST_BYTES, RevocationList, issue_revocation_list, read_revocation_list
from issbox.errors import CertificateError
from issbox.files import atomic_write, error_from_os, open_regular
from issbox.workflows.certificates.authority import open_authority, read_chain
from issbox.workflows.context import Context, Permission

_NAME: Final = "revoked.pem"


def revocation_list(ctx: Context) -> str:
    """Give the signed list of revoked serial numbers in PEM; its number is larger than that of all before."""
    ctx.require(Permission.BOX_READ)
    return _sign(ctx)


def revoked_serials(ctx: Context) -> list[int]:
    """Give the serial numbers that are revoked and would be valid without it, sorted."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return sorted(ctx.store.certificates.revoked(ctx.clock()))


def offered_list(ctx: Context) -> str | None:
    """Give the list that everybody may have, in PEM; None while the box has no authority.

    It names all that is revoked now; it may still name what has expired since it was signed.
    """
    chain = read_chain(ctx)
    if chain is None:
        return None
    with ctx.store.session():
        revoked = ctx.store.certificates.revoked(ctx.clock())
    try:
        kept = _kept(ctx, chain)
    except CertificateError:
        kept = None  # another authority signed it, or somebody changed it: `issbox doctor` tells
    if kept is not None and _lasts(ctx, kept[1]) and revoked.keys() <= kept[1].serials:
        return kept[0]
    text = _sign(ctx)
    try:
        with atomic_write(kept_at(ctx), mode=0o600) as out:
            out.write(text.encode())
    except OSError as error:
        raise error_from_os(error) from error
    return text


def kept_at(ctx: Context) -> Path:
    """Give the file of the list that was offered last."""
    return ctx.store.authority / _NAME


def kept_problem(ctx: Context) -> str:
    """Say what is wrong with the list that was offered last; empty when nothing is, or there is none."""
    try:
        _kept(ctx, read_chain(ctx) or "")
    except CertificateError as error:
        return str(error)
    return ""


def _kept(ctx: Context, chain: str) -> tuple[str, RevocationList] | None:
    """Give the list that was offered last, if there is one; raises CertificateError unless this authority signed it."""
    try:
        with open_regular(kept_at(ctx)) as source:
            text = (source.read(MOST_BYTES + 1) or b"").decode("ascii", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise error_from_os(error) from error
    issuer, *_ = read_certificates(chain, "the authority")
    return text, read_revocation_list(text, issuer)


def _lasts(ctx: Context, kept: RevocationList) -> bool:
    """Tell whether more than half of a list's time is left; a clock that was set back makes a new one, too."""
    if kept.next_update is None:
        return False
    return kept.this_update <= ctx.clock() < kept.this_update + (kept.next_update - kept.this_update) / 2


def _sign(ctx: Context) -> str:
    authority, now = open_authority(ctx), ctx.clock().replace(microsecond=0)
    due = now + timedelta(days=ctx.settings.certificates.revocation_list_days)
    with ctx.store.session(), ctx.store.transaction():
        number, revoked = ctx.store.certificates.next_list(now, due), ctx.store.certificates.revoked(now)
    return issue_revocation_list(authority, revoked, number=number, this_update=now, next_update=due)
