"""The guard against a slow and obvious one: any target, any certificate, any settings, the same answer."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.certificates import NOW, authority_of
from makers.serving import issue

from issbox.certs.clients import Authorities, HostTrust
from issbox.certs.keys import KeyKind
from issbox.model import ViewVersionName
from issbox.web.current import Current
from issbox.web.guard import Answer, Guard, Question
from issbox.workflows.appliance.serving import Overview, ServedRepository, ServedTrees

TREE = Path("/tree")
REPOSITORIES = {
    "custom/tools/base": ServedRepository(TREE / "base", unprotected=False),
    "custom/tools/open": ServedRepository(TREE / "open", unprotected=True),
    "content/dist/9/os": ServedRepository(TREE / "os", unprotected=False),
    "content/dist/8/os": ServedRepository(TREE / "os8", unprotected=False),
}
LISTINGS = {
    "": {"custom", "content"},
    "custom": {"tools"},
    "custom/tools": {"base", "open"},
    "content": {"dist"},
    "content/dist": {"8", "9"},
    "content/dist/9": {"os"},
    "content/dist/8": {"os"},
}
TREES = ServedTrees(REPOSITORIES, {name: "\n".join(sorted(each)).encode() for name, each in LISTINGS.items()})
ENVIRONMENTS = {("acme", "dev"): False, ("acme", "cdn"): True, ("other", "cdn"): True, ("content", "dist"): False}
VIEW = ViewVersionName("web", "1.0")
REVOKED = 666
OWN, SITE, REDHAT, STRANGER = (authority_of(KeyKind.EC_P256, number) for number in (0, 1, 2, 3))
OVERVIEW = Overview(
    ENVIRONMENTS,
    HostTrust(
        Authorities.from_pem(OWN.root_pem, "own"),
        {"acme": Authorities.from_pem(SITE.root_pem, "site")},
        Authorities.from_pem(REDHAT.root_pem, "Red Hat"),
    ),
    frozenset({REVOKED}),
)


class Known:
    """What the database would say."""

    async def overview(self) -> Overview:
        return OVERVIEW

    async def environment(self, organization: str, label: str) -> ServedTrees | None:
        return TREES if (organization, label) in ENVIRONMENTS else None

    async def view_version(self, organization: str, name: ViewVersionName) -> ServedTrees | None:
        return TREES if (organization, name) == ("acme", VIEW) else None

    async def gpg_key(self, organization: str, label: str) -> bytes | None:
        return b"key" if (organization, label) == ("acme", "key") else None


GUARD = Guard(cast("Current", Known()), lambda: NOW)


@dataclass(frozen=True)
class Shown:
    """A certificate, and what the test knows of it without reading it."""

    der: bytes
    authority: str
    organization: str
    serial: int
    paths: tuple[str, ...]


WORDS = ("acme", "other", "content", "dev", "cdn", "dist", "custom", "tools", "base", "open", "8", "9", "os", "listing")


def some_certificates(count: int) -> list[Shown]:
    choice = random.Random(20261125)
    starts = (
        "/acme/dev",
        "/acme/cdn",
        "/other/cdn",
        "/content/dist",
        "/acme",
        "",
        "/acme/content_views/web/1.0",
        "/$x/$y",
    )
    ends = (
        "/custom/tools/base",
        "/content/dist/$releasever/os",
        "/content",
        "/custom/$a/$b",
        "/$releasever",
        "/custom",
    )
    found = []
    for number in range(count):
        name, authority = choice.choice([("own", OWN), ("site", SITE), ("redhat", REDHAT), ("stranger", STRANGER)])
        organization = choice.choice(["acme", "acme", "other", "content", "1234567"])
        paths = tuple(choice.choice(starts) + choice.choice(ends) for _ in range(choice.randint(1, 4)))
        serial = REVOKED if number % 12 == 0 else 1000 + number
        text = issue(authority, paths, organization=organization, serial=serial, version=1 if number % 5 == 0 else 3)
        der = x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)
        found.append(Shown(der, name, organization, serial, paths))
    return found


CERTIFICATES = some_certificates(90)


def reference(target: str, shown: Shown | None) -> tuple[int, str]:
    """Say status and file, as slowly and plainly as can be."""
    path = read_path(target)
    if path is None:
        return 400, ""
    nothing = (404, "") if shown else (403, "")
    if path[:1] != ["content"] or len(path) < 3 or not all(map(plain_label, path[1:3])):
        return nothing
    if path[2] == "gpg-keys":
        if len(path) == 4 and plain_label(path[3]):
            nothing = (200, "key") if path[1:] == ["acme", "gpg-keys", "key"] else (404, "")
        return nothing
    return in_view(shown, path) if path[2] == "content_views" else in_environment(shown, path)


def in_view(shown: Shown | None, path: list[str]) -> tuple[int, str]:
    if len(path) < 5 or not plain_label(path[3]) or not version(path[4]):
        return (404, "") if shown else (403, "")
    known = path[1:5] == ["acme", "content_views", "web", "1.0"]
    return protected(shown, path, which_file(path[5:]) if known else None, None)


def in_environment(shown: Shown | None, path: list[str]) -> tuple[int, str]:
    inner, place = path[3:], (path[1], path[2])
    found = which_file(inner) if place in ENVIRONMENTS else None
    if place in ENVIRONMENTS and "/".join(inner[:3]) == "custom/tools/open":
        return (200, found) if found else (404, "")
    return protected(shown, path, found, inner if ENVIRONMENTS.get(place) else None)


def protected(shown: Shown | None, path: list[str], found: str | None, bare: list[str] | None) -> tuple[int, str]:
    if shown is None or not may_read(shown, path[1], path[1:], bare):
        return 403, ""
    return (200, found) if found else (404, "")


def read_path(target: str) -> list[str] | None:
    raw = target.split("?", maxsplit=1)[0]
    if not raw.startswith("/") or "//" in raw or "#" in raw or "%2e" in raw.lower():
        return None
    segments = [read_segment(written) for written in raw[1:].split("/")]
    if segments[-1] == "":
        segments.pop()
    good = [each for each in segments if each is not None and not is_odd(each)]
    if len(good) < len(segments) or sum(len(each.encode()) + 1 for each in good) > 1024:
        return None
    return good


def read_segment(written: str) -> str | None:
    data, rest = b"", written
    while rest:
        if rest[0] == "%":
            if not escape_at(rest, 0):
                return None
            data, rest = data + bytes([int(rest[1:3], 16)]), rest[3:]
        else:
            data, rest = data + rest[0].encode("utf-8", "surrogatepass"), rest[1:]
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def escape_at(text: str, at: int) -> bool:
    two = text[at + 1 : at + 3]
    return text[at] == "%" and len(two) == 2 and all(each in "0123456789abcdefABCDEF" for each in two)


def is_odd(segment: str) -> bool:
    if any(ord(each) < 32 or 127 <= ord(each) < 160 or each in "/\\" for each in segment):
        return True
    again = any(escape_at(segment, at) for at in range(len(segment)))
    return segment in (".", "..", "") or again or len(segment.encode()) > 255


def plain_label(text: str) -> bool:
    letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"
    return 0 < len(text) <= 128 and all(each in letters for each in text)


def version(text: str) -> bool:
    parts = text.split(".")
    return len(parts) == 2 and all(
        0 < len(each) <= 9 and all(c in "0123456789" for c in each) and (each == "0" or each[0] != "0")
        for each in parts
    )


def which_file(inner: Sequence[str]) -> str | None:
    for path, repository in REPOSITORIES.items():
        own = path.split("/")
        if list(inner[: len(own)]) == own:
            rest = "/".join(inner[len(own) :])
            return f"{repository.tree}/{rest}" if rest else None
    if inner and inner[-1] == "listing" and "/".join(inner[:-1]) in LISTINGS:
        return "\n".join(sorted(LISTINGS["/".join(inner[:-1])]))
    return None


def may_read(shown: Shown, organization: str, full: Sequence[str], bare: Sequence[str] | None) -> bool:
    wanted = [full] if bare is None else [full, bare]
    if shown.authority == "own":
        if shown.organization != organization or shown.serial == REVOKED:
            return False
    elif shown.authority == "site":
        if organization != "acme":
            return False
    elif shown.authority == "redhat":
        wanted = [] if bare is None else [bare]
    else:
        return False
    return any(granted(path.split("/")[1:], each) for path in shown.paths for each in wanted)


def granted(path: Sequence[str], asked: Sequence[str]) -> bool:
    if asked and asked[-1] == "listing" and len(asked) <= len(path):
        return matches(path[: len(asked) - 1], asked[:-1])
    return len(asked) >= len(path) and matches(path, asked[: len(path)])


def matches(path: Sequence[str], asked: Sequence[str]) -> bool:
    return all(mine == theirs or mine.startswith("$") for mine, theirs in zip(path, asked, strict=True))


def answer(target: str, shown: Shown | None) -> tuple[int, str]:
    """Ask the real guard, which never has to wait here."""
    asking = GUARD.answer(Question(target, shown.der if shown else None))
    try:
        asking.send(None)
    except StopIteration as done:
        found = cast("Answer", done.value)
    else:
        raise AssertionError("the guard waits for something")
    if found.status != 200:
        return found.status, ""
    return 200, found.text.decode() if found.text is not None else f"{found.root}/{found.inner}"


good = st.sampled_from([*WORDS, "repodata", "a.rpm", "repomd.xml", "content_views", "web", "1.0", "gpg-keys", "key"])
odd = st.sampled_from(
    [
        "",
        ".",
        "..",
        "%2e%2e",
        "%2F",
        "%5c",
        "%00",
        "%252e",
        "%25",
        "%c0%ae",
        "%ff",
        "%C3%A4",
        "%zz",
        "%",
        "\\",
        "#",
        "?",
        "a b",
    ]
) | st.text(max_size=4)
starts = st.sampled_from(
    [
        ["content", "acme", "dev"],
        ["content", "acme", "cdn"],
        ["content", "other", "cdn"],
        ["content", "content", "dist"],
        ["content", "acme", "content_views", "web", "1.0"],
        ["content", "acme", "none"],
    ]
)
places = st.sampled_from([path.split("/") for path in (*REPOSITORIES, *LISTINGS)])
tails = st.sampled_from([[], ["listing"], ["a.rpm"], ["repodata", "repomd.xml"], [""]])
targets = st.one_of(
    st.tuples(starts, places, tails).map(lambda parts: [*parts[0], *parts[1], *parts[2]]),
    st.tuples(starts, st.lists(good, max_size=6)).map(lambda parts: [*parts[0], *parts[1]]),
    st.lists(good | odd, max_size=9),
    st.tuples(starts, places, st.lists(good | odd, min_size=1, max_size=3)).map(
        lambda each: [*each[0], *each[1], *each[2]]
    ),
).map(lambda segments: "/" + "/".join(segments))
cases = (targets, st.none() | st.sampled_from(CERTIFICATES))


def compare(target: str, shown: Shown | None) -> None:
    assert answer(target, shown) == reference(target, shown)


@settings(max_examples=3000, deadline=None)
@given(*cases)
def test_the_guard_answers_as_the_obvious_one(target: str, shown: Shown | None) -> None:
    compare(target, shown)


@pytest.mark.slow
@settings(max_examples=100_000, deadline=None)
@given(*cases)
def test_the_guard_answers_as_the_obvious_one_a_hundred_thousand_times(target: str, shown: Shown | None) -> None:
    compare(target, shown)


def test_the_cases_reach_every_answer() -> None:
    """Else the comparison would say little."""
    seen: dict[Any, int] = {}
    for start in (["content", "acme", "dev"], ["content", "acme", "cdn"], ["content", "other", "cdn"]):
        for place in REPOSITORIES:
            for shown in [None, *CERTIFICATES]:
                got = answer("/" + "/".join([*start, *place.split("/"), "x"]), shown)
                seen[got[0]] = seen.get(got[0], 0) + 1
    assert seen[200] > 50
    assert seen[403] > 50
