"""Sets of images of every size: none exceeds it, and together they hold all that the table lists."""

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.bundles import SampleBundle, SampleContent, SampleRepository, new_key, sample_content

from issbox.bundle.head import Head
from issbox.bundle.iso.pages import SECTOR
from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.signature import SigningKey
from issbox.errors import VolumeSizeError
from issbox.manifest import part_path
from issbox.model import BundleForm
from issbox.progress import Silent
from issbox.workflows.exports.forms import Job, Style, form_of

CONTENT = sample_content(
    SampleBundle(
        (
            SampleRepository(
                packages={f"p{number}-1-1.noarch.rpm": os.urandom(200 + 700 * number) for number in range(8)},
                extra={"images/boot.img": os.urandom(30_000), "images/empty": b""},
            ),
            SampleRepository(label="more", packages={}),
        )
    )
)
KEY = new_key()


@pytest.fixture(scope="module", params=[False, True], ids=["rock-ridge", "udf"])
def udf(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture(scope="module")
def scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def lay_out(content: SampleContent, key: SigningKey, scratch: Path, style: Style) -> Head:
    for leftover in scratch.iterdir():
        leftover.unlink()
    return content.head(key, scratch, form_of(style).layout)


def fits(size: int, scratch: Path, *, udf: bool) -> bool:
    try:
        lay_out(CONTENT, KEY, scratch, Style(BundleForm.ISO, size, udf=udf))
    except VolumeSizeError:
        return False
    return True


@pytest.fixture(scope="module")
def smallest(scratch: Path, udf: bool) -> int:
    """Bytes of the smallest volume that is possible."""
    low, high = 0, 4 << 20
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle, scratch, udf=udf) else (middle, high)
    return high


def check_set(scratch: Path, *, size: int, udf: bool) -> int:
    """Write the set and give the number of its images."""
    style = Style(BundleForm.ISO, size, udf=udf)
    head = lay_out(CONTENT, KEY, scratch, style)
    form = form_of(style)
    final = scratch.parent / f"{scratch.name}-set"
    job = Job(name="set", head=head, open_entry=CONTENT.open, key=KEY, kept=scratch, progress=Silent())
    try:
        written = form.write(job, final)
        images = sorted(final.iterdir())
        assert tuple(image.stat().st_size for image in images) == written
        assert max(written) <= size
        # What was foretold is never less than what came, and at most what a few names at the ends of sectors leave.
        foretold = form.volume_sizes(head)
        assert all(real <= said <= real + 2 * SECTOR for real, said in zip(written, foretold, strict=True))
        check_images(images, head)
    finally:
        shutil.rmtree(final, ignore_errors=True)
    return len(written)


def check_images(images: list[Path], head: Head) -> None:
    found = []
    for image in images:
        with IsoImage(image) as opened:
            found.append({file.path: opened.open(file).readall() for file in opened.walk()})
    for entry in head.entries():
        data = CONTENT.files[entry.path][2]
        if entry.volume is not None:
            assert found[entry.volume - 1].pop(entry.path) == data
            continue
        pieces = [found[part.volume - 1].pop(part_path(entry.path, index)) for index, part in enumerate(entry.parts, 1)]
        assert b"".join(pieces) == data
        assert [hashlib.sha256(piece).hexdigest() for piece in pieces] == [part.sha256 for part in entry.parts]
    for number, left in enumerate(found, start=1):
        assert set(left) == {member.path for member in head.members(number)}


def test_the_smallest_size_is_possible_and_one_byte_less_is_not(scratch: Path, udf: bool, smallest: int) -> None:
    assert not fits(smallest - 1, scratch, udf=udf)
    assert check_set(scratch, size=smallest, udf=udf) > 10


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(more=st.integers(min_value=1, max_value=120_000))
def test_no_image_exceeds_the_size_and_nothing_is_lost(scratch: Path, udf: bool, smallest: int, more: int) -> None:
    check_set(scratch, size=smallest + more, udf=udf)


def test_a_size_larger_than_everything_gives_one_image(scratch: Path, udf: bool) -> None:
    assert check_set(scratch, size=4 << 20, udf=udf) == 1


def test_a_size_to_the_byte_is_enough(scratch: Path, udf: bool) -> None:
    style = Style(BundleForm.ISO, 4 << 20, udf=udf)
    (whole,) = form_of(style).volume_sizes(lay_out(CONTENT, KEY, scratch, style))
    # The mark of the volume is counted, although a single volume has none, and so is what the head may grow to.
    enough = next(size for size in range(whole, whole + 64 * SECTOR, SECTOR) if is_single(scratch, size, udf=udf))
    assert enough <= whole + 16 * SECTOR
    assert check_set(scratch, size=enough, udf=udf) == 1


def is_single(scratch: Path, size: int, *, udf: bool) -> bool:
    head = lay_out(CONTENT, KEY, scratch, replace(Style(BundleForm.ISO, udf=udf), volume_size=size))
    return len(head.manifest.volumes) == 1


def test_an_image_that_no_reader_could_number_is_refused(
    scratch: Path, udf: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    style = Style(BundleForm.ISO, udf=udf)
    head = lay_out(CONTENT, KEY, scratch, style)
    (size,) = form_of(style).volume_sizes(head)
    monkeypatch.setattr("issbox.workflows.exports.forms.image.MAX_IMAGE", size - 1)
    with pytest.raises(VolumeSizeError, match="ISO 9660 ends at"):
        form_of(style).volume_sizes(head)
