"""Long tables page by page, for people who scroll and search: by the key of a row, so that no page costs more."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from issbox.model import AuditEntry, AuditOrder, AuditSearch, FileKind, Package, RepositoryFile, RepositoryKey
from issbox.store.audit import read_entries
from issbox.store.database import Noun, rows
from issbox.store.keysets import Key, Order, Part
from issbox.store.organizations import organization_id
from issbox.store.repositories import repository_id
from issbox.store.tables import PACKAGE_COLUMNS, AuditRow, FileRow, PackageRow, ProductRow, RepositoryRow

_PACKAGE = [getattr(PackageRow, column) for column in PACKAGE_COLUMNS]


class Browsing(Noun):
    """Packages of repository versions, and the audit log."""

    def count_packages(self, key: RepositoryKey, number: int, search: str) -> int:
        """Give how many packages of a version have the text in their path."""
        return int(_packages(key, number, search, FileRow.id).count())

    def packages(
        self, key: RepositoryKey, number: int, search: str, after: str | None, limit: int
    ) -> list[RepositoryFile]:
        """Give packages of a version by their path, those after a path or the first ones."""
        columns = (FileRow.path, FileRow.size, FileRow.sha256, *_PACKAGE)
        query = _packages(key, number, search, *columns).join(PackageRow, on=FileRow.package == PackageRow.id)
        return [_file(row) for row in rows(_beyond(query, FileRow.path, after).order_by(FileRow.path).limit(limit))]

    def skip_packages(
        self, key: RepositoryKey, number: int, search: str, after: str | None, skipped: int
    ) -> str | None:
        """Give the path of the package so many after a path, or None beyond the end."""
        query = _beyond(_packages(key, number, search, FileRow.path), FileRow.path, after)
        path: str | None = query.order_by(FileRow.path).offset(skipped - 1).limit(1).scalar()
        return path

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


def _packages(key: RepositoryKey, number: int, search: str, *columns: Any) -> Any:
    query = FileRow.select(*columns).where(
        FileRow.repository == repository_id(key),
        FileRow.kind == FileKind.PACKAGE.value,
        FileRow.added_in <= number,
        FileRow.removed_in.is_null() | (FileRow.removed_in > number),
    )
    return query.where(FileRow.path.contains(search)) if search else query


def _beyond(query: Any, column: Any, after: str | None) -> Any:
    return query if after is None else query.where(column > after)


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
