"""Labels, paths, times and sizes."""

from datetime import UTC, datetime, timedelta, timezone
from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError, UnsafePathError
from issbox.names import (
    MAX_SEGMENT_BYTES,
    check_label,
    check_name,
    check_relative_path,
    check_user_name,
    clash_key,
    first_of,
    format_size,
    format_time,
    is_label,
    is_sha256,
    make_label,
    parse_size,
    parse_time,
    path_problem,
    plural,
)


@pytest.mark.parametrize("label", ["a", "A-b_9", "x" * 128])
def test_good_labels(label: str) -> None:
    assert check_label(label) == label


@pytest.mark.parametrize("label", ["", "a b", "ä", "x" * 129, "a/b", "..", "a\n", "a.b"])
def test_bad_labels(label: str) -> None:
    with pytest.raises(InvalidValueError, match="must be 1 to 128"):
        check_label(label)


@pytest.mark.parametrize("name", ["a", "ann.other", "ann@example.com", "7-of_9", "x" * 64])
def test_good_user_names(name: str) -> None:
    assert check_user_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "Ann", "-ann", ".ann", "a b", "a:b", "a\n", 'a"b', "a$b", "ä", "x" * 65, "root", "inbox", "unknown"]
)
def test_bad_user_names(name: str) -> None:
    with pytest.raises(InvalidValueError):
        check_user_name(name)


@given(st.text())
def test_a_made_label_is_a_label_or_refused(name: str) -> None:
    try:
        assert is_label(make_label(name))
    except InvalidValueError:
        assert not any(character.isascii() and character.isalnum() for character in name)


def test_a_label_keeps_what_it_can_of_the_name() -> None:
    assert make_label("Müller & Söhne (base)") == "Muller_Sohne_base"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31mred", "x" * 256, "a\u202eb"])
def test_names_for_people_are_one_printable_line(name: str) -> None:
    with pytest.raises(InvalidValueError):
        check_name(name)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/etc/passwd", "absolute"),
        ("../x", "'..'"),
        ("a/../b", "'..'"),
        ("a//b", "not normalized"),
        ("./a", "not normalized"),
        ("a/", "not normalized"),
        ("", "not normalized"),
        ("a\\b", "backslash"),
        ("a\x00b", "control"),
        ("a\x1b[2Jb", "control"),
        ("a\udc80", "UTF-8"),
        ("a" * 256, "too long"),
        ("/".join(["a" * 100] * 11), "too long"),
    ],
)
def test_unsafe_paths(path: str, reason: str) -> None:
    with pytest.raises(UnsafePathError, match=reason):
        check_relative_path(path)


@given(st.text())
def test_a_safe_path_stays_below_its_root(path: str) -> None:
    if path_problem(path) is None:
        parts = path.split("/")
        assert ".." not in parts
        assert all(parts)
        assert not path.startswith("/")


@given(st.text(alphabet="aB0.-_+~^ /\u00e9\x00\\", max_size=30))
def test_a_path_is_safe_when_each_segment_is_a_name(path: str) -> None:
    names = all(segment not in {"", ".", ".."} for segment in path.split("/"))
    assert (path_problem(path) is None) == (names and not {"\x00", "\\"}.intersection(path))


@pytest.mark.parametrize(("length", "safe"), [(MAX_SEGMENT_BYTES, True), (MAX_SEGMENT_BYTES + 1, False)])
def test_a_plain_name_may_be_as_long_as_a_file_system_takes(length: int, safe: bool) -> None:
    assert (path_problem("a/" + "b" * length) is None) == safe


@given(st.text(max_size=20))
def test_the_clash_key_of_plain_text_is_made_as_that_of_any_other(text: str) -> None:
    assert clash_key(text) == normalize("NFC", normalize("NFC", text).casefold())


def test_clash_key_ignores_case_and_unicode_form() -> None:
    assert clash_key("Packages/\u00e9.rpm") == clash_key("packages/E\u0301.RPM")
    assert clash_key("a") != clash_key("b")


@given(st.datetimes(timezones=st.just(UTC)))
def test_times_survive_writing_and_reading(time: datetime) -> None:
    if time.year >= 1000:
        assert parse_time(format_time(time)) == time.replace(microsecond=0)


def test_times_of_other_zones_are_turned_into_utc() -> None:
    assert parse_time("2026-11-01T01:00:00+01:00") == datetime(2026, 11, 1, tzinfo=UTC)
    assert format_time(datetime(2026, 11, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == "2026-11-01T00:00:00Z"


@pytest.mark.parametrize("text", ["2026-11-01", "2026-11-01T00:00:00", "yesterday", ""])
def test_times_without_zone_are_refused(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("1500", 1500), ("4380MiB", 4380 << 20), ("4G", 4 << 30), ("1.5 KiB", 1536), ("2tb", 2 << 40)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["9" * 400, "", "-1", "five", "1 XiB", "1e9"])
def test_bad_sizes(text: str) -> None:
    with pytest.raises(InvalidValueError):
        parse_size(text)


def test_sizes_for_people() -> None:
    assert [format_size(size) for size in (0, 1023, 1536, 5 << 30)] == ["0 B", "1023 B", "1.5 KiB", "5.0 GiB"]


def test_numbers_and_nouns_for_people() -> None:
    said = [plural(number, noun) for number in (0, 1, 2) for noun in ("name", "repository", "day")]
    assert said[:3] == ["0 names", "0 repositories", "0 days"]
    assert said[3:6] == ["1 name", "1 repository", "1 day"]
    assert said[6:] == ["2 names", "2 repositories", "2 days"]


def test_the_first_of_many_names_are_told() -> None:
    assert [first_of(names, 2) for names in ("", "a", "ab", "abcd")] == ["", "a", "a, b", "a, b and 2 more"]


def test_sha256_is_lower_case_hexadecimal() -> None:
    assert is_sha256("0" * 64)
    assert not is_sha256("A" * 64)
    assert not is_sha256("0" * 63)
    assert not is_sha256("0" * 64 + "\n")
