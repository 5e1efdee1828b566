"""Versions compare as rpm compares them."""

import random
import re
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import Nevra
from issbox.rules.content.evr import Evr, compare_nevra, compare_to, compare_words, newest_last, parse_evr

words = st.text("0129abzAZ.~^_+", min_size=1, max_size=9)


def sign(number: int) -> int:
    return (number > 0) - (number < 0)


@pytest.mark.skipif(shutil.which("rpm") is None, reason="rpm is not installed")
def test_rpm_says_the_same() -> None:
    source = random.Random(3)
    pairs = list(SPECIAL)
    while len(pairs) < 1000:
        one = word(source)
        place = source.randrange(len(one) + 1)
        near = one[:place] + source.choice(["", "0", "a", "~", "^", "."]) + one[place + source.randrange(2) :]
        other = source.choice([near, word(source)])
        if other:
            pairs.append((one, other))
    script = "".join(f'print(rpm.vercmp("{one}","{other}")..";")' for one, other in pairs)
    said = subprocess.run(["rpm", "--eval", "%{lua:" + script + "}"], capture_output=True, text=True, check=True).stdout
    verdicts = [int(float(number)) for number in re.findall(r"(-?[01](?:\.0)?);", said)]
    assert len(verdicts) == len(pairs)
    different = [pair for pair, verdict in zip(pairs, verdicts, strict=True) if sign(compare_words(*pair)) != verdict]
    assert different == []


SPECIAL = (
    ("1.0", "1.0"),
    ("1.0", "1.00"),
    ("1.0", "1_0"),
    ("1.05", "1.5"),
    ("1.10", "1.9"),
    ("1.a", "1.1"),
    ("1a", "1.a"),
    ("1.0~rc1", "1.0"),
    ("1.0~rc1", "1.0~rc1^git"),
    ("1.0^git1", "1.0"),
    ("1.0^git1", "1.0.1"),
    ("1.0^git1~x", "1.0^git1"),
    ("1.0.", "1.0"),
    ("00001", "1"),
    ("12345678901234567890123", "12345678901234567890124"),
)


def word(source: random.Random) -> str:
    return "".join(source.choice("0123459abzAZ.~^_+") for _ in range(source.randrange(1, 9)))


@given(words, words, words)
def test_it_is_an_order(one: str, other: str, third: str) -> None:
    assert compare_words(one, one) == 0
    assert sign(compare_words(one, other)) == -sign(compare_words(other, one))
    if compare_words(one, other) <= 0 and compare_words(other, third) <= 0:
        assert compare_words(one, third) <= 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1.2", Evr(None, "1.2", None)),
        ("1.2-3.el9", Evr(None, "1.2", "3.el9")),
        ("0:1.2", Evr(0, "1.2", None)),
        ("12:1~rc-1^x", Evr(12, "1~rc", "1^x")),
    ],
)
def test_versions_are_read(text: str, expected: Evr) -> None:
    assert parse_evr(text) == expected


@pytest.mark.parametrize(
    "text", ["", "-", "1-", ":1", "x:1", "1-2-3", "1 2", "1:2:3", "1\n", "9999999999:1", "1" * 300]
)
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_evr(text)


@pytest.mark.parametrize(
    ("limit", "verdict"),
    [
        ("1.2", 0),
        ("1.2-4", 0),
        ("2:1.2", 0),
        ("1.3", -1),
        ("1.2-5", -1),
        ("1.2-3", 1),
        ("3:1.1", -1),
        ("1:9", 1),
        ("1.1-9", 1),
    ],
)
def test_what_a_filter_leaves_out_is_not_compared(limit: str, verdict: int) -> None:
    package = Nevra("x", 2, "1.2", "4", "noarch")
    assert sign(compare_to(package, parse_evr(limit))) == verdict


def test_epoch_comes_first() -> None:
    ordered = [
        Nevra("x", 0, "9", "9", "noarch"),
        Nevra("x", 1, "1", "1", "noarch"),
        Nevra("x", 1, "1", "2", "noarch"),
        Nevra("x", 1, "1.1", "1", "noarch"),
    ]
    mixed = [ordered[2], ordered[0], ordered[3], ordered[1]]
    assert sorted(mixed, key=newest_last) == ordered
    assert compare_nevra(ordered[0], ordered[0]) == 0
