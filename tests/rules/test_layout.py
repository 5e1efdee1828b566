"""Listing files and names of bundles."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from issbox.rules.layout import bundle_name, custom_path, first_clash, listings

SEGMENTS = st.text("ab-_9", min_size=1, max_size=3)
PATHS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)


def test_every_directory_above_a_repository_lists_its_subdirectories() -> None:
    assert listings(["custom/tools/base", "custom/tools/extras", "content/dist/rhel9"]) == {
        "": "content\ncustom",
        "custom": "tools",
        "custom/tools": "base\nextras",
        "content": "dist",
        "content/dist": "rhel9",
    }


@given(st.lists(PATHS, max_size=6))
def test_every_repository_is_found_by_walking_the_listings(paths: list[str]) -> None:
    made = listings(paths)
    for path in paths:
        directory = ""
        for segment in path.split("/"):
            assert segment in made[directory].split("\n")
            directory = f"{directory}/{segment}".lstrip("/")


def test_names_that_differ_only_in_case_clash() -> None:
    assert first_clash(["a", "b/C", "b/c"]) == ("b/C", "b/c")
    assert first_clash(["a", "b"]) is None


def test_the_same_path_twice_clashes() -> None:
    assert first_clash(["ab", "ab"]) == ("ab", "ab")


def test_a_bundle_name_sorts_by_sequence_and_says_what_it_is() -> None:
    at = datetime(2026, 11, 22, 20, 0, 5, tzinfo=UTC)
    assert bundle_name("acme", "base", "", 7, at) == "acme-base-0007-20261122T200005Z"
    assert bundle_name("acme", "base", "ship", 12, at) == "acme-base-ship-0012-20261122T200005Z"


def test_a_bundle_name_is_a_file_name_whatever_the_destination_is_called() -> None:
    at = datetime(2026, 11, 22, 20, 0, 5, tzinfo=UTC)
    assert bundle_name("acme", "base", "../ship 7", 12, at) == "acme-base-_ship_7-0012-20261122T200005Z"
    assert len(bundle_name("o" * 128, "r" * 128, "d" * 255, 12, at)) < 200


def test_custom_content_lies_below_its_product() -> None:
    assert custom_path("tools", "base") == "custom/tools/base"
