"""The size of an image is known before it is written."""

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundle_strategies import paths
from makers.images import LABEL, sample_files

from issbox.bundle.iso.layout import MAX_EXTENT, IsoMeter
from issbox.bundle.iso.skeleton import make_skeleton

_SIZES = st.sampled_from([0, 1, 2047, 2048, 2049, 100_000, MAX_EXTENT, MAX_EXTENT + 1, 3 * MAX_EXTENT]) | st.integers(
    0, 30_000
)
_LONG = st.builds(
    lambda path, name, times: f"{path}/{name * times}", paths, st.sampled_from("aé字"), st.integers(1, 80)
)
_FILES = st.dictionaries(paths | _LONG, _SIZES, max_size=60)


def _without_clashes(files: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Leave out files that are directories of others, and names that are one in UDF."""
    kept: list[tuple[str, int]] = []
    for path, size in files:
        if not any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other, _ in kept):
            kept.append((path, size))
    return kept


def _real(files: list[tuple[str, int]], udf: bool) -> int:
    return make_skeleton(files, LABEL, udf=udf).end * 2048


def _check(files: list[tuple[str, int]], udf: bool) -> None:
    meter = IsoMeter(udf)
    for path, size in files:
        before, growth = meter.size, meter.cost(path, size)
        meter.add(path, size)
        assert meter.size == before + growth
    real = _real(files, udf)
    assert real <= meter.size <= real * 1.01 + 8192


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
@given(files=_FILES)
@settings(max_examples=60, deadline=None)
def test_the_size_is_never_below_the_real_one_nor_much_above(udf: bool, files: dict[str, int]) -> None:
    _check(_without_clashes(files.items()), udf)


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_many_directories_and_many_long_names_are_counted_exactly(udf: bool) -> None:
    chance = random.Random(3)
    files = [
        (f"{'d' * chance.randrange(1, 200)}{number % 400}/{'n' * chance.randrange(1, 230)}{number}.rpm", number)
        for number in range(3000)
    ]
    meter = IsoMeter(udf)
    for path, size in files:
        meter.add(path, size)
    assert meter.size == _real(files, udf)
    _check(files, udf)


def test_a_meter_has_room_for_what_fits_exactly() -> None:
    files = [(path, len(data)) for path, data in sample_files().items()]
    capacity = _real(files, udf=False)
    meter = IsoMeter()
    for path, size in files:
        assert meter.size + meter.cost(path, size) <= capacity
        meter.add(path, size)
    assert meter.size == capacity
    assert meter.size + meter.cost("one-more", 1) > capacity
