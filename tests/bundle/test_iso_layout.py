"""The size of an image is known before it is written."""

import random

import pytest
from hypothesis import given, settings
from makers.images import LABEL, sample_files
from makers.iso_trees import FILES, without_clashes

from issbox.bundle.iso.layout import IsoMeter
from issbox.bundle.iso.skeleton import make_skeleton


def _real(files: list[tuple[str, int]], udf: bool) -> int:
    return make_skeleton(files, LABEL, udf=udf).end * 2048


def _check(files: list[tuple[str, int]], udf: bool) -> None:
    meter = IsoMeter(udf)
    for path, size in files:
        before, growth = meter.size, meter.cost(path, size)
        meter.add(path, size)
        assert meter.size == before + growth
    assert meter.size == _real(files, udf)


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
@given(files=FILES)
@settings(max_examples=60, deadline=None)
def test_the_size_is_the_real_one(udf: bool, files: dict[str, int]) -> None:
    _check(without_clashes(files.items()), udf)


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
