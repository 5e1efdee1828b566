"""Rows of contents, which are there as long as repositories are instances of them."""

from issbox.model import Content, OfferedContent
from issbox.store.database import first
from issbox.store.tables import ContentRow, ManifestContentRow, RepositoryRow
from issbox.store.tables.columns import from_json, to_json


def keep_content(organization: int, content: Content) -> int:
    """Give the row id of the content, made or brought up to date."""
    columns = {
        "label": content.label,
        "name": content.name,
        "path": content.path,
        "type": content.type,
        "arches": to_json(content.arches),
        "enabled": content.enabled,
    }
    if content.required_tags:  # bundles know nothing of them, so that none means that nothing is said about them
        columns["required_tags"] = to_json(content.required_tags)
    query = ContentRow.select(ContentRow.id).where(ContentRow.organization == organization)
    row = first(query.where(ContentRow.content_id == content.id))
    if row is None:
        columns = {"required_tags": "[]", **_offered(organization, content.id)} | columns
        made = ContentRow.insert(organization=organization, content_id=content.id, withdrawn=False, **columns)
        return int(made.execute())
    ContentRow.update(**columns).where(ContentRow.id == row[0]).execute()
    return int(row[0])


def _offered(organization: int, content_id: str) -> dict[str, object]:
    """Give what only the manifest says of a content that gets its first repository."""
    query = ManifestContentRow.select(ManifestContentRow.offered).where(
        ManifestContentRow.organization == organization, ManifestContentRow.content_id == content_id
    )
    row = first(query.order_by(ManifestContentRow.id))
    if row is None:
        return {"vendor": "", "gpg_url": ""}
    offered = from_json(row[0], OfferedContent)
    return {"vendor": offered.vendor, "gpg_url": offered.gpg_url}


def drop_unused_content(organization: int) -> None:
    """Delete the contents of an organization that no repository is an instance of any more."""
    used = RepositoryRow.select(RepositoryRow.content)
    ContentRow.delete().where(ContentRow.organization == organization, ContentRow.id.not_in(used)).execute()
