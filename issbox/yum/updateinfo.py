"""Reading updateinfo metadata: the advisories of a repository, one at a time and in little memory.

Upstreams differ in what they leave out and how they write dates, and hosts do without updateinfo: what one advisory
says badly is left out of it, but XML that is broken or asks for much memory is refused.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from issbox.errors import BadMetadataError
from issbox.model import Advisory, ErratumType, Nevra
from issbox.yum.expand import expand
from issbox.yum.xmlgate import XmlGate

_MAX_ADVISORIES: Final = 500_000
_MAX_PACKAGES: Final = 100_000
"""In one advisory."""
_MAX_REFERENCES: Final = 20_000
"""In one advisory."""
_MAX_WORD: Final = 512
"""Characters of an id, a name, a version; longer ones are nobody's."""
_CVE: Final = re.compile(r"CVE-\d{4}-\d{4,19}")
_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d))?")
_TYPES: Final = {
    "security": ErratumType.SECURITY,
    "bugfix": ErratumType.BUGFIX,
    "recommended": ErratumType.BUGFIX,
    "enhancement": ErratumType.ENHANCEMENT,
    "feature": ErratumType.ENHANCEMENT,
    "newpackage": ErratumType.ENHANCEMENT,
    "optional": ErratumType.ENHANCEMENT,
}
_TEXTS: Final = frozenset({"id", "title", "severity"})


def read_updateinfo(
    path: Path, max_size: int, *, name: str = "updateinfo.xml", open_size: int | None = None
) -> Iterator[Advisory]:
    """Give the advisories of an updateinfo.xml, compressed or not, in its order, those without an id too.

    `max_size` and `open_size` bound the decompressed bytes. Raises BadMetadataError naming the metadata.
    """
    reader = _Reader(name)
    gate = XmlGate(name, "updates", reader)
    for block in expand(path, name=name, limit=max_size, open_size=open_size):
        gate.feed(block)
        yield from reader.take()
    gate.finish()
    yield from reader.take()


def merge_advisories(advisories: Iterable[Advisory]) -> dict[str, Advisory]:
    """Give advisories by id; one given in several parts, as some upstreams do, becomes one. Without an id: left out."""
    merged: dict[str, Advisory] = {}
    for each in advisories:
        other = merged.setdefault(each.id, each)
        if other is not each:
            merged[each.id] = replace(
                other,
                cves=tuple(sorted({*other.cves, *each.cves})),
                packages=tuple(dict.fromkeys((*other.packages, *each.packages))),
            )
    merged.pop("", None)
    return merged


class _Reader:
    """Hears of elements and makes advisories of them."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._count = 0
        self._ready: list[Advisory] = []
        self._text: list[str] | None = None
        self._begin({})

    def _begin(self, attributes: dict[str, str]) -> None:
        self._type = attributes.get("type", "").strip().lower()
        self._texts: dict[str, str] = {}
        self._dates: dict[str, datetime | None] = {}
        self._cves: set[str] = set()
        self._references = 0
        self._packages: list[Nevra] = []

    def take(self) -> list[Advisory]:
        """Give the advisories that are whole by now."""
        ready, self._ready = self._ready, []
        return ready

    def start(self, depth: int, name: str, attributes: dict[str, str], _offset: int) -> None:
        """Begin an element."""
        if depth == 2:
            self._begin(attributes)
        elif depth == 3 and name in _TEXTS:
            self._text = []
        elif depth == 3 and name in {"issued", "updated"}:
            self._dates[name] = _read_date(attributes.get("date", ""))
        elif name == "reference":
            self._add_reference(attributes)
        elif name == "package" and depth == 5:
            self._add_package(attributes)

    def end(self, depth: int, name: str, _offset: int) -> None:
        """End an element."""
        if depth == 3 and self._text is not None:
            self._texts[name] = " ".join("".join(self._text).split())[:_MAX_WORD]
            self._text = None
        elif depth == 2 and name == "update":
            self._finish()

    def text(self, data: str) -> None:
        """Keep text of the elements that matter."""
        if self._text is not None:
            self._text.append(data)

    def _add_reference(self, attributes: dict[str, str]) -> None:
        self._references += 1
        if self._references > _MAX_REFERENCES:
            raise BadMetadataError(f"an advisory has more than {_MAX_REFERENCES} references")
        for field in ("id", "href", "title"):
            found = _CVE.search(attributes.get(field, ""))
            if found is not None and attributes.get("type", "").lower() == "cve":
                self._cves.add(found[0])
                return

    def _add_package(self, attributes: dict[str, str]) -> None:
        if len(self._packages) == _MAX_PACKAGES:
            raise BadMetadataError(f"an advisory names more than {_MAX_PACKAGES} packages")
        name, version, release, arch = (attributes.get(each, "") for each in ("name", "version", "release", "arch"))
        epoch = attributes.get("epoch") or "0"
        words = (name, version, release, arch)
        if (
            all(0 < len(word) <= _MAX_WORD for word in words)
            and epoch.isascii()
            and epoch.isdigit()
            and len(epoch) < 11
        ):
            self._packages.append(Nevra(name, int(epoch), version, release, arch))

    def _finish(self) -> None:
        self._count += 1
        if self._count > _MAX_ADVISORIES:
            raise BadMetadataError(f"it has more than {_MAX_ADVISORIES} advisories")
        self._ready.append(
            Advisory(
                id=self._texts.get("id", ""),
                type=_TYPES.get(self._type, ErratumType.OTHER),
                title=self._texts.get("title", ""),
                severity=self._texts.get("severity", ""),
                issued=self._dates.get("issued"),
                updated=self._dates.get("updated"),
                cves=tuple(sorted(self._cves)),
                packages=tuple(dict.fromkeys(self._packages)),
            )
        )


def _read_date(text: str) -> datetime | None:
    """Read `2026-11-01 12:30:00`, `2026-11-01` (both UTC) or seconds since 1970; anything else is no date."""
    text = text.strip()
    found = _DATE.match(text)
    try:
        if found is not None:
            return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}+00:00")
        if text.isascii() and text.isdigit() and len(text) < 12:
            return datetime.fromtimestamp(int(text), UTC)
    except ValueError:
        pass
    return None
