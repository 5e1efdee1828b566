"""A Katello export's description of its contents as a manifest, so that the same rules plan it as any bundle's.

What an export may say is less than what a signed bundle may: content ids of custom content are made here, and Red Hat
repositories are only found among those that the organization has.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from issbox.bundle.katello.metadata import KatelloMetadata, KatelloRepository
from issbox.errors import BadManifestError, InvalidValueError
from issbox.manifest import (
    FORMAT,
    FORMAT_VERSION,
    BundleIdentity,
    BundleKind,
    BundleSource,
    Manifest,
    ManifestCredential,
    ManifestOrganization,
    ManifestProduct,
    ManifestRepository,
    ManifestVersion,
    TableReference,
    Totals,
)
from issbox.model import Content, CredentialKind, ProductKind, Repository
from issbox.names import check_name, is_label, make_label
from issbox.rules.bundles.importing import Library
from issbox.rules.bundles.layout import custom_path

_CARRIED_TYPE: Final = "yum"
_MAX_DESCRIPTION: Final = 64 << 10
_ROOM_FOR_NUMBER: Final = 120
"""Characters of a label that are kept before a number is put behind it."""


@dataclass(frozen=True, slots=True)
class Synthesis:
    """What a box makes of an export's description."""

    manifest: Manifest
    repositories: tuple[KatelloRepository, ...]
    """In the order of the manifest's."""
    left_out: tuple[KatelloRepository, ...]
    """Repositories of content that this box does not keep: images, collections, debs, plain files."""


def synthesize(metadata: KatelloMetadata, library: Library, identity: str, at: datetime) -> Synthesis:
    """Describe the export as a manifest. `identity` is what makes it this export and no other.

    Raises BadManifestError for a name that nothing here can have.
    """
    carried = tuple(each for each in metadata.repositories if each.content_type == _CARRIED_TYPE)
    keys = _key_labels(metadata, library)
    matches = {each.pulp_name: _match(each, library) for each in carried if each.redhat}
    _check_matches(matches)
    wanted = {_product_label(each, matches): each.product for each in carried}
    products = {product.label: product for product in metadata.products}
    manifest = Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle=BundleIdentity(
            id=identity,
            kind=BundleKind.INCREMENTAL if metadata.incremental else BundleKind.COMPLETE,
            created_at=at,
            destination="",
            sequence=1,
        ),
        source=BundleSource(
            box_id=metadata.source, box_name=f"Katello, {metadata.organization}", key_id="", software="Katello"
        ),
        organization=ManifestOrganization(label=library.organization, name=metadata.organization),
        content_credentials=tuple(
            ManifestCredential(
                label=keys[key.name],
                name=_name(key.name, "GPG key"),
                kind=CredentialKind.GPG_KEY,
                content=key.content,
            )
            for key in metadata.gpg_keys
        ),
        products=tuple(
            ManifestProduct(
                label=label,
                name=_name(products[origin].name, f"product {origin}"),
                kind=ProductKind.REDHAT if products[origin].redhat else ProductKind.CUSTOM,
                description=products[origin].description[:_MAX_DESCRIPTION],
                gpg_key=_label_of(products[origin].gpg_key, keys),
            )
            for label, origin in wanted.items()
        ),
        repositories=tuple(_repository(each, metadata, matches, keys, at) for each in carried),
        files=Totals(count=0, size=0, carried_count=0, carried_size=0),
        table=TableReference(path="", size=0, sha256=""),
        volumes=(),
    )
    left_out = tuple(each for each in metadata.repositories if each.content_type != _CARRIED_TYPE)
    return Synthesis(manifest, carried, left_out)


def _product_label(described: KatelloRepository, matches: Mapping[str, Repository | None]) -> str:
    match = matches.get(described.pulp_name)
    return described.product if match is None else match.key.product


def _check_matches(matches: Mapping[str, Repository | None]) -> None:
    filled: dict[object, str] = {}
    for name, repository in matches.items():
        if repository is not None and (other := filled.setdefault(repository.key, name)) != name:
            raise BadManifestError(
                f"metadata.json: $.repositories: {other[:60]} and {name[:60]} are both the Red Hat repository "
                f"{repository.key}"
            )


def _match(described: KatelloRepository, library: Library) -> Repository | None:
    """Find the Red Hat repository by content id, release and architecture, as far as its content path varies."""
    known = {"releasever": described.release, "basearch": described.arch}
    for (product, _), repository in sorted(library.repositories.items()):
        present = library.products.get(product)
        if present is None or present.kind is not ProductKind.REDHAT or repository.content.id != described.content_id:
            continue
        if all(known.get(name) == value for name, value in repository.variables.items()):
            return repository
    return None


def _repository(
    described: KatelloRepository,
    metadata: KatelloMetadata,
    matches: Mapping[str, Repository | None],
    keys: Mapping[str, str],
    at: datetime,
) -> ManifestRepository:
    match = matches.get(described.pulp_name)
    path = custom_path(described.product, described.label)
    if match is not None:
        content, path, variables = match.content, match.path, dict(match.variables)
    elif described.redhat:
        content = Content(
            described.content_id or "", _content_label(described), described.name, f"/{described.path or ''}"
        )
        named = {"releasever": described.release, "basearch": described.arch}
        variables = {name: value for name, value in named.items() if value is not None}
    else:
        content, variables = _custom_content(described, metadata, path), {}
    return ManifestRepository(
        product=_product_label(described, matches),
        label=described.label,
        name=_name(described.name, f"repository {described.label}"),
        content=content,
        path=path,
        version=ManifestVersion(number=metadata.number, created_at=at, repomd_sha256="", packages=0),
        files=0,
        size=0,
        variables=variables,
        gpg_key=_label_of(described.gpg_key, keys),
    )


def _custom_content(described: KatelloRepository, metadata: KatelloMetadata, path: str) -> Content:
    """Give the content with an id of its own: Katello's could be that of some Red Hat content of this organization."""
    return Content(
        id=str(uuid5(NAMESPACE_URL, f"katello:{metadata.organization}/{described.product}/{described.label}")),
        label=_content_label(described),
        name=_name(described.name, f"repository {described.label}"),
        path=f"/{path}",
        arches=() if described.arch is None else (described.arch,),
    )


def _content_label(described: KatelloRepository) -> str:
    label = described.content_label or ""
    return label if is_label(label) else described.label


def _key_labels(metadata: KatelloMetadata, library: Library) -> dict[str, str]:
    """Give each GPG key a label: that of the organization's key of the same name, else one made from the name."""
    by_name = {
        credential.name: credential.label
        for credential in library.credentials.values()
        if credential.kind is CredentialKind.GPG_KEY
    }
    labels: dict[str, str] = {}
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    for key in metadata.gpg_keys:
        try:
            label = by_name.get(key.name) or make_label(key.name)
        except InvalidValueError as error:
            raise BadManifestError(f"metadata.json: {error}") from None
        base = label[:_ROOM_FOR_NUMBER]
        while label in taken:
            numbers[base] = numbers.get(base, 1) + 1
            label = f"{base}_{numbers[base]}"
        taken.add(label)
        labels[key.name] = label
    return labels


def _label_of(name: str | None, keys: Mapping[str, str]) -> str | None:
    return None if name is None else keys[name]


def _name(text: str, what: str) -> str:
    try:
        return check_name(text, f"name of the {what}")
    except InvalidValueError as error:
        raise BadManifestError(f"metadata.json: {error}") from None
