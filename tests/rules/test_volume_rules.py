"""The planner of volumes: every byte has one place, no volume is too full, and what cannot fit is said."""

from collections import defaultdict
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import VolumeSizeError
from issbox.manifest import part_path
from issbox.model import BundleForm
from issbox.rules.bundles.volumes import (
    FAT32_FILE,
    PRESETS,
    Boundless,
    DirectoryMeter,
    VolumePlanner,
    volume_limits,
)


@given(
    capacity=st.integers(min_value=20_000, max_value=100_000),
    sizes=st.lists(st.integers(min_value=0, max_value=150_000), max_size=40),
    largest=st.none() | st.integers(min_value=3000, max_value=60_000),
)
def test_no_volume_is_too_full_and_no_byte_is_lost(capacity: int, sizes: list[int], largest: int | None) -> None:
    planner = VolumePlanner(partial(DirectoryMeter, capacity), largest_file=largest)
    blocks: dict[int, int] = defaultdict(int)
    directories: dict[int, set[str]] = defaultdict(lambda: {""})
    for index, size in enumerate(sizes):
        pieces = planner.place(f"a/b/{index}", size)
        assert sum(piece.size for piece in pieces) == size
        assert len(pieces) == 1 or all(0 < piece.size < size for piece in pieces)
        assert largest is None or all(piece.size <= largest for piece in pieces)
        for number, piece in enumerate(pieces, start=1):
            path = f"a/b/{index}" if len(pieces) == 1 else part_path(f"a/b/{index}", number)
            assert 1 <= piece.volume <= planner.count
            blocks[piece.volume] += -(-piece.size // 4096)
            directories[piece.volume] |= {"a", "a/b"} if path.startswith("a/") else {path.partition("/")[0]}
    for volume in range(1, planner.count + 1):
        assert (blocks[volume] + len(directories[volume])) * 4096 <= capacity


@pytest.mark.parametrize("size", [0, 1, 2, 4096, 10_000])
def test_a_file_whose_directories_alone_are_too_much_is_cut_or_refused(size: int) -> None:
    """Parts lie in one directory, whatever the path of their file; what has fewer than two bytes cannot be cut."""
    planner = VolumePlanner(partial(DirectoryMeter, 3 * 4096))
    if size < 2:
        with pytest.raises(VolumeSizeError, match="no room"):
            planner.place("a/b/c/d", size)
    else:
        assert sum(piece.size for piece in planner.place("a/b/c/d", size)) == size


def test_a_volume_without_room_for_a_block_is_refused() -> None:
    with pytest.raises(VolumeSizeError, match="no room"):
        VolumePlanner(partial(DirectoryMeter, 2 * 4096)).place("a/b", 5000)


def test_more_than_9999_volumes_are_refused() -> None:
    planner = VolumePlanner(partial(DirectoryMeter, 3 * 4096))
    with pytest.raises(VolumeSizeError, match="more than 9999 volumes"):
        planner.place("a/b/c/d", 9999 * 4096 + 1)


def test_small_files_fill_what_large_ones_left() -> None:
    planner = VolumePlanner(partial(DirectoryMeter, 10 * 4096))
    assert planner.place("large", 6 * 4096)[0].volume == 1
    assert planner.place("larger", 9 * 4096)[0].volume == 2
    assert planner.place("small", 3 * 4096)[0].volume == 1
    assert planner.count == 2


def test_without_a_limit_everything_is_in_one_volume() -> None:
    planner = VolumePlanner(Boundless)
    assert [planner.place(str(size), size)[0].volume for size in (0, 1 << 50)] == [1, 1]
    assert planner.count == 1


@pytest.mark.parametrize(
    ("text", "form", "limits"),
    [
        (None, BundleForm.ISO, (None, None)),
        ("cd", BundleForm.ISO, (737_280_000 - 3_276_800, None)),
        ("fat32", BundleForm.TGZ, (FAT32_FILE, None)),
        ("fat32", BundleForm.DIRECTORY, (None, FAT32_FILE)),
        ("4380MiB", BundleForm.DIRECTORY, (4380 << 20, None)),
        ("1", BundleForm.ISO, (1, None)),
    ],
)
def test_sizes_and_presets(text: str | None, form: BundleForm, limits: tuple[int | None, int | None]) -> None:
    assert volume_limits(text, form) == limits


def test_presets_fit_what_people_burn() -> None:
    """Sectors of the discs: 359,844 of an 80-minute CD-R, 2,298,496 and 2,295,104 of DVD-R and DVD+R, and so on."""
    sectors = {"cd": 359_844, "dvd": 2_295_104, "dvd-dl": 4_171_712, "bd": 12_219_392}
    for name, count in sectors.items():
        assert PRESETS[name] <= count * 2048
