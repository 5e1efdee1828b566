"""The rules a manifest must keep beyond the types of its fields. Pure: a manifest in, an error or nothing out."""

import re
from collections.abc import Callable, Iterable, Set
from datetime import datetime
from itertools import pairwise
from string import Template
from typing import NoReturn

from issbox.bundle.decoding import MAX_NUMBER
from issbox.errors import BadManifestError, InvalidValueError, NameClashError, UnsafePathError
from issbox.manifest import (
    MANIFEST_NAME,
    MAX_VOLUMES,
    TABLE_NAME,
    BundleKind,
    Manifest,
    ManifestRepository,
    Scope,
    ScopeKind,
)
from issbox.model import Content, CredentialKind
from issbox.names import check_label, check_name, check_view_version, clash_key, is_sha256, path_problem

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
_MAX_REASON = 300
"""Characters of a reason shown, since it may quote a value of any length."""


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
            _refuse(f"{place}.product", f"{repository.product[:128]!r} is not among $.products")
        _check_gpg_key(gpg_keys, f"{place}.gpg_key", repository.gpg_key)
        _check_repository(repository, place)
    _check_repository_paths(manifest.repositories)
    _check_totals(manifest)
    if manifest.scope is not None:
        _check_scope(manifest.scope)


def _check_identity(manifest: Manifest) -> None:
    bundle, source = manifest.bundle, manifest.source
    _check("$.bundle.id", check_label, bundle.id)
    _check_time("$.bundle.created_at", bundle.created_at)
    if bundle.destination:
        _check("$.bundle.destination", check_name, bundle.destination)
    _check_number("$.bundle.sequence", bundle.sequence, least=1)
    if (bundle.base is None) != (bundle.kind is BundleKind.COMPLETE):
        _refuse("$.bundle.base", "a complete bundle has no base, an incremental one has one")
    _check("$.source.box_id", check_label, source.box_id)
    _check("$.source.box_name", check_name, source.box_name)
    _check_sha256("$.source.key_id", source.key_id)
    _check("$.source.software", check_name, source.software)
    if source.made_by:
        _check("$.source.made_by", check_name, source.made_by)
    _check("$.organization.label", check_label, manifest.organization.label)
    _check("$.organization.name", check_name, manifest.organization.name)


def _check_scope(scope: Scope) -> None:
    for product in scope.products:
        _check("$.scope.products", check_label, product)
    if scope.kind is not ScopeKind.CONTENT_VIEW_VERSION:
        _check("$.scope.lifecycle_environment", check_label, scope.lifecycle_environment)
        return
    _check("$.scope.content_view", check_label, scope.content_view)
    _check("$.scope.content_view_name", check_name, scope.content_view_name)
    _check("$.scope.content_view_version", check_view_version, scope.content_view_version)


def _check_credentials(manifest: Manifest) -> None:
    for index, credential in enumerate(manifest.content_credentials):
        place = f"$.content_credentials[{index}]"
        _check(f"{place}.label", check_label, credential.label)
        _check(f"{place}.name", check_name, credential.name)
        if credential.kind is CredentialKind.CLIENT_CERTIFICATE:
            _refuse(f"{place}.kind", "client certificates are never carried")
    _check_unique("$.content_credentials", (credential.label for credential in manifest.content_credentials))


def _check_products(manifest: Manifest, gpg_keys: Set[str]) -> None:
    for index, product in enumerate(manifest.products):
        place = f"$.products[{index}]"
        _check(f"{place}.label", check_label, product.label)
        _check(f"{place}.name", check_name, product.name)
        _check_gpg_key(gpg_keys, f"{place}.gpg_key", product.gpg_key)
    _check_unique("$.products", (product.label for product in manifest.products))


def _check_repository(repository: ManifestRepository, place: str) -> None:
    _check(f"{place}.label", check_label, repository.label)
    _check(f"{place}.name", check_name, repository.name)
    _check_path(f"{place}.path", repository.path)
    _check_content(f"{place}.content", repository.content)
    _check_variables(place, repository)
    _check_number(f"{place}.version.number", repository.version.number, least=1)
    _check_time(f"{place}.version.created_at", repository.version.created_at)
    _check_sha256(f"{place}.version.repomd_sha256", repository.version.repomd_sha256)
    _check_number(f"{place}.version.packages", repository.version.packages)
    if repository.version.lineage:
        _check(f"{place}.version.lineage", check_label, repository.version.lineage)
    _check_number(f"{place}.files", repository.files)
    _check_number(f"{place}.size", repository.size)


def _check_content(place: str, content: Content) -> None:
    _check(f"{place}.id", check_label, content.id)
    _check(f"{place}.label", check_name, content.label)
    _check(f"{place}.name", check_name, content.name)
    _check(f"{place}.type", check_label, content.type)
    for arch in content.arches:
        _check(f"{place}.arches", check_label, arch)
    for tag in content.required_tags:
        _check(f"{place}.required_tags", check_name, tag)
    if not content.path.startswith("/"):
        _refuse(f"{place}.path", "a content path starts with '/'")
    _check_path(f"{place}.path", content.path[1:])


def _check_variables(place: str, repository: ManifestRepository) -> None:
    for name, value in repository.variables.items():
        if _VARIABLE.fullmatch(name) is None:
            _refuse(f"{place}.variables", f"{name[:64]!r} is not the name of a variable")
        if "/" in value:
            _refuse(f"{place}.variables", f"the value of {name} has a '/'")
        _check_path(f"{place}.variables", value)
    filled = Template(repository.content.path).safe_substitute(repository.variables)
    if "$" not in filled and filled != f"/{repository.path}":
        _refuse(f"{place}.path", f"the content path with its variables filled in is {filled!r}")


def _check_repository_paths(repositories: tuple[ManifestRepository, ...]) -> None:
    _check_unique("$.repositories", (f"{repository.product}/{repository.label}" for repository in repositories))
    keyed = sorted((f"{clash_key(repository.path)}/", repository.path) for repository in repositories)
    # Sorted with a final slash, a path that lies in another comes right after one that it lies in.
    for (outer, outer_path), (inner, inner_path) in pairwise(keyed):
        if inner == outer:
            raise NameClashError(f"two repositories lie at {outer_path!r} and {inner_path!r}")
        if inner.startswith(outer):
            _refuse("$.repositories", f"{inner_path!r} lies inside the repository {outer_path!r}")


def _check_totals(manifest: Manifest) -> None:
    files, table = manifest.files, manifest.table
    for name in ("count", "size", "carried_count", "carried_size"):
        _check_number(f"$.files.{name}", getattr(files, name))
    if files.carried_count > files.count or files.carried_size > files.size:
        _refuse("$.files", "more is carried than listed")
    if manifest.bundle.kind is BundleKind.COMPLETE and (files.carried_count, files.carried_size) != (
        files.count,
        files.size,
    ):
        _refuse("$.files", "a complete bundle carries every file that it lists")
    if table.path != TABLE_NAME:
        _refuse("$.table.path", f"expected {TABLE_NAME}")
    _check_number("$.table.size", table.size)
    _check_sha256("$.table.sha256", table.sha256)
    for number, volume in enumerate(manifest.volumes, start=1):
        if volume.number != number:
            _refuse("$.volumes", "volumes are numbered 1, 2, 3, ...")
        _check_number(f"$.volumes[{number - 1}].size", volume.size)
        _check_number(f"$.volumes[{number - 1}].count", volume.count)
    if len(manifest.volumes) > MAX_VOLUMES:
        _refuse("$.volumes", f"there are more than {MAX_VOLUMES}")
    if not manifest.volumes:
        _refuse("$.volumes", "there is at least one volume")
    if sum(volume.size for volume in manifest.volumes) != files.carried_size:
        _refuse("$.volumes", "the volumes do not add up to $.files.carried_size")


def _check_gpg_key(gpg_keys: Set[str], place: str, label: str | None) -> None:
    if label is not None and label not in gpg_keys:
        _refuse(place, f"{label[:128]!r} is not a GPG key among $.content_credentials")


def _check(place: str, rule: Callable[[str, str], str], text: str) -> None:
    try:
        rule(text, "the value")
    except InvalidValueError as error:
        _refuse(place, str(error))


def _check_path(place: str, path: str) -> None:
    problem = path_problem(path)
    if problem is not None:
        raise UnsafePathError(f"{MANIFEST_NAME}: {place}: the path {path[:200]!r} is not allowed: {problem}")


def _check_number(place: str, number: int, *, least: int = 0) -> None:
    if not least <= number <= MAX_NUMBER:
        _refuse(place, f"expected a number from {least} to {MAX_NUMBER}")


def _check_sha256(place: str, text: str) -> None:
    if not is_sha256(text):
        _refuse(place, "expected a SHA-256 in 64 lower-case hexadecimal digits")


def _check_time(place: str, time: datetime) -> None:
    if time.tzinfo is None:
        _refuse(place, "the time has no time zone")


def _check_unique(place: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        if value in seen:
            _refuse(place, f"{value!r} is there twice")
        seen.add(value)


def _refuse(place: str, why: str) -> NoReturn:
    raise BadManifestError(f"{MANIFEST_NAME}: {place}: {why[:_MAX_REASON]}")
