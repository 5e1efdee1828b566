"""Rows of content view versions: which repository version each of them pins."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from issbox.errors import InUseError
from issbox.model import PinnedVersion, RepositoryKey, ViewVersion, ViewVersionName
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.promotions import version_id, view_version_id
from issbox.store.repositories import drop_unused_packages, repository_id
from issbox.store.repository_rows import read_repository, repository_query
from issbox.store.tables import (
    EnvironmentRow,
    FileRow,
    PinRow,
    ProductRow,
    PromotionRow,
    RepositoryRow,
    VersionRow,
    ViewRepositoryRow,
    ViewRow,
    ViewVersionRow,
)
from issbox.store.views import view_id


class ViewVersions(Noun):
    """Content view versions."""

    def next_number(self, organization: str, view: str) -> tuple[int, int]:
        """Give the number that the next version gets; the first is 1.0. Raises NotFoundError."""
        row = first(ViewRow.select(ViewRow.last_major).where(ViewRow.id == view_id(organization, view)))
        return (row[0] + 1 if row is not None else 1), 0

    def add(
        self,
        organization: str,
        view: str,
        *,
        created_at: datetime,
        description: str,
        pins: Mapping[RepositoryKey, int],
        number: str | None = None,
    ) -> ViewVersion:
        """Make the next version, or that of a number, of these repository versions; raises NotFoundError."""
        with transaction():
            major, minor = self.next_number(organization, view)
            last = major - 1
            if number is not None:
                major, minor = (int(part) for part in number.split("."))
            identity = view_id(organization, view)
            ViewRow.update(last_major=max(last, major)).where(ViewRow.id == identity).execute()
            made = ViewVersionRow.insert(
                content_view=identity, major=major, minor=minor, created_at=created_at, description=description
            ).execute()
            for key, pinned in pins.items():
                PinRow.insert(
                    view_version=made, repository=repository_id(key), version=version_id(key, pinned)
                ).execute()
            return self.get(organization, ViewVersionName(view, f"{major}.{minor}"))

    def get(self, organization: str, name: ViewVersionName) -> ViewVersion:
        """Give one version; raises NotFoundError."""
        identity = view_version_id(organization, name)
        return _read(organization, name.view, ViewVersionRow.id == identity)[0]

    def delete(self, organization: str, name: ViewVersionName) -> None:
        """Delete a version that no environment holds; raises NotFoundError and InUseError naming the environments."""
        with transaction():
            identity = view_version_id(organization, name)
            environments = _environments(identity)
            if environments:
                raise InUseError(
                    f"the content view version {name} is in {', '.join(environments)}",
                    hint="Promote another version there first.",
                )
            PinRow.delete().where(PinRow.view_version == identity).execute()
            ViewVersionRow.delete().where(ViewVersionRow.id == identity).execute()

    def drop_unused(self, organization: str, view: str) -> list[tuple[RepositoryKey, int]]:
        """Delete the repositories that the view's filters made and nothing holds any more.

        What is held: by a version of the view, by an environment, or because its source is still in the view. Gives
        the versions that are gone with them, whose trees are to be removed.
        """
        with transaction():
            identity = view_id(organization, view)
            member = ViewRepositoryRow.select(ViewRepositoryRow.repository).where(
                ViewRepositoryRow.content_view == identity
            )
            source = RepositoryRow.alias()
            kept = RepositoryRow.select(RepositoryRow.id).join(
                source,
                on=(
                    (source.product == RepositoryRow.product)
                    & (source.label == RepositoryRow.label)
                    & (source.view == "")
                ),
            )
            owner = ViewRow.select(ViewRow.organization).where(ViewRow.id == identity)
            orphans = (
                RepositoryRow.select(RepositoryRow.id, ProductRow.label, RepositoryRow.label)
                .join(ProductRow)
                .where(
                    RepositoryRow.organization == owner,
                    RepositoryRow.view == view,
                    RepositoryRow.id.not_in(kept.where(source.id.in_(member))),
                    RepositoryRow.id.not_in(PinRow.select(PinRow.repository)),
                    RepositoryRow.id.not_in(PromotionRow.select(PromotionRow.repository)),
                )
            )
            gone = []
            for repository, product, label in rows(orphans):
                numbers = rows(VersionRow.select(VersionRow.number).where(VersionRow.repository == repository))
                gone += [(RepositoryKey(organization, product, label, view), number) for (number,) in numbers]
                for table in (VersionRow, FileRow):
                    table.delete().where(table.repository == repository).execute()
                RepositoryRow.delete().where(RepositoryRow.id == repository).execute()
            drop_unused_packages()
            return gone

    def list(self, organization: str, view: str) -> list[ViewVersion]:
        """Give the versions of a content view, newest first; raises NotFoundError."""
        return _read(organization, view, ViewVersionRow.content_view == view_id(organization, view))


def _read(organization: str, view: str, condition: Any) -> list[ViewVersion]:
    query: Any = ViewVersionRow.select().where(condition)
    return [
        ViewVersion(
            organization,
            view,
            major=row["major"],
            minor=row["minor"],
            created_at=row["created_at"],
            description=row["description"],
            repositories=_pins(row["id"]),
            environments=_environments(row["id"]),
        )
        for row in query.order_by(ViewVersionRow.major.desc(), ViewVersionRow.minor.desc()).dicts()
    ]


def _pins(identity: int) -> tuple[PinnedVersion, ...]:
    query = (
        repository_query()
        .select_extend(VersionRow.number, VersionRow.packages, VersionRow.size)
        .join(PinRow, on=(PinRow.repository == RepositoryRow.id))
        .join(VersionRow, on=(PinRow.version == VersionRow.id))
        .where(PinRow.view_version == identity)
        .order_by(RepositoryRow.path)
    )
    return tuple(
        PinnedVersion(read_repository(row), row["number"], row["packages"], row["size"]) for row in query.dicts()
    )


def _environments(identity: int) -> tuple[str, ...]:
    query = (
        EnvironmentRow.select(EnvironmentRow.label)
        .join(PromotionRow, on=(PromotionRow.environment == EnvironmentRow.id))
        .where(PromotionRow.view_version == identity)
        .distinct()
        .order_by(EnvironmentRow.label)
    )
    return tuple(label for (label,) in rows(query))
