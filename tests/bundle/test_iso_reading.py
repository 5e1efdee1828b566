"""Reading images in place."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundle_strategies import paths
from makers.images import DEEP, read_image, sample_files, write_image

from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.volume_files import VolumeFiles
from issbox.errors import (
    BundleIncompleteError,
    NotABundleError,
    OperatingSystemError,
    OversizedError,
    UnsafeFileError,
)
from issbox.files import copy_and_digest


@pytest.fixture
def image(tmp_path: Path) -> Path:
    return write_image(tmp_path / "volume.iso", sample_files())


@given(made=st.lists(paths | st.sampled_from(["a/b", "a-b", "a.b", "a b/c", "a0"]), max_size=12))
@settings(max_examples=40, deadline=None)
def test_files_come_in_the_order_of_their_paths(made: list[str], tmp_path_factory: pytest.TempPathFactory) -> None:
    files: dict[str, bytes] = {}
    for path in made:
        if not any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other in files):
            files[path] = path.encode()
    target = write_image(tmp_path_factory.mktemp("image") / "volume.iso", files)
    with IsoImage(target) as opened:
        assert [file.path for file in opened.walk()] == sorted(files)
        for path, data in files.items():
            assert opened.open(path).readall() == data


def test_a_file_is_found_by_its_path(image: Path) -> None:
    with IsoImage(image) as opened:
        for path, data in sample_files().items():
            found = opened.find(path)
            assert found is not None
            assert (found.path, found.size) == (path, len(data))
            assert opened.open(found).size == len(data)
        for missing in ("nothing", "many/nothing", "empty/below-a-file", "", "many/", f"/{DEEP}", "..", "."):
            assert opened.find(missing) is None
            with pytest.raises(BundleIncompleteError, match="is missing"):
                opened.open(missing)
            assert not opened.has(missing)
        with pytest.raises(UnsafeFileError, match="is a directory"):
            opened.find("many")
        assert opened.has("many")
        assert opened.has("empty")


def test_an_image_has_the_files_of_a_volume(image: Path) -> None:
    with IsoImage(image) as opened:
        files: VolumeFiles = opened
        assert files.path == image
        assert {file.path: file.size for file in files.walk()} == {k: len(data) for k, data in sample_files().items()}
        with files.open("issbox-bundle.json") as source:
            assert copy_and_digest(source, None).size == 2


def test_a_reader_gives_what_fits_into_the_buffer(image: Path) -> None:
    path = "many/" + "n" * 118 + "59"
    with IsoImage(image) as opened, opened.open(path) as source:
        got = b""
        buffer = bytearray(999)
        assert source.readinto(bytearray()) == 0
        while count := source.readinto(buffer):
            got += buffer[:count]
        assert got == sample_files()[path]
        assert source.readinto(buffer) == 0


def test_readers_stay_open_when_their_image_is_closed(image: Path) -> None:
    with IsoImage(image) as opened:
        source = opened.open("issbox-bundle.json")
    assert source.read() == b"{}"


def test_a_descriptor_is_closed_with_the_last_reader(image: Path) -> None:
    def descriptors() -> int:
        return sum(entry.resolve() == image for entry in Path("/proc/self/fd").iterdir())

    with IsoImage(image) as opened:
        source = opened.open("empty")
        assert descriptors() == 1
    assert descriptors() == 1
    del source
    assert descriptors() == 0


def test_many_threads_read_one_image(image: Path) -> None:
    files = sample_files()
    together = threading.Barrier(8)
    with IsoImage(image) as opened, ThreadPoolExecutor(8) as threads:

        def read(offset: int) -> dict[str, bytes]:
            together.wait()
            order = sorted(files)[offset:] + sorted(files)[:offset]
            return {path: opened.open(path).readall() for path in order}

        assert all(result == files for result in threads.map(read, range(0, 64, 8)))


def test_a_cut_image_names_the_first_file_that_is_not_whole(image: Path) -> None:
    files = sample_files()
    with IsoImage(image) as opened:
        places = {file.path: file.extents[0] for file in opened.walk() if file.extents}
    order = sorted(places, key=lambda path: places[path].offset)
    cut = order[40]
    os.truncate(image, places[cut].offset + places[cut].size - 1)
    with IsoImage(image) as opened:
        assert [file.path for file in opened.walk()] == sorted(files)
        for path in order[:40]:
            assert opened.open(path).readall() == files[path]
        for path in order[40:]:
            with pytest.raises(BundleIncompleteError) as caught:
                opened.open(path)
            assert path in str(caught.value)


def test_an_image_that_is_cut_while_it_is_read_names_the_file(image: Path) -> None:
    with IsoImage(image) as opened, opened.open(f"{DEEP}/zlib-1.2.11-40.el9.x86_64.rpm") as source:
        os.truncate(image, 100_000)
        with pytest.raises(BundleIncompleteError, match="zlib"):
            source.readall()


def test_a_cut_directory_is_named(image: Path) -> None:
    os.truncate(image, 30 * 2048)
    with pytest.raises(BundleIncompleteError, match="directory"):
        read_image(image)


def test_a_medium_that_was_taken_out_is_said_so(image: Path) -> None:
    """The descriptor is one whose every read fails with EIO, as that of an empty drive."""
    with IsoImage(image) as opened, opened.open("issbox-bundle.json") as source:
        gone = os.open("/proc/self/mem", os.O_RDONLY)
        os.dup2(gone, opened._medium._descriptor)
        os.close(gone)
        with pytest.raises(OperatingSystemError, match=r"'issbox-bundle\.json' cannot be read from .*volume\.iso") as e:
            source.readall()
        assert "medium" in e.value.hint
        with pytest.raises(OperatingSystemError, match=f"directory '{DEEP.split('/')[0]}' cannot be read"):
            opened.find(f"{DEEP}/x")


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    real = write_image(tmp_path / "real.iso", {"a": b"a"})
    (tmp_path / "link.iso").symlink_to(real)
    (tmp_path / "text").write_bytes(b"text" * 30_000)
    (tmp_path / "short").write_bytes(b"text")
    os.mkfifo(tmp_path / "pipe")
    for name, reason in {
        "link.iso": "is a link",
        "text": "is no ISO 9660 image",
        "short": "is too short",
        "pipe": "neither an image file nor a drive",
        ".": "neither an image file nor a drive",
        "nothing": "does not exist",
    }.items():
        with pytest.raises(NotABundleError, match=reason):
            IsoImage(tmp_path / name)
    with pytest.raises(NotABundleError, match="neither"):
        IsoImage(Path("/dev/null"))


def test_more_entries_than_allowed_are_refused(image: Path) -> None:
    count = len(sample_files())
    with IsoImage(image, max_entries=count) as opened, pytest.raises(OversizedError):
        list(opened.walk())
    with IsoImage(image, max_entries=59) as opened, pytest.raises(OversizedError, match="directory 'many'"):
        opened.find("many/x")
    with IsoImage(image, max_entries=200) as opened:
        assert len(list(opened.walk())) == count
