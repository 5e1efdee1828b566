"""Reading the metadata.json of a Katello export, as every Katello since 3.18 has written it.

Fields that older versions lack have the values that Katello itself assumes: an export without `format` is importable,
a repository without `content_type` is yum. Policies, checksum types and the like are Katello's own business and are
passed over. Nothing in it is signed: it says what the export claims to be.
"""

from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.katello.schema import (
    ContentFields,
    DocumentFields,
    KeyFields,
    ProductFields,
    RepositoryFields,
    VersionFields,
    ViewFields,
)
from issbox.bundle.tree import read_bounded
from issbox.errors import BadManifestError, UnsupportedExportError
from issbox.model import KATELLO, KATELLO_MINORS
from issbox.names import has_control_codes, is_label, path_problem

METADATA_NAME: Final = "metadata.json"
MAX_METADATA: Final = 16 << 20
"""Bytes of a metadata.json; a large Library with a hundred keys has less than one MiB."""
_MAX_MAJOR: Final = 1_000_000_000
_LONGEST: Final = 255
"""Characters of a name."""


class Form(StrEnum):
    """How an export lies on the medium."""

    SYNCABLE = "syncable"
    """Yum trees."""
    IMPORTABLE = "importable"
    """A Pulp archive, whole or in chunks."""


_DECODER: Final = msgspec.json.Decoder(DocumentFields)


@dataclass(frozen=True, slots=True)
class KatelloKey:
    """A GPG key; Katello knows it by its name."""

    name: str
    content: str


@dataclass(frozen=True, slots=True)
class KatelloProduct:
    """A product."""

    label: str
    name: str
    description: str
    redhat: bool
    gpg_key: str | None
    """Name of a key."""


@dataclass(frozen=True, slots=True)
class KatelloRepository:
    """A repository of the export."""

    pulp_name: str
    """What Pulp calls it: the directory of its rows in the archive is named after it."""
    label: str
    name: str
    product: str
    """Label."""
    redhat: bool
    content_type: str
    """`yum`, `file`, `docker`, ..."""
    arch: str | None
    """The value of $basearch; None when the content path has no such variable."""
    release: str | None
    """The value of $releasever."""
    gpg_key: str | None
    """Name of a key."""
    content_id: str | None
    content_label: str | None
    path: str | None
    """Where its tree lies below a syncable export; None in exports of Katellos that did not say it."""


@dataclass(frozen=True, slots=True)
class KatelloMetadata:
    """What an export says about itself."""

    form: Form
    incremental: bool
    organization: str
    """Name, not label: the label is not in it."""
    view: str
    """Label of the content view that was exported."""
    major: int
    minor: int
    toc: str | None
    """Name of the table of contents of an importable export."""
    repositories: tuple[KatelloRepository, ...]
    products: tuple[KatelloProduct, ...]
    gpg_keys: tuple[KatelloKey, ...]
    sha256: str
    """Of the bytes of metadata.json."""

    @property
    def source(self) -> str:
        """Name the line of versions this export belongs to: numbers are comparable within it."""
        digest = sha256(f"{self.organization}\0{self.view}".encode()).hexdigest()
        return f"{KATELLO}-{digest[:32]}"

    @property
    def number(self) -> int:
        """Give the content view version as one number that grows with it."""
        return self.major * KATELLO_MINORS + self.minor

    @property
    def version(self) -> str:
        """Give the content view version as people write it."""
        return f"{self.major}.{self.minor}"


def read_metadata(export: Path) -> KatelloMetadata:
    """Read and check the metadata.json of an export.

    Raises BundleIncompleteError, UnsafeFileError, OversizedError, UnsupportedExportError for one made before Katello
    wrote labels, and BadManifestError naming the field that is wrong.
    """
    data = read_bounded(export, METADATA_NAME, MAX_METADATA)
    document = decode(_DECODER, data, METADATA_NAME)
    if document.repositories is None and document.repository_mapping is not None:
        raise UnsupportedExportError(
            f"{METADATA_NAME} has a repository_mapping instead of repositories, as Katello wrote it before version 4.0",
            hint="Have the export made again by Katello 4.0 or newer.",
        )
    products = tuple(_product(label, each) for label, each in (document.products or {}).items())
    redhat = {product.label for product in products if product.redhat}
    keys = tuple(_key(name, each) for name, each in (document.gpg_keys or {}).items())
    version = document.content_view_version or VersionFields()
    metadata = KatelloMetadata(
        form=_form(document.format),
        incremental=bool(document.incremental),
        organization=_one_line(document.organization, "organization"),
        view=_one_line(_view(document), "content_view.label"),
        major=_count(version.major, "major", _MAX_MAJOR),
        minor=_count(version.minor, "minor", KATELLO_MINORS - 1),
        toc=document.toc,
        repositories=tuple(_repository(name, each, redhat) for name, each in (document.repositories or {}).items()),
        products=products,
        gpg_keys=keys,
        sha256=sha256(data).hexdigest(),
    )
    _check_references(metadata)
    return metadata


def _view(document: DocumentFields) -> str:
    return (document.content_view.label or "") if isinstance(document.content_view, ViewFields) else ""


def _one_line(text: str, place: str) -> str:
    """Give a text back that messages and the audit log repeat; a Katello allows no longer one."""
    if len(text) > _LONGEST or has_control_codes(text):
        raise BadManifestError(f"{METADATA_NAME}: $.{place}: {text[:60]!r} is no line of up to {_LONGEST} characters")
    return text


def _form(text: str | None) -> Form:
    try:
        return Form(text or Form.IMPORTABLE)
    except ValueError:
        raise BadManifestError(
            f"{METADATA_NAME}: $.format: expected syncable or importable, got {str(text)[:60]!r}"
        ) from None


def _count(value: int | None, name: str, most: int) -> int:
    number = value or 0
    if not 0 <= number <= most:
        raise BadManifestError(f"{METADATA_NAME}: $.content_view_version.{name}: {number} is no version")
    return number


def _product(place: str, found: ProductFields) -> KatelloProduct:
    label = _label(found.label, f"products.{place}.label")
    return KatelloProduct(
        label, found.name or label, found.description or "", _truth(found.redhat), _key_name(found.gpg_key)
    )


def _key(place: str, found: KeyFields) -> KatelloKey:
    if not found.name or not found.content:
        raise BadManifestError(f"{METADATA_NAME}: $.gpg_keys.{place[:60]}: a key needs name and content")
    return KatelloKey(found.name, found.content)


def _repository(pulp_name: str, found: RepositoryFields, redhat: set[str]) -> KatelloRepository:
    where = f"repositories.{pulp_name[:60]}"
    content = found.content or ContentFields()
    return KatelloRepository(
        pulp_name=pulp_name,
        label=_label(found.label, f"{where}.label"),
        name=found.name or found.label,
        product=_label(found.product.label, f"{where}.product.label"),
        redhat=found.product.label in redhat if found.redhat is None else _truth(found.redhat),
        content_type=_one_line(found.content_type or "yum", f"{where}.content_type"),
        arch=None if found.arch in {None, "", "noarch"} else found.arch,
        release=None if found.minor in {None, ""} else str(found.minor),
        gpg_key=_key_name(found.gpg_key),
        content_id=None if content.id in {None, ""} else str(content.id),
        content_label=content.label or None,
        path=_tree_path(content.url, where),
    )


def _tree_path(url: str | None, where: str) -> str | None:
    """Give the place of the tree: Katello turns blanks in the content's path into `_`."""
    if not url:
        return None
    path = "_".join(url.strip("/").split(" "))
    problem = path_problem(path)
    if problem is not None:
        raise BadManifestError(f"{METADATA_NAME}: $.{where}.content.url: {url[:200]!r} is not allowed: {problem}")
    return path


def _label(text: str, where: str) -> str:
    if not is_label(text):
        raise BadManifestError(f"{METADATA_NAME}: $.{where}: {text[:60]!r} is not a label")
    return text


def _key_name(found: KeyFields | None) -> str | None:
    return (found.name or None) if found is not None else None


def _truth(value: bool | str | int | None) -> bool:
    return value in {True, "true", "t", "yes", "1"}


def _check_references(metadata: KatelloMetadata) -> None:
    """Refuse names of things that are not there, things there twice, and Red Hat content in custom products."""
    products = {product.label: product for product in metadata.products}
    keys = {key.name for key in metadata.gpg_keys}
    if len(keys) < len(metadata.gpg_keys):
        raise BadManifestError(f"{METADATA_NAME}: $.gpg_keys: two keys have the same name")
    seen: set[object] = set()
    for repository in metadata.repositories:
        where = f"{METADATA_NAME}: $.repositories.{repository.pulp_name[:60]}"
        product = products.get(repository.product)
        if product is None:
            raise BadManifestError(f"{where}: the product {repository.product} is not described")
        if product.redhat is not repository.redhat:
            raise BadManifestError(f"{where}: it is Red Hat's but its product is not, or the other way round")
        if (repository.product, repository.label) in seen:
            raise BadManifestError(f"{where}: {repository.product}/{repository.label} is there twice")
        if repository.path is not None and repository.path in seen:
            raise BadManifestError(f"{where}: another repository has the tree {repository.path} too")
        seen |= {(repository.product, repository.label), repository.path}
    named = [(each.label, each.gpg_key) for each in metadata.repositories]
    named += [(each.label, each.gpg_key) for each in metadata.products]
    for label, key in named:
        if key is not None and key not in keys:
            raise BadManifestError(f"{METADATA_NAME}: the GPG key {key[:60]!r} of {label} is missing")
