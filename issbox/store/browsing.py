"""Long tables page by page, for people who scroll and search: by the key of a row, so that no page costs more."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from issbox.model import (
    AuditEntry,
    AuditOrder,
    AuditSearch,
    FileKind,
    Package,
    PackageOrder,
    PackageSearch,
    RepositoryFile,
    RepositoryKey,
)
from issbox.store.audit import read_entries
from issbox.store.database import Noun, rows
from issbox.store.keysets import Key, Order, Part
from issbox.store.organizations import organization_id
from issbox.store.repositories import repository_id
from issbox.store.tables import PACKAGE_COLUMNS, AuditRow, FileRow, PackageRow, ProductRow, RepositoryRow

_PACKAGE = [getattr(PackageRow, column) for column in PACKAGE_COLUMNS]


class Browsing(Noun):
    """Packages of repository versions, and the audit log."""

    def count_packages(self, key: RepositoryKey, number: int, wanted: PackageSearch) -> int:
        """Give how many packages of a version are wanted."""
        return int(_packages(key, number, wanted, FileRow.id).count())

    def packages(
        self, key: RepositoryKey, number: int, wanted: PackageSearch, after: Key | None, limit: int
    ) -> list[tuple[Key, RepositoryFile]]:
        """Give key and facts of the wanted packages of a version after a key, or of the first ones."""
        columns = (FileRow.path, FileRow.size, FileRow.sha256, *_PACKAGE)
        found = _package_order(wanted).page(partial(_described, key, number, wanted), after, limit, *columns)
        return [(at, _file(row)) for at, row in found]

    def skip_packages(
        self, key: RepositoryKey, number: int, wanted: PackageSearch, after: Key | None, skipped: int
    ) -> Key | None:
        """Give the key of the package so many after a key, or None beyond the end."""
        by_files_alone = wanted.order in (PackageOrder.PATH, PackageOrder.SIZE)
        select = _packages if by_files_alone else _described
        return _package_order(wanted).skip(partial(select, key, number, wanted), after, skipped)

    def find_packages(self, organization: str, search: str, limit: int) -> list[tuple[RepositoryKey, RepositoryFile]]:
        """Give packages with the text in their name or file name, of the newest versions of all repositories."""
        columns = (ProductRow.label, RepositoryRow.label, FileRow.path, FileRow.size, FileRow.sha256, *_PACKAGE)
        query = (
            FileRow.select(*columns)
            .join(PackageRow, on=FileRow.package == PackageRow.id)
            .switch(FileRow)
            .join(RepositoryRow, on=FileRow.repository == RepositoryRow.id)
            .join(ProductRow, on=RepositoryRow.product == ProductRow.id)
            .where(
                RepositoryRow.organization == organization_id(organization),
                RepositoryRow.view == "",
                FileRow.removed_in.is_null(),
                PackageRow.name.contains(search) | FileRow.path.contains(search),
            )
            .order_by(PackageRow.name, PackageRow.id, ProductRow.label, RepositoryRow.label)
            .limit(limit)
        )
        return [(RepositoryKey(organization, row[0], row[1]), _file(row[2:])) for row in rows(query)]

    def count_audit(self, wanted: AuditSearch) -> int:
        """Give how many audit entries are wanted."""
        return int(_entries(wanted).count())

    def audit(self, wanted: AuditSearch, after: Key | None, limit: int) -> list[tuple[Key, AuditEntry]]:
        """Give key and facts of the wanted audit entries after a key, or of the first ones."""
        found = _audit_order(wanted).page(partial(_entries, wanted), after, limit, AuditRow.number)
        numbers = [number for _, (number,) in found]
        entries = {each.number: each for each in read_entries(AuditRow.select().where(AuditRow.number.in_(numbers)))}
        return [(key, entries[number]) for key, (number,) in found]

    def skip_audit(self, wanted: AuditSearch, after: Key | None, skipped: int) -> Key | None:
        """Give the key of the entry so many after a key, or None beyond the end."""
        return _audit_order(wanted).skip(partial(_entries, wanted), after, skipped)


def _audit_order(wanted: AuditSearch) -> Order:
    first = {AuditOrder.ACTOR: (AuditRow.actor,), AuditOrder.ACTION: (AuditRow.action,)}.get(wanted.order, ())
    return Order((Part((*first, AuditRow.number)),), wanted.descending)


def _package_order(wanted: PackageSearch) -> Order:
    first = {
        PackageOrder.NAME: (PackageRow.name,),
        PackageOrder.ARCH: (PackageRow.arch,),
        PackageOrder.SIZE: (FileRow.size,),
    }.get(wanted.order, ())
    return Order((Part((*first, FileRow.path)),), wanted.descending)


def _described(key: RepositoryKey, number: int, wanted: PackageSearch, *columns: Any) -> Any:
    return _packages(key, number, wanted, *columns).join(PackageRow, on=FileRow.package == PackageRow.id)


def _packages(key: RepositoryKey, number: int, wanted: PackageSearch, *columns: Any) -> Any:
    query = FileRow.select(*columns).where(
        FileRow.repository == repository_id(key),
        FileRow.kind == FileKind.PACKAGE.value,
        FileRow.added_in <= number,
        FileRow.removed_in.is_null() | (FileRow.removed_in > number),
    )
    return query.where(FileRow.path.contains(wanted.text)) if wanted.text else query


def _entries(wanted: AuditSearch, *columns: Any) -> Any:
    query = AuditRow.select(*columns)
    if wanted.organizations is not None:
        query = query.where(AuditRow.organization.in_(list(wanted.organizations)))
    for word in wanted.words.split():
        places = (
            AuditRow.actor,
            AuditRow.origin,
            AuditRow.action,
            AuditRow.subject,
            AuditRow.organization,
            AuditRow.at,
        )
        found = places[0].contains(word)
        for place in places[1:]:
            found |= place.contains(word)
        query = query.where(found)
    return query


def _file(row: Sequence[Any]) -> RepositoryFile:
    path, size, sha256, *package = row
    named = dict(zip(PACKAGE_COLUMNS, package, strict=True))
    return RepositoryFile(path, size, sha256, FileKind.PACKAGE, Package(**named))
