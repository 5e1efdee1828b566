"""Kickstart trees: images by .treeinfo, repositories inside the tree, and what is left out said plainly."""

from collections.abc import Callable
from pathlib import Path

import pytest
from makers.repodata import DirectorySink, Listed, digest, write, write_repository
from makers.upstream import Upstream

from issbox.errors import BadMetadataError, DigestMismatchError, UnsafePathError
from issbox.model import FileKind
from issbox.yum.mirror import MirrorResult
from issbox.yum.retreeing import adapt_treeinfo
from issbox.yum.treeinfo import parse_treeinfo

Fetch = Callable[..., MirrorResult]
IMAGES = {"images/boot.iso": b"boot", "images/pxeboot/vmlinuz": b"kernel", "images/pxeboot/initrd.img": b"initrd"}

REAL = """\
; WARNING.0 = This section provides compatibility with pre-productmd treeinfos.
[checksums]
images/boot.iso = sha256:{0}
images/pxeboot/vmlinuz = sha256:{1}
repodata/repomd.xml = sha256:{2}

[general]
arch = x86_64
family = Sample Linux
repository = .
variant = BaseOS
variants = AppStream,BaseOS

[images-x86_64]
boot.iso = images/boot.iso
initrd = images/pxeboot/initrd.img
kernel = images/pxeboot/vmlinuz

[stage2]
mainimage = images/install.img

[tree]
arch = x86_64
variants = BaseOS

[variant-AppStream]
repository = ../../../AppStream/x86_64/os/

[variant-BaseOS]
packages = Packages
repository = .

[addon-HighAvailability]
repository = addons/HighAvailability
"""


def write_images(root: Path) -> None:
    for path, content in IMAGES.items():
        write(root, path, content)


def treeinfo(**sections: str) -> bytes:
    return "".join(f"[{name}]\n{body}\n" for name, body in sections.items()).encode()


def test_a_row_of_blanks_is_refused_before_it_keeps_a_reader_for_days() -> None:
    data = treeinfo(checksums=f"images/boot.iso{' ' * 4_000_000}x")
    for read in (parse_treeinfo, lambda data: adapt_treeinfo(data, {})):
        with pytest.raises(BadMetadataError, match="row of blanks"):
            read(data)


def test_a_tree_arrives_with_images_and_inner_repositories(
    upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    write_repository(upstream.root, Listed("Packages/a.rpm", b"a"))
    write_repository(upstream.root / "addons/HighAvailability", Listed("ha.rpm", b"ha", name="ha"))
    write_images(upstream.root)
    write(upstream.root, "images/install.img", b"stage 2")
    repomd = (upstream.root / "repodata/repomd.xml").read_bytes()
    sums = [digest("sha256", content) for content in (b"boot", b"kernel", repomd)]
    write(upstream.root, ".treeinfo", REAL.format(*sums).encode())
    result = fetch()
    found = {file.path: file for file in result.files}
    for path in upstream.root.rglob("*"):
        if path.is_file():
            name = str(path.relative_to(upstream.root))
            assert sink.read(found.pop(name).sha256).read_bytes() == path.read_bytes()
    assert found == {}
    kinds = {file.path: file.kind for file in result.files}
    assert kinds["images/boot.iso"] is kinds[".treeinfo"] is FileKind.KICKSTART
    assert kinds["addons/HighAvailability/ha.rpm"] is FileKind.PACKAGE
    assert kinds["addons/HighAvailability/repodata/repomd.xml"] is FileKind.METADATA
    assert kinds["repodata/repomd.xml"] is FileKind.METADATA
    assert result.packages == 2
    assert len(result.notes) == 2
    assert any("AppStream" in note and "outside" in note for note in result.notes)
    assert any("unchecked" in note and "initrd.img" in note and "install.img" in note for note in result.notes)


def test_the_name_without_a_dot_will_do(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    write_images(upstream.root)
    write(upstream.root, "treeinfo", treeinfo(checksums=f"images/boot.iso = sha256:{digest('sha256', b'boot')}"))
    assert {"treeinfo", "images/boot.iso"} < {file.path for file in fetch().files}


def test_no_tree_costs_two_questions(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    assert fetch().notes == ()
    assert upstream.paths[-2:] == [".treeinfo", "treeinfo"]


@pytest.mark.parametrize("type_", ["sha256", "sha512", "sha1", "md5"])
def test_a_damaged_image_is_refused(type_: str, upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    write_images(upstream.root)
    write(upstream.root, ".treeinfo", treeinfo(checksums=f"images/boot.iso = {type_}:{digest(type_, b'other')}"))
    with pytest.raises(DigestMismatchError, match=r"images/boot\.iso"):
        fetch()


def test_weak_checksums_of_images_are_said(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    write_images(upstream.root)
    write(upstream.root, ".treeinfo", treeinfo(checksums=f"images/boot.iso = {digest('md5', b'boot')}"))
    assert any("md5" in note and "kickstart" in note for note in fetch().notes)


def test_what_upstream_lacks_is_left_out_and_said(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    body = f"images/boot.iso = sha256:{digest('sha256', b'boot')}\ninner/repodata/repomd.xml = sha256:{'0' * 64}"
    write(upstream.root, ".treeinfo", treeinfo(checksums=body, **{"variant-Inner": "repository = inner"}))
    result = fetch()
    assert [file.path for file in result.files if file.kind is FileKind.KICKSTART] == [".treeinfo"]
    assert any("images/boot.iso" in note for note in result.notes)
    assert any("repository inner" in note for note in result.notes)


def test_an_outdated_checksum_of_repomd_is_said(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    write(upstream.root, ".treeinfo", treeinfo(checksums=f"repodata/repomd.xml = sha256:{'0' * 64}"))
    assert any("outdated checksum of repodata/repomd.xml" in note for note in fetch().notes)


@pytest.mark.parametrize(
    "data",
    [
        b"[checksums]\n../../etc/passwd = sha256:" + b"0" * 64,
        b"[checksums]\n/etc/passwd = sha256:" + b"0" * 64,
        b"[images-x]\nkernel = ../../etc/passwd",
        b"[stage2]\nmainimage = /etc/passwd",
    ],
)
def test_a_tree_that_leaves_itself_is_refused(data: bytes) -> None:
    with pytest.raises(UnsafePathError, match=r"\.treeinfo"):
        parse_treeinfo(data)


@pytest.mark.parametrize("data", [b"\xff\xfe", b"<html></html>", b"[checksums]\na = sha256:12", b"[checksums]\na = 12"])
def test_a_bad_treeinfo_is_named(data: bytes) -> None:
    with pytest.raises(BadMetadataError, match=r"\.treeinfo"):
        parse_treeinfo(data)


def test_inner_repositories_must_be_inside() -> None:
    sections = {"variant-A": "repository = ../A", "variant-B": "repository = ./B/", "addon-C": "repository = /C"}
    info = parse_treeinfo(treeinfo(**sections, **{"variant-D": "repository = .", "addon-E": "name = E"}))
    assert info.repositories == ("B",)
    assert set(info.outside) == {"../A", "/C"}
