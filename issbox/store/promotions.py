"""Rows of what lifecycle environments hold, and of every change of it."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from peewee import JOIN, fn

from issbox.errors import NotFoundError
from issbox.model import (
    LIBRARY,
    Actor,
    Held,
    Promotion,
    PromotionAction,
    PromotionRecord,
    RepositoryKey,
    ViewVersionName,
)
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import environment_id, organization_id
from issbox.store.products import product_id
from issbox.store.repositories import find_repository_id, repository_id
from issbox.store.repository_rows import read_repository, repository_query
from issbox.store.snapshots import (
    PRODUCT_KEY,
    content_row,
    dump_snapshot,
    load_snapshot,
    present_snapshot,
    read_live_snapshot,
)
from issbox.store.tables import (
    ContentRow,
    EnvironmentRow,
    ProductRow,
    PromotionHistoryRow,
    PromotionRow,
    RepositoryRow,
    VersionRow,
    ViewRow,
    ViewVersionRow,
)


def version_id(key: RepositoryKey, number: int) -> int:
    """Give the row id of a repository version; raises NotFoundError."""
    query = VersionRow.select(VersionRow.id).where(VersionRow.repository == repository_id(key))
    row = first(query.where(VersionRow.number == number))
    if row is None:
        raise NotFoundError(f"the repository {key} has no version {number}", listed="repository versions")
    return int(row[0])


def view_version_id(organization: str, name: ViewVersionName) -> int:
    """Give the row id of a content view version; raises NotFoundError."""
    major, _, minor = name.number.partition(".")
    row = None
    if major.isdecimal() and minor.isdecimal() and len(name.number) < 20:
        query = ViewVersionRow.select(ViewVersionRow.id).join(ViewRow)
        row = first(
            query.where(
                ViewRow.organization == organization_id(organization),
                ViewRow.label == name.view,
                ViewVersionRow.major == int(major),
                ViewVersionRow.minor == int(minor),
            )
        )
    if row is None:
        raise NotFoundError(
            f"the content view {organization}/{name.view} has no version {name.number}",
            listed="content-view version list",
        )
    return int(row[0])


def hold(environment: str, held: Held) -> None:
    """Let an environment hold a repository version; a repository at the same content path leaves.

    Other repositories of the same content are described to hosts in the same way from then on. Call it in a
    transaction. Raises NotFoundError.
    """
    key, name = held.key, held.view_version
    place, repository = environment_id(key.organization, environment), repository_id(key)
    columns = {
        "version": version_id(key, held.number),
        "enabled": held.enabled,
        "view_version": None if name is None else view_version_id(key.organization, name),
        "snapshot": dump_snapshot(held.snapshot or present_snapshot(repository)),
    }
    _release(place, key, kept=repository)
    present = (PromotionRow.environment == place) & (PromotionRow.repository == repository)
    if not PromotionRow.update(**columns).where(present).execute():
        PromotionRow.insert(environment=place, repository=repository, **columns).execute()
    same = RepositoryRow.select(RepositoryRow.id).where(RepositoryRow.content == content_row(repository))
    PromotionRow.update(snapshot=columns["snapshot"]).where(
        PromotionRow.environment == place, PromotionRow.repository.in_(same)
    ).execute()


def hold_newest(environment: str, key: RepositoryKey, number: int) -> None:
    """Let an environment hold another version of a repository, enabled there or not as before."""
    place = environment_id(key.organization, environment)
    query = PromotionRow.select(PromotionRow.enabled).where(
        PromotionRow.environment == place, PromotionRow.repository == find_repository_id(key)
    )
    row = first(query)
    hold(environment, Held(key, number, None if row is None else row[0]))


def _release(environment: int, key: RepositoryKey, kept: int | None = None) -> None:
    """Take out whatever stands at the content path of this repository, except the one row that is kept."""
    siblings = RepositoryRow.select(RepositoryRow.id).where(
        RepositoryRow.product == product_id(key.organization, key.product), RepositoryRow.label == key.label
    )
    gone = (PromotionRow.environment == environment) & PromotionRow.repository.in_(siblings)
    if kept is not None:
        gone &= PromotionRow.repository != kept
    PromotionRow.delete().where(gone).execute()


class Promotions(Noun):
    """What environments hold, and the history of it."""

    def change(
        self, organization: str, environment: str, *, hold_: Sequence[Held], drop: Sequence[RepositoryKey]
    ) -> None:
        """Let an environment hold these versions, in place of whatever stands at their paths, and drop others.

        Raises NotFoundError for a repository, version or content view version that is no more.
        """
        with transaction():
            place = environment_id(organization, environment)
            for key in drop:
                _release(place, key)
            for held in hold_:
                hold(environment, held)

    def record(
        self,
        *,
        organization: str,
        environment: str,
        at: datetime,
        actor: Actor,
        action: PromotionAction,
        subject: str,
        reason: str,
        before: Sequence[Held],
        after: Sequence[Held],
        undoes: int | None = None,
    ) -> PromotionRecord:
        """Write down a change; call it in the transaction of the change."""
        with transaction():
            identity = PromotionHistoryRow.insert(
                organization=organization,
                environment=environment,
                at=at,
                actor=actor.name,
                origin=actor.origin,
                action=action.value,
                subject=subject,
                reason=reason,
                before=_dump(before),
                after=_dump(after),
                undoes=undoes,
            ).execute()
            return self.get(int(identity))

    def get(self, promotion_id: int) -> PromotionRecord:
        """Give one change by its number; raises NotFoundError."""
        found = _read_history(_history().where(PromotionHistoryRow.id == promotion_id))
        if not found:
            raise NotFoundError(f"there is no promotion {promotion_id}", listed="promotion list")
        return found[0]

    def history(
        self,
        organization: str | None = None,
        environment: str | None = None,
        limit: int | None = None,
        *,
        before: int | None = None,
    ) -> list[PromotionRecord]:
        """Give changes, newest first: all, or those in an organization or environment, or with numbers below one."""
        query = _history().order_by(PromotionHistoryRow.id.desc())
        if organization is not None:
            query = query.where(PromotionHistoryRow.organization == organization)
        if environment is not None:
            query = query.where(PromotionHistoryRow.environment == environment)
        if before is not None:
            query = query.where(PromotionHistoryRow.id < before)
        return _read_history(query.limit(limit))

    def undoable(self, key: RepositoryKey) -> set[int]:
        """Give the versions of a repository that come back when the last change of an environment is taken back."""
        owner = organization_id(key.organization)
        newest = (
            PromotionHistoryRow.select(fn.MAX(PromotionHistoryRow.id))
            .join(EnvironmentRow, on=(EnvironmentRow.label == PromotionHistoryRow.environment))
            .where(EnvironmentRow.organization == owner, PromotionHistoryRow.organization == key.organization)
            .group_by(PromotionHistoryRow.environment)
        )
        records = _read_history(_history().where(PromotionHistoryRow.id.in_(newest)))
        return {held.number for record in records for held in record.before if held.key == key}

    def holders(self, keys: Collection[RepositoryKey]) -> list[str]:
        """Give the labels of the environments that hold any of these repositories of one organization."""
        identities = [identity for key in keys if (identity := find_repository_id(key)) is not None]
        query = (
            EnvironmentRow.select(EnvironmentRow.label)
            .join(PromotionRow, on=(PromotionRow.environment == EnvironmentRow.id))
            .where(PromotionRow.repository.in_(identities))
            .distinct()
            .order_by(EnvironmentRow.label)
        )
        return [label for (label,) in rows(query)]

    def list(self, organization: str, environment: str) -> list[Promotion]:
        """Give what an environment holds, by content path; raises NotFoundError."""
        place = environment_id(organization, environment)
        live = environment == LIBRARY
        query = (
            repository_query()
            .select_extend(
                VersionRow.number.alias("promoted_number"),
                PromotionRow.enabled.alias("promoted_enabled"),
                PromotionRow.snapshot,
                PRODUCT_KEY.label.alias("product_gpg_key"),
                ViewRow.label.alias("promoted_view"),
                ViewVersionRow.major,
                ViewVersionRow.minor,
            )
            .join(PRODUCT_KEY, JOIN.LEFT_OUTER, on=(ProductRow.gpg_key == PRODUCT_KEY.id))
            .join(PromotionRow, on=(PromotionRow.repository == RepositoryRow.id))
            .join(VersionRow, on=(PromotionRow.version == VersionRow.id))
            .join(ViewVersionRow, JOIN.LEFT_OUTER, on=(PromotionRow.view_version == ViewVersionRow.id))
            .join(ViewRow, JOIN.LEFT_OUTER, on=(ViewVersionRow.content_view == ViewRow.id))
            .where(PromotionRow.environment == place)
            .order_by(RepositoryRow.path)
        )
        return [_read_promotion(row, live=live) for row in query.dicts()]

    def enable(self, organization: str, environment: str, content_id: str, *, enabled: bool | None) -> int:
        """Set or take away the override of a content in an environment; gives the number of repositories it is for."""
        contents = ContentRow.select(ContentRow.id).where(
            ContentRow.organization == organization_id(organization), ContentRow.content_id == content_id
        )
        repositories = RepositoryRow.select(RepositoryRow.id).where(RepositoryRow.content.in_(contents))
        changed = PromotionRow.update(enabled=enabled).where(
            PromotionRow.environment == environment_id(organization, environment),
            PromotionRow.repository.in_(repositories),
        )
        return int(changed.execute())


def _read_promotion(row: dict[str, Any], *, live: bool) -> Promotion:
    name = None
    if row["promoted_view"] is not None:
        name = ViewVersionName(row["promoted_view"], f"{row['major']}.{row['minor']}")
    enabled = None if row["promoted_enabled"] is None else bool(row["promoted_enabled"])
    snapshot = read_live_snapshot(row) if live else load_snapshot(row["snapshot"])
    return Promotion(read_repository(row), row["promoted_number"], enabled, name, snapshot)


def _history() -> Any:
    later = PromotionHistoryRow.alias()
    return PromotionHistoryRow.select(PromotionHistoryRow, later.id.alias("undone_by")).join(
        later, JOIN.LEFT_OUTER, on=(later.undoes == PromotionHistoryRow.id)
    )


def _read_history(query: Any) -> list[PromotionRecord]:
    return [
        PromotionRecord(
            id=row["id"],
            organization=row["organization"],
            environment=row["environment"],
            at=row["at"],
            actor=Actor(row["actor"], row["origin"]),
            action=PromotionAction(row["action"]),
            subject=row["subject"],
            reason=row["reason"],
            before=_load(row["organization"], row["before"]),
            after=_load(row["organization"], row["after"]),
            undoes=row["undoes"],
            undone_by=row["undone_by"],
        )
        for row in query.dicts()
    ]


def _dump(held: Sequence[Held]) -> str:
    documents = [
        {
            "product": each.key.product,
            "label": each.key.label,
            "view": each.key.view,
            "number": each.number,
            "enabled": each.enabled,
            "view_version": None if each.view_version is None else [each.view_version.view, each.view_version.number],
            "snapshot": None if each.snapshot is None else dump_snapshot(each.snapshot),
        }
        for each in held
    ]
    return json.dumps(documents, sort_keys=True, separators=(",", ":"))


def _load(organization: str, text: str) -> tuple[Held, ...]:
    return tuple(
        Held(
            RepositoryKey(organization, each["product"], each["label"], each["view"]),
            each["number"],
            each["enabled"],
            None if each["view_version"] is None else ViewVersionName(*each["view_version"]),
            load_snapshot(each["snapshot"]) if each.get("snapshot") else None,
        )
        for each in json.loads(text)
    )
