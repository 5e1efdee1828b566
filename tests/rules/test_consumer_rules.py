"""What a host may tell of itself: release, system purpose, installed products."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import Attempts, InstalledProduct, Purpose
from issbox.rules.entitlements.consumers import check_installed, check_purpose, check_release, release_order
from issbox.rules.people.passwords import FREE_FAILURES_OF_ADDRESS, after_failure, after_success, blocked_until
from issbox.wiring import now


@given(st.text(max_size=80))
def test_a_release_that_is_taken_stays_within_its_path_segment(text: str) -> None:
    try:
        assert check_release(text) == text
    except InvalidValueError:
        return
    assert text == "" or (text.isascii() and text[0].isalnum() and not set(text) & set("/\\%$ ?#\n"))


@pytest.mark.parametrize("text", ["9", "9.4", "8Server", "7.9-eus", ""])
def test_releases_of_vendors_are_taken(text: str) -> None:
    assert check_release(text) == text


def test_purposes_are_lines_and_not_too_many() -> None:
    good = Purpose("Premium", "Red Hat Enterprise Linux Server", "Production", ("a",) * 100)
    assert check_purpose(good) == good
    for bad in (Purpose("a\nb"), Purpose(role="x" * 256), Purpose(usage="\0"), Purpose(add_ons=("a",) * 101)):
        with pytest.raises(InvalidValueError):
            check_purpose(bad)


def test_installed_products_have_ids_and_are_not_too_many() -> None:
    assert check_installed([InstalledProduct("69")]) == (InstalledProduct("69"),)
    for bad in ([InstalledProduct("")], [InstalledProduct("1", "a\n")], [InstalledProduct("1")] * 1001):
        with pytest.raises(InvalidValueError):
            check_installed(bad)


def test_releases_are_in_the_order_of_their_numbers() -> None:
    releases = ["9.10", "10", "9", "9.2", "8", "9Server"]
    assert sorted(releases, key=release_order) == ["8", "9", "9.2", "9.10", "9Server", "10"]


def test_an_address_has_more_attempts_than_a_user_and_is_forgiven_half() -> None:
    at, found = now(), Attempts()
    for _ in range(FREE_FAILURES_OF_ADDRESS - 1):
        found = after_failure(found, at, free=FREE_FAILURES_OF_ADDRESS)
        assert blocked_until(found, at) is None
    found = after_failure(found, at, free=FREE_FAILURES_OF_ADDRESS)
    assert blocked_until(found, at) is not None
    assert after_success(found) == Attempts(FREE_FAILURES_OF_ADDRESS // 2)
