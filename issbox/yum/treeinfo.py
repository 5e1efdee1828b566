"""Reading .treeinfo: what belongs to a kickstart tree besides its packages."""

import re
from configparser import Error as ConfigParserError
from configparser import RawConfigParser
from dataclasses import dataclass
from typing import Final

from issbox.errors import BadMetadataError, UnsafePathError
from issbox.names import check_relative_path, path_problem
from issbox.yum.checksums import Checksum, guess_type, read_checksum

TREEINFO_NAMES: Final = (".treeinfo", "treeinfo")
"""Where installers look, in this order."""
MAX_TREEINFO_SIZE: Final = 4 << 20
_BLANKS: Final = re.compile(r"[^\S\n]{100}")
_NO_DEFAULTS: Final = "\x00"
"""A section name that cannot be in the file, since INI defaults mean nothing here."""


@dataclass(frozen=True, slots=True)
class TreeFile:
    """A file of the tree."""

    path: str
    checksum: Checksum | None
    """None when the tree names the file as an image but gives no checksum."""


@dataclass(frozen=True, slots=True)
class TreeInfo:
    """What .treeinfo says."""

    files: tuple[TreeFile, ...]
    repositories: tuple[str, ...]
    """Paths of repositories inside the tree, besides the one at its root."""
    outside: tuple[str, ...]
    """Repositories it names that are not inside the tree."""


def parse_treeinfo(data: bytes, name: str = ".treeinfo") -> TreeInfo:
    """Read .treeinfo. Raises BadMetadataError, or UnsafePathError for a file that would lie outside the tree."""
    parser = RawConfigParser(default_section=_NO_DEFAULTS, strict=False, allow_no_value=True)
    parser.optionxform = str  # type: ignore[assignment, method-assign]  # paths keep their case; documented this way
    try:
        parser.read_string(treeinfo_text(data, name))
    except ConfigParserError as error:
        raise BadMetadataError(f"{name} cannot be read: {str(error).splitlines()[0][:300]}") from None
    files = _checked(parser, name)
    for path in _images(parser, name):
        files.setdefault(path, TreeFile(path, None))
    inside, outside = _repositories(parser)
    return TreeInfo(tuple(files.values()), inside, outside)


def treeinfo_text(data: bytes, name: str = ".treeinfo") -> str:
    """Give the text of .treeinfo; raises BadMetadataError when it is not UTF-8, or has a long row of blanks.

    Readers of such files look for the end of a name anew at each blank: a row of a million would keep them for days.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise BadMetadataError(f"{name} is not UTF-8 text") from None
    if _BLANKS.search(text):
        raise BadMetadataError(f"{name} has a row of blanks, as no real one has")
    return text


def _checked(parser: RawConfigParser, name: str) -> dict[str, TreeFile]:
    files: dict[str, TreeFile] = {}
    for option, value in parser.items("checksums") if parser.has_section("checksums") else ():
        path = _safe(option, name)
        text = value or ""
        type_, colon, digits = text.partition(":")
        if not colon:
            type_, digits = guess_type(text), text
        files[path] = TreeFile(path, read_checksum(type_, digits, f"{name}, [checksums] {path}"))
    return files


def _images(parser: RawConfigParser, name: str) -> list[str]:
    """Paths of images and of the installer's second stage, for trees whose [checksums] leave some out."""
    found = []
    for section in parser.sections():
        if section == "stage2" or section.startswith("images-"):
            found += [_safe(value, name) for _, value in parser.items(section) if value]
    return found


def _safe(path: str, name: str) -> str:
    try:
        return check_relative_path(path.removeprefix("./"))
    except UnsafePathError as error:
        raise UnsafePathError(f"{name}: {error}") from None


def _repositories(parser: RawConfigParser) -> tuple[tuple[str, ...], tuple[str, ...]]:
    inside: dict[str, None] = {}
    outside: dict[str, None] = {}
    for section in parser.sections():
        if not section.startswith(("variant-", "addon-")):
            continue
        value = (parser.get(section, "repository", fallback=None) or "").strip()
        path = value.removeprefix("./").rstrip("/") if not value.startswith("/") else value
        if path in {"", "."}:
            continue
        (inside if path_problem(path) is None else outside)[path] = None
    return tuple(inside), tuple(outside)
