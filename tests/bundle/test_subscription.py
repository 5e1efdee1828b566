"""Subscription manifests as files: what is read of a good one, and everything that a hostile one may try."""

import io
import json
import stat
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundle_strategies import json_values, labels, names
from makers.certificates import times
from makers.manifests import (
    BASEOS,
    CREATED,
    DISTRIBUTOR,
    MadeContent,
    MadeProduct,
    archive,
    manifest_bytes,
    manifest_files,
    rhel,
    signed,
    stamp,
)

from issbox.bundle.subscription import archive as limits
from issbox.bundle.subscription.archive import Archive
from issbox.bundle.subscription.reading import ManifestFile, OpenedManifest
from issbox.errors import NotASubscriptionManifestError

GOOD = manifest_files(products=[rhel()])


def read(files: Mapping[str, bytes]) -> ManifestFile:
    return OpenedManifest(signed(files), "m.zip").read()


def changed(path: str, **fields: object) -> dict[str, bytes]:
    """Give the good files with fields of one document replaced; None removes a field."""
    document: dict[str, Any] = json.loads(GOOD[f"export/{path}"])
    document |= fields
    kept = {name: value for name, value in document.items() if value is not None}
    return GOOD | {f"export/{path}": json.dumps(kept).encode()}


def refused(files: Mapping[str, bytes]) -> str:
    with pytest.raises(NotASubscriptionManifestError) as error:
        read(files)
    return str(error.value)


def test_a_good_manifest_says_what_it_holds() -> None:
    found = read(GOOD)
    manifest = found.manifest
    assert (manifest.created, manifest.version, manifest.distributor.uuid) == (CREATED, "4.4.14-1", DISTRIBUTOR)
    assert [(each.number, each.name, len(each.contents)) for each in manifest.products] == [("479", rhel().name, 2)]
    assert manifest.subscriptions[0].end == datetime(2028, 1, 1, 4, 59, 59, tzinfo=UTC)
    assert len(found.entitlements) == 1
    assert found.identity is not None
    assert OpenedManifest(signed(GOOD), "m.zip").signed.certificate is None
    assert "PRIVATE" not in repr(found)


def test_products_that_only_others_provide_are_found_once() -> None:
    lonely = {name: data for name, data in GOOD.items() if name != "export/products/479.json"}
    assert read(lonely).manifest.products == read(GOOD).manifest.products


def test_fields_that_are_not_known_are_ignored() -> None:
    assert read(changed("meta.json", colour="red")).manifest == read(GOOD).manifest


def test_contents_that_no_client_can_use_are_left_out_and_counted() -> None:
    odd = [
        MadeContent("1", "a", "/../../etc/passwd"),
        MadeContent("2", "b", "https://elsewhere.example.com/x"),
        MadeContent("3/4", "c", "/content/c"),
        MadeContent("5", "line\nbreak", "/content/d"),
        MadeContent("6", "e", ""),
        MadeContent("7", "f", "/content/f", arches="x86_64,../.."),
    ]
    manifest = read(manifest_files(products=[rhel(BASEOS, *odd)])).manifest
    assert [each.content.id for each in manifest.products[0].contents] == [BASEOS.id]
    assert manifest.skipped == len(odd)


@pytest.mark.parametrize(
    ("own", "attribute", "expected"),
    [
        ("x86_64,i386", "ppc64le", ("i386", "x86_64")),
        ("", "ppc64le, s390x", ("ppc64le", "s390x")),
        ("", "ALL", ("ALL",)),
        ("noarch,x86_64", "ppc64le", ("noarch", "x86_64")),
        ("", None, ()),
    ],
)
def test_contents_that_name_no_architecture_have_those_of_the_product(
    own: str, attribute: str | None, expected: tuple[str, ...]
) -> None:
    made = replace(rhel(replace(BASEOS, arches=own)), arches=attribute)
    (product,) = read(manifest_files(products=[made])).manifest.products
    assert product.contents[0].content.arches == expected


def test_another_cdn_is_told() -> None:
    place = {"export/content_delivery_network/mirror.json": b'{"label": "mirror", "url": "https://cdn.example.com"}'}
    assert read(GOOD | place).manifest.cdn_url == "https://cdn.example.com"
    assert read(GOOD).manifest.cdn_url == ""


def test_a_product_whose_contents_are_all_odd_is_none() -> None:
    assert read(manifest_files(products=[rhel(MadeContent("1", "a", ""))])).manifest.products == ()


@pytest.mark.parametrize(
    ("path", "fields", "words"),
    [
        ("meta.json", {"created": "yesterday"}, "$.created: 'yesterday' is not a time"),
        ("meta.json", {"created": 7}, "$.created: expected `str`".replace("`", "")),
        ("meta.json", {"created": None}, "required field"),
        ("consumer.json", {"uuid": "../../x"}, "cannot be the name of a consumer"),
        ("consumer.json", {"name": "two\nlines"}, "cannot be a name"),
        ("products/479.json", {"id": "../479"}, "cannot be the id of a product"),
        ("products/479.json", {"productContent": {}}, "$.productContent"),
    ],
)
def test_a_document_that_is_wrong_says_where(path: str, fields: dict[str, object], words: str) -> None:
    said = refused(changed(path, **fields))
    assert words in said
    assert f"export/{path}" in said


@pytest.mark.parametrize("missing", ["export/meta.json", "export/consumer.json"])
def test_what_must_be_there_is_missed(missing: str) -> None:
    assert f"there is no {missing}" in refused({name: data for name, data in GOOD.items() if name != missing})


def test_json_that_is_none_or_too_deep_is_refused() -> None:
    assert "not JSON" in refused(GOOD | {"export/meta.json": b"\xff{"})
    assert "nested too deeply" in refused(GOOD | {"export/meta.json": b'{"x":' + b"[" * 200_000})
    nested = b'{"id":"1","derivedProduct":' * 900 + b"null" + b"}" * 900
    assert read(GOOD | {"export/products/1.json": nested}).manifest == read(GOOD).manifest


class TestArchives:
    """What an archive may not be."""

    def zipped(self, *infos: tuple[zipfile.ZipInfo, bytes]) -> bytes:
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as made:
            for info, data in infos:
                made.writestr(info, data)
        return out.getvalue()

    def refuse(self, data: bytes) -> str:
        with pytest.raises(NotASubscriptionManifestError) as error:
            Archive(data, "m.zip")
        return str(error.value)

    @pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", "a//b", "a\\b", "a/./b", "x\n"])
    def test_paths_that_leave_it(self, name: str) -> None:
        assert "is not allowed" in self.refuse(self.zipped((zipfile.ZipInfo(name), b"")))

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    @pytest.mark.parametrize("twice", [("a", "a"), ("a", "A"), ("a", "a/")])
    def test_names_that_are_there_twice(self, twice: tuple[str, str]) -> None:
        assert "is there twice" in self.refuse(self.zipped(*((zipfile.ZipInfo(each), b"") for each in twice)))

    @pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK])
    def test_links_and_devices(self, kind: int) -> None:
        info = zipfile.ZipInfo("export/meta.json")
        info.external_attr = (kind | 0o777) << 16
        assert "link or a device" in self.refuse(self.zipped((info, b"/etc/passwd")))

    @pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_other_ways_of_compressing(self, method: int) -> None:
        info = zipfile.ZipInfo("a")
        info.compress_type = method
        assert "compressed in a way" in self.refuse(self.zipped((info, b"x")))

    def test_encrypted_entries(self) -> None:
        data = bytearray(self.zipped((zipfile.ZipInfo("a"), b"x")))
        place = data.index(b"PK\1\2") + 8
        data[place] |= 1
        assert "encrypted" in self.refuse(bytes(data))

    def test_bombs_by_size_by_sum_and_by_number(self, monkeypatch: pytest.MonkeyPatch) -> None:
        large = archive({"a": bytes(limits.LARGEST_ENTRY + 1)})
        assert len(large) < 1 << 20
        assert "it has more than 32.0 MiB" in self.refuse(large)
        many = archive({f"{each}": bytes(32 << 20) for each in range(9)})
        assert len(many) < 1 << 20
        assert "unpacked it would have more than 256.0 MiB" in self.refuse(many)
        monkeypatch.setattr(limits, "MOST_ENTRIES", 10)
        assert "11 entries" in self.refuse(archive({f"{each}": b"" for each in range(11)}))

    def test_sizes_that_lie(self) -> None:
        data = bytearray(archive({"a": bytes(1 << 20)}))
        place = data.index(b"PK\1\2") + 24
        data[place : place + 4] = (10).to_bytes(4, "little")
        with pytest.raises(NotASubscriptionManifestError, match="a cannot be read"):
            Archive(bytes(data), "m.zip").read("a")

    def test_a_directory_that_says_it_is_huge(self) -> None:
        data = bytearray(archive({"a": b""}))
        end = data.rindex(b"PK\5\6")
        data[end + 12 : end + 16] = (1 << 30).to_bytes(4, "little")
        assert "more entries than any" in self.refuse(bytes(data))

    def test_zip64_and_what_is_too_large_altogether(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = archive({"a": b""})
        end = data.rindex(b"PK\5\6")
        assert "ZIP64" in self.refuse(data[:end] + b"PK\6\7" + bytes(16) + data[end:])
        monkeypatch.setattr(limits, "LARGEST_ARCHIVE", 10)
        assert "has more than 10 B" in self.refuse(data)

    @pytest.mark.parametrize("cut", [0, 1, 100, -1, -22])
    def test_cut_files(self, cut: int) -> None:
        whole = manifest_bytes(products=[rhel()])
        with pytest.raises(NotASubscriptionManifestError):
            OpenedManifest(whole[:cut], "m.zip").read()

    def test_a_zip_of_something_else(self) -> None:
        with pytest.raises(NotASubscriptionManifestError, match=r"there is no consumer_export\.zip in it"):
            OpenedManifest(archive({"readme.txt": b"hello"}), "m.zip").read()
        with pytest.raises(NotASubscriptionManifestError, match=r"consumer_export\.zip is no ZIP"):
            OpenedManifest(archive({"consumer_export.zip": b"hello"}), "m.zip").read()


contents = st.builds(
    MadeContent,
    id=st.integers(1, 10**9).map(str),
    label=names,
    url=st.lists(labels, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts)),
    enabled=st.booleans(),
    type=st.sampled_from(["yum", "file", "kickstart", "containerimage"]),
    arches=st.lists(labels, max_size=3).map(",".join),
    tags=st.lists(labels, max_size=3).map(",".join),
    vendor=names,
)
products = st.lists(
    st.builds(
        MadeProduct,
        id=st.integers(1, 10**6).map(str),
        name=names,
        contents=st.lists(contents, max_size=4, unique_by=lambda each: each.id).map(tuple),
    ),
    max_size=4,
    unique_by=lambda each: each.id,
)


@settings(max_examples=60, deadline=None)
@given(made=products, created=times)
def test_what_was_written_is_read(made: list[MadeProduct], created: datetime) -> None:
    manifest = read(
        GOOD | _documents(made) | {"export/meta.json": json.dumps({"created": stamp(created)}).encode()}
    ).manifest
    assert manifest.created == created.replace(microsecond=0)
    found = {each.number: {one.content.id: one for one in each.contents} for each in manifest.products}
    expected = {each.id: {one.id: one for one in each.contents} for each in made if each.contents}
    expected.setdefault("479", {one.id: one for one in rhel().contents})
    assert {number: set(each) for number, each in found.items()} == {
        number: set(each) for number, each in expected.items()
    }
    for number, by_id in expected.items():
        for identity, one in by_id.items():
            content = found[number][identity].content
            assert (content.label, content.path, content.enabled, content.type) == (
                one.label,
                one.url,
                one.enabled,
                one.type,
            )
            assert set(content.required_tags) == set(filter(None, one.tags.split(",")))


def _documents(made: list[MadeProduct]) -> dict[str, bytes]:
    files = manifest_files(products=made)
    return {name: data for name, data in files.items() if name.startswith("export/products/")} | {
        "export/products/RH00001.json": GOOD["export/products/RH00001.json"]
    }


@settings(max_examples=150, deadline=None)
@given(document=json_values, path=st.sampled_from([name for name in GOOD if name.endswith(".json")]))
def test_any_json_is_read_or_refused(document: object, path: str) -> None:
    with suppress(NotASubscriptionManifestError):  # and nothing else
        read(GOOD | {path: json.dumps(document).encode()})


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_flipped_bits_are_read_or_refused(data: st.DataObject) -> None:
    whole = bytearray(_WHOLE)
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
        whole[place] ^= 1 << data.draw(st.integers(0, 7))
    with suppress(NotASubscriptionManifestError):  # and nothing else
        OpenedManifest(bytes(whole), "m.zip").read()


_WHOLE = archive({"consumer_export.zip": archive(GOOD), "signature": b"x" * 256})
