"""Which packages filters leave: includes restrict, excludes take away, and nothing else happens."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import (
    Advisory,
    ContentView,
    ErratumDate,
    ErratumRule,
    ErratumType,
    Nevra,
    PackageRule,
    RepositoryKey,
    ViewFilter,
)
from issbox.rules.content.filtering import Sieve, check_filter, filters_for, matches, needs_errata

BASE, APPS = (RepositoryKey("acme", "tools", label) for label in ("base", "apps"))
VIEW = ContentView("acme", "servers", "Servers", repositories=(APPS, BASE))
DAY = datetime(2026, 11, 1, tzinfo=UTC)


def nevra(name: str, version: str = "1", arch: str = "noarch") -> Nevra:
    return Nevra(name, 0, version, "1", arch)


KERNELS = [nevra("kernel", version) for version in ("5.1", "5.9", "5.10", "6.0~rc1", "6.0")]
TOOLS = [nevra("kernel-tools", "5.10"), nevra("bash", "5.2"), nevra("bash", "5.2", "x86_64"), nevra("zsh")]
PACKAGES = [*KERNELS, *TOOLS]


def advisory(
    id_: str,
    *packages: Nevra,
    type_: ErratumType = ErratumType.SECURITY,
    issued: datetime | None = DAY,
    updated: datetime | None = None,
) -> Advisory:
    return Advisory(id_, type_, "", "", issued, updated, (), packages)


ADVISORIES = [
    advisory("A", KERNELS[1], issued=DAY, updated=DAY + timedelta(days=9)),
    advisory("B", KERNELS[4], TOOLS[0], issued=DAY + timedelta(days=1)),
    advisory("C", TOOLS[1], type_=ErratumType.BUGFIX, issued=None, updated=None),
]


def left(*filters: ViewFilter) -> list[Nevra]:
    sieve = Sieve(filters)
    for each in ADVISORIES:
        sieve.learn(each)
    return [package for package in PACKAGES if sieve.keeps(package)]


def include(rule: PackageRule | ErratumRule, *, without_errata: bool = False) -> ViewFilter:
    return ViewFilter("in", True, rule, without_errata)


def exclude(rule: PackageRule | ErratumRule, *, without_errata: bool = False) -> ViewFilter:
    return ViewFilter("out", False, rule, without_errata)


def test_without_filters_everything_stays() -> None:
    assert left() == PACKAGES


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (PackageRule(("kernel",)), KERNELS),
        (PackageRule(("kernel*",)), [*KERNELS, TOOLS[0]]),
        (PackageRule(("?sh", "b[a-c]sh")), TOOLS[1:]),
        (PackageRule(("KERNEL",)), []),
        (PackageRule(arches=("x86_64",)), [TOOLS[2]]),
        (PackageRule(("bash",), arches=("noarch",)), [TOOLS[1]]),
        (PackageRule(("kernel",), version="5.10"), [KERNELS[2]]),
        (PackageRule(("kernel",), version="5.10-2"), []),
        (PackageRule(("kernel",), min_version="5.10"), KERNELS[2:]),
        (PackageRule(("kernel",), max_version="5.9"), KERNELS[:2]),
        (PackageRule(("kernel",), min_version="5.9", max_version="0:6.0~rc1-9"), KERNELS[1:4]),
        (PackageRule(("kernel",), min_version="1:1"), []),
        (ErratumRule(("A", "C")), [KERNELS[1], TOOLS[1]]),
        (ErratumRule(types=(ErratumType.BUGFIX,)), [TOOLS[1]]),
        (ErratumRule(("A",), types=(ErratumType.BUGFIX,)), []),
        (ErratumRule(start=DAY + timedelta(days=2)), [KERNELS[1]]),
        (ErratumRule(end=DAY + timedelta(days=2)), [KERNELS[4], TOOLS[0]]),
        (ErratumRule(end=DAY, date=ErratumDate.ISSUED), [KERNELS[1]]),
    ],
)
def test_what_a_rule_means(rule: PackageRule | ErratumRule, expected: list[Nevra]) -> None:
    assert left(include(rule)) == expected
    assert left(exclude(rule)) == [package for package in PACKAGES if package not in expected]


def test_packages_without_errata() -> None:
    named = {package for each in ADVISORIES for package in each.packages}
    silent = [package for package in PACKAGES if package not in named]
    assert left(include(PackageRule(), without_errata=True)) == silent
    assert left(exclude(PackageRule(), without_errata=True)) == [each for each in PACKAGES if each in named]
    assert left(include(ErratumRule(("A",)), without_errata=True)) == [
        each for each in PACKAGES if each in silent or each == KERNELS[1]
    ]
    assert left(include(ErratumRule(date=ErratumDate.ISSUED), without_errata=True)) == silent


rules = st.one_of(
    st.builds(
        PackageRule,
        st.lists(st.sampled_from(["kernel", "kernel*", "*sh", "bash"]), max_size=2).map(tuple),
        st.none(),
        st.sampled_from([None, "5.9", "0:5.10-1"]),
        st.sampled_from([None, "6", "5.10"]),
        st.lists(st.sampled_from(["noarch", "x86_64"]), max_size=1).map(tuple),
    ),
    st.builds(ErratumRule, st.lists(st.sampled_from("ABC"), min_size=1, max_size=2).map(tuple)),
)
filters = st.lists(st.builds(ViewFilter, st.just("x"), st.booleans(), rules, st.booleans()), max_size=4)


@given(filters)
def test_includes_are_a_union_and_excludes_win(chosen: list[ViewFilter]) -> None:
    def meant(each: ViewFilter) -> set[Nevra]:
        return set(left(replace(each, inclusion=True)))

    expected = set(PACKAGES)
    included = [meant(each) for each in chosen if each.inclusion]
    if included:
        expected = set().union(*included)
    for each in chosen:
        if not each.inclusion:
            expected -= meant(each)
    assert set(left(*chosen)) == expected


@given(filters, st.permutations(range(4)))
def test_the_order_of_filters_does_not_matter(chosen: list[ViewFilter], order: list[int]) -> None:
    assert left(*(chosen[place] for place in order if place < len(chosen))) == left(*chosen)


def test_only_filters_with_errata_need_them() -> None:
    assert not needs_errata([include(PackageRule(("a",))), exclude(PackageRule(arches=("x",)))])
    assert needs_errata([include(PackageRule(("a",)), without_errata=True)])
    assert needs_errata([exclude(ErratumRule(("A",)))])


def test_an_advisory_without_any_date_is_in_no_range() -> None:
    assert not matches(ErratumRule(start=DAY), ADVISORIES[2])
    assert matches(ErratumRule(types=(ErratumType.BUGFIX,)), ADVISORIES[2])
    assert matches(ErratumRule(start=DAY, end=DAY, date=ErratumDate.ISSUED), ADVISORIES[0]), "both ends belong to it"


def test_filters_limited_to_repositories_say_nothing_of_others() -> None:
    everywhere, limited = (
        include(PackageRule(("a",))),
        replace(exclude(PackageRule(("b",))), repositories=("tools/apps",)),
    )
    view = replace(VIEW, filters=(everywhere, limited))
    assert filters_for(view, BASE) == [everywhere]
    assert filters_for(view, APPS) == [everywhere, limited]


@pytest.mark.parametrize(
    ("new", "says"),
    [
        (ViewFilter("", True, PackageRule(("a",))), "filter name"),
        (ViewFilter("x", True, PackageRule()), "says nothing"),
        (ViewFilter("x", False, ErratumRule(date=ErratumDate.ISSUED)), "says nothing"),
        (ViewFilter("x", True, PackageRule(("",))), "package name"),
        (ViewFilter("x", True, PackageRule(("a b",))), "package name"),
        (ViewFilter("x", True, PackageRule(("a" * 257,))), "package name"),
        (ViewFilter("x", True, PackageRule(("a",) * 10_001)), "at most 10000"),
        (ViewFilter("x", True, PackageRule(arches=("x\n",))), "architecture"),
        (ViewFilter("x", True, PackageRule(("a",), version="1 2")), "is not a version"),
        (ViewFilter("x", True, PackageRule(("a",), version="1", max_version="2")), "not both"),
        (ViewFilter("x", True, PackageRule(("a",), min_version="1.10", max_version="1.9")), "at least 1.10"),
        (ViewFilter("x", True, ErratumRule(("\x1b",))), "erratum id"),
        (ViewFilter("x", True, ErratumRule(start=DAY, end=DAY - timedelta(days=1))), "ends before it starts"),
        (ViewFilter("x", True, PackageRule(("a",)), repositories=("tools/none",)), "tools/none"),
    ],
)
def test_filters_that_make_no_sense_are_refused(new: ViewFilter, says: str) -> None:
    with pytest.raises(InvalidValueError, match=re.escape(says)):
        check_filter(new, VIEW)


@pytest.mark.parametrize(
    "new",
    [
        ViewFilter("x", True, PackageRule(("a*",), min_version="1:1.0", max_version="2"), repositories=("tools/base",)),
        ViewFilter("x", True, PackageRule(("a",), min_version="1.0-2", max_version="1.0")),
        ViewFilter("x", False, PackageRule(), without_errata=True),
        ViewFilter("x", True, ErratumRule(types=(ErratumType.SECURITY,), start=DAY, end=DAY)),
    ],
)
def test_filters_that_make_sense_are_given_back(new: ViewFilter) -> None:
    assert check_filter(new, VIEW) is new


def test_patterns_that_would_take_for_ever_do_not() -> None:
    sieve = Sieve([include(PackageRule(("*a" * 60 + "b",)))])
    assert not sieve.keeps(nevra("a" * 500))
