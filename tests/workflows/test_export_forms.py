"""Every form of an export, read by stock tools: what comes out is a bundle that verifies, and the same content."""

import re
from pathlib import Path

import pytest
from makers.exports import (
    check_directory,
    content_below,
    extract_archive,
    extract_image,
    files_below,
    make_sender,
    plan,
    trusted,
    write,
)
from makers.images import needs

from issbox.bundle.signature import verify as verify_signature
from issbox.bundle.tar.toc_reader import read_toc
from issbox.errors import NoSpaceError, VolumeSizeError
from issbox.model import BundleForm, ContentExport, ExportState
from issbox.names import parse_size
from issbox.workflows.context import Context
from issbox.workflows.exports import estimate, export

ARCHIVES = [BundleForm.TAR, BundleForm.TGZ]
VOLUME = 600 << 10


@pytest.fixture(scope="module")
def ctx(tmp_path_factory: pytest.TempPathFactory) -> Context:
    return make_sender(tmp_path_factory.mktemp("box"), ballast=900_000)


@pytest.fixture(scope="module")
def content(ctx: Context, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The yum trees as an export to a directory holds them."""
    return content_below(Path(write(ctx, tmp_path_factory.mktemp("plain")).path))


def joined(folders: list[Path]) -> dict[str, bytes]:
    """Put the volumes of a bundle together, and the parts of files that they hold."""
    found: dict[str, bytes] = {}
    for folder in folders:
        found |= content_below(folder)
    parts = sorted(path for path in found if path.startswith("issbox-parts/"))
    if parts:
        found["productid"] = b"".join(found.pop(path) for path in parts)
    return found


def expected(content: dict[str, bytes], *, cut: bool) -> dict[str, bytes]:
    if not cut:
        return content
    (large,) = (path for path in content if path.endswith("productid"))
    return {path: data for path, data in content.items() if path != large} | {"productid": content[large]}


def sizes(export: ContentExport, pattern: str) -> tuple[int, ...]:
    return tuple(path.stat().st_size for path in sorted(Path(export.path).glob(pattern)))


@pytest.mark.parametrize("tool", ["tar", pytest.param("bsdtar", marks=needs("bsdtar", "libarchive-tools"))])
@pytest.mark.parametrize(("form", "size"), [(form, size) for form in ARCHIVES for size in (None, 100_000)])
def test_archives_open_with_stock_tar_after_cat(
    ctx: Context, content: dict[str, bytes], tmp_path: Path, tool: str, *, form: BundleForm, size: int | None
) -> None:
    done = write(ctx, tmp_path / "media", form=form, volume_size=size)
    folder = Path(done.path)
    names = sorted(path.name for path in folder.iterdir())
    extra = [f"{folder.name}.toc.json", f"{folder.name}.toc.json.sig"]
    chunks = [f"{folder.name}.{form.value}{'' if size is None else f'.{number:03d}'}" for number in range(1, 99)]
    assert names == sorted([*chunks[: len(done.volumes)], *extra])
    assert done.volumes == sizes(done, f"*.{form.value}*")
    out = extract_archive(folder, tmp_path / "out", form, tool=tool)
    assert content_below(out) == content
    assert check_directory(ctx, out).manifest.bundle.id == done.bundle_id
    toc = read_toc(folder / extra[0], trusted(ctx))
    assert (toc.bundle_id, tuple(chunk.size for chunk in toc.chunks)) == (done.bundle_id, done.volumes)
    assert [path.name for path in (tmp_path / "media").iterdir()] == [folder.name]


def test_the_head_comes_first_in_an_archive_and_packages_are_stored(ctx: Context, tmp_path: Path) -> None:
    import tarfile

    done = write(ctx, tmp_path, form=BundleForm.TGZ)
    (archive,) = Path(done.path).glob("*.tgz")
    with tarfile.open(archive) as tar:
        names = [member.name for member in tar]
    assert names[:3] == ["issbox-bundle.json", "issbox-bundle.json.sig", "issbox-files.jsonl"]
    assert names[3:] == sorted(names[3:])
    assert archive.stat().st_size > done.size


@pytest.mark.parametrize(
    "tool",
    [
        pytest.param("xorriso", marks=needs("xorriso", "xorriso")),
        pytest.param("bsdtar", marks=needs("bsdtar", "libarchive-tools")),
        pytest.param("7z", marks=needs("7z", "p7zip-full")),
    ],
)
@pytest.mark.parametrize(("size", "udf"), [(None, False), (VOLUME, False), (None, True), (VOLUME + (600 << 10), True)])
def test_images_open_with_stock_tools_and_each_is_a_whole_volume(
    ctx: Context, content: dict[str, bytes], tmp_path: Path, tool: str, *, size: int | None, udf: bool
) -> None:
    done = write(ctx, tmp_path / "media", form=BundleForm.ISO, volume_size=size, udf=udf)
    folder = Path(done.path)
    images = sorted(folder.iterdir())
    count = len(done.volumes)
    names = [f"{folder.name}.v{number:03d}.iso" for number in range(1, count + 1)]
    assert [image.name for image in images] == ([f"{folder.name}.iso"] if size is None else names)
    assert (count == 1) == (size is None)
    assert done.volumes == sizes(done, "*.iso")
    assert size is None or max(done.volumes) <= size
    folders = [extract_image(image, tmp_path / f"out{number}", tool=tool) for number, image in enumerate(images)]
    for number, volume in enumerate(folders, start=1):
        report = check_directory(ctx, volume)
        assert report.size == report.manifest.volumes[number - 1].size
    assert joined(folders) == expected(content, cut=size is not None)


@needs("isoinfo", "genisoimage")
def test_images_are_labelled_with_organization_number_and_volume(ctx: Context, tmp_path: Path) -> None:
    from makers.images import run

    done = write(ctx, tmp_path, form=BundleForm.ISO, volume_size=VOLUME, destination="labelled")
    for number, image in enumerate(sorted(Path(done.path).iterdir()), start=1):
        said = run("isoinfo", "-d", "-i", image)
        assert f"Volume id: ACME_0001_{number}" in said
        assert f"Volume set id: {done.bundle_id}" in said
        assert f"Volume set size is: {len(done.volumes)}" in said


def test_directories_split_into_volumes_that_each_verify(
    ctx: Context, content: dict[str, bytes], tmp_path: Path
) -> None:
    done = write(ctx, tmp_path, volume_size=400_000)
    folders = sorted(Path(done.path).iterdir())
    assert [folder.name for folder in folders] == [
        f"{Path(done.path).name}.v{number:03d}" for number in range(1, len(done.volumes) + 1)
    ]
    assert len(folders) > 2
    for folder in folders:
        check_directory(ctx, folder)
        assert sum(-(-path.stat().st_size // 4096) * 4096 for path in folder.rglob("*")) <= 400_000
    assert joined(folders) == expected(content, cut=True)


@pytest.mark.parametrize("form", BundleForm)
@pytest.mark.parametrize("size", [None, VOLUME])
def test_the_estimate_is_what_is_written(ctx: Context, tmp_path: Path, form: BundleForm, size: int | None) -> None:
    planned = plan(ctx, form=form, volume_size=size)
    said = estimate(ctx, planned, tmp_path / "not/there/yet")
    done = export(ctx, planned, tmp_path)
    assert (said.files, said.size) == (done.files, done.size)
    assert said.needed >= sum(done.volumes)
    assert said.free > said.needed
    assert len(said.volumes) == len(done.volumes)
    # The signed times and ids differ a little in length; chunks but the last, and sectors, do not show it.
    assert all(abs(one - other) <= 2048 for one, other in zip(said.volumes, done.volumes, strict=True))


@pytest.mark.parametrize("form", BundleForm)
def test_too_little_space_is_said_with_both_sizes_before_anything_is_written(
    ctx: Context, tmp_path: Path, form: BundleForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("issbox.files.free_space", lambda _: 1 << 20)
    with ctx.store.session():
        before = ctx.store.exports.list()
    with pytest.raises(NoSpaceError, match=r"the bundle needs 1\d\.\d MiB in .*, but only 1\.0 MiB are free"):
        write(ctx, tmp_path, form=form)
    assert list(tmp_path.iterdir()) == []
    with ctx.store.session():
        assert ctx.store.exports.list() == before
        assert {path.name for path in ctx.store.heads.iterdir()} == {row.bundle_id for row in before}


@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.ISO])
def test_a_volume_too_small_for_its_head_is_refused(ctx: Context, tmp_path: Path, form: BundleForm) -> None:
    with pytest.raises(VolumeSizeError):
        write(ctx, tmp_path, form=form, volume_size=8192)
    assert list(tmp_path.iterdir()) == []


def test_too_many_chunks_are_refused_before_any_is_written(ctx: Context, tmp_path: Path) -> None:
    with pytest.raises(VolumeSizeError, match="would be more than 100000"):
        write(ctx, tmp_path, form=BundleForm.TAR, volume_size=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", BundleForm)
@pytest.mark.parametrize(
    "moment", ["issbox.bundle.staged.StagedDirectory.finish", "issbox.workflows.exports.writing.audit_details"]
)
def test_ctrl_c_leaves_nothing(
    ctx: Context, tmp_path: Path, form: BundleForm, moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with ctx.store.session():
        before = ctx.store.exports.list()
    with monkeypatch.context() as patch:
        patch.setattr(moment, interrupt)
        with pytest.raises(KeyboardInterrupt):
            write(ctx, tmp_path, form=form, volume_size=VOLUME)
    assert list(tmp_path.iterdir()) == []
    with ctx.store.session():
        assert ctx.store.exports.list() == before
        assert {path.name for path in ctx.store.heads.iterdir()} == {row.bundle_id for row in before}


def test_what_is_kept_of_an_export(ctx: Context, tmp_path: Path) -> None:
    done = write(ctx, tmp_path, form=BundleForm.TGZ, volume_size=parse_size("100K"))
    assert done.state is ExportState.WRITTEN
    kept = files_below(ctx.store.heads / done.bundle_id)
    folder = Path(done.path)
    assert kept["toc.json"] == (folder / f"{folder.name}.toc.json").read_bytes()
    assert kept["toc.json.sig"] == (folder / f"{folder.name}.toc.json.sig").read_bytes()
    key = trusted(ctx)(re.search(r'"key_id": "(\w+)"', kept["issbox-bundle.json"].decode())[1])  # type: ignore[index] # it is there
    assert key is not None
    verify_signature(key, kept["issbox-bundle.json"], kept["issbox-bundle.json.sig"])
