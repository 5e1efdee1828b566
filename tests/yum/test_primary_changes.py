"""What differs between two files of primary metadata is what reading both as a whole tells, or nothing is said."""

import gzip
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.repodata import Listed, primary_xml

from issbox.errors import BadMetadataError, IssboxError
from issbox.yum.primary import PackageEntry, read_packages
from issbox.yum.primary_changes import PrimaryChanges, compare_primary

LIMIT = 64 << 20
FIRST, SECOND, THIRD = (Listed(f"Packages/{name}.rpm", name.encode() * 9, name) for name in ("one", "two", "three"))
OLD = primary_xml(FIRST, SECOND)

listed = st.builds(
    Listed,
    st.integers(0, 9).map("Packages/{}.rpm".format),
    st.binary(min_size=1, max_size=2),
    st.sampled_from(["a", "b"]),
)
lists = st.lists(listed, min_size=1, max_size=8, unique_by=lambda each: each.href)


def compare(old: bytes, new: bytes, *, most: int = 100, limit: int = LIMIT) -> PrimaryChanges | None:
    with tempfile.TemporaryDirectory() as name:
        older, newer = Path(name, "older"), Path(name, "newer")
        older.write_bytes(old)
        newer.write_bytes(new)
        found = compare_primary(older, newer, limit, name="primary", scratch=Path(name), most=most)
        assert sorted(path.name for path in Path(name).iterdir()) == ["newer", "older"]
        return found


def read(data: bytes) -> list[PackageEntry]:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name, "primary")
        place.write_bytes(data)
        return list(read_packages(place, LIMIT, scratch=Path(name)))


def check(old: bytes, new: bytes) -> PrimaryChanges | None:
    """Compare, and check that what is told leads from the older file to the newer one, which then is a good one."""
    found = compare(old, new)
    if found is not None:
        before, after = read(old), read(new)
        assert found.older == len(before)
        assert all(entry in before for entry in found.removed)
        kept = [entry for entry in before if entry not in found.removed]
        assert sorted([*kept, *found.added], key=repr) == sorted(after, key=repr)
    return found


@given(lists, lists, st.randoms())
def test_the_changes_lead_from_one_file_to_the_other(old: list[Listed], new: list[Listed], random: object) -> None:
    random.shuffle(new)  # type: ignore[attr-defined]  # hypothesis gives a random.Random of its own
    found = check(primary_xml(*old), primary_xml(*new))
    assert found is not None
    assert {entry.path for entry in found.added} == {each.href for each in new if each not in old}
    assert {entry.path for entry in found.removed} == {each.href for each in old if each not in new}


@given(lists, lists, st.data())
def test_whatever_is_damaged_is_not_compared_or_still_told_right(
    old: list[Listed], new: list[Listed], data: st.DataObject
) -> None:
    whole = primary_xml(*old, *(each for each in new if each.href not in {one.href for one in old}))
    place = data.draw(st.integers(0, len(whole) - 1))
    piece = st.binary(max_size=4) | st.sampled_from(
        [b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x ?>", b"</package>", b"<package/>", b"<package >", b"</metadata>"]
    )
    changed = whole[:place] + data.draw(piece) + whole[place + data.draw(st.integers(0, 4)) :]
    try:
        check(primary_xml(*old), changed)
    except IssboxError as error:
        raise AssertionError("a file that cannot be read was compared") from error


def test_compression_and_the_order_do_not_matter() -> None:
    found = check(OLD, gzip.compress(primary_xml(THIRD, SECOND, FIRST)))
    assert found is not None
    assert [entry.path for entry in found.added] == [THIRD.href]
    assert (found.removed, found.older) == ([], 2)


def test_a_package_described_otherwise_is_in_both_lists() -> None:
    found = check(OLD, primary_xml(FIRST, replace(SECOND, name="other")))
    assert found is not None
    assert [entry.package.name for entry in found.added] == ["other"]
    assert [entry.package.name for entry in found.removed] == ["two"]


def in_a_comment(data: bytes) -> bytes:
    return data.replace(b'<package type="rpm"><name>two', b'<!-- <package type="rpm"><name>two').replace(
        b"</metadata>", b"--></metadata>"
    )


def with_two_counts(data: bytes) -> bytes:
    return data.replace(b' packages="2"', b' packages="2" packages="3"')


NOT_PLAIN: list[Callable[[bytes], bytes]] = [
    in_a_comment,
    with_two_counts,
    lambda data: data.replace(b"<metadata ", b"<!DOCTYPE metadata><metadata "),
    lambda data: data.replace(b"<metadata ", b"<metadata a='b' "),
    lambda data: data.replace(b"UTF-8", b"ISO-8859-1"),
    lambda data: data.replace(b"</metadata>", b""),
    lambda data: data.replace(b"</metadata>", b"</metadata><metadata/>"),
    lambda data: data.replace(b"<summary>A sample", b"<summary><![CDATA[</package>]]>", 1),
    lambda data: data.replace(b"<format/>", b"<package/>", 1),
    lambda data: data.replace(b"<format/>", b"<package></package>", 1),
    lambda data: data.replace(b"</package>", b"</package >", 1),
    lambda data: data.replace(b"</package>", b"</package><?x y?>", 1),
    lambda data: data.replace(b"</package>", b"</package>text", 1),
    lambda data: data.replace(b"</package>", b"", 1),
    lambda data: data.replace(b"</package>", b"</package></package>", 1),
    lambda data: primary_xml(),
    lambda data: b"",
    lambda data: data[:-40],
    lambda data: b"\x1f\x8bdamaged",
    lambda data: b"<metadata " * 20_000,
]


@pytest.mark.parametrize("change", NOT_PLAIN)
def test_what_is_not_of_the_plain_form_is_not_compared(change: Callable[[bytes], bytes]) -> None:
    assert change(OLD) != OLD
    assert compare(OLD, change(OLD)) is None


@pytest.mark.parametrize("change", [lambda data: data.replace(b"<name>two", b"<name>\xff"), in_a_comment])
def test_an_older_file_of_another_form_is_not_compared(change: Callable[[bytes], bytes]) -> None:
    assert compare(change(OLD), OLD) is None


def test_a_package_that_is_there_twice_is_not_compared_or_added_once_more() -> None:
    assert compare(primary_xml(FIRST, SECOND, FIRST), OLD) is None
    found = compare(OLD, primary_xml(FIRST, SECOND, FIRST))
    assert found is not None
    assert [entry.path for entry in found.added] == [FIRST.href]


def test_too_many_changes_and_too_much_data_are_not_compared() -> None:
    new = primary_xml(THIRD)
    assert compare(OLD, new, most=2) is not None
    assert compare(OLD, new, most=1) is None
    wide = b"</name>" + 9 * (b"<a>" + b" " * 900_000 + b"</a>")
    many = primary_xml(*(Listed(f"{number}.rpm", b"x") for number in range(6))).replace(b"</name>", wide, 5)
    assert compare(OLD, many) is None
    assert compare(OLD, many.replace(wide, b"</name>", 2)) is not None
    assert compare(OLD, OLD, limit=len(OLD)) is not None
    assert compare(OLD, OLD, limit=len(OLD) - 1) is None


def test_what_the_disk_says_is_told(tmp_path: Path) -> None:
    (tmp_path / "here").write_bytes(OLD)
    with pytest.raises(IssboxError) as caught:
        compare_primary(tmp_path / "gone", tmp_path / "here", LIMIT, name="primary", scratch=tmp_path)
    assert not isinstance(caught.value, BadMetadataError)
