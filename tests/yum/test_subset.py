"""Metadata of a part of a repository: what stays is what upstream wrote, and everything fits together."""

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import createrepo_c
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.repodata import Listed, digest, primary_xml, record_xml, repomd_xml, write
from makers.rpms import Recipe, updateinfo

from issbox.errors import BadMetadataError
from issbox.files import digest_file
from issbox.model import Nevra
from issbox.yum.slicing import slice_xml
from issbox.yum.subset import Subset, make_subset

NO_FIXTURE_CHECK = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
RECIPES = [Recipe(number, 1) for number in range(12)]
LIMIT = 64 << 20


def synthesized(recipe: Recipe) -> Any:
    """Describe a package that nobody built, with everything that metadata may hold."""
    package: Any = createrepo_c.Package()
    package.name, package.epoch, package.version, package.release = (
        recipe.name,
        str(recipe.epoch),
        recipe.version,
        recipe.release,
    )
    package.arch, package.checksum_type = "noarch", "sha256"
    package.pkgId = hashlib.sha256(recipe.name.encode()).hexdigest()
    package.summary, package.description = "A <summary> & more", "Ünïcode\nand lines"
    package.location_href = f"Packages/{recipe.filename}"
    package.size_package, package.time_file, package.time_build = 1000 + recipe.number, 5, 6
    package.provides = [(recipe.name, "EQ", "0", recipe.version, recipe.release, False)]
    package.files = [(None, f"/usr/share/{recipe.name}/", "data"), ("dir", "/usr/share/", recipe.name)]
    package.changelogs = [("A <a@example.com> - 1", 1500000000, "- first")]
    return package


@dataclass(frozen=True)
class Whole:
    """A repository's metadata on disk."""

    root: Path

    def locate(self, path: str) -> Path | None:
        place = self.root / path
        return place if place.is_file() else None

    def subset(self, scratch: Path, keep: Callable[[Nevra], bool]) -> Subset:
        scratch.mkdir(exist_ok=True)
        return make_subset(self.locate, keep, scratch=scratch, max_size=LIMIT, name="tools/base/")


def make_whole(root: Path, compression: int = createrepo_c.GZ_COMPRESSION) -> Whole:
    """Write the metadata of the recipes, with advisories and files that filters do not touch."""
    with createrepo_c.RepositoryWriter(str(root), num_packages=len(RECIPES), compression=compression) as writer:
        writer.repomd.set_revision("42")
        writer.repomd.add_repo_tag("repo tag")
        writer.repomd.add_content_tag("binary")
        writer.repomd.add_distro_tag("Distro", "cpe:/o:example")
        for recipe in RECIPES:
            writer.add_pkg(synthesized(recipe))
        for type_, name, content in (
            ("updateinfo", "updateinfo.xml", updateinfo(RECIPES)),
            ("group", "comps.xml", b"<comps/>"),
            ("modules", "modules.yaml", b"---\n..."),
            ("prestodelta", "prestodelta.xml", b"<prestodelta/>"),
            ("primary_db", "primary.sqlite", b"SQLite"),
            ("primary_zck", "primary-chunks", b"chunks"),
        ):
            (root / name).write_bytes(content)
            writer.add_repomd_metadata(type_, str(root / name), use_compression=type_ != "primary_zck")
            (root / name).unlink()
    write(root, "repodata/repomd.xml.asc", b"signature")
    return Whole(root)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    return make_whole(tmp_path_factory.mktemp("whole"))


def laid_out(whole: Whole, subset: Subset, root: Path) -> Path:
    """Lay out the metadata of the part as a version would have it."""
    for place in whole.root.rglob("*"):
        path = str(place.relative_to(whole.root))
        if place.is_file() and path not in subset.replaced:
            write(root, path, place.read_bytes())
    for new in subset.files:
        assert digest_file(new.place) == new.digest
        write(root, new.path, new.place.read_bytes())
    return root


def entries(root: Path) -> dict[str, tuple[str, ...]]:
    """Give what metadata says of every package, as XML, by name."""
    reader = createrepo_c.RepositoryReader.from_path(str(root))
    return {package.name: tuple(createrepo_c.xml_dump(package)) for package in reader.iter_packages()}


@settings(suppress_health_check=NO_FIXTURE_CHECK, max_examples=25, deadline=None)
@given(st.sets(st.sampled_from([recipe.name for recipe in RECIPES])))
def test_what_stays_says_the_same_as_before(
    whole: Whole, tmp_path_factory: pytest.TempPathFactory, names: set[str]
) -> None:
    scratch = tmp_path_factory.mktemp("scratch")
    subset = whole.subset(scratch, lambda package: package.name in names)
    before = entries(whole.root)
    assert subset.dropped == len(before) - len(names)
    assert subset.packages == {f"Packages/{recipe.filename}" for recipe in RECIPES if recipe.name in names}
    if len(names) == len(RECIPES):
        assert (subset.files, subset.replaced) == ([], set())
        return
    root = laid_out(whole, subset, tmp_path_factory.mktemp("part"))
    assert entries(root) == {name: entry for name, entry in before.items() if name in names}
    reader = createrepo_c.RepositoryReader.from_path(str(root))
    assert [each.id for each in reader.advisories()] == [
        f"SAMPLE-2023:{recipe.number:06d}" for recipe in RECIPES if recipe.number % 5 == 0 and recipe.name in names
    ]
    check_records(whole.root, root)


def check_records(whole: Path, part: Path) -> None:
    """Every record tells the truth, and all is there that should be."""
    old, new = (createrepo_c.Repomd(str(root / "repodata/repomd.xml")) for root in (whole, part))
    assert (new.revision, new.repo_tags, new.content_tags, new.distro_tags) == (
        old.revision,
        old.repo_tags,
        old.content_tags,
        old.distro_tags,
    )
    before = {record.type: record for record in old.records}
    assert [record.type for record in new.records] == [
        "primary",
        "filelists",
        "other",
        "updateinfo",
        "group",
        "modules",
    ]
    for record in new.records:
        data = (part / record.location_href).read_bytes()
        assert (len(data), hashlib.new(record.checksum_type, data).hexdigest()) == (record.size, record.checksum)
        assert record.timestamp == before[record.type].timestamp
        opened = (
            gzip.decompress(data)
            if data.startswith(b"\x1f\x8b")
            else zstandard.ZstdDecompressor().decompressobj().decompress(data)
        )
        assert record.size_open == len(opened)
        assert record.checksum_open == hashlib.sha256(opened).hexdigest()
    files = {str(place.relative_to(part)) for place in part.rglob("*") if place.is_file()}
    assert files == {"repodata/repomd.xml", *(record.location_href for record in new.records)}, (
        "no signature of the whole"
    )


@pytest.mark.parametrize(
    ("compression", "ending"),
    [
        (createrepo_c.GZ_COMPRESSION, "gz"),
        (createrepo_c.ZSTD, "zst"),
        (createrepo_c.XZ, "gz"),
        (createrepo_c.NO_COMPRESSION, "gz"),
    ],
)
def test_compressed_as_upstream_did(tmp_path: Path, compression: int, ending: str) -> None:
    whole = make_whole(tmp_path / "whole", compression)
    subset = whole.subset(tmp_path / "scratch", lambda package: package.name.endswith("5"))
    assert {new.path.rpartition(".")[2] for new in subset.files} == {ending, "xml"}
    root = laid_out(whole, subset, tmp_path / "part")
    assert list(entries(root)) == [RECIPES[5].name]


def test_the_same_comes_out_again(whole: Whole, tmp_path: Path) -> None:
    def files(name: str) -> list[tuple[str, str]]:
        subset = whole.subset(tmp_path / name, lambda package: package.name != RECIPES[3].name)
        return [(new.path, new.digest.sha256) for new in subset.files]

    assert files("one") == files("two")


def test_entries_stay_byte_for_byte(tmp_path: Path) -> None:
    listed = [Listed(f"{name}.rpm", name.encode(), name) for name in ("a", "b", "c")]
    strange = "<!-- kept --><extra xmlns:x='urn:x' x:y='1'>\t&lt;</extra>"
    primary = primary_xml(*listed).replace(b"<format/>", f"<format>{strange}</format>".encode())
    primary = primary.replace(b"<metadata ", b"<?pi?>\n<metadata   extra='1'\n ")
    write(tmp_path, "repodata/primary", primary)
    write(tmp_path, "repodata/repomd.xml", repomd_xml(record_xml("primary", "repodata/primary", primary)))
    subset = Whole(tmp_path).subset(tmp_path / "scratch", lambda package: package.name != "b")
    (made,) = (new for new in subset.files if "primary" in new.path)
    head, a, b, c = primary.split(b'<package type="rpm">')
    tail = c[c.index(b"</metadata>") :]
    c = c[: -len(tail)]
    expected = b'<package type="rpm">'.join([head.replace(b'packages="3"', b'packages="2"'), a, c]) + tail
    assert gzip.decompress(made.place.read_bytes()) == expected
    assert b in primary


@given(
    st.lists(
        st.tuples(st.sampled_from(["<p/>", "<p>x</p>", "<p a='1'><q/>\n</p>", "<o><p/></o>"]), st.booleans()),
        max_size=8,
    ),
    st.integers(1, 9),
)
def test_slices_are_exact_wherever_blocks_end(parts: list[tuple[str, bool]], size: int) -> None:
    def document(chosen: list[str]) -> bytes:
        return ("<r>\n" + "".join(f"{part} \n" for part in chosen) + "</r>\n<!-- end -->").encode()

    whole = document([part for part, _ in parts])
    decisions = [stays for part, stays in parts if part.startswith("<p")]
    out = bytearray()
    blocks = (whole[start : start + size] for start in range(0, len(whole), size))
    found = slice_xml(blocks, out.extend, name="x", root="r", element="p", keep=lambda number, _: decisions[number])
    assert found == len(decisions)
    assert bytes(out) == document([part for part, stays in parts if stays or not part.startswith("<p")])


def test_the_count_of_packages_is_written_where_there_is_one() -> None:
    for head, expected in (
        (b"<r packages='7' x='1'>", b"<r packages='1' x='1'>"),
        (b'<r x="packages=7" packages = "">', b'<r x="packages=7" packages = "1">'),
        (b"<r>", b"<r>"),
    ):
        out = bytearray()
        blocks = [head + b"<p/><p/></r>"]
        slice_xml(blocks, out.extend, name="x", root="r", element="p", keep=lambda number, _: number == 0, count=1)
        assert bytes(out) == expected + b"<p/></r>"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"repodata/repomd.xml": repomd_xml()}, "no primary"),
        ({"repodata/repomd.xml": b"<repomd>"}, "not well-formed"),
        ({"repodata/repomd.xml": repomd_xml(record_xml("primary", "repodata/primary", b""))}, "not there"),
    ],
)
def test_broken_metadata_is_refused(tmp_path: Path, files: dict[str, bytes], says: str) -> None:
    for path, data in files.items():
        write(tmp_path, path, data)
    with pytest.raises(BadMetadataError, match=says):
        Whole(tmp_path).subset(tmp_path / "scratch", lambda _: False)


@pytest.mark.parametrize(
    ("type_", "data", "says"),
    [
        ("filelists", b"<metadata/>", "tools/base/repodata/filelists.*instead of <filelists>"),
        ("other", b"<otherdata><package>", "tools/base/repodata/other.*not well-formed"),
        ("updateinfo", b"<!DOCTYPE x><updates/>", "tools/base/repodata/updateinfo.*DOCTYPE"),
        ("filelists", gzip.compress(b"<filelists>" + b"<package/>" * (8 << 20) + b"</filelists>"), "larger than"),
    ],
)
def test_hostile_metadata_is_refused_by_name(tmp_path: Path, type_: str, data: bytes, says: str) -> None:
    listed = Listed("a.rpm", b"a", "a")
    primary = primary_xml(listed)
    records = [record_xml("primary", "repodata/primary", primary), record_xml(type_, f"repodata/{type_}", data)]
    for path, content in (("primary", primary), (type_, data), ("repomd.xml", repomd_xml(*records))):
        write(tmp_path, f"repodata/{path}", content)
    with pytest.raises(BadMetadataError, match=says):
        Whole(tmp_path).subset(tmp_path / "scratch", lambda _: False)
    assert digest("sha256", b"a")
