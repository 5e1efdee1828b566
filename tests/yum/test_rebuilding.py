"""Repodata written anew: what createrepo_c writes, from the heads of the packages."""

import gzip
import hashlib
from pathlib import Path

import createrepo_c
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.boxes import PACKAGES

from issbox.errors import BadMetadataError
from issbox.yum.rebuilding import BuildExtra, BuildPackage, Built, build_repodata
from issbox.yum.repomd import parse_repomd
from issbox.yum.retreeing import adapt_treeinfo
from issbox.yum.rpmhead import describe_package, read_head
from issbox.yum.treeinfo import parse_treeinfo

BY_DIGEST = {hashlib.sha256(path.read_bytes()).hexdigest(): path for path in PACKAGES}


def wanted(**changes: object) -> list[BuildPackage]:
    return [
        BuildPackage(f"Packages/{path.name}", digest, path.stat().st_size, **changes)  # type: ignore[arg-type] # by name
        for digest, path in BY_DIGEST.items()
    ]


def build(root: Path, packages: list[BuildPackage], *extras: BuildExtra, at: int = 7) -> Built:
    root.mkdir()
    return build_repodata(root, packages, extras, locate=BY_DIGEST.__getitem__, at=at)


def test_the_lists_say_what_createrepo_c_says_of_whole_packages(tmp_path: Path) -> None:
    built = build(tmp_path / "new", wanted(changed_at=1_700_000_000))
    texts = [gzip.decompress((tmp_path / "new" / path).read_bytes()).decode() for path in built.paths[:-1]]
    for path in PACKAGES:
        found = createrepo_c.package_from_rpm(str(path), location_href=f"Packages/{path.name}")
        found.time_file = 1_700_000_000
        for dump in (createrepo_c.xml_dump_primary, createrepo_c.xml_dump_filelists, createrepo_c.xml_dump_other):
            assert any(dump(found) in text for text in texts)
    assert set(built.packages) == {f"Packages/{path.name}" for path in PACKAGES}


def test_only_the_head_of_a_package_is_read() -> None:
    for path in PACKAGES:
        with path.open("rb") as source:
            head = read_head(source, path.name)
        assert len(head) < path.stat().st_size
        found = describe_package(path, path.name)
        assert found.name in path.name
        assert found.size_package == len(head)


def test_equal_contents_give_equal_files_but_for_the_time(tmp_path: Path) -> None:
    extras = [[BuildExtra("modules", "modules.yaml", [b"---\n", b"...\n"])] for _ in range(2)]
    one = build(tmp_path / "one", wanted(), *extras[0], at=1)
    other = build(tmp_path / "other", list(reversed(wanted())), *extras[1], at=2)
    assert one == other
    for path in one.paths[:-1]:
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "other" / path).read_bytes()
    assert parse_repomd((tmp_path / "other/repodata/repomd.xml").read_bytes()).revision == "2"


def test_more_metadata_is_listed_and_empty_metadata_is_not(tmp_path: Path) -> None:
    extras = (
        BuildExtra("productid", "productid", [b"PEM"], compressed=False),
        BuildExtra("updateinfo", "updateinfo.xml", []),
    )
    build(tmp_path / "new", wanted(), *extras)
    repomd = parse_repomd((tmp_path / "new/repodata/repomd.xml").read_bytes())
    assert {record.type for record in repomd.records} == {"primary", "filelists", "other", "productid"}
    productid = repomd.find("productid")
    assert productid is not None
    assert (tmp_path / "new" / productid.href).read_bytes() == b"PEM"
    assert {path.name for path in (tmp_path / "new").rglob("*") if path.is_file()} == {
        *(record.href.rpartition("/")[2] for record in repomd.records),
        "repomd.xml",
    }


@pytest.mark.parametrize("type_", ["primary", "modules"])
def test_metadata_is_there_once(tmp_path: Path, type_: str) -> None:
    extras = [BuildExtra(type_, name, [b"x"]) for name in ("one", "other")]
    with pytest.raises(BadMetadataError, match="twice"):
        build(tmp_path / "new", wanted(), *extras)


def test_a_package_is_the_one_that_was_promised(tmp_path: Path) -> None:
    with pytest.raises(BadMetadataError, match="was promised"):
        build(tmp_path / "new", wanted(nevra=("gap-greeting", "0", "9", "9", "noarch")))


@given(keep=st.integers(0, 5000), flip=st.integers(0, 200))
def test_a_damaged_package_is_refused_or_read(tmp_path_factory: pytest.TempPathFactory, keep: int, flip: int) -> None:
    root = tmp_path_factory.mktemp("x")
    data = bytearray(PACKAGES[0].read_bytes()[:keep])
    if flip < len(data):
        data[flip] ^= 0xFF
    (root / "x.rpm").write_bytes(data)
    said = ""
    try:
        describe_package(root / "x.rpm", "x.rpm")
    except BadMetadataError as error:
        said = str(error)
    assert str(root) not in said
    assert "/proc" not in said


TREE = b"""[checksums]
images/boot.iso = sha256:00
repodata/repomd.xml = sha256:11
Extras/repodata/repomd.xml = sha256:22
Gone/repodata/repomd.xml = sha256:33
[variant-Extras]
repository = ../../Extras/os
packages = ../../Extras/os/Packages
[variant-Other]
repository = Other
"""


def test_treeinfo_names_the_new_repodata_and_keeps_the_rest() -> None:
    adapted = adapt_treeinfo(TREE, {"": "a" * 64, "Extras": "b" * 64}).decode().splitlines()
    assert adapted == [
        "[checksums]",
        "images/boot.iso = sha256:00",
        f"repodata/repomd.xml = sha256:{'a' * 64}",
        f"Extras/repodata/repomd.xml = sha256:{'b' * 64}",
        "[variant-Extras]",
        "repository = Extras",
        "packages = Extras/Packages",
        "[variant-Other]",
        "repository = Other",
    ]
    assert parse_treeinfo("\n".join(adapted).replace("sha256:00", f"sha256:{'0' * 64}").encode()).outside == ()


def test_treeinfo_is_text() -> None:
    with pytest.raises(BadMetadataError):
        adapt_treeinfo(b"[\xff", {})
