"""When certificates are due, and what an administrator hears before the authority expires."""

from datetime import UTC, datetime, timedelta

import pytest

from issbox.model import Validity
from issbox.rules.entitlements.renewal import RenewalState, authority_outlook, renewal_state

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
VALID = Validity(BEGIN, BEGIN + 1000 * DAY)


@pytest.mark.parametrize(
    ("day", "state"),
    [
        (-1, RenewalState.NOT_YET_VALID),
        (0, RenewalState.CURRENT),
        (910, RenewalState.CURRENT),
        (911, RenewalState.DUE),
        (1000, RenewalState.DUE),
        (1001, RenewalState.EXPIRED),
    ],
)
def test_a_certificate_is_due_when_too_little_is_left(day: int, state: RenewalState) -> None:
    assert renewal_state(VALID, BEGIN + day * DAY, early=90 * DAY) is state


@pytest.mark.parametrize(
    ("day", "above", "left", "findings"),
    [
        (0, None, 1000, []),
        (700, None, 300, ["certificates signed now end with it on 2028-09-27T00:00:00Z"]),
        (950, None, 50, ["it expires on 2028-09-27T00:00:00Z: renew it", "certificates signed now end with it"]),
        (1001, None, 0, ["it expired on 2028-09-27T00:00:00Z"]),
        (-5, None, 1005, ["it is valid from 2026-01-01T00:00:00Z on only"]),
        (0, 500, 500, ["an authority above it expires before it, on 2027-05-16T00:00:00Z"]),
        (510, 500, 0, ["an authority above it expired on 2027-05-16T00:00:00Z: nothing"]),
        (0, 2000, 1000, []),
    ],
)
def test_the_outlook_names_what_is_ahead(day: int, above: int | None, left: int, findings: list[str]) -> None:
    chain = [Validity(BEGIN, BEGIN + above * DAY)] if above else []
    found = authority_outlook(VALID, BEGIN + day * DAY, early=90 * DAY, longest=365 * DAY, above=chain)
    assert found.days_left == left
    assert len(found.findings) == len(findings)
    for text, start in zip(found.findings, findings, strict=True):
        assert text.startswith(start)


@pytest.mark.parametrize(
    ("day", "above", "state"),
    [
        (0, 500, RenewalState.CURRENT),
        (450, 500, RenewalState.DUE),
        (510, 500, RenewalState.EXPIRED),
        (950, 2000, RenewalState.DUE),
        (1001, 2000, RenewalState.EXPIRED),
    ],
)
def test_an_authority_is_worth_as_much_as_those_above_it(day: int, above: int, state: RenewalState) -> None:
    chain = [Validity(BEGIN, BEGIN + above * DAY)]
    assert authority_outlook(VALID, BEGIN + day * DAY, early=90 * DAY, longest=DAY, above=chain).state is state


def test_a_validity_is_in_whole_seconds_and_ends_after_it_begins() -> None:
    odd = Validity(BEGIN.replace(microsecond=5), BEGIN + DAY)
    assert odd.not_before == BEGIN
    assert odd.within(Validity(BEGIN, BEGIN + DAY / 2)).not_after == BEGIN + DAY / 2
    for end in (BEGIN, BEGIN - DAY):
        with pytest.raises(ValueError, match="end after it begins"):
            Validity(BEGIN, end)
    with pytest.raises(ValueError, match="end after it begins"):
        VALID.within(Validity(BEGIN - 2 * DAY, BEGIN - DAY))
