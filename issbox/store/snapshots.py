"""Contents as they are now, and as promotions keep them."""

import json
from typing import Any, Final

from peewee import JOIN

from issbox.model import ContentSnapshot
from issbox.store.database import first
from issbox.store.repository_rows import repository_query
from issbox.store.tables import CredentialRow, ProductRow, RepositoryRow
from issbox.store.tables.columns import from_json, to_json

PRODUCT_KEY: Final[Any] = CredentialRow.alias()
"""The GPG key of a product, for repositories without one of their own; `product_gpg_key` in rows."""


def dump_snapshot(snapshot: ContentSnapshot) -> str:
    """Give the JSON that a promotion keeps."""
    return to_json(snapshot)


def load_snapshot(text: str) -> ContentSnapshot:
    """Read what a promotion keeps."""
    return from_json(text, ContentSnapshot)


def read_live_snapshot(row: dict[str, Any]) -> ContentSnapshot:
    """Make a snapshot of a row of `repository_query` that has `product_gpg_key` too."""
    return ContentSnapshot(
        id=row["content_id"],
        label=row["content_label"],
        name=row["content_name"],
        path=row["content_path"],
        type=row["content_type"],
        arches=tuple(json.loads(row["arches"])),
        required_tags=tuple(json.loads(row["required_tags"])),
        enabled=bool(row["enabled"]),
        gpg_key=row["gpg_key_label"] or row["product_gpg_key"],
        vendor=row["vendor"],
        gpg_url=row["gpg_url"],
    )


def live_query() -> Any:
    """Select repositories with what `read_live_snapshot` needs."""
    return (
        repository_query()
        .select_extend(PRODUCT_KEY.label.alias("product_gpg_key"))
        .join(PRODUCT_KEY, JOIN.LEFT_OUTER, on=(ProductRow.gpg_key == PRODUCT_KEY.id))
    )


def present_snapshot(repository: int) -> ContentSnapshot:
    """Give the content of a repository as it is now, by row id."""
    return read_live_snapshot(live_query().where(RepositoryRow.id == repository).dicts().get())


def content_row(repository: int) -> int:
    """Give the row id of the content of a repository, by row id."""
    row = first(RepositoryRow.select(RepositoryRow.content).where(RepositoryRow.id == repository))
    assert row is not None, "the repository is there"
    return int(row[0])
