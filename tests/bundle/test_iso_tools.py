"""Programs that everybody has read our images, and we read theirs."""

import shutil
from pathlib import Path
from typing import cast

import pytest
from makers.images import DEEP, LABEL, member, needs, read_image, read_tree, run, sample_files, write_image, write_tree

from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.iso.writing import write_iso
from issbox.bundle.members import Member
from issbox.files import Digest, copy_and_digest, digest_file, open_regular

_EXTRACTORS = [
    pytest.param(
        ["xorriso", "-osirrox", "on", "-indev", "IMAGE", "-extract", "/", "DIRECTORY"],
        marks=needs("xorriso", "xorriso"),
        id="xorriso",
    ),
    pytest.param(["bsdtar", "-C", "DIRECTORY", "-xf", "IMAGE"], marks=needs("bsdtar", "libarchive-tools"), id="bsdtar"),
    pytest.param(["7z", "x", "-oDIRECTORY", "IMAGE"], marks=needs("7z", "p7zip-full"), id="7z"),
]


def _extract(command: list[str], image: Path, into: Path) -> dict[str, bytes]:
    into.mkdir(exist_ok=True)
    run(*(part.replace("IMAGE", str(image)).replace("DIRECTORY", str(into)) for part in command))
    run("chmod", "-R", "u+w", into)
    return read_tree(into)


@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
@pytest.mark.parametrize("command", _EXTRACTORS)
def test_our_images_extract_to_the_same_bytes(command: list[str], udf: bool, tmp_path: Path) -> None:
    # 7z does not look for the rest of a name that is longer than 172 bytes, where there is no UDF.
    files = sample_files(longest=253 if udf else 172 if command[0] == "7z" else 255)
    image = write_image(tmp_path / "volume.iso", files, udf=udf)
    assert _extract(command, image, tmp_path / "out") == files


@needs("isoinfo", "genisoimage")
@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_isoinfo_lists_and_extracts_our_images(udf: bool, tmp_path: Path) -> None:
    files = sample_files(longest=253)
    image = write_image(tmp_path / "volume.iso", files, udf=udf)
    listed = run("isoinfo", "-R", "-f", "-i", image).splitlines()
    assert {f"/{path}" for path in files} <= set(listed)
    assert run("isoinfo", "-R", "-i", image, "-x", "/issbox-bundle.json") == "{}"
    described = run("isoinfo", "-d", "-i", image)
    assert "Volume id: WEEKLY_02" in described
    assert "Volume set id: 0d7c1f8e-set" in described
    assert "Volume set size is: 3" in described
    assert "Volume set sequence number is: 2" in described


@needs("xorriso", "xorriso")
def test_modes_and_times_are_the_same_for_everybody(tmp_path: Path) -> None:
    image = write_image(tmp_path / "volume.iso", {"a/b.rpm": b"b"})
    found = run("xorriso", "-indev", image, "-find", "/", "-exec", "lsdl")
    listed = [line.split() for line in found.splitlines() if line.startswith(("-", "d"))]
    assert sorted({line[0] for line in listed}) == ["-r--r--r--", "dr-xr-xr-x"]
    assert {tuple(line[5:7]) for line in listed} == {("Nov", "1")}


_MASTERS = [
    pytest.param(["xorriso", "-as", "mkisofs", "-quiet", "-R"], marks=needs("xorriso", "xorriso"), id="xorriso"),
    pytest.param(
        ["genisoimage", "-quiet", "-R", "-iso-level", "3"], marks=needs("genisoimage", "genisoimage"), id="genisoimage"
    ),
    pytest.param(
        ["genisoimage", "-quiet", "-R", "-udf", "-D"],
        marks=needs("genisoimage", "genisoimage"),
        id="genisoimage-udf-deep",
    ),
]


@pytest.mark.parametrize("command", _MASTERS)
def test_we_read_the_images_of_others(command: list[str], tmp_path: Path) -> None:
    files = sample_files(longest=250)
    tree = write_tree(tmp_path / "tree", files)
    image = tmp_path / "volume.iso"
    run(*command, "-V", "THEIRS", "-o", image, tree)
    assert read_image(image) == files


@pytest.mark.slow
@pytest.mark.parametrize("udf", [False, True], ids=["rock-ridge", "udf"])
def test_a_file_of_more_than_four_gib_is_whole_for_everybody(udf: bool, tmp_path: Path) -> None:
    large, path = tmp_path / "large", f"{DEEP}/large.img"
    with large.open("wb") as out:
        for place in (0, (4 << 30) - 2049, (4 << 30) - 1, (5 << 30) + 77):
            out.seek(place)
            out.write(f"here is {place}".encode())
    digest = digest_file(large)
    files = [member("a", b"before"), Member(path, digest, lambda: open_regular(large)), member("b", b"after")]
    image = tmp_path / "volume.iso"
    with image.open("wb") as out:
        write_iso(files, out, label=LABEL, udf=udf)
    assert _read(image, path) == ({"a": 6, path: digest.size, "b": 5}, digest)
    for parameter in _EXTRACTORS:
        command = [str(part) for part in cast("list[str]", parameter.values[0])]
        if shutil.which(command[0]):
            directory = tmp_path / command[0]
            directory.mkdir()
            run(*(part.replace("IMAGE", str(image)).replace("DIRECTORY", str(directory)) for part in command))
            assert digest_file(directory / path) == digest, command[0]
            run("chmod", "-R", "u+w", directory)
            (directory / path).unlink()


def _read(image: Path, path: str) -> tuple[dict[str, int], Digest]:
    with IsoImage(image) as opened, opened.open(path) as source:
        return {file.path: file.size for file in opened.walk()}, copy_and_digest(source, None)
