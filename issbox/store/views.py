"""Rows of content views: what they are made of, and their filters."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError
from issbox.model import (
    ContentView,
    ErratumDate,
    ErratumRule,
    ErratumType,
    FilterKind,
    PackageRule,
    RepositoryKey,
    ViewFilter,
)
from issbox.names import check_label
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import organization_id
from issbox.store.products import product_id
from issbox.store.repositories import repository_id
from issbox.store.tables import (
    OrganizationRow,
    PinRow,
    ProductRow,
    RepositoryRow,
    ViewFilterRow,
    ViewRepositoryRow,
    ViewRow,
    ViewVersionRow,
)
from issbox.store.tables.columns import format_stamp

LONGEST_LABEL: Final = 126
"""Characters of a content view's label: beside a repository's of 128 and an `@` it has to fit a directory's name."""


def view_id(organization: str, label: str) -> int:
    """Give the row id of a content view; raises NotFoundError."""
    query = ViewRow.select(ViewRow.id).where(ViewRow.organization == organization_id(organization))
    row = first(query.where(ViewRow.label == label))
    if row is None:
        raise NotFoundError(f"there is no content view {organization}/{label}", listed="content-view list")
    return int(row[0])


class Views(Noun):
    """Content views."""

    def create(self, organization: str, label: str, *, name: str, description: str = "") -> ContentView:
        """Make a content view of nothing; raises AlreadyExistsError, NotFoundError, InvalidValueError."""
        check_label(label, "content view label")
        if len(label) > LONGEST_LABEL:
            raise InvalidValueError(f"the content view label {label} is longer than {LONGEST_LABEL} characters")
        with transaction():
            if self.exists(organization, label):
                raise AlreadyExistsError(f"the content view {organization}/{label} exists already")
            owner = organization_id(organization)
            ViewRow.insert(organization=owner, label=label, name=name, description=description, last_major=0).execute()
            return self.get(organization, label)

    def exists(self, organization: str, label: str) -> bool:
        """Tell whether there is a content view of this label; raises NotFoundError for the organization."""
        owner = organization_id(organization)
        return bool(ViewRow.select().where(ViewRow.organization == owner, ViewRow.label == label).exists())

    def get(self, organization: str, label: str) -> ContentView:
        """Give a content view; raises NotFoundError."""
        identity = view_id(organization, label)
        row = first(ViewRow.select(ViewRow.name, ViewRow.description).where(ViewRow.id == identity))
        assert row is not None, "it was found a moment ago, by the only writer or in a snapshot"
        return ContentView(
            organization,
            label,
            name=row[0],
            description=row[1],
            repositories=_repositories(organization, identity),
            filters=_filters(identity),
            latest=_latest(identity),
        )

    def update(
        self, organization: str, label: str, *, name: str | None = None, description: str | None = None
    ) -> ContentView:
        """Change what is given; raises NotFoundError."""
        changes = {"name": name, "description": description}
        given = {field: value for field, value in changes.items() if value is not None}
        with transaction():
            identity = view_id(organization, label)
            if given:
                ViewRow.update(**given).where(ViewRow.id == identity).execute()
            return self.get(organization, label)

    def delete(self, organization: str, label: str) -> None:
        """Delete a content view that has no versions, with its filters.

        Raises NotFoundError, and InUseError for what its filters made and an environment holds.
        """
        with transaction():
            identity = view_id(organization, label)
            made = (RepositoryRow.organization == organization_id(organization)) & (RepositoryRow.view == label)
            if RepositoryRow.select().where(made).exists():
                raise InUseError(f"an environment holds what the filters of the content view {label} made")
            for table in (ViewFilterRow, ViewRepositoryRow):
                table.delete().where(table.content_view == identity).execute()
            ViewRow.delete().where(ViewRow.id == identity).execute()

    def add_repository(self, organization: str, label: str, key: RepositoryKey) -> ContentView:
        """Add a repository; raises NotFoundError, and AlreadyExistsError when it is there already."""
        with transaction():
            identity, repository = view_id(organization, label), repository_id(key.source)
            if key.source in _repositories(organization, identity):
                raise AlreadyExistsError(f"the content view {label} has the repository {key.short} already")
            ViewRepositoryRow.insert(content_view=identity, repository=repository).execute()
            return self.get(organization, label)

    def complete(self, organization: str, label: str, keys: Iterable[RepositoryKey]) -> None:
        """Add those of some repositories that the view lacks; raises NotFoundError."""
        with transaction():
            identity = view_id(organization, label)
            present = set(_repositories(organization, identity))
            for source in dict.fromkeys(key.source for key in keys):
                if source not in present:
                    ViewRepositoryRow.insert(content_view=identity, repository=repository_id(source)).execute()

    def remove_repository(self, organization: str, label: str, key: RepositoryKey) -> ContentView:
        """Take a repository out; versions that hold it stay as they are. Raises NotFoundError."""
        with transaction():
            identity = view_id(organization, label)
            there = ViewRepositoryRow.content_view == identity
            if (
                not ViewRepositoryRow.delete()
                .where(there, ViewRepositoryRow.repository == repository_id(key))
                .execute()
            ):
                raise NotFoundError(
                    f"the content view {label} does not have the repository {key.short}", listed="content-view info"
                )
            return self.get(organization, label)

    def add_filter(self, organization: str, label: str, new: ViewFilter) -> ContentView:
        """Add a filter; raises NotFoundError, and AlreadyExistsError for its name."""
        with transaction():
            identity = view_id(organization, label)
            if new.name in {each.name for each in _filters(identity)}:
                raise AlreadyExistsError(f"the content view {label} has a filter {new.name!r} already")
            ViewFilterRow.insert(
                content_view=identity,
                name=new.name,
                description=new.description,
                kind=new.kind.value,
                inclusion=new.inclusion,
                without_errata=new.without_errata,
                rule=_dump_rule(new.rule),
                repositories=json.dumps(new.repositories),
            ).execute()
            return self.get(organization, label)

    def remove_filter(self, organization: str, label: str, name: str) -> ContentView:
        """Take a filter away; raises NotFoundError."""
        with transaction():
            there = ViewFilterRow.content_view == view_id(organization, label)
            if not ViewFilterRow.delete().where(there, ViewFilterRow.name == name).execute():
                raise NotFoundError(
                    f"the content view {label} has no filter {name!r}", listed="content-view filter list"
                )
            return self.get(organization, label)

    def using(self, key: RepositoryKey) -> list[str]:
        """Give the labels of the content views that have this repository, or hold it in one of their versions."""
        same = RepositoryRow.select(RepositoryRow.id).where(
            RepositoryRow.product == product_id(key.organization, key.product), RepositoryRow.label == key.label
        )
        members = ViewRow.select(ViewRow.label).join(ViewRepositoryRow).where(ViewRepositoryRow.repository.in_(same))
        pinned = ViewRow.select(ViewRow.label).join(ViewVersionRow).join(PinRow).where(PinRow.repository.in_(same))
        return sorted({label for query in (members, pinned) for (label,) in rows(query)})

    def list(self, organization: str) -> list[ContentView]:
        """Give the content views of an organization by label; raises NotFoundError."""
        query = ViewRow.select(ViewRow.label).where(ViewRow.organization == organization_id(organization))
        return [self.get(organization, label) for (label,) in rows(query.order_by(ViewRow.label))]


def _repositories(organization: str, identity: int) -> tuple[RepositoryKey, ...]:
    query = (
        RepositoryRow.select(ProductRow.label, RepositoryRow.label)
        .join(ProductRow)
        .join(OrganizationRow)
        .join(ViewRepositoryRow, on=(ViewRepositoryRow.repository == RepositoryRow.id))
        .where(ViewRepositoryRow.content_view == identity)
    )
    return tuple(sorted(RepositoryKey(organization, *labels) for labels in rows(query)))


def _latest(identity: int) -> str | None:
    query = ViewVersionRow.select(ViewVersionRow.major, ViewVersionRow.minor)
    row = first(
        query.where(ViewVersionRow.content_view == identity).order_by(
            ViewVersionRow.major.desc(), ViewVersionRow.minor.desc()
        )
    )
    return None if row is None else f"{row[0]}.{row[1]}"


def _filters(identity: int) -> tuple[ViewFilter, ...]:
    query: Any = ViewFilterRow.select().where(ViewFilterRow.content_view == identity).order_by(ViewFilterRow.name)
    return tuple(_read_filter(row) for row in query.dicts())


def _read_filter(row: dict[str, Any]) -> ViewFilter:
    rule = json.loads(row["rule"])
    return ViewFilter(
        name=row["name"],
        inclusion=bool(row["inclusion"]),
        rule=_package_rule(rule) if row["kind"] == FilterKind.PACKAGE.value else _erratum_rule(rule),
        without_errata=bool(row["without_errata"]),
        repositories=tuple(json.loads(row["repositories"])),
        description=row["description"],
    )


def _package_rule(rule: dict[str, Any]) -> PackageRule:
    return PackageRule(**{**rule, "names": tuple(rule["names"]), "arches": tuple(rule["arches"])})


def _erratum_rule(rule: dict[str, Any]) -> ErratumRule:
    return ErratumRule(
        ids=tuple(rule["ids"]),
        types=tuple(map(ErratumType, rule["types"])),
        start=_read_time(rule["start"]),
        end=_read_time(rule["end"]),
        date=ErratumDate(rule["date"]),
    )


def _dump_rule(rule: PackageRule | ErratumRule) -> str:
    document = asdict(rule)
    for field, value in document.items():
        if isinstance(value, datetime):
            document[field] = format_stamp(value)
    return json.dumps(document, sort_keys=True)


def _read_time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
