"""Writing images: in order, the same bytes each time, and nothing that is not what it should be."""

import os
import subprocess
import sys
import threading
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest
from makers.images import LABEL, member, members, read_image, sample_files, write_image

from issbox.bundle.iso.layout import IsoMeter
from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.iso.writing import write_iso
from issbox.bundle.members import Member
from issbox.errors import BugError, DigestMismatchError, InvalidValueError, UnsafePathError
from issbox.files import Readable


def _image(files: dict[str, bytes], *, udf: bool = False) -> bytes:
    out = BytesIO()
    size = write_iso(members(files), out, label=LABEL, udf=udf)
    assert size == len(out.getvalue())
    return out.getvalue()


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_what_was_written_is_read(udf: bool, tmp_path: Path) -> None:
    files = sample_files(longest=253)
    image = write_image(tmp_path / "volume.iso", files, udf=udf)
    assert read_image(image) == files
    with IsoImage(image) as opened:
        volume = opened.volume
        assert (volume.volume_id, volume.set_id, volume.number, volume.count) == ("WEEKLY_02", "0d7c1f8e-set", 2, 3)
        assert volume.size == image.stat().st_size


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_an_image_without_files_is_one(udf: bool, tmp_path: Path) -> None:
    assert read_image(write_image(tmp_path / "volume.iso", {}, udf=udf)) == {}


def test_files_lie_in_the_order_of_the_members(tmp_path: Path) -> None:
    files = {"z": b"1", "a/deep/er": b"2", "m": b"", "a/b": b"3" * 3000, "b": b"4"}
    with IsoImage(write_image(tmp_path / "volume.iso", files)) as image:
        places = {file.path: file.extents[0].offset for file in image.walk() if file.size}
    assert sorted(places, key=lambda path: places[path]) == ["z", "a/deep/er", "a/b", "b"]


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_the_partition_of_udf_reaches_to_the_last_file(udf: bool, tmp_path: Path) -> None:
    image = write_image(tmp_path / "volume.iso", sample_files(longest=253), udf=udf)
    with IsoImage(image) as opened:
        last = max(extent.offset + extent.size for file in opened.walk() for extent in file.extents)
    data = image.read_bytes()
    assert len(data) >= last + 150 * 2048
    partition = data[34 * 2048 :]
    assert (int.from_bytes(partition[:2], "little") == 5) is udf
    if udf:
        start, length = (int.from_bytes(partition[place : place + 4], "little") for place in (188, 192))
        assert (start + length) * 2048 >= last
        assert int.from_bytes(data[256 * 2048 :][:2], "little") == 2  # the anchors
        assert int.from_bytes(data[-2048:][:2], "little") == 2


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_the_same_bundle_gives_the_same_bytes_at_any_time_and_place(
    udf: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = sample_files(longest=253)
    first = _image(files, udf=udf)
    script = (
        "import sys; from pathlib import Path; from makers.images import sample_files, write_image;"
        "write_image(Path(sys.argv[1]), sample_files(longest=253), udf=bool(int(sys.argv[2])))"
    )
    monkeypatch.setenv("TZ", "Pacific/Chatham")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    other = tmp_path / "other.iso"
    subprocess.run([sys.executable, "-c", script, other, str(int(udf))], check=True)
    assert other.read_bytes() == first
    elsewhere = replace(LABEL, created_at=LABEL.created_at.astimezone(timezone(timedelta(hours=-3))))
    assert write_image(tmp_path / "zone.iso", files, udf=udf, label=elsewhere).read_bytes() == first
    later = replace(LABEL, created_at=datetime(2027, 1, 1, tzinfo=UTC))
    assert write_image(tmp_path / "later.iso", files, udf=udf, label=later).read_bytes() != first


def test_images_of_two_threads_have_their_own_times(tmp_path: Path) -> None:
    labels = [replace(LABEL, created_at=datetime(2000 + number, 1, 1, tzinfo=UTC)) for number in range(4)]
    files = sample_files()
    alone = [write_image(tmp_path / f"{label.created_at.year}", files, label=label).read_bytes() for label in labels]
    threads = [
        threading.Thread(target=write_image, args=(tmp_path / f"t{number}", files), kwargs={"label": label})
        for number, label in enumerate(labels)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(tmp_path / f"t{number}").read_bytes() for number in range(4)] == alone


def test_a_pipe_takes_an_image(tmp_path: Path) -> None:
    files = sample_files()
    target = tmp_path / "volume.iso"
    with target.open("wb") as out, subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=out) as cat:
        assert cat.stdin is not None
        write_iso(members(files), cat.stdin, label=LABEL)
        cat.stdin.close()
    assert target.read_bytes() == _image(files)


def test_a_full_disk_is_said() -> None:
    with Path("/dev/full").open("wb", buffering=0) as out, pytest.raises(OSError, match="No space left"):
        write_iso(members(sample_files()), out, label=LABEL)


def test_an_image_can_be_appended_to_what_is_there(tmp_path: Path) -> None:
    target = tmp_path / "out"
    target.write_bytes(b"before")
    with target.open("ab") as out:
        write_iso(members(sample_files()), out, label=LABEL)
    assert target.read_bytes() == b"before" + _image(sample_files())


@pytest.mark.parametrize("source", [b"longer than that", b"no", b"WRONG", b""])
def test_a_source_that_changed_is_named(source: bytes) -> None:
    good = member("fine", b"fine")
    wrong = replace(member("a/changed.rpm", b"right"), open=lambda: closing(BytesIO(source)))
    with pytest.raises(DigestMismatchError, match=r"a/changed\.rpm"):
        write_iso([good, wrong], BytesIO(), label=LABEL)


def test_progress_is_told_in_bytes_of_the_files() -> None:
    told: list[int] = []
    files = sample_files()
    write_iso(members(files), BytesIO(), label=LABEL, advance=told.append)
    assert sum(told) == sum(map(len, files.values()))


def test_members_that_can_be_looked_at_only_once_are_a_mistake() -> None:
    with pytest.raises(BugError):
        write_iso((member(path, b"x") for path in "ab"), BytesIO(), label=LABEL)


def _must_not_be_opened() -> AbstractContextManager[Readable]:
    raise AssertionError


@pytest.mark.parametrize(
    ("paths", "udf", "error"),
    [
        (["../a"], False, UnsafePathError),
        (["a//b"], False, UnsafePathError),
        (["字" * 81], True, None),
        (["u" * 254], True, InvalidValueError),
        ([("u" * 126) + "字"], True, InvalidValueError),
        (["d/ab", "d/\u6162"], True, None),
    ],
)
def test_names_that_do_not_fit_are_refused_before_a_byte_is_written(
    paths: list[str], udf: bool, error: type[Exception] | None, tmp_path: Path
) -> None:
    out = BytesIO()
    if error is None:
        image = write_image(tmp_path / "volume.iso", {path: path.encode() for path in paths}, udf=udf)
        assert read_image(image) == {path: path.encode() for path in paths}
        return
    with pytest.raises(error):
        write_iso(
            [Member(path, member("", b"x").digest, _must_not_be_opened) for path in paths], out, label=LABEL, udf=udf
        )
    assert out.getvalue() == b""


def test_a_label_that_is_none_is_refused() -> None:
    with pytest.raises(InvalidValueError):
        write_iso([], BytesIO(), label=replace(LABEL, volume_id="no label"))


def test_the_meter_knows_the_size_of_every_file_on_the_way() -> None:
    meter = IsoMeter()
    files: dict[str, bytes] = {}
    for path, data in list(sample_files().items())[:12]:
        files[path] = data
        meter.add(path, len(data))
        assert len(_image(files)) == meter.size
