"""The table of contents: written and read back, and refused for each rule it breaks."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.bundle_strategies import digests, labels
from makers.bundles import flip_byte, new_key, trust
from makers.tar_streams import write_set

from issbox.bundle.signature import SigningKey
from issbox.bundle.tar.toc import decode_toc, encode_toc, new_toc
from issbox.bundle.tar.toc_checks import Chunk, Compression, Toc, check_set_name, chunk_name
from issbox.bundle.tar.toc_reader import MAX_TOC, read_toc
from issbox.errors import (
    BadManifestError,
    BundleError,
    BundleIncompleteError,
    BundleSignatureError,
    InvalidValueError,
    NewerFormatError,
    OversizedError,
    UnknownKeyError,
    UnsafeFileError,
    UnsignedBundleError,
)

set_names = st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\"), min_size=1, max_size=20).filter(
    lambda name: not name.startswith(".")
)


@st.composite
def tocs(draw: st.DrawFn) -> Toc:
    name, compression = draw(set_names), draw(st.sampled_from(Compression))
    size, last = sorted(draw(st.tuples(st.integers(1, 2**40), st.integers(1, 2**40))), reverse=True)
    count, digits = draw(st.integers(1, 12)), draw(st.integers(3, 6))
    numbered = count > 1 or draw(st.booleans())
    return new_toc(
        draw(labels),
        draw(digests),
        compression,
        tuple(
            Chunk(
                name=chunk_name(name, compression, number if numbered else None, digits),
                size=last if number == count else size,
                sha256=draw(digests),
            )
            for number in range(1, count + 1)
        ),
    )


@given(tocs())
def test_a_table_of_contents_is_read_as_it_was_written(toc: Toc) -> None:
    assert decode_toc(encode_toc(toc), "x.toc.json") == toc


@given(set_names, st.sampled_from(Compression))
def test_the_name_of_the_set_is_found_in_the_first_chunk(name: str, compression: Compression) -> None:
    for number in (None, 1):
        chunk = Chunk(name=chunk_name(name, compression, number), size=1, sha256="0" * 64)
        assert new_toc("a", "0" * 64, compression, (chunk,)).set_name == name


def sample() -> dict[str, Any]:
    chunks = [{"name": f"set.tgz.{n:03d}", "size": 10, "sha256": f"{n}" * 64} for n in (1, 2, 3)]
    return {
        "format": "issbox-toc",
        "format_version": 1,
        "bundle_id": "b-1",
        "key_id": "a" * 64,
        "compression": "gzip",
        "size": 30,
        "chunks": chunks,
    }


def decode(document: object) -> Toc:
    return decode_toc(json.dumps(document).encode(), "set.toc.json")


def test_unknown_fields_are_ignored() -> None:
    document = sample() | {"new": 1}
    document["chunks"][0]["crc"] = "x"
    assert len(decode(document).chunks) == 3


CHANGES: dict[str, tuple[str, Any, str]] = {
    "format": ("format", "issbox-bundle", "$.format"),
    "old format": ("format_version", 0, "$.format_version"),
    "no id": ("bundle_id", "../x", "$.bundle_id"),
    "no key": ("key_id", "A" * 64, "$.key_id"),
    "unknown compression": ("compression", "xz", "$.compression"),
    "other compression": ("compression", "none", "$.chunks[0].name"),
    "wrong size": ("size", 31, "$.size"),
    "no chunks": ("chunks", [], "$.chunks"),
    "a number": ("chunks", 3, "$.chunks"),
}


@pytest.mark.parametrize("case", CHANGES)
def test_a_broken_rule_is_named_by_its_field(case: str) -> None:
    field, value, place = CHANGES[case]
    with pytest.raises(BadManifestError) as refused:
        decode(sample() | {field: value})
    assert str(refused.value).startswith(f"set.toc.json: {place}: ")


CHUNK_CHANGES: dict[str, tuple[int, str, Any, str]] = {
    "path": (0, "name", "a/set.tgz.001", "$.chunks[0].name"),
    "hidden": (0, "name", ".set.tgz.001", "$.chunks[0].name"),
    "parent": (0, "name", "../set.tgz.001", "$.chunks[0].name"),
    "two digits": (0, "name", "set.tgz.01", "$.chunks[0].name"),
    "many digits": (0, "name", "set.tgz.00000001", "$.chunks[0].name"),
    "begins later": (0, "name", "set.tgz.002", "$.chunks[0].name"),
    "no number": (0, "name", "set.tgz", "$.chunks"),
    "too long": (0, "name", f"{'s' * 240}.tgz.001", "$.chunks[0].name"),
    "control character": (0, "name", "s\nt.tgz.001", "$.chunks[0].name"),
    "gap": (1, "name", "set.tgz.003", "$.chunks[1].name"),
    "another set": (2, "name", "sets.tgz.003", "$.chunks[2].name"),
    "another width": (1, "name", "set.tgz.0002", "$.chunks[1].name"),
    "empty": (2, "size", 0, "$.chunks[2].size"),
    "negative": (0, "size", -10, "$.chunks[0].size"),
    "small in the middle": (1, "size", 9, "$.chunks[1].size"),
    "large at the end": (2, "size", 11, "$.chunks[2].size"),
    "huge": (0, "size", 2**53, "$.chunks[0].size"),
    "short digest": (1, "sha256", "2" * 63, "$.chunks[1].sha256"),
}


@pytest.mark.parametrize("case", CHUNK_CHANGES)
def test_a_broken_rule_of_a_chunk_is_named_by_its_field(case: str) -> None:
    index, field, value, place = CHUNK_CHANGES[case]
    document = sample()
    document["chunks"][index][field] = value
    document["size"] = sum(chunk["size"] for chunk in document["chunks"])
    with pytest.raises(BadManifestError) as refused:
        decode(document)
    shown = str(refused.value)
    assert shown.startswith(f"set.toc.json: {place}: ") or (case == "huge" and "$.size" in shown)


def test_a_newer_format_is_said_to_be_newer() -> None:
    with pytest.raises(NewerFormatError, match="version 2"):
        decode({"format": "issbox-toc", "format_version": 2})


@given(
    st.binary(max_size=200) | st.recursive(st.none() | st.integers(), st.lists).map(lambda v: json.dumps(v).encode())
)
def test_anything_else_is_no_table_of_contents(data: bytes) -> None:
    with pytest.raises(BadManifestError):
        decode_toc(data, "set.toc.json")


@pytest.mark.parametrize("name", ["", ".a", "a/b", "..", "a\\b", "a\nb", "a" * 236, "\udc80"])
def test_a_name_that_no_file_may_have_is_refused(name: str) -> None:
    with pytest.raises(InvalidValueError):
        check_set_name(name)


class TestReading:
    def test_what_was_written_is_read(self, tmp_path: Path, key: SigningKey) -> None:
        toc = write_set(tmp_path, key)
        assert read_toc(tmp_path / "set.toc.json", trust(key)) == toc
        assert toc.key_id == key.key_id

    def test_without_keys_the_signature_does_not_matter(self, tmp_path: Path, key: SigningKey) -> None:
        toc = write_set(tmp_path, key)
        (tmp_path / "set.toc.json.sig").unlink()
        assert read_toc(tmp_path / "set.toc.json", None) == toc

    def test_one_that_is_not_there_is_missing(self, tmp_path: Path, key: SigningKey) -> None:
        with pytest.raises(BundleIncompleteError, match=r"set\.toc\.json"):
            read_toc(tmp_path / "set.toc.json", trust(key))

    def test_one_without_signature_is_unsigned(self, tmp_path: Path, key: SigningKey) -> None:
        write_set(tmp_path, key)
        (tmp_path / "set.toc.json.sig").unlink()
        with pytest.raises(UnsignedBundleError, match=r"set\.toc\.json\.sig"):
            read_toc(tmp_path / "set.toc.json", trust(key))

    def test_one_of_a_stranger_is_refused(self, tmp_path: Path, key: SigningKey) -> None:
        write_set(tmp_path, new_key())
        with pytest.raises(UnknownKeyError):
            read_toc(tmp_path / "set.toc.json", trust(key))

    @pytest.mark.parametrize("name", ["set.toc.json", "set.toc.json.sig"])
    def test_a_flip_of_any_byte_is_refused(self, tmp_path: Path, key: SigningKey, name: str) -> None:
        write_set(tmp_path, key, chunk_size=None)
        for offset in range((tmp_path / name).stat().st_size):
            flip_byte(tmp_path / name, offset)
            with pytest.raises(BundleError) as refused:
                read_toc(tmp_path / "set.toc.json", trust(key))
            assert refused.value.code in {"bad-signature", "unknown-key", "bad-manifest"}
            flip_byte(tmp_path / name, offset)

    @pytest.mark.parametrize("size", [0, 63, 65])
    def test_a_signature_of_another_size_is_refused(self, tmp_path: Path, key: SigningKey, size: int) -> None:
        write_set(tmp_path, key)
        (tmp_path / "set.toc.json.sig").write_bytes(bytes(size))
        with pytest.raises(BundleSignatureError, match="64 bytes"):
            read_toc(tmp_path / "set.toc.json", trust(key))

    def test_one_with_another_name_is_refused(self, tmp_path: Path, key: SigningKey) -> None:
        write_set(tmp_path, key)
        for suffix in (".toc.json", ".toc.json.sig"):
            (tmp_path / f"set{suffix}").rename(tmp_path / f"other{suffix}")
        with pytest.raises(BadManifestError, match="another name"):
            read_toc(tmp_path / "other.toc.json", trust(key))

    def test_a_link_is_not_followed(self, tmp_path: Path, key: SigningKey) -> None:
        write_set(tmp_path, key)
        (tmp_path / "set.toc.json").rename(tmp_path / "elsewhere")
        (tmp_path / "set.toc.json").symlink_to("elsewhere")
        with pytest.raises(UnsafeFileError):
            read_toc(tmp_path / "set.toc.json", trust(key))

    def test_a_huge_one_is_not_read_to_its_end(self, tmp_path: Path, key: SigningKey) -> None:
        with (tmp_path / "set.toc.json").open("wb") as out:
            out.truncate(MAX_TOC + 1)
        with pytest.raises(OversizedError):
            read_toc(tmp_path / "set.toc.json", trust(key))
