"""metadata.json of Katello's exports, as its versions wrote it."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.katello import REAL, Described, metadata, write_metadata

from issbox.bundle.katello import Form, KatelloMetadata, read_metadata
from issbox.errors import BadManifestError, BundleError, OversizedError, UnsafeFileError, UnsupportedExportError


def read(root: Path, document: Any) -> KatelloMetadata:
    write_metadata(root, document)
    return read_metadata(root)


def test_a_present_export_says_everything(tmp_path: Path) -> None:
    described = Described(
        "server",
        product="rhel",
        fields={
            "redhat": True,
            "arch": "x86_64",
            "minor": "9.2",
            "major": 9,
            "gpg_key": {"name": "Red Hat's key"},
            "content": {"id": "4711", "label": "rhel-9-server", "url": "/content/dist/rhel9/9.2/x86_64/base os"},
        },
    )
    keys = {"Red Hat's key": {"name": "Red Hat's key", "content_type": "gpg_key", "content": "KEY"}}
    found = read(
        tmp_path,
        metadata(
            [described],
            gpg_keys=keys,
            format="syncable",
            incremental=True,
            content_view_version={"major": 3, "minor": 7},
        ),
    )
    assert (found.form, found.incremental, found.organization, found.view) == (
        Form.SYNCABLE,
        True,
        "Acme Shipping",
        "Export-Library",
    )
    assert (found.version, found.number) == ("3.7", 3_000_007)
    (repository,) = found.repositories
    assert (repository.release, repository.arch, repository.content_id, repository.gpg_key) == (
        "9.2",
        "x86_64",
        "4711",
        "Red Hat's key",
    )
    assert repository.path == "content/dist/rhel9/9.2/x86_64/base_os"
    assert [product.redhat for product in found.products] == [True]


def test_what_older_katellos_left_out_has_their_defaults(tmp_path: Path) -> None:
    document = {
        "organization": "Acme",
        "repositories": {
            "base-1": {"label": "base", "product": {"label": "tools"}, "minor": None, "content": {"id": 12}},
            "server-2": {"label": "server", "product": {"label": "rhel"}, "arch": None},
        },
        "products": {"tools": {"label": "tools", "description": None}, "rhel": {"label": "rhel", "redhat": True}},
        "content_view": {"name": "v", "label": "v"},
        "toc": "export-toc.json",
    }
    found = read(tmp_path, document)
    assert (found.form, found.incremental, found.version) == (Form.IMPORTABLE, False, "0.0")
    base, server = found.repositories
    assert (base.name, base.content_type, base.redhat, base.content_id, base.path) == ("base", "yum", False, "12", None)
    assert (server.redhat, server.arch, server.release) == (True, None, None)


def test_an_export_from_before_labels_is_told_apart(tmp_path: Path) -> None:
    document = {
        "organization": "Acme",
        "repository_mapping": {"misc-1": {"repository": "misc", "product": "prod", "redhat": False}},
        "content_view": "view",
    }
    with pytest.raises(UnsupportedExportError, match="repository_mapping"):
        read(tmp_path, document)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "iso"}, "syncable or importable"),
        ({"organization": 7}, r"\$.organization: expected str"),
        ({"organization": "x" * 256}, r"\$.organization: .* no line of up to 255"),
        ({"organization": "Acme\x1b[2J"}, r"\$.organization: .* no line"),
        ({"content_view": {"label": "x" * 256}}, r"\$.content_view.label: .* no line"),
        ({"content_view_version": {"major": -1}}, "no version"),
        ({"content_view_version": {"major": 1, "minor": 1_000_000}}, "no version"),
        ({"products": {}}, "product gap is not described"),
        ({"products": {"gap": {"label": "../gap"}}}, "not a label"),
        ({"products": {"gap": {"label": "gap", "redhat": True}}}, "the other way round"),
        ({"products": {"gap": {"label": "gap", "gpg_key": {"name": "gone"}}}}, "'gone'"),
        ({"gpg_keys": {"empty": {"name": "empty"}}}, "needs name and content"),
        ({"gpg_keys": {each: {"name": "one", "content": "KEY"} for each in "ab"}}, "the same name"),
        ({"repositories": {"base": {"label": "base"}}}, "product"),
    ],
)
def test_what_contradicts_itself_is_named(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadManifestError, match=words):
        read(tmp_path, metadata([Described("base")], **changes))


@pytest.mark.parametrize("url", ["/custom/../../etc", "/custom//x", "\\custom", "/a\0b", "/" + "x/" * 600])
def test_trees_lie_below_the_export(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadManifestError, match="not allowed"):
        read(tmp_path, metadata([Described("base", fields={"content": {"url": url}})]))


def test_two_repositories_are_two(tmp_path: Path) -> None:
    with pytest.raises(BadManifestError, match="twice"):
        read(tmp_path, metadata([Described("base", "base-1"), Described("base", "base-2")]))
    with pytest.raises(BadManifestError, match="tree"):
        read(
            tmp_path, metadata([Described("base"), Described("other", fields={"content": {"url": "custom/gap/base"}})])
        )


def test_what_a_repository_holds_is_one_short_line(tmp_path: Path) -> None:
    with pytest.raises(BadManifestError, match=r"repositories.base-7.content_type: .* no line"):
        read(tmp_path, metadata([Described("base", fields={"content_type": "docker" * 50})]))


def test_it_is_a_file_of_bounded_size(tmp_path: Path) -> None:
    (tmp_path / "metadata.json").write_bytes(b" " * ((16 << 20) + 1))
    with pytest.raises(OversizedError):
        read_metadata(tmp_path)
    (tmp_path / "metadata.json").unlink()
    (tmp_path / "metadata.json").symlink_to(REAL / "complete/metadata.json")
    with pytest.raises(UnsafeFileError):
        read_metadata(tmp_path)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(field=st.sampled_from(sorted(metadata([Described("base")]))), value=JSON, deep=st.booleans())
def test_whatever_it_says_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, field: str, value: object, deep: bool
) -> None:
    root = tmp_path_factory.mktemp("export")
    document = metadata([Described("base")])
    if deep and isinstance(document[field], dict) and document[field]:
        document[field][next(iter(document[field]))] = value
    else:
        document[field] = value
    (root / "metadata.json").write_text(json.dumps(document), errors="replace")
    try:
        found = read_metadata(root)
    except BundleError:
        return
    assert all(each.product in {product.label for product in found.products} for each in found.repositories)
