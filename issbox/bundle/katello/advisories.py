"""Advisories: from Pulp's rows to updateinfo.xml."""

from collections import defaultdict
from collections.abc import Container, Iterator
from datetime import UTC, datetime
from typing import Final

import createrepo_c
import msgspec

from issbox.bundle.katello.pulp_archive import PulpArchive
from issbox.bundle.katello.rows import check_xml, nested, read_rows, truth, whole
from issbox.errors import BadManifestError

_SUM_TYPES: Final = {1: "md5", 2: "sha1", 3: "sha1", 4: "sha224", 5: "sha256", 6: "sha384", 7: "sha512"}
"""Checksum types by the number that createrepo_c gives them, which is what Pulp keeps."""
_KNOWN_SUMS: Final = {
    "sha224": createrepo_c.SHA224,
    "sha256": createrepo_c.SHA256,
    "sha384": createrepo_c.SHA384,
    "sha512": createrepo_c.SHA512,
}
_MAX_VERSION: Final = (1 << 64) - 1
_TIMES: Final = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d", "%a %b %d %H:%M:%S %Y")


class _Record(msgspec.Struct):
    upstream_id: str
    digest: str
    id: str
    issued_date: str | None = None
    updated_date: str | None = None
    description: str | None = None
    fromstr: str | None = None
    status: str | None = None
    title: str | None = None
    summary: str | None = None
    version: str | None = None
    type: str | None = None
    severity: str | None = None
    solution: str | None = None
    release: str | None = None
    rights: str | None = None
    pushcount: str | None = None
    reboot_suggested: str | None = None


class _Reference(msgspec.Struct):
    update_record: str
    href: str | None = None
    ref_id: str | None = None
    title: str | None = None
    ref_type: str | None = None


class _Module(msgspec.Struct):
    name: str
    stream: str
    version: int
    context: str
    arch: str


class _Collection(msgspec.Struct):
    update_record: str
    name: str | None = None
    shortname: str | None = None
    module: str | None = None


class _Package(msgspec.Struct):
    update_collection: str
    """Name of the collection, a bar, and the digest of its advisory."""
    name: str
    version: str | None = None
    release: str | None = None
    epoch: str | None = None
    arch: str | None = None
    filename: str | None = None
    src: str | None = None
    sum: str | None = None
    sum_type: str | None = None
    reboot_suggested: str | None = None
    relogin_suggested: str | None = None
    restart_suggested: str | None = None


def updateinfo(archive: PulpArchive, directory: str, ids: Container[str] | None) -> Iterator[bytes]:
    """Give updateinfo.xml in parts, nothing when there is no advisory; `ids` names the rows that belong to it.

    What the advisories refer to is kept in memory meanwhile. Raises BadManifestError.
    """
    references: defaultdict[str, list[_Reference]] = defaultdict(list)
    for reference in read_rows(archive, directory, "UpdateReferenceResource", _Reference):
        references[reference.update_record].append(reference)
    collections: defaultdict[str, list[_Collection]] = defaultdict(list)
    for collection in read_rows(archive, directory, "UpdateCollectionResource", _Collection):
        collections[collection.update_record].append(collection)
    packages: defaultdict[str, list[_Package]] = defaultdict(list)
    for package in read_rows(archive, directory, "UpdateCollectionPackageResource", _Package):
        packages[package.update_collection].append(package)
    begun = False
    for row in read_rows(archive, directory, "UpdateRecordResource", _Record):
        if ids is not None and row.upstream_id not in ids:
            continue
        where = f"{directory}, advisory {row.id[:60]}"
        record = _record(row, where)
        for reference in references[row.digest]:
            record.append_reference(_reference(reference))
        for collection in collections[row.digest]:
            members = packages[f"{collection.name or ''}|{row.digest}"]
            record.append_collection(_collection(collection, members, where))
        if not begun:
            yield b'<?xml version="1.0" encoding="UTF-8"?>\n<updates>\n'
            begun = True
        yield str(createrepo_c.xml_dump_updaterecord(record)).encode()
    if begun:
        yield b"</updates>\n"


def _record(row: _Record, where: str) -> createrepo_c.UpdateRecord:
    record = createrepo_c.UpdateRecord()
    record.id, record.title = _clean(row.id, where), _clean(row.title, where)
    record.fromstr, record.status, record.version = (
        _clean(text, where) for text in (row.fromstr, row.status, row.version)
    )
    record.type, record.severity, record.release = (
        _clean(text, where) for text in (row.type, row.severity, row.release)
    )
    record.summary, record.description, record.solution = (
        _clean(text, where) for text in (row.summary, row.description, row.solution)
    )
    record.rights, record.pushcount = _clean(row.rights, where), _clean(row.pushcount, where)
    record.issued_date, record.updated_date = _time(row.issued_date, where), _time(row.updated_date, where)
    record.reboot_suggested = truth(row.reboot_suggested)
    return record


def _reference(row: _Reference) -> createrepo_c.UpdateReference:
    where = "a reference of an advisory"
    reference = createrepo_c.UpdateReference()
    reference.href, reference.id = _clean(row.href, where), _clean(row.ref_id, where)
    reference.title, reference.type = _clean(row.title, where), _clean(row.ref_type, where)
    return reference


def _collection(row: _Collection, packages: list[_Package], where: str) -> createrepo_c.UpdateCollection:
    collection = createrepo_c.UpdateCollection()
    collection.shortname, collection.name = _clean(row.shortname, where), _clean(row.name, where)
    module = nested(row.module, _Module, where)
    if module is not None:
        if not 0 <= module.version <= _MAX_VERSION:
            raise BadManifestError(f"{where}: {module.version} is not the version of a module")
        found = createrepo_c.UpdateCollectionModule()
        found.name, found.stream, found.context = (
            _clean(text, where) for text in (module.name, module.stream, module.context)
        )
        found.version, found.arch = module.version, _clean(module.arch, where)
        collection.module = found
    for package in packages:
        collection.append(_package(package, where))
    return collection


def _package(row: _Package, where: str) -> createrepo_c.UpdateCollectionPackage:
    package = createrepo_c.UpdateCollectionPackage()
    package.name, package.version, package.release = (
        _clean(text, where) for text in (row.name, row.version, row.release)
    )
    package.epoch, package.arch = _clean(row.epoch or "0", where), _clean(row.arch, where)
    package.filename, package.src = _clean(row.filename, where), _clean(row.src, where)
    kind = _KNOWN_SUMS.get(_SUM_TYPES.get(whole(row.sum_type, where), ""))
    if row.sum and kind is not None:
        package.sum, package.sum_type = _clean(row.sum, where), kind
    package.reboot_suggested = truth(row.reboot_suggested)
    package.relogin_suggested = truth(row.relogin_suggested)
    package.restart_suggested = truth(row.restart_suggested)
    return package


def _clean(text: str | None, where: str) -> str | None:
    """Give the text, None for none; refuse what no XML can hold."""
    return check_xml(text, where) if text else None


def _time(text: str | None, where: str) -> int | datetime | None:
    """Read a time as vendors write it and Pulp keeps it: seconds since 1970, or one of a few ways to write a date."""
    if not text:
        return None
    if text.isascii() and text.isdigit() and len(text) <= 11:
        return int(text)
    for pattern in _TIMES:
        try:
            return datetime.strptime(text.removesuffix(" UTC"), pattern).replace(tzinfo=UTC)
        except ValueError:
            continue
    raise BadManifestError(f"{where}: {text[:60]!r} is not a time that an advisory can have")
