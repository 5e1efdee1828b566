"""The head of an RPM file: everything that repodata says of a package stands in it, before the payload.

RPM file format: a lead of 96 bytes, the signature header padded to eight bytes, the header (rpm.org, "RPM V4 Package
Format"). Reading only that spares reading gigabytes of payload whose digest is known.
"""

import os
from pathlib import Path
from typing import BinaryIO, Final

import createrepo_c

from issbox.errors import BadMetadataError
from issbox.files import error_from_os

_LEAD: Final = 96
_LEAD_MAGIC: Final = b"\xed\xab\xee\xdb"
_HEADER_MAGIC: Final = b"\x8e\xad\xe8\x01"
_INTRODUCTION: Final = 16
_ENTRY: Final = 16
_MAX_ENTRIES: Final = 1 << 16
_MAX_HEADER: Final = 256 << 20
"""Bytes of one header; rpm itself allows no more."""


def read_head(source: BinaryIO, name: str) -> bytes:
    """Give the bytes of an RPM file up to its payload. Raises BadMetadataError when it is no RPM file."""
    lead = source.read(_LEAD)
    if len(lead) != _LEAD or not lead.startswith(_LEAD_MAGIC):
        raise BadMetadataError(f"{name} is no RPM file")
    signature = _read_header(source, name)
    padding = source.read(-len(signature) % 8)
    return lead + signature + padding + _read_header(source, name)


def _read_header(source: BinaryIO, name: str) -> bytes:
    introduction = source.read(_INTRODUCTION)
    entries, size = int.from_bytes(introduction[8:12], "big"), int.from_bytes(introduction[12:16], "big")
    if not introduction.startswith(_HEADER_MAGIC) or entries > _MAX_ENTRIES or size > _MAX_HEADER:
        raise BadMetadataError(f"{name} is no RPM file: its header is damaged")
    rest = source.read(entries * _ENTRY + size)
    if len(rest) != entries * _ENTRY + size:
        raise BadMetadataError(f"{name} is no whole RPM file")
    return introduction + rest


def describe_package(package: Path, href: str) -> createrepo_c.Package:
    """Give what repodata says of a package, from its head alone; size and checksum are left to the caller.

    createrepo_c reads only files, so it gets the head as one in memory (Linux memfd_create(2)). Raises
    BadMetadataError.
    """
    try:
        with package.open("rb") as source, os.fdopen(os.memfd_create("head"), "wb") as head:
            head.write(read_head(source, href))
            head.flush()
            return _describe(f"/proc/self/fd/{head.fileno()}", href)
    except OSError as error:
        raise error_from_os(error) from error


def _describe(place: str, href: str) -> createrepo_c.Package:
    try:
        return createrepo_c.package_from_rpm(
            place, checksum_type=createrepo_c.SHA256, location_href=href, changelog_limit=10
        )
    except (createrepo_c.CreaterepoCError, OSError, UnicodeError) as error:
        raise BadMetadataError(f"{href} cannot be read: {str(error).replace(place, href)}") from None
