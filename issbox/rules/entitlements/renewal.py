"""When certificates are due for renewal, and what to look at before an authority expires."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from issbox.model import Validity
from issbox.names import format_time


class RenewalState(StrEnum):
    """How a certificate stands to its end."""

    CURRENT = "current"
    DUE = "due"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"


def renewal_state(valid: Validity, now: datetime, early: timedelta) -> RenewalState:
    """Tell whether a certificate is due: less than `early` is left of its validity."""
    if now < valid.not_before:
        return RenewalState.NOT_YET_VALID
    if now > valid.not_after:
        return RenewalState.EXPIRED
    return RenewalState.DUE if valid.not_after - now < early else RenewalState.CURRENT


_PRESSING: Final = (RenewalState.EXPIRED, RenewalState.NOT_YET_VALID, RenewalState.DUE, RenewalState.CURRENT)
"""The most pressing first."""


@dataclass(frozen=True, slots=True)
class AuthorityOutlook:
    """What lies ahead of an authority."""

    state: RenewalState
    """Its own or that of one above it, whichever is more pressing."""
    days_left: int
    """Whole days, 0 when it or one above it has expired."""
    findings: tuple[str, ...]
    """What an administrator should know, the most pressing first; empty when all is well."""


def authority_outlook(
    valid: Validity, now: datetime, *, early: timedelta, longest: timedelta, above: Iterable[Validity] = ()
) -> AuthorityOutlook:
    """Look ahead from now.

    `early` is how long before its end the authority should be renewed, `longest` the validity of the longest
    certificates that it signs: from that long before its end on, they are cut short. `above` are the validities of the
    authorities that it stands below, without which it is worth nothing.
    """
    higher = tuple(above)
    state = renewal_state(valid, now, early)
    findings = []
    if state is RenewalState.EXPIRED:
        findings.append(f"it expired on {format_time(valid.not_after)}: nothing that it signed is accepted any more")
    elif state is RenewalState.NOT_YET_VALID:
        findings.append(f"it is valid from {format_time(valid.not_before)} on only: check the clock")
    elif state is RenewalState.DUE:
        findings.append(f"it expires on {format_time(valid.not_after)}: renew it")
    end = min((each.not_after for each in higher), default=valid.not_after)
    if end < now <= valid.not_after:
        findings.append(f"an authority above it expired on {format_time(end)}: nothing that it signed is accepted")
    elif end < valid.not_after:
        findings.append(f"an authority above it expires before it, on {format_time(end)}")
    end = min(end, valid.not_after)
    if now <= end < now + longest:
        findings.append(f"certificates signed now end with it on {format_time(end)}, before their usual time")
    state = min((state, *(renewal_state(each, now, early) for each in higher)), key=_PRESSING.index)
    return AuthorityOutlook(state, max((end - now).days, 0), tuple(findings))
