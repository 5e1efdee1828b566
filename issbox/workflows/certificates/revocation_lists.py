"""What was revoked: the serial numbers, signed lists of them, and the list that everybody may have.

A list is signed when an administrator asks for one. The one that is offered over HTTP is signed only when it has to say
something else than before or half of its time is over, so that whoever asks for it again and again makes no work.

Who checks certificates looks for a list of their own issuer (RFC 5280 section 6.3.3). So there is one of the present
authority and, behind it in the same text, one of each earlier authority whose certificates may still be out there and
whose key is still here. All have the serial numbers of all: none is ever given twice.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from issbox.certs.revocation import MOST_BYTES, RevocationList, issue_revocation_list, read_revocation_lists
from issbox.errors import BadCertificateError, CertificateError
from issbox.files import atomic_write, error_from_os, open_regular
from issbox.workflows.certificates.authority import (
    former_authorities,
    open_authority,
    open_former,
    own_chains,
    read_chain,
)
from issbox.workflows.context import Context, Permission

_NAME: Final = "revoked.pem"


def revocation_list(ctx: Context) -> str:
    """Give the signed lists of revoked serial numbers in PEM, the present authority's first.

    Their numbers are larger than those of all before.
    """
    ctx.require(Permission.BOX_READ)
    return _sign(ctx)


def revoked_serials(ctx: Context) -> list[int]:
    """Give the serial numbers that are revoked and would be valid without it, sorted."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return sorted(ctx.store.certificates.revoked(ctx.clock()))


def offered_list(ctx: Context) -> str | None:
    """Give the lists that everybody may have, in PEM, as `revocation_list` does; None while the box has no authority.

    They name all that is revoked now; they may still name what has expired since they were signed.
    """
    chain = read_chain(ctx)
    if chain is None:
        return None
    with ctx.store.session():
        revoked = ctx.store.certificates.revoked(ctx.clock())
    try:
        kept = _kept(ctx, chain)
    except CertificateError:
        kept = None  # somebody changed it: `issbox doctor` tells
    signers = [chain, *(each for each, _ in former_authorities(ctx))]
    if kept is not None and kept.issuers == signers and all(_says(ctx, each, revoked) for each in kept.lists):
        return kept.text
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


@dataclass(frozen=True, slots=True)
class _Kept:
    """What was offered last."""

    text: str
    issuers: list[str]
    """The chain of who signed each list."""
    lists: list[RevocationList]


def _kept(ctx: Context, chain: str) -> _Kept | None:
    """Give what was offered last, if there is anything; raises CertificateError unless this box signed all of it."""
    try:
        with open_regular(kept_at(ctx)) as source:
            text = (source.read(MOST_BYTES + 1) or b"").decode("ascii", "replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        raise error_from_os(error) from error
    found = read_revocation_lists(text, [*dict.fromkeys([chain, *own_chains(ctx)])])
    if not found:
        raise BadCertificateError("it holds no revocation list")
    return _Kept(text, [issuer for issuer, _ in found], [each for _, each in found])


def _says(ctx: Context, kept: RevocationList, revoked: Mapping[int, datetime]) -> bool:
    return _lasts(ctx, kept) and revoked.keys() <= kept.serials


def _lasts(ctx: Context, kept: RevocationList) -> bool:
    """Tell whether more than half of a list's time is left; a clock that was set back makes a new one, too."""
    if kept.next_update is None:
        return False
    return kept.this_update <= ctx.clock() < kept.this_update + (kept.next_update - kept.this_update) / 2


def _sign(ctx: Context) -> str:
    authorities, now = [open_authority(ctx)], ctx.clock().replace(microsecond=0)
    for _, key in former_authorities(ctx):
        with suppress(CertificateError):  # a key that the present passphrase does not open signs nothing any more
            authorities.append(open_former(ctx, key))
    due = now + timedelta(days=ctx.settings.certificates.revocation_list_days)
    with ctx.store.session(), ctx.store.transaction():
        number, revoked = ctx.store.certificates.next_list(now, due), ctx.store.certificates.revoked(now)
    lists = (
        issue_revocation_list(each, revoked, number=number, this_update=now, next_update=due) for each in authorities
    )
    return "".join(lists)
