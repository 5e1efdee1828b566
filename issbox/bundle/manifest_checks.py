"""The rules a manifest must keep beyond the types of its fields. Pure: a manifest in, an error or nothing out."""

import re
from collections.abc import Set
from itertools import pairwise
from string import Template

from issbox.bundle.environment_checks import check_environments
from issbox.bundle.field_checks import (
    check,
    check_number,
    check_path,
    check_sha256,
    check_time,
    check_unique,
    refuse,
)
from issbox.errors import NameClashError
from issbox.manifest import (
    MAX_VOLUMES,
    TABLE_NAME,
    BundleKind,
    Manifest,
    ManifestRepository,
    Scope,
    ScopeKind,
)
from issbox.model import Content, CredentialKind
from issbox.names import check_label, check_name, check_view_version, clash_key

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def check_manifest(manifest: Manifest) -> None:
    """Check every rule of the format that the manifest alone can break.

    Raises UnsafePathError for a path that no bundle may have, NameClashError for two repositories at one path, and
    BadManifestError, naming the field, for the rest.
    """
    _check_identity(manifest)
    _check_credentials(manifest)
    gpg_keys = {c.label for c in manifest.content_credentials if c.kind is CredentialKind.GPG_KEY}
    _check_products(manifest, gpg_keys)
    products = {product.label for product in manifest.products}
    for index, repository in enumerate(manifest.repositories):
        place = f"$.repositories[{index}]"
        if repository.product not in products:
            refuse(f"{place}.product", f"{repository.product[:128]!r} is not among $.products")
        _check_gpg_key(gpg_keys, f"{place}.gpg_key", repository.gpg_key)
        _check_repository(repository, place)
    _check_repository_paths(manifest.repositories)
    _check_totals(manifest)
    if manifest.scope is not None:
        _check_scope(manifest.scope)
    check_environments(manifest.lifecycle_environments)


def _check_identity(manifest: Manifest) -> None:
    bundle, source = manifest.bundle, manifest.source
    check("$.bundle.id", check_label, bundle.id)
    check_time("$.bundle.created_at", bundle.created_at)
    if bundle.destination:
        check("$.bundle.destination", check_name, bundle.destination)
    check_number("$.bundle.sequence", bundle.sequence, least=1)
    if (bundle.base is None) != (bundle.kind is BundleKind.COMPLETE):
        refuse("$.bundle.base", "a complete bundle has no base, an incremental one has one")
    check("$.source.box_id", check_label, source.box_id)
    check("$.source.box_name", check_name, source.box_name)
    check_sha256("$.source.key_id", source.key_id)
    check("$.source.software", check_name, source.software)
    if source.made_by:
        check("$.source.made_by", check_name, source.made_by)
    check("$.organization.label", check_label, manifest.organization.label)
    check("$.organization.name", check_name, manifest.organization.name)


def _check_scope(scope: Scope) -> None:
    for product in scope.products:
        check("$.scope.products", check_label, product)
    if scope.kind is not ScopeKind.CONTENT_VIEW_VERSION:
        check("$.scope.lifecycle_environment", check_label, scope.lifecycle_environment)
        return
    check("$.scope.content_view", check_label, scope.content_view)
    check("$.scope.content_view_name", check_name, scope.content_view_name)
    check("$.scope.content_view_version", check_view_version, scope.content_view_version)


def _check_credentials(manifest: Manifest) -> None:
    for index, credential in enumerate(manifest.content_credentials):
        place = f"$.content_credentials[{index}]"
        check(f"{place}.label", check_label, credential.label)
        check(f"{place}.name", check_name, credential.name)
        if credential.kind is CredentialKind.CLIENT_CERTIFICATE:
            refuse(f"{place}.kind", "client certificates are never carried")
    check_unique("$.content_credentials", (credential.label for credential in manifest.content_credentials))


def _check_products(manifest: Manifest, gpg_keys: Set[str]) -> None:
    for index, product in enumerate(manifest.products):
        place = f"$.products[{index}]"
        check(f"{place}.label", check_label, product.label)
        check(f"{place}.name", check_name, product.name)
        _check_gpg_key(gpg_keys, f"{place}.gpg_key", product.gpg_key)
    check_unique("$.products", (product.label for product in manifest.products))


def _check_repository(repository: ManifestRepository, place: str) -> None:
    check(f"{place}.label", check_label, repository.label)
    check(f"{place}.name", check_name, repository.name)
    check_path(f"{place}.path", repository.path)
    _check_content(f"{place}.content", repository.content)
    _check_variables(place, repository)
    check_number(f"{place}.version.number", repository.version.number, least=1)
    check_time(f"{place}.version.created_at", repository.version.created_at)
    check_sha256(f"{place}.version.repomd_sha256", repository.version.repomd_sha256)
    check_number(f"{place}.version.packages", repository.version.packages)
    if repository.version.lineage:
        check(f"{place}.version.lineage", check_label, repository.version.lineage)
    check_number(f"{place}.files", repository.files)
    check_number(f"{place}.size", repository.size)


def _check_content(place: str, content: Content) -> None:
    check(f"{place}.id", check_label, content.id)
    check(f"{place}.label", check_name, content.label)
    check(f"{place}.name", check_name, content.name)
    check(f"{place}.type", check_label, content.type)
    for arch in content.arches:
        check(f"{place}.arches", check_label, arch)
    for tag in content.required_tags:
        check(f"{place}.required_tags", check_name, tag)
    if not content.path.startswith("/"):
        refuse(f"{place}.path", "a content path starts with '/'")
    check_path(f"{place}.path", content.path[1:])


def _check_variables(place: str, repository: ManifestRepository) -> None:
    for name, value in repository.variables.items():
        if _VARIABLE.fullmatch(name) is None:
            refuse(f"{place}.variables", f"{name[:64]!r} is not the name of a variable")
        if "/" in value:
            refuse(f"{place}.variables", f"the value of {name} has a '/'")
        check_path(f"{place}.variables", value)
    filled = Template(repository.content.path).safe_substitute(repository.variables)
    if "$" not in filled and filled != f"/{repository.path}":
        refuse(f"{place}.path", f"the content path with its variables filled in is {filled!r}")


def _check_repository_paths(repositories: tuple[ManifestRepository, ...]) -> None:
    check_unique("$.repositories", (f"{repository.product}/{repository.label}" for repository in repositories))
    keyed = sorted((f"{clash_key(repository.path)}/", repository.path) for repository in repositories)
    # Sorted with a final slash, a path that lies in another comes right after one that it lies in.
    for (outer, outer_path), (inner, inner_path) in pairwise(keyed):
        if inner == outer:
            raise NameClashError(f"two repositories lie at {outer_path!r} and {inner_path!r}")
        if inner.startswith(outer):
            refuse("$.repositories", f"{inner_path!r} lies inside the repository {outer_path!r}")


def _check_totals(manifest: Manifest) -> None:
    files, table = manifest.files, manifest.table
    for name in ("count", "size", "carried_count", "carried_size"):
        check_number(f"$.files.{name}", getattr(files, name))
    if files.carried_count > files.count or files.carried_size > files.size:
        refuse("$.files", "more is carried than listed")
    if manifest.bundle.kind is BundleKind.COMPLETE and (files.carried_count, files.carried_size) != (
        files.count,
        files.size,
    ):
        refuse("$.files", "a complete bundle carries every file that it lists")
    if table.path != TABLE_NAME:
        refuse("$.table.path", f"expected {TABLE_NAME}")
    check_number("$.table.size", table.size)
    check_sha256("$.table.sha256", table.sha256)
    for number, volume in enumerate(manifest.volumes, start=1):
        if volume.number != number:
            refuse("$.volumes", "volumes are numbered 1, 2, 3, ...")
        check_number(f"$.volumes[{number - 1}].size", volume.size)
        check_number(f"$.volumes[{number - 1}].count", volume.count)
    if len(manifest.volumes) > MAX_VOLUMES:
        refuse("$.volumes", f"there are more than {MAX_VOLUMES}")
    if not manifest.volumes:
        refuse("$.volumes", "there is at least one volume")
    if sum(volume.size for volume in manifest.volumes) != files.carried_size:
        refuse("$.volumes", "the volumes do not add up to $.files.carried_size")


def _check_gpg_key(gpg_keys: Set[str], place: str, label: str | None) -> None:
    if label is not None and label not in gpg_keys:
        refuse(place, f"{label[:128]!r} is not a GPG key among $.content_credentials")
