"""Reading rows of repositories with all that a Repository says, content, credentials and versions included."""

import json
from typing import Any

from peewee import JOIN, fn

from issbox.model import LIBRARY, Content, ImportMark, Repository, RepositoryKey, Upstream
from issbox.store.tables import (
    ContentRow,
    CredentialRow,
    EnvironmentRow,
    OrganizationRow,
    ProductRow,
    PromotionRow,
    RepositoryRow,
    VersionRow,
)


def repository_query() -> Any:
    """Select everything of a Repository, to be narrowed down and read by `dicts`."""
    gpg_key, ca, client_certificate = CredentialRow.alias(), CredentialRow.alias(), CredentialRow.alias()
    newest = VersionRow.alias()
    latest = newest.select(fn.MAX(newest.number)).where(newest.repository == RepositoryRow.id)
    shown, library = VersionRow.alias(), EnvironmentRow.alias()
    held = (
        shown.select(shown.number)
        .join(PromotionRow, on=(PromotionRow.version == shown.id))
        .join(library, on=(PromotionRow.environment == library.id))
        .where(PromotionRow.repository == RepositoryRow.id, library.label == LIBRARY)
    )
    return (
        RepositoryRow.select(
            RepositoryRow,
            OrganizationRow.label.alias("organization_label"),
            ProductRow.label.alias("product_label"),
            ContentRow.content_id,
            ContentRow.label.alias("content_label"),
            ContentRow.name.alias("content_name"),
            ContentRow.path.alias("content_path"),
            ContentRow.type.alias("content_type"),
            ContentRow.arches,
            ContentRow.enabled,
            ContentRow.required_tags,
            ContentRow.vendor,
            ContentRow.gpg_url,
            gpg_key.label.alias("gpg_key_label"),
            ca.label.alias("ca_label"),
            client_certificate.label.alias("client_certificate_label"),
            latest.alias("latest"),
            held.alias("held_by_library"),
        )
        .join(ProductRow)
        .join(OrganizationRow)
        .join(ContentRow, on=(RepositoryRow.content == ContentRow.id))
        .join(gpg_key, JOIN.LEFT_OUTER, on=(RepositoryRow.gpg_key == gpg_key.id))
        .join(ca, JOIN.LEFT_OUTER, on=(RepositoryRow.ca == ca.id))
        .join(client_certificate, JOIN.LEFT_OUTER, on=(RepositoryRow.client_certificate == client_certificate.id))
    )


def read_repository(row: dict[str, Any]) -> Repository:
    """Make a repository of a row of `repository_query`."""
    return Repository(
        key=RepositoryKey(row["organization_label"], row["product_label"], row["label"], row["view"]),
        name=row["name"],
        content=Content(
            id=row["content_id"],
            label=row["content_label"],
            name=row["content_name"],
            path=row["content_path"],
            type=row["content_type"],
            arches=tuple(json.loads(row["arches"])),
            enabled=bool(row["enabled"]),
            required_tags=tuple(json.loads(row["required_tags"])),
        ),
        path=row["path"],
        variables=json.loads(row["variables"]),
        gpg_key=row["gpg_key_label"],
        upstream=Upstream(
            url=row["url"],
            ca=row["ca_label"],
            client_certificate=row["client_certificate_label"],
            proxy=row["proxy"],
            check_metadata=bool(row["check_metadata"]),
            check_packages=bool(row["check_packages"]),
        ),
        latest=row["latest"],
        library=row["held_by_library"],
        imported=None
        if row["imported_box"] is None
        else ImportMark(row["imported_box"], row["imported_number"], row["imported_lineage"]),
        unprotected=bool(row["unprotected"]),
    )
