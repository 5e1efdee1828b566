"""Directories of images as issbox writes them: byte for byte what pycdlib makes of the same files, in little memory."""

import random
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from makers.images import LABEL, needs, run, write_image
from makers.iso_trees import FILES, without_clashes
from makers.pycdlib_images import PycdlibImage

from issbox.bundle.iso.contents import ImageDirectory
from issbox.bundle.iso.layout import MAX_EXTENT, PADDING
from issbox.bundle.iso.record_writer import path_table
from issbox.bundle.iso.skeleton import make_skeleton
from issbox.errors import InvalidValueError

_FORMS = pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])


def _compare(files: list[tuple[str, int]], *, udf: bool) -> None:
    expected = PycdlibImage(LABEL, udf=udf)
    expected.add(files)
    skeleton = make_skeleton(files, LABEL, udf=udf)
    front, data, back = expected.write(PADDING)
    assert b"".join(skeleton.front()) == front
    assert skeleton.data == data
    assert b"".join(skeleton.back()) == back


@_FORMS
@given(files=FILES)
@settings(max_examples=60, deadline=None)
def test_the_bytes_are_those_that_pycdlib_writes(udf: bool, files: dict[str, int]) -> None:
    _compare(without_clashes(files.items()), udf=udf)


@_FORMS
def test_so_are_those_of_many_directories_and_long_names(udf: bool) -> None:
    chance = random.Random(5)
    files = []
    for number in range(1500):
        directory = "/".join(
            f"{'d' * chance.randrange(1, 150)}{chance.randrange(4)}" for _ in range(chance.randrange(5))
        )
        name = f"{chance.choice('néf字') * chance.randrange(1, 60)}{number}"
        size = chance.choice([0, 1, 2048, 2049, MAX_EXTENT, MAX_EXTENT + 1, 3 * MAX_EXTENT + 5])
        files.append((f"{directory}/{name}" if directory else name, size))
    _compare(files, udf=udf)


def test_the_largest_file_of_udf_fills_its_entry_and_a_larger_one_is_refused() -> None:
    _compare([("large", 233 << 30), ("next", 5)], udf=True)
    with pytest.raises(InvalidValueError, match="larger than 233 GiB"):
        make_skeleton([("large", (233 << 30) + 1)], LABEL, udf=True)


@_FORMS
def test_a_file_takes_little_memory(udf: bool) -> None:
    count, name = 20_000, "{}-a-package-of-the-usual-length-1.2.3-4.el9.noarch.rpm"
    tracemalloc.start()
    try:
        skeleton = make_skeleton(
            ((f"Packages/{name.format(number)}", number) for number in range(count)), LABEL, udf=udf
        )
        written = sum(map(len, skeleton.front()))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert written > count * 150
    assert peak < 1_000_000 + count * 2 * len(name)


@needs("7z", "p7zip-full")
@_FORMS
def test_names_whose_bytes_are_the_same_in_two_encodings_are_two(udf: bool, tmp_path: Path) -> None:
    files = {"d/ab": b"Latin", "d/\u6162": b"UTF-16", "\u6162/x": b"3", "ab/x": b"4"}
    image = write_image(tmp_path / "volume.iso", files, udf=udf)
    for path, data in files.items():
        assert run("7z", "x", "-so", image, path).encode() == data


def test_path_tables_go_on_when_numbers_of_parents_no_longer_fit() -> None:
    parent = ImageDirectory("above", 70_000, None)
    parent.index = 0x10001
    below = ImageDirectory("above/below", 70_001, parent)
    assert b"".join(path_table([below], order="<")) == b"\x08\0" + bytes(4) + b"\xff\xff" + b"00070001"
