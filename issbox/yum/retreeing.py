"""Adapting .treeinfo to repodata that was written anew, line by line, so that everything else in it stays."""

import re
from collections.abc import Mapping
from typing import Final

from issbox.yum.treeinfo import treeinfo_text

_SECTION: Final = re.compile(r"\[(?P<name>.+)\]\s*")
_OPTION: Final = re.compile(r"(?P<name>[^=:;#\s][^=:]*?)\s*[=:]\s*(?P<value>.*)")
_PART: Final = re.compile(r"(?:variant|addon)-(?P<place>.+)")


def adapt_treeinfo(data: bytes, repomd: Mapping[str, str]) -> bytes:
    """Give .treeinfo with the repositories at their places and the SHA-256 of their new repomd.xml.

    `repomd` has the digest by place: '' for the main repository, the names of variants and add-ons for those inside.
    A checksum of any other repomd.xml is dropped. Raises what `treeinfo_text` raises.
    """
    section, lines = "", []
    for line in treeinfo_text(data).splitlines():
        match = _SECTION.fullmatch(line)
        if match is not None:
            section = match["name"]
        adapted = line if match is not None else _adapt(section, line, repomd)
        if adapted is not None:
            lines.append(adapted)
    return ("\n".join(lines) + "\n").encode()


def _adapt(section: str, line: str, repomd: Mapping[str, str]) -> str | None:
    option = _OPTION.fullmatch(line)
    if option is None:
        return line
    name = option["name"]
    if section == "checksums" and name.endswith("repodata/repomd.xml"):
        sha256 = repomd.get(name.removesuffix("repodata/repomd.xml").rstrip("/"))
        return None if sha256 is None else f"{name} = sha256:{sha256}"
    part = _PART.fullmatch(section)
    if part is not None and part["place"] in repomd and name in {"repository", "packages"}:
        return f"{name} = {part['place']}{'/Packages' if name == 'packages' else ''}"
    return line
