"""What `hammer content-import` finds in metadata.json."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from makers.bundle_strategies import manifests
from makers.bundles import SampleBundle, SampleRepository, sample_manifest

from issbox.bundle.katello import METADATA_NAME, Form, katello_metadata, read_metadata
from issbox.manifest import Manifest, ManifestCredential
from issbox.model import CredentialKind

KEYS = (
    ManifestCredential(label="vendor", name="Vendor's key", kind=CredentialKind.GPG_KEY, content="ARMORED"),
    ManifestCredential(label="ca", name="CA", kind=CredentialKind.CA_CERTIFICATE, content="PEM"),
)


def sample() -> Manifest:
    made = SampleBundle((SampleRepository(gpg_key="vendor"),), credentials=KEYS)
    return sample_manifest(made, [{"repodata/repomd.xml": b"x"}])


def read(manifest: Manifest) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(katello_metadata(manifest))
    return document


def test_a_custom_repository_has_the_fields_of_katello() -> None:
    document = read(sample())
    assert (document["organization"], document["format"], document["incremental"]) == (
        "Acme Shipping",
        "syncable",
        False,
    )
    assert document["content_view"]["generated_for"] == "repository_export_syncable"
    assert document["gpg_keys"] == {"vendor": {"name": "vendor", "content_type": "gpg_key", "content": "ARMORED"}}
    assert document["products"]["tools"] == {
        "name": "Tools",
        "label": "tools",
        "description": "",
        "cp_id": None,
        "redhat": False,
        "gpg_key": {},
    }
    (repository,) = document["repositories"].values()
    assert set(repository) == {
        *("name", "label", "description", "arch", "content_type", "unprotected", "checksum_type", "os_versions"),
        *("major", "minor", "deb_releases", "deb_components", "deb_architectures", "download_policy"),
        *("mirroring_policy", "redhat", "product", "gpg_key", "content"),
    }
    assert (repository["label"], repository["product"], repository["gpg_key"]) == (
        "base",
        {"label": "tools"},
        {"name": "vendor"},
    )
    assert repository["content"]["url"] == "/custom/tools/base"
    assert (repository["arch"], repository["major"], repository["minor"]) == ("noarch", None, None)


def test_variables_give_arch_and_release() -> None:
    manifest = sample()
    content = replace(manifest.repositories[0].content, path="/content/$releasever/$basearch/os", arches=("x86_64",))
    repository = replace(
        manifest.repositories[0],
        content=content,
        path="content/9.2/x86_64/os",
        variables={"releasever": "9.2", "basearch": "x86_64"},
    )
    (found,) = read(replace(manifest, repositories=(repository,)))["repositories"].values()
    assert (found["arch"], found["major"], found["minor"]) == ("x86_64", 9, "9.2")
    assert found["content"]["url"] == "/content/9.2/x86_64/os"


@pytest.mark.parametrize(("release", "major"), [("7Server", 7), ("8", 8), ("9.2", 9), ("rolling", None), ("", None)])
def test_the_major_release_is_the_number_in_front(release: str, major: int | None) -> None:
    manifest = sample()
    repository = replace(manifest.repositories[0], variables={"releasever": release})
    (found,) = read(replace(manifest, repositories=(repository,)))["repositories"].values()
    assert found["major"] == major


@given(manifests())
def test_every_repository_and_product_is_there_and_refers_to_what_is_there(manifest: Manifest) -> None:
    document = read(manifest)
    assert len(document["repositories"]) == len(manifest.repositories)
    assert set(document["products"]) == {product.label for product in manifest.products}
    for thing in [*document["repositories"].values(), *document["products"].values()]:
        assert not thing["gpg_key"] or thing["gpg_key"]["name"] in document["gpg_keys"]


@settings(max_examples=30)
@given(manifests())
def test_our_own_reader_understands_it(tmp_path_factory: pytest.TempPathFactory, manifest: Manifest) -> None:
    root = tmp_path_factory.mktemp("bundle")
    bundle = replace(manifest.bundle, sequence=min(manifest.bundle.sequence, 1_000_000))  # Katello's are 32 bits wide
    keys = tuple(replace(each, content=each.content or "KEY") for each in manifest.content_credentials)
    manifest = replace(manifest, bundle=bundle, content_credentials=keys)
    (root / METADATA_NAME).write_bytes(katello_metadata(manifest))
    found = read_metadata(root)
    assert found.form is Form.SYNCABLE
    assert [(each.product, each.label, each.path) for each in found.repositories] == [
        (each.product, each.label, each.path) for each in manifest.repositories
    ]
