"""The manifest's facts as the `metadata.json` that Katello's `hammer content-import` reads (format syncable)."""

import json
import re
from typing import Final

from issbox.manifest import BundleKind, Manifest, ManifestProduct, ManifestRepository, ScopeKind
from issbox.model import CredentialKind, ProductKind

_MAJOR: Final = re.compile(r"[0-9]{1,9}")


def katello_metadata(manifest: Manifest) -> bytes:
    """Give the bytes of `metadata.json`; counts, sizes and digests are not in it, so it may be written before them.

    GPG keys go by their label, since Katello finds them by name and a name here need not be unique.
    """
    document = {
        "organization": manifest.organization.name,
        "base_path": "",
        "format": "syncable",
        "incremental": manifest.bundle.kind is BundleKind.INCREMENTAL,
        "content_view": _content_view(manifest),
        "content_view_version": _content_view_version(manifest),
        "repositories": {
            _key(manifest, repository): _repository(manifest, repository) for repository in manifest.repositories
        },
        "products": {product.label: _product(product) for product in manifest.products},
        "gpg_keys": {
            credential.label: {
                "name": credential.label,
                "content_type": "gpg_key",
                "content": credential.content,
            }
            for credential in manifest.content_credentials
            if credential.kind is CredentialKind.GPG_KEY
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False).encode() + b"\n"


def _content_view(manifest: Manifest) -> dict[str, str]:
    scope = manifest.scope
    if scope is not None and scope.kind is ScopeKind.CONTENT_VIEW_VERSION:
        return {
            "name": scope.content_view_name,
            "label": scope.content_view,
            "description": "",
            "generated_for": "none",
        }
    if len(manifest.repositories) == 1:
        label, made_for = f"Export-SYNCABLE-{manifest.repositories[0].label}", "repository_export_syncable"
    else:
        label, made_for = "Export-Library-SYNCABLE", "library_export_syncable"
    return {"name": label, "label": label, "description": "", "generated_for": made_for}


def _content_view_version(manifest: Manifest) -> dict[str, object]:
    scope = manifest.scope
    if scope is not None and scope.kind is ScopeKind.CONTENT_VIEW_VERSION:
        major, _, minor = scope.content_view_version.partition(".")
        return {"major": int(major), "minor": int(minor), "description": scope.description}
    return {"major": manifest.bundle.sequence, "minor": 0, "description": ""}


def _key(manifest: Manifest, repository: ManifestRepository) -> str:
    """Name the repository as Pulp would; with slashes, which no label has, so that no two have one name."""
    return f"{manifest.organization.label}/{repository.product}/{repository.label}"


def _product(product: ManifestProduct) -> dict[str, object]:
    return {
        "name": product.name,
        "label": product.label,
        "description": product.description,
        "cp_id": None,
        "redhat": product.kind is ProductKind.REDHAT,
        "gpg_key": _gpg_key(product.gpg_key),
    }


def _repository(manifest: Manifest, repository: ManifestRepository) -> dict[str, object]:
    release = repository.variables.get("releasever")
    kinds = {product.label: product.kind for product in manifest.products}
    return {
        "name": repository.name,
        "label": repository.label,
        "description": "",
        "arch": _arch(repository),
        "content_type": repository.content.type,
        "unprotected": False,
        "checksum_type": None,
        "os_versions": [],
        "major": _major(release),
        "minor": release,
        "deb_releases": None,
        "deb_components": None,
        "deb_architectures": None,
        "download_policy": "immediate",
        "mirroring_policy": "mirror_complete",
        "redhat": kinds[repository.product] is ProductKind.REDHAT,
        "product": {"label": repository.product},
        "gpg_key": _gpg_key(repository.gpg_key),
        "content": {
            "id": repository.content.id,
            "label": repository.content.label,
            "url": f"/{repository.path}",
        },
    }


def _arch(repository: ManifestRepository) -> str:
    arches = repository.content.arches
    return repository.variables.get("basearch") or (arches[0] if len(arches) == 1 else "noarch")


def _major(release: str | None) -> int | None:
    """Give the number a release begins with, 7 for `7Server`, as Katello takes it to find the repository."""
    match = _MAJOR.match(release or "")
    return int(match.group()) if match is not None else None


def _gpg_key(label: str | None) -> dict[str, str]:
    return {"name": label} if label is not None else {}
