"""Rows of repositories and of the content they are instances of."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any, Final, cast

from peewee import fn

from issbox.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from issbox.model import ProductKind, Repository, RepositoryKey, Upstream
from issbox.names import check_label, check_relative_path
from issbox.store.contents import drop_unused_content, keep_content
from issbox.store.credentials import credential_id
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import organization_id
from issbox.store.products import product_id
from issbox.store.repository_rows import read_repository, repository_query
from issbox.store.tables import (
    ContentRow,
    FileRow,
    OrganizationRow,
    PackageRow,
    ProductRow,
    PromotionRow,
    RepositoryRow,
    VersionRow,
)

_SHARED: Final = ("content", "name", "variables", "gpg_key", "unprotected")
"""Columns that a repository made by filters has from its source."""


def repository_id(key: RepositoryKey) -> int:
    """Give the row id of a repository; raises NotFoundError."""
    identity = find_repository_id(key)
    if identity is None:
        raise NotFoundError(f"there is no repository {key}", listed="repository list")
    return identity


def find_repository_id(key: RepositoryKey) -> int | None:
    """Give the row id of a repository, or None."""
    row = first(
        RepositoryRow.select(RepositoryRow.id)
        .join(ProductRow)
        .join(OrganizationRow)
        .where(
            OrganizationRow.label == key.organization,
            ProductRow.label == key.product,
            RepositoryRow.label == key.label,
            RepositoryRow.view == key.view,
        )
    )
    return None if row is None else int(row[0])


class Repositories(Noun):
    """Repositories."""

    def create(self, repository: Repository) -> Repository:
        """Make a repository, and its content unless another repository shares it.

        `latest` is not kept: versions come by `versions.commit`. Raises AlreadyExistsError for its label or its path,
        also when one path lies inside the other, and NotFoundError for its product or a content credential. One that
        a content view's filters make comes by `derive`.
        """
        key = repository.key
        check_label(key.label)
        if key.view:
            raise InvalidValueError(f"the repository {key} is not made by itself: filters make it of another one")
        check_relative_path(repository.path)
        with transaction():
            organization = organization_id(key.organization)
            product = product_id(key.organization, key.product)
            if find_repository_id(key) is not None:
                raise AlreadyExistsError(f"the repository {key} exists already")
            self._check_path(key.organization, repository.path)
            RepositoryRow.create(
                organization=organization,
                product=product,
                content=keep_content(organization, repository.content),
                label=key.label,
                path=repository.path,
                view="",
                **_columns(organization, repository),
            )
            return self.get(key)

    def derive(self, key: RepositoryKey) -> Repository:
        """Make the repository that the filters of a content view fill from its source, unless it is there.

        It shares the source's content, names and path, and has no upstream. Raises NotFoundError for the source.
        """
        check_label(key.view, "content view label")
        with transaction():
            source = self.get(key.source)
            if find_repository_id(key) is None:
                organization = organization_id(key.organization)
                derived = replace(source, key=key, upstream=Upstream(), imported=None, latest=None, library=None)
                RepositoryRow.create(
                    organization=organization,
                    product=product_id(key.organization, key.product),
                    content=keep_content(organization, source.content),
                    label=key.label,
                    path=source.path,
                    view=key.view,
                    **_columns(organization, derived),
                )
            return self.get(key)

    def _check_path(self, organization: str, path: str) -> None:
        """Refuse a path that is, or lies inside, that of another repository: links to trees cannot be nested."""
        above = [str(each) for each in (PurePosixPath(path), *PurePosixPath(path).parents)]
        # Text sorts by its bytes, and '0' comes right after '/'.
        inside = (RepositoryRow.path >= f"{path}/") & (RepositoryRow.path < f"{path}0")
        query = repository_query().where(
            OrganizationRow.label == organization,
            RepositoryRow.view == "",
            RepositoryRow.path.in_(above) | inside,
        )
        for other in map(read_repository, query.order_by(RepositoryRow.path).limit(1).dicts()):
            if other.path == path:
                raise AlreadyExistsError(f"the repository {other.key} has the path {path} already")
            raise AlreadyExistsError(
                f"the path {path} cannot be used beside the path {other.path} of the repository {other.key}: "
                "one lies inside the other"
            )

    def has_content_label(self, organization: str, label: str) -> bool:
        """Tell whether a content of an organization has this label; raises NotFoundError."""
        query = ContentRow.select().where(
            ContentRow.organization == organization_id(organization), ContentRow.label == label
        )
        return bool(query.exists())

    def get(self, key: RepositoryKey) -> Repository:
        """Give a repository; raises NotFoundError."""
        return read_repository(repository_query().where(RepositoryRow.id == repository_id(key)).dicts().get())

    def derived(self, key: RepositoryKey) -> list[RepositoryKey]:
        """Give the repositories that filters of content views made of this one."""
        query = RepositoryRow.select(RepositoryRow.view).where(
            RepositoryRow.product == product_id(key.organization, key.product),
            RepositoryRow.label == key.label,
            RepositoryRow.view != "",
        )
        return [replace(key, view=view) for (view,) in rows(query.order_by(RepositoryRow.view))]

    def find_redhat(self, organization: str, content_id: str, variables: Mapping[str, str]) -> Repository | None:
        """Give the Red Hat repository of this content with exactly these variables, or None."""
        query = repository_query().where(
            OrganizationRow.label == organization,
            ProductRow.kind == ProductKind.REDHAT.value,
            ContentRow.content_id == content_id,
            RepositoryRow.variables == _dump(dict(variables)),
            RepositoryRow.view == "",
        )
        row = query.order_by(RepositoryRow.id).dicts().first()
        return None if row is None else read_repository(row)

    def update(self, key: RepositoryKey, *, enabled: bool | None = None, **changes: object) -> Repository:
        """Change fields of the repository by name, and whether its content is enabled by default.

        The fields are `name`, `content`, `variables`, `gpg_key`, `upstream`, `imported` and `unprotected`; key, path
        and versions stay. Repositories that filters made of it follow in what they share. Raises NotFoundError for the
        repository or a content credential.
        """
        with transaction():
            present = self.get(key)
            wanted = replace(present, **cast("dict[str, Any]", changes))
            if enabled is not None:
                wanted = replace(wanted, content=replace(wanted.content, enabled=enabled))
            if (wanted.key, wanted.path, wanted.latest) != (present.key, present.path, present.latest):
                raise InvalidValueError(f"the path and the versions of the repository {key} cannot be changed so")
            organization = organization_id(key.organization)
            columns = _columns(organization, wanted) | {"content": keep_content(organization, wanted.content)}
            RepositoryRow.update(**columns).where(RepositoryRow.id == repository_id(key)).execute()
            if not key.view:
                shared = {name: columns[name] for name in _SHARED}
                RepositoryRow.update(**shared).where(
                    RepositoryRow.product == product_id(key.organization, key.product), RepositoryRow.label == key.label
                ).execute()
            drop_unused_content(organization)
            return self.get(key)

    def withdraw(self, organization: str, content_id: str, *, withdrawn: bool = True) -> None:
        """Write down that a manifest took a content away, or brought it back; promotions of it stay.

        Raises NotFoundError.
        """
        changed = ContentRow.update(withdrawn=withdrawn).where(
            ContentRow.organization == organization_id(organization), ContentRow.content_id == content_id
        )
        if not changed.execute():
            raise NotFoundError(
                f"the organization {organization} has no content with the id {content_id}", listed="cdn choices"
            )

    def checked_with(self, key: RepositoryKey) -> str | None:
        """Give what `mark_checked` wrote last, or None; raises NotFoundError."""
        row = first(RepositoryRow.select(RepositoryRow.checked_with).where(RepositoryRow.id == repository_id(key)))
        return None if row is None else cast("str | None", row[0])

    def mark_checked(self, key: RepositoryKey, checks: str) -> None:
        """Write down which checks what the repository holds has passed; raises NotFoundError."""
        with transaction():
            RepositoryRow.update(checked_with=checks).where(RepositoryRow.id == repository_id(key)).execute()

    def delete(self, key: RepositoryKey) -> None:
        """Delete a repository with its versions and promotions; blobs stay for the next cleanup.

        Raises NotFoundError. Content views must not hold it any more; what their filters made of it goes too.
        """
        with transaction():
            repository_id(key)
            for each in [key, *self.derived(key)]:
                identity = repository_id(each)
                for table in (PromotionRow, VersionRow, FileRow):
                    table.delete().where(table.repository == identity).execute()
                RepositoryRow.delete().where(RepositoryRow.id == identity).execute()
            drop_unused_content(organization_id(key.organization))
            drop_unused_packages()

    def list(
        self, organization: str | None = None, product: str | None = None, *, derived: bool = False
    ) -> list[Repository]:
        """Give repositories by organization, product and label, all or those of an organization or product.

        Those that filters of content views made are left out, unless `derived` says that they are wanted too.
        """
        query = repository_query()
        if not derived:
            query = query.where(RepositoryRow.view == "")
        if organization is not None:
            query = query.where(OrganizationRow.label == organization)
        if product is not None:
            query = query.where(ProductRow.label == product)
        query = query.order_by(OrganizationRow.label, ProductRow.label, RepositoryRow.label, RepositoryRow.view)
        return [read_repository(row) for row in query.dicts()]


def drop_unused_packages() -> None:
    """Delete the rows of packages that no file refers to any more."""
    used = FileRow.select(FileRow.id).where(FileRow.package == PackageRow.id)
    PackageRow.delete().where(~fn.EXISTS(used)).execute()


def _columns(organization: int, repository: Repository) -> dict[str, object]:
    upstream, imported = repository.upstream, repository.imported
    return {
        "name": repository.name,
        "variables": _dump(dict(repository.variables)),
        "gpg_key": credential_id(organization, repository.gpg_key),
        "url": upstream.url,
        "ca": credential_id(organization, upstream.ca),
        "client_certificate": credential_id(organization, upstream.client_certificate),
        "proxy": upstream.proxy,
        "check_metadata": upstream.check_metadata,
        "check_packages": upstream.check_packages,
        "imported_box": None if imported is None else imported.box_id,
        "imported_number": None if imported is None else imported.number,
        "imported_lineage": "" if imported is None else imported.lineage,
        "unprotected": repository.unprotected,
    }


def _dump(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
