"""Reading repomd.xml: the list of a repository's metadata files."""

from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from issbox.errors import BadMetadataError, UnsafePathError
from issbox.names import check_relative_path
from issbox.yum.checksums import Checksum, read_checksum

REPOMD_PATH: Final = "repodata/repomd.xml"
MAX_REPOMD_SIZE: Final = 16 << 20
"""Bytes; real ones have a few thousand."""
_MAX_RECORDS: Final = 1000
_TEXTS: Final = frozenset({"revision", "checksum", "open-checksum", "size", "open-size"})


@dataclass(frozen=True, slots=True)
class RepomdRecord:
    """One metadata file."""

    type: str
    """`primary`, `filelists_db`, `updateinfo`, or whatever upstream calls it."""
    href: str
    """Path relative to the repository."""
    checksum: Checksum
    """Of the file as it is fetched."""
    size: int | None
    """Bytes of the file as it is fetched; old repositories do not say it."""
    open_size: int | None
    """Bytes once it is decompressed."""


@dataclass(frozen=True, slots=True)
class Repomd:
    """What repomd.xml says."""

    revision: str
    records: tuple[RepomdRecord, ...]
    """In the order of the file; no two have the same path."""

    def find(self, type_: str) -> RepomdRecord | None:
        """Give the record of this type, if there is one; raises BadMetadataError when there are several."""
        found = [record for record in self.records if record.type == type_]
        if len(found) > 1:
            raise BadMetadataError(f"{REPOMD_PATH} names {len(found)} different {type_!r} files")
        return found[0] if found else None


def parse_repomd(data: bytes) -> Repomd:
    """Read repomd.xml. Raises BadMetadataError or UnsafePathError, saying which record is wrong and how."""
    if len(data) > MAX_REPOMD_SIZE:
        raise BadMetadataError(f"{REPOMD_PATH} has {len(data)} bytes, which no repository needs")
    reader = _Reader()
    parser = expat.ParserCreate()
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, LookupError, ValueError) as error:
        raise BadMetadataError(f"{REPOMD_PATH} is not well-formed XML: {error}") from None
    records: dict[str, RepomdRecord] = {}
    for number, raw in enumerate(reader.records, 1):
        record = _read_record(raw, f"{REPOMD_PATH}, record {number} ({raw.type[:60]!r})")
        if records.setdefault(record.href, record).checksum != record.checksum:
            raise BadMetadataError(f"{REPOMD_PATH} names {record.href} twice, with different checksums")
    return Repomd(reader.revision.strip(), tuple(records.values()))


def refuse_doctype(*_: object) -> None:
    """Refuse a document type in repository metadata; none needs one, and they can define entities that explode."""
    raise BadMetadataError("the metadata has a DOCTYPE declaration, which repository metadata never needs")


@dataclass(slots=True)
class _Raw:
    type: str
    href: str | None = None
    base: str = ""
    texts: dict[str, str] = field(default_factory=dict)
    attributes: dict[str, dict[str, str]] = field(default_factory=dict)


class _Reader:
    def __init__(self) -> None:
        self.revision = ""
        self.records: list[_Raw] = []
        self._open: list[str] = []

    def start(self, qualified: str, attributes: dict[str, str]) -> None:
        name = qualified.rpartition(":")[2]
        self._open.append(name)
        if len(self._open) == 1 and name != "repomd":
            raise BadMetadataError(f"{REPOMD_PATH} is not repository metadata: it holds <{name[:60]}>")
        if self._open == ["repomd", "data"]:
            if len(self.records) == _MAX_RECORDS:
                raise BadMetadataError(f"{REPOMD_PATH} has more than {_MAX_RECORDS} records")
            self.records.append(_Raw(attributes.get("type", "")))
        elif self._open[:2] == ["repomd", "data"] and len(self._open) == 3:
            self.records[-1].attributes[name] = attributes
            if name == "location":
                self.records[-1].href = attributes.get("href")
                self.records[-1].base = attributes.get("xml:base", "")

    def end(self, _: str) -> None:
        self._open.pop()

    def text(self, data: str) -> None:
        name = self._open[-1]
        if name not in _TEXTS:
            return
        if self._open == ["repomd", "revision"]:
            self.revision += data
        elif self._open[:2] == ["repomd", "data"] and len(self._open) == 3:
            texts = self.records[-1].texts
            texts[name] = texts.get(name, "") + data


def _read_record(raw: _Raw, where: str) -> RepomdRecord:
    if not raw.type or raw.href is None:
        raise BadMetadataError(f"{where} has no {'type' if not raw.type else 'location'}")
    if raw.base:
        raise BadMetadataError(f"{where} lies at another place (xml:base {raw.base[:200]!r}), which is not followed")
    try:
        href = check_relative_path(raw.href)
    except UnsafePathError as error:
        raise UnsafePathError(f"{where}: {error}") from None
    checksum_type = raw.attributes.get("checksum", {}).get("type", "")
    return RepomdRecord(
        type=raw.type,
        href=href,
        checksum=read_checksum(checksum_type, raw.texts.get("checksum", ""), where),
        size=_read_size(raw.texts.get("size"), where),
        open_size=_read_size(raw.texts.get("open-size"), where),
    )


def _read_size(text: str | None, where: str) -> int | None:
    if text is None or not text.strip():
        return None
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise BadMetadataError(f"{where}: {text[:40]!r} is not a size in bytes")
    return int(digits)
