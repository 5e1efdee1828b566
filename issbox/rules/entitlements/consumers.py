"""What a host may say of itself, what follows from it for its certificates, and which overrides it may have."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple, replace
from typing import Final

from issbox.errors import InvalidValueError
from issbox.model import ContentOverride, HostProfile, InstalledProduct, Purpose
from issbox.names import has_control_codes

MOST_FACTS: Final = 2000
LONGEST_FACT: Final = 8192
MOST_ENVIRONMENTS: Final = 10
CERTIFICATE_VERSION: Final = "system.certificate_version"
"""Fact of the certificates that a host reads: `3.2` and the like, or nothing on old hosts."""
_MACHINE: Final = "uname.machine"
_SUPPORTED: Final = "supported_architectures"
_LONGEST_NAME: Final = 255
_LONGEST_VALUE: Final = 2048
_MOST_INSTALLED: Final = 1000
_MOST_ADD_ONS: Final = 100
_PARTS: Final = re.compile(r"[0-9]+|[^0-9]+")
_RELEASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_NEVER_OVERRIDDEN: Final = frozenset({"name", "label"})


def profile_of(facts: Mapping[str, str], environments: Sequence[str]) -> HostProfile:
    """Give what follows from facts and environments for a host's certificates."""
    named = [facts.get(_MACHINE, ""), *facts.get(_SUPPORTED, "").split(",")]
    arches = {each.strip().lower() for each in named} - {""}
    version = 3 if facts.get(CERTIFICATE_VERSION, "").startswith("3.") else 1
    return HostProfile(tuple(environments), tuple(sorted(arches)), version)


def without(profile: HostProfile, environment: str) -> HostProfile:
    """Give the profile of a host once an environment is gone: one that loses its last one gets nothing."""
    if environment not in profile.environments:
        return profile
    left = tuple(each for each in profile.environments if each != environment)
    return replace(profile, environments=left, orphaned=not left)


def check_facts(facts: Mapping[str, str]) -> dict[str, str]:
    """Give the facts back; raises InvalidValueError when there are too many, or one is too long or no text."""
    if len(facts) > MOST_FACTS:
        raise InvalidValueError(f"{len(facts)} facts are too many: a host may have {MOST_FACTS}")
    for name, value in facts.items():
        if not (isinstance(name, str) and isinstance(value, str)):
            raise InvalidValueError(f"the fact {str(name)[:80]!r} is not text")
        if not 0 < len(name) <= _LONGEST_NAME or len(value) > LONGEST_FACT:
            raise InvalidValueError(f"the fact {name[:80]!r} is too long, or has no name")
        if "\0" in name or "\0" in value:
            raise InvalidValueError(f"the fact {name[:80]!r} has a NUL character")
    return dict(facts)


def check_release(release: str) -> str:
    """Give a release back, empty for none; raises InvalidValueError for what cannot stand in a path."""
    if release and not _RELEASE.fullmatch(release):
        raise InvalidValueError(
            f"the release {release[:80]!r} is not valid: it is letters, digits, '.', '-' and '_', such as 9.4"
        )
    return release


def release_order(release: str) -> tuple[tuple[int, str], ...]:
    """Give what releases are sorted by: numbers in them count as numbers, so that 9.10 comes after 9.9."""
    return tuple((int(part), "") if part.isdigit() else (-1, part) for part in _PARTS.findall(release))


def check_purpose(purpose: Purpose) -> Purpose:
    """Give a system purpose back; raises InvalidValueError when a part of it is too long or no line."""
    if len(purpose.add_ons) > _MOST_ADD_ONS:
        raise InvalidValueError(f"{len(purpose.add_ons)} add-ons are too many: a host may have {_MOST_ADD_ONS}")
    for text in (purpose.service_level, purpose.role, purpose.usage, *purpose.add_ons):
        _check_line(text, "system purpose")
    return purpose


def check_installed(installed: Sequence[InstalledProduct]) -> tuple[InstalledProduct, ...]:
    """Give installed products back; raises InvalidValueError when there are too many, or one has something odd."""
    if len(installed) > _MOST_INSTALLED:
        raise InvalidValueError(f"{len(installed)} installed products are too many: a host may have {_MOST_INSTALLED}")
    for each in installed:
        for text in astuple(each):
            _check_line(text, "installed product")
        if not each.id:
            raise InvalidValueError("an installed product has no id")
    return tuple(installed)


def _check_line(text: str, what: str) -> None:
    if len(text) > _LONGEST_NAME or has_control_codes(text):
        raise InvalidValueError(f"the {what} {text[:80]!r} has to be one line of at most {_LONGEST_NAME} characters")


def check_environments(environments: Sequence[str]) -> tuple[str, ...]:
    """Give a list of environments back; raises InvalidValueError for one named twice and for too many."""
    if len(environments) > MOST_ENVIRONMENTS:
        raise InvalidValueError(f"a host may be in {MOST_ENVIRONMENTS} environments, not in {len(environments)}")
    twice = sorted({each for each in environments if list(environments).count(each) > 1})
    if twice:
        raise InvalidValueError(f"the environment {', '.join(twice)} is named twice")
    return tuple(environments)


def check_override(override: ContentOverride) -> ContentOverride:
    """Give an override back as it is kept: its name in lower case.

    Raises InvalidValueError for `name` and `label`, which nobody overrides, and for what is empty or too long.
    """
    limits = (
        ("label", override.label, _LONGEST_NAME),
        ("name", override.name, _LONGEST_NAME),
        ("value", override.value, _LONGEST_VALUE),
    )
    for what, text, longest in limits:
        if not text or len(text) > longest or has_control_codes(text):
            raise InvalidValueError(
                f"the {what} of a content override has to be one line of 1 to {longest} characters, not {text[:80]!r}"
            )
    if override.name.lower() in _NEVER_OVERRIDDEN:
        raise InvalidValueError(f"the {override.name} of a content cannot be overridden")
    return ContentOverride(override.label, override.name.lower(), override.value)


def layered(own: Sequence[ContentOverride], environments: Sequence[Sequence[ContentOverride]]) -> list[ContentOverride]:
    """Give the overrides that a host uses: its own, then those of its environments, the most important first."""
    found: dict[tuple[str, str], ContentOverride] = {}
    for layer in (own, *environments):
        for each in layer:
            found.setdefault((each.label, each.name), each)
    return sorted(found.values())


def facts_by_hand(arch: str | None) -> dict[str, str]:
    """Give the facts of a host that is registered by hand, since it has no subscription-manager to tell them.

    Such a host reads only the X.509 part of its certificates, which is smaller in version 3.
    """
    told = {CERTIFICATE_VERSION: "3.2"}
    return told if arch is None else {**told, _MACHINE: arch}
