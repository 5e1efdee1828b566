"""Filters of content views: which packages of a repository stay in a version of the view.

Without filters everything stays. Filters that include restrict a repository to what any of them means; then filters
that exclude take away what any of them means, also when another one includes it. A filter that is limited to some
repositories says nothing of the others. Advisories stay as long as one of their packages does.
"""

import fnmatch
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final, Protocol

from issbox.errors import InvalidValueError
from issbox.model import (
    Advisory,
    ContentView,
    ErratumDate,
    ErratumRule,
    Nevra,
    PackageRule,
    RepositoryKey,
    ViewFilter,
)
from issbox.names import check_name
from issbox.rules.content.evr import compare_to, parse_evr

_MAX_WORDS: Final = 10_000
"""Names, ids, architectures in one filter."""
_MAX_WORD: Final = 256


def check_filter(new: ViewFilter, view: ContentView) -> ViewFilter:
    """Give a new filter of a content view back; raises InvalidValueError when it makes no sense."""
    check_name(new.name, "filter name")
    known = {f"{key.product}/{key.label}" for key in view.repositories}
    for repository in new.repositories:
        if repository not in known:
            raise InvalidValueError(f"the content view {view.label} does not have the repository {repository}")
    if isinstance(new.rule, PackageRule):
        _check_package_rule(new.rule)
    else:
        _check_erratum_rule(new.rule)
    if says_nothing(new.rule) and not new.without_errata:
        raise InvalidValueError(
            f"the filter {new.name!r} says nothing of what it means",
            hint="Give it names, versions or architectures of packages, or ids, dates or types of errata.",
        )
    return new


def says_nothing(rule: PackageRule | ErratumRule) -> bool:
    """Tell whether a rule restricts nothing."""
    if isinstance(rule, PackageRule):
        return rule == PackageRule()
    return rule == ErratumRule(date=rule.date)


def filters_for(view: ContentView, key: RepositoryKey) -> list[ViewFilter]:
    """Give the filters of a content view that look at this repository."""
    name = f"{key.product}/{key.label}"
    return [each for each in view.filters if not each.repositories or name in each.repositories]


def needs_errata(filters: Iterable[ViewFilter]) -> bool:
    """Tell whether any of the filters depends on advisories."""
    return any(each.without_errata or isinstance(each.rule, ErratumRule) for each in filters)


class Sieve:
    """Decides package by package. Must hear of every advisory of the repository first, when filters need them."""

    def __init__(self, filters: Sequence[ViewFilter]) -> None:
        """Take the filters that look at the repository."""
        self._named: set[Nevra] = set()
        """What any advisory names."""
        self._include = [_Meaning(each, self._named) for each in filters if each.inclusion]
        self._exclude = [_Meaning(each, self._named) for each in filters if not each.inclusion]

    def learn(self, advisory: Advisory) -> None:
        """Hear of an advisory, or of a part of one."""
        self._named.update(advisory.packages)
        for meaning in (*self._include, *self._exclude):
            meaning.learn(advisory)

    def keeps(self, package: Nevra) -> bool:
        """Tell whether a package stays."""
        if self._include and not any(meaning.covers(package) for meaning in self._include):
            return False
        return not any(meaning.covers(package) for meaning in self._exclude)


class _Matcher(Protocol):
    """Tells which packages a rule means."""

    def learn(self, advisory: Advisory) -> None:
        """Hear of an advisory."""

    def covers(self, package: Nevra) -> bool:
        """Tell whether the package is meant."""


class _Meaning:
    """What one filter means."""

    def __init__(self, filter_: ViewFilter, named: set[Nevra]) -> None:
        rule = filter_.rule
        self._matcher: _Matcher = _Packages(rule) if isinstance(rule, PackageRule) else _Errata(rule)
        self._silent = says_nothing(rule)
        """Whether the rule says nothing, so that only packages without errata are meant."""
        self._without_errata = filter_.without_errata
        self._named = named

    def learn(self, advisory: Advisory) -> None:
        self._matcher.learn(advisory)

    def covers(self, package: Nevra) -> bool:
        if self._without_errata and package not in self._named:
            return True
        return not self._silent and self._matcher.covers(package)


class _Packages:
    """Packages by name, version and architecture."""

    def __init__(self, rule: PackageRule) -> None:
        self._names = re.compile("|".join(map(fnmatch.translate, rule.names))) if rule.names else None
        self._arches = frozenset(rule.arches)
        versions = (rule.version, rule.min_version, rule.max_version)
        self._equal, self._least, self._most = (None if text is None else parse_evr(text) for text in versions)

    def learn(self, advisory: Advisory) -> None:
        """Nothing: advisories do not matter here."""

    def covers(self, package: Nevra) -> bool:
        return (
            (self._names is None or self._names.match(package.name) is not None)
            and (not self._arches or package.arch in self._arches)
            and (self._equal is None or compare_to(package, self._equal) == 0)
            and (self._least is None or compare_to(package, self._least) >= 0)
            and (self._most is None or compare_to(package, self._most) <= 0)
        )


class _Errata:
    """Packages of some advisories."""

    def __init__(self, rule: ErratumRule) -> None:
        self._rule = rule
        self._packages: set[Nevra] = set()

    def learn(self, advisory: Advisory) -> None:
        if matches(self._rule, advisory):
            self._packages.update(advisory.packages)

    def covers(self, package: Nevra) -> bool:
        return package in self._packages


def matches(rule: ErratumRule, advisory: Advisory) -> bool:
    """Tell whether an advisory is one that the rule means."""
    if rule.ids and advisory.id not in rule.ids:
        return False
    if rule.types and advisory.type not in rule.types:
        return False
    if rule.start is None and rule.end is None:
        return True
    at = _date(rule, advisory)
    return at is not None and (rule.start is None or at >= rule.start) and (rule.end is None or at <= rule.end)


def _date(rule: ErratumRule, advisory: Advisory) -> datetime | None:
    first, second = advisory.updated, advisory.issued
    if rule.date is ErratumDate.ISSUED:
        first, second = second, first
    return first or second


def _check_package_rule(rule: PackageRule) -> None:
    _check_words(rule.names, "package name")
    _check_words(rule.arches, "architecture")
    limits = [parse_evr(text) for text in (rule.version, rule.min_version, rule.max_version) if text is not None]
    if rule.version is not None and len(limits) > 1:
        raise InvalidValueError("a filter has one version, or a least and a greatest one, not both")
    if rule.min_version is not None and rule.max_version is not None:
        least = parse_evr(rule.min_version)
        lowest = Nevra("", least.epoch or 0, least.version, least.release or "0", "")
        most = parse_evr(rule.max_version)
        if least.epoch == most.epoch and compare_to(lowest, most) > 0:
            raise InvalidValueError(f"no version is at least {rule.min_version} and at most {rule.max_version}")


def _check_erratum_rule(rule: ErratumRule) -> None:
    _check_words(rule.ids, "erratum id")
    if rule.start is not None and rule.end is not None and rule.start > rule.end:
        raise InvalidValueError("the filter ends before it starts")


def _check_words(words: Sequence[str], what: str) -> None:
    if len(words) > _MAX_WORDS:
        raise InvalidValueError(f"a filter has at most {_MAX_WORDS} of each: there are {len(words)} of {what}")
    for word in words:
        if not word or len(word) > _MAX_WORD or not word.isprintable() or any(map(str.isspace, word)):
            raise InvalidValueError(f"{word[:80]!r} is not valid as {what}")
