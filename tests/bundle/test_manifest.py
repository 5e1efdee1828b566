"""The manifest's bytes: what goes in comes out, and what breaks a rule is named by its field."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.bundle_strategies import json_values, manifests
from makers.bundles import SampleBundle, SampleRepository, sample_manifest

from issbox.bundle.manifest import claimed_key_id, decode_manifest, encode_manifest
from issbox.errors import BadManifestError, BundleError, NameClashError, NewerFormatError, UnsafePathError
from issbox.manifest import Manifest, ManifestEnvironment, ManifestPromotion, Totals, Volume

ZEROS = "0" * 64
ENVIRONMENTS = r"\$\.lifecycle_environments"


def document() -> dict[str, Any]:
    """Give a valid manifest of two repositories as plain JSON."""
    sample = SampleBundle((SampleRepository(), SampleRepository(label="extras")))
    trees = [{"repodata/repomd.xml": b"x"}] * 2
    draft = sample_manifest(sample, trees)
    manifest = replace(
        draft,
        source=replace(draft.source, key_id=ZEROS),
        table=replace(draft.table, sha256=ZEROS),
        files=Totals(count=2, size=2, carried_count=2, carried_size=2),
        volumes=(Volume(number=1, size=2),),
        lifecycle_environments=(
            ManifestEnvironment(label="dev", name="Dev", prior="Library", promotions=(_promotion("base"),)),
            ManifestEnvironment(
                label="prod", name="Production", prior="dev", promotions=(_promotion("base"), _promotion("extras"))
            ),
        ),
    )
    made: dict[str, Any] = json.loads(encode_manifest(manifest))
    return made


def _promotion(label: str) -> ManifestPromotion:
    return ManifestPromotion(content_label=f"tools_{label}", path=f"custom/tools/{label}", repomd_sha256=ZEROS)


def change(place: str, value: object) -> bytes:
    """Give the bytes of the valid manifest with another value at a place such as `repositories.0.path`."""
    made = document()
    *steps, last = place.split(".")
    target: Any = made
    for step in steps:
        target = target[int(step) if step.isdigit() else step]
    target[int(last) if last.isdigit() else last] = value
    return json.dumps(made).encode()


@given(manifests())
def test_a_manifest_comes_back_as_it_was(manifest: Manifest) -> None:
    data = encode_manifest(manifest)
    assert decode_manifest(data) == manifest
    assert encode_manifest(decode_manifest(data)) == data
    assert claimed_key_id(data) == manifest.source.key_id


def test_the_bytes_are_readable_and_in_the_order_of_the_format() -> None:
    data = encode_manifest(decode_manifest(json.dumps(document()).encode()))
    assert data.startswith(b'{\n  "format": "issbox-bundle",\n  "format_version": 1,\n  "bundle": {\n    "id": ')
    assert data.endswith(b"\n}\n")


def test_fields_of_a_later_version_are_ignored() -> None:
    made = document()
    made["comment"] = {"any": ["thing"]}
    made["bundle"]["colour"] = "blue"
    made["repositories"][0]["content"]["licence"] = None
    assert decode_manifest(json.dumps(made).encode()) == decode_manifest(json.dumps(document()).encode())


def test_a_newer_format_is_told_from_a_bad_one_whatever_its_fields_have_become() -> None:
    data = json.dumps({"format": "issbox-bundle", "format_version": 7, "repositories": {"a": 1}}).encode()
    with pytest.raises(NewerFormatError, match="format version 7, this issbox reads up to 1"):
        decode_manifest(data)


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("format", "tarball", r"\$\.format: expected issbox-bundle, got 'tarball'"),
        ("format_version", 0, r"\$\.format_version: expected 1 or more"),
        ("format_version", "1", r"\$\.format_version: expected int, got str"),
        ("bundle.id", "../x", r"\$\.bundle\.id: "),
        ("bundle.kind", "half", r"\$\.bundle\.kind: invalid enum value 'half'"),
        ("bundle.created_at", "2026-11-01T00:00:00", r"\$\.bundle\.created_at: the time has no time zone"),
        ("bundle.created_at", "yesterday", r"\$\.bundle\.created_at: "),
        ("bundle.destination", "two\nlines", r"\$\.bundle\.destination: "),
        ("bundle.sequence", 0, r"\$\.bundle\.sequence: expected a number from 1"),
        ("bundle.base", {}, r"\$\.bundle\.base: a complete bundle has no base"),
        ("source.key_id", "AB" * 32, r"\$\.source\.key_id: expected a SHA-256"),
        ("source.box_id", "", r"\$\.source\.box_id: "),
        ("organization.label", "a b", r"\$\.organization\.label: "),
        ("products.0.label", "", r"\$\.products\[0\]\.label: "),
        ("products.0.gpg_key", "nobody", r"\$\.products\[0\]\.gpg_key: 'nobody' is not a GPG key"),
        ("products", [], r"\$\.repositories\[0\]\.product: 'tools' is not among"),
        ("repositories.1.gpg_key", "nobody", r"\$\.repositories\[1\]\.gpg_key: "),
        ("repositories.1.label", "base", r"\$\.repositories: 'tools/base' is there twice"),
        ("repositories.1.content.path", 5, r"\$\.repositories\[1\]\.content\.path: expected str, got int"),
        ("repositories.1.content.path", "no/slash", r"\$\.repositories\[1\]\.content\.path: .* starts with"),
        ("repositories.1.path", "custom/tools/else", r"\$\.repositories\[1\]\.path: the content path .* is"),
        ("repositories.1.variables", {"release/ver": "9"}, r"\$\.repositories\[1\]\.variables: "),
        ("repositories.1.variables", {"releasever": "9/.."}, r"\$\.repositories\[1\]\.variables: .* has a '/'"),
        ("repositories.1.version.number", 0, r"\$\.repositories\[1\]\.version\.number: "),
        ("repositories.1.version.repomd_sha256", "", r"\$\.repositories\[1\]\.version\.repomd_sha256: "),
        ("repositories.1.size", -1, r"\$\.repositories\[1\]\.size: expected a number from 0"),
        ("repositories.1.size", 2**53, r"\$\.repositories\[1\]\.size: expected a number from 0"),
        ("files.count", 3, r"\$\.files: a complete bundle carries every file"),
        ("files.carried_size", 3, r"\$\.files: more is carried than listed"),
        ("table.path", "../table", r"\$\.table\.path: expected issbox-files\.jsonl"),
        ("table.sha256", "x", r"\$\.table\.sha256: "),
        ("volumes", [], r"\$\.volumes: there is at least one"),
        ("volumes.0.number", 2, r"\$\.volumes: volumes are numbered"),
        ("volumes.0.size", 1, r"\$\.volumes: .* do not add up"),
        *(
            (
                f"lifecycle_environments.1.{field}",
                value,
                rf"\$\.lifecycle_environments(\[1\]\.{field}(\[0\])?)?: {message}",
            )
            for field, value, message in (
                ("label", "../prod", "lifecycle environment label "),
                ("label", "Library", ".*paths have something else"),
                ("label", "custom", ".*paths have something else"),
                ("label", "DEV", "'dev' is there twice"),
                ("name", "two\nlines", ""),
                ("prior", "prod", "'prod' is neither Library nor an environment before it"),
                ("prior", "elsewhere", "'elsewhere' is neither"),
                ("prior", None, "expected str, got null"),
                ("description", "\x1b[2J", ".*control characters"),
                ("description", "x" * 2001, ".*2000 characters"),
                ("type", "a b", ""),
                ("type", "x" * 33, ""),
                ("content_prefix", "x" * 256, ""),
                ("content_prefix", "/../..", ""),
                ("promotions", [7], ".*expected object"),
            )
        ),
        (
            "lifecycle_environments.1.promotions.1.repomd_sha256",
            "0",
            rf"{ENVIRONMENTS}\[1\]\.promotions\[1\]\.repomd_sha256: expected a SHA-256",
        ),
        (
            "lifecycle_environments.1.promotions.1.path",
            "custom/tools/base",
            rf"{ENVIRONMENTS}\[1\]\.promotions: 'custom/tools/base' is there twice",
        ),
        ("lifecycle_environments.1.promotions.1.enabled", "yes", r".*expected bool \| null, got str"),
        ("lifecycle_environments.1.promotions.1.content_label", "", r".*content_label: "),
    ],
)
def test_a_broken_rule_is_named_by_its_field(place: str, value: object, message: str) -> None:
    with pytest.raises(BadManifestError, match=r"^issbox-bundle\.json: " + message):
        decode_manifest(change(place, value))


@pytest.mark.parametrize(
    "path", ["/custom/a", "custom/../../a", "custom//a", "", "custom/./a", "a\\b", "a\nb", "a/" * 600]
)
def test_an_unsafe_repository_path_is_refused(path: str) -> None:
    with pytest.raises(UnsafePathError):
        decode_manifest(change("repositories.1.path", path))
    with pytest.raises(UnsafePathError):
        decode_manifest(change("lifecycle_environments.1.promotions.1.path", path))


def test_a_flood_of_environments_is_refused() -> None:
    made = document()
    (promotion,) = made["lifecycle_environments"][0]["promotions"]
    one = {"label": "e", "name": "E", "prior": "Library"}
    made["lifecycle_environments"] = [one | {"label": f"e{number}"} for number in range(1001)]
    with pytest.raises(BadManifestError, match="more than 1000"):
        decode_manifest(json.dumps(made).encode())
    made["lifecycle_environments"] = [one | {"promotions": [promotion] * 100_001}]
    with pytest.raises(BadManifestError, match="more than 100000 promotions"):
        decode_manifest(json.dumps(made).encode())


def test_repositories_lie_neither_at_one_path_nor_in_one_another() -> None:
    made = document()
    made["repositories"][1] |= {"path": "Custom/Tools/BASE"}
    made["repositories"][1]["content"]["path"] = "/Custom/Tools/BASE"
    with pytest.raises(NameClashError):
        decode_manifest(json.dumps(made).encode())
    made["repositories"][1] |= {"path": "custom/Tools/base/inner"}
    made["repositories"][1]["content"]["path"] = "/custom/Tools/base/inner"
    with pytest.raises(BadManifestError, match="lies inside the repository"):
        decode_manifest(json.dumps(made).encode())


def test_a_client_certificate_is_never_carried() -> None:
    credential = {"label": "cdn", "name": "CDN", "kind": "client-certificate", "content": "PEM"}
    with pytest.raises(BadManifestError, match="client certificates are never carried"):
        decode_manifest(change("content_credentials", [credential]))


def test_a_ca_certificate_is_no_gpg_key() -> None:
    made = document()
    made["content_credentials"] = [{"label": "ca", "name": "CA", "kind": "ca-certificate", "content": "PEM"}]
    made["products"][0]["gpg_key"] = "ca"
    with pytest.raises(BadManifestError, match="not a GPG key"):
        decode_manifest(json.dumps(made).encode())


def test_a_huge_value_gives_a_short_message() -> None:
    with pytest.raises(BadManifestError) as refused:
        decode_manifest(change("organization.name", "x" * 1_000_000))
    assert len(str(refused.value)) < 500


def test_json_nested_deeply_is_refused() -> None:
    data = encode_manifest(decode_manifest(json.dumps(document()).encode()))
    deep = data.replace(b'"format":', b'"deep": ' + b"[" * 200_000 + b"]" * 200_000 + b', "format":', 1)
    with pytest.raises(BadManifestError, match="nested too deeply"):
        decode_manifest(deep)


@given(st.binary(max_size=200))
def test_garbage_is_refused_as_a_bundle_error(data: bytes) -> None:
    with pytest.raises(BundleError):
        decode_manifest(data)
    with pytest.raises(BundleError):
        claimed_key_id(data)


@given(st.data())
def test_a_manifest_with_anything_anywhere_is_read_or_refused(data: st.DataObject) -> None:
    made = document()
    target: Any = made
    while True:
        key = data.draw(st.sampled_from(list(target) if isinstance(target, dict) else range(len(target))))
        if isinstance(target[key], dict | list) and target[key] and data.draw(st.booleans()):
            target = target[key]
        else:
            break
    target[key] = data.draw(json_values)
    encoded = json.dumps(made).encode()
    try:
        manifest = decode_manifest(encoded)
    except BundleError:
        return
    assert decode_manifest(encode_manifest(manifest)) == manifest
