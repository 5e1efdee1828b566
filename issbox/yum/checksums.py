"""Checksums as yum metadata and .treeinfo write them: which are accepted, and which are said to be weak."""

import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from issbox.errors import BadMetadataError

if TYPE_CHECKING:
    from hashlib import _Hash as Hash  # only a name for mypy: hashlib has no public one

_DIGITS: Final = {"md5": 32, "sha1": 40, "sha224": 56, "sha256": 64, "sha384": 96, "sha512": 128}
_ALIASES: Final = {"sha": "sha1"}
_HEXADECIMAL: Final = re.compile(r"[0-9a-f]+")

WEAK: Final = frozenset({"md5", "sha1"})
"""Good against damage, not against somebody who wants to deceive; accepted because old repositories have no other."""


@dataclass(frozen=True, slots=True)
class Checksum:
    """What the bytes of a file must hash to."""

    type: str
    """Name for hashlib, for example `sha256`."""
    value: str
    """Lower-case hexadecimal."""

    def __str__(self) -> str:
        return f"{self.type} {self.value}"


def read_checksum(type_: str, value: str, where: str) -> Checksum:
    """Check a checksum from metadata; `sha` is sha1. Raises BadMetadataError saying where it stands."""
    name = _ALIASES.get(type_.strip().lower(), type_.strip().lower())
    digits = value.strip().lower()
    if name not in _DIGITS:
        raise BadMetadataError(f"{where}: the checksum type {type_[:40]!r} is not known")
    if len(digits) != _DIGITS[name] or _HEXADECIMAL.fullmatch(digits) is None:
        raise BadMetadataError(f"{where}: {value[:140]!r} is not a {name} checksum")
    return Checksum(name, digits)


def guess_type(value: str) -> str:
    """Name the type of a bare checksum by its length, as very old .treeinfo files leave it out; may be empty."""
    return next((name for name, digits in _DIGITS.items() if digits == len(value.strip())), "")


def new_hash(type_: str) -> "Hash":
    """Start a hash of a type that `read_checksum` gave."""
    return hashlib.new(type_, usedforsecurity=type_ not in WEAK)
