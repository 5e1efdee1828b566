"""Directories of an image are found and listed the same way, however large they are, in flat memory."""

import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issbox.bundle.iso import directory_index
from issbox.bundle.iso.directories import Extent, IsoDirectory, IsoFile
from issbox.bundle.iso.directory_index import DirectoryIndex, DirectoryIndexes, Entry
from issbox.errors import NameClashError

ROOT = IsoDirectory("", Extent(0, 2048))
extents = st.builds(Extent, st.integers(0, 2**40), st.integers(1, 2**33))
names = st.text("ab-/0é ", min_size=1, max_size=4).map(lambda text: text.replace("/", ".")) | st.sampled_from(
    ["a", "a-", "a b", "a0", "ab"]
)


def file(name: str, *parts: Extent) -> IsoFile:
    return IsoFile(name, sum(part.size for part in parts), parts)


entries = st.builds(lambda name, parts: file(name, *parts), names, st.lists(extents, max_size=3)) | st.builds(
    IsoDirectory, names, extents
)


def index(found: list[Entry]) -> DirectoryIndex:
    return DirectoryIndexes(None).get(ROOT, lambda: iter(found))


@pytest.fixture(params=[1, 2, 100], ids="pages of {}".format)
def page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_index, "_PAGE", request.param)


@given(st.lists(entries, max_size=8, unique_by=lambda entry: entry.path))
@settings(deadline=None)
@pytest.mark.usefixtures("page")
def test_every_entry_is_listed_in_order_and_found_by_its_name(found: list[Entry]) -> None:
    made = index(found)
    assert list(made) == sorted(found, key=lambda each: each.path if isinstance(each, IsoFile) else f"{each.path}/")
    assert made.count == len(found)
    assert [made.get(each.path) for each in found] == found
    assert made.get("missing") is None


@given(st.lists(entries, max_size=6), entries, entries)
@settings(deadline=None)
@pytest.mark.usefixtures("page")
def test_a_name_that_is_there_twice_is_refused(others: list[Entry], one: Entry, two: Entry) -> None:
    again = file(one.path) if isinstance(two, IsoFile) else IsoDirectory(one.path, two.extent)
    with pytest.raises(NameClashError, match="is twice"):
        index([one, *others, again])


def test_a_directory_that_was_forgotten_is_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_index, "_KEPT", 2)
    parsed = []

    def parse(path: str) -> Iterator[Entry]:
        parsed.append(path)
        yield file(f"{path}/bell")

    indexes = DirectoryIndexes(None)
    for path in ("a", "a", "b", "a"):
        made = indexes.get(IsoDirectory(path, ROOT.extent), lambda path=path: parse(path))  # type: ignore[misc]  # bound
        assert made.get("bell") == file(f"{path}/bell")
    assert parsed == ["a", "b", "a"]


def test_memory_hardly_grows_with_the_files_of_a_directory() -> None:
    def peak(count: int) -> int:
        with tempfile.TemporaryDirectory() as place:
            tracemalloc.start()
            try:
                found = (file(f"bell-{number}.rpm", Extent(number, 1)) for number in range(count))
                made = DirectoryIndexes(Path(place)).get(ROOT, lambda: found)
                assert sum(1 for _ in made) == made.count == count
                assert made.get("bell-7.rpm") is not None
                return tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()

    assert peak(20_000) < 1.5 * peak(5_000)
