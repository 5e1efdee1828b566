"""Packages come sorted, whatever the order and number, and nothing is left on the disk."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issbox.model import Package
from issbox.workflows.content.package_order import sorted_by_path
from issbox.yum.primary import PackageEntry


def entry(path: str, size: int = 1) -> PackageEntry:
    return PackageEntry(path, size, Package("bell", 0, "1.0", "1", "noarch", "sha256", "ab" * 32))


@given(st.lists(st.tuples(st.text("ab/é\n☃", min_size=1, max_size=4), st.integers(1, 9))), st.integers(1, 5))
@settings(deadline=None)
def test_entries_come_sorted_and_of_those_with_one_path_the_last(listed: list[tuple[str, int]], run: int) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        found = list(sorted_by_path((entry(*each) for each in listed), Path(scratch), run))
    assert found == [entry(*each) for each in sorted(dict(listed).items())]


def open_below(directory: Path) -> int:
    links = Path("/proc/self/fd").iterdir()
    return sum(os.path.lexists(each) and str(each.readlink()).startswith(f"{directory}/") for each in links)


def test_more_than_memory_holds_lies_on_the_disk_meanwhile_and_is_gone_afterwards(tmp_path: Path) -> None:
    few = sorted_by_path(map(entry, "cab"), tmp_path, 4)
    assert next(few) == entry("a")
    assert open_below(tmp_path) == 0
    found = sorted_by_path(map(entry, "dcba"), tmp_path, 2)
    assert next(found) == entry("a")
    assert open_below(tmp_path) == 1
    assert list(found) == list(map(entry, "bcd"))
    assert open_below(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []


def test_what_goes_wrong_while_entries_are_read_is_raised(tmp_path: Path) -> None:
    def broken() -> Iterator[PackageEntry]:
        yield entry("a")
        raise KeyError

    with pytest.raises(KeyError):
        next(sorted_by_path(broken(), tmp_path, 1))
