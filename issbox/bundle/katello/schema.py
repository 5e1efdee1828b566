"""The fields of metadata.json that a reader needs, each optional where some Katello leaves it out."""

import msgspec


class KeyFields(msgspec.Struct):
    """A GPG key, or a reference to one by its name; empty when there is none."""

    name: str | None = None
    content_type: str | None = None
    content: str | None = None


class ContentFields(msgspec.Struct):
    """The content that a repository is an instance of."""

    id: str | int | None = None
    label: str | None = None
    url: str | None = None


class ProductFields(msgspec.Struct):
    """A product."""

    label: str
    name: str | None = None
    description: str | None = None
    cp_id: str | int | None = None
    redhat: bool | str | int | None = None
    gpg_key: KeyFields | None = None


class ProductReferenceFields(msgspec.Struct):
    """Which product a repository belongs to."""

    label: str


class RepositoryFields(msgspec.Struct):
    """A repository."""

    label: str
    product: ProductReferenceFields
    name: str | None = None
    arch: str | None = None
    content_type: str | None = None
    minor: str | int | float | None = None
    redhat: bool | str | int | None = None
    gpg_key: KeyFields | None = None
    content: ContentFields | None = None


class ViewFields(msgspec.Struct):
    """The content view exported."""

    label: str | None = None


class VersionFields(msgspec.Struct):
    """The content view version exported."""

    major: int | None = None
    minor: int | None = None


class DocumentFields(msgspec.Struct):
    """The whole file."""

    organization: str
    content_view: ViewFields | str | None = None
    content_view_version: VersionFields | None = None
    format: str | None = None
    incremental: bool | None = None
    toc: str | None = None
    repositories: dict[str, RepositoryFields] | None = None
    products: dict[str, ProductFields] | None = None
    gpg_keys: dict[str, KeyFields] | None = None
    repository_mapping: object = None
