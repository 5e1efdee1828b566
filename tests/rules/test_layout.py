"""Listing files and names of bundles."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.names import path_problem
from issbox.rules.bundles.layout import (
    LAYOUT_FIELDS,
    bundle_name,
    custom_path,
    export_directory,
    layout_problem,
    listings,
)

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


VALUES = {
    "organization": "acme",
    "scope": "servers",
    "version": "3.0",
    "destination": "ship",
    "date": "2026-11-22",
    "sequence": "0007",
}


@pytest.mark.parametrize(
    ("template", "directory"),
    [
        ("", ""),
        ("{organization}/{destination}", "acme/ship"),
        ("{organization}/to {destination}/{date}-{sequence}", "acme/to ship/2026-11-22-0007"),
        ("{scope}/{version}", "servers/3.0"),
    ],
)
def test_directories_are_filled_in(template: str, directory: str) -> None:
    assert layout_problem(template) is None
    assert export_directory(template, VALUES) == directory


def test_directories_that_come_out_empty_are_left_out() -> None:
    assert export_directory("{organization}/{destination}/{date}", {"organization": "acme", "date": "d"}) == "acme/d"
    assert export_directory("{destination}", {"destination": "../.."}) == "_"
    assert export_directory("{destination}", {"destination": ".."}) == ""


@pytest.mark.parametrize(
    ("template", "why"),
    [
        ("/srv/{organization}", "absolute"),
        ("a//b", "not normalized"),
        ("a/", "not normalized"),
        ("../{organization}", "dot"),
        (".{organization}", "dot"),
        ("a/../b", "dot"),
        ("{organisation}", "is not one of {organization}, {scope}"),
        ("{}", "is not one of"),
        ("{organization.label}", "is not one of"),
        ("{date:%Y}", "stands alone"),
        ("{date!r}", "stands alone"),
        ("{date", "brace"),
        ("date}", "brace"),
        ("a\\b", "backslash"),
    ],
)
def test_templates_that_cannot_be_used(template: str, why: str) -> None:
    problem = layout_problem(template)
    assert problem is not None
    assert why in problem


TEMPLATES = st.lists(
    st.lists(st.sampled_from([*(f"{{{name}}}" for name in LAYOUT_FIELDS), "x", "to ", ".", "{{"]), min_size=1).map(
        "".join
    ),
    min_size=1,
    max_size=4,
).map("/".join)


@given(template=TEMPLATES, values=st.dictionaries(st.sampled_from(LAYOUT_FIELDS), st.text(max_size=80)))
def test_whatever_the_values_are_the_directory_is_a_safe_path(template: str, values: dict[str, str]) -> None:
    if layout_problem(template) is not None:
        return
    directory = export_directory(template, values)
    assert not directory or path_problem(directory) is None
    assert not any(segment.startswith(".") for segment in directory.split("/"))
