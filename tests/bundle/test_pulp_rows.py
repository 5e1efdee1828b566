"""Rows of Pulp: read one by one, and made into the documents that Pulp itself would publish."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.distribution import Distribution, write_distribution
from makers.katello import REAL, make_archive, write_archive
from makers.pulp_rows import Rows, read_repository

from issbox.bundle.katello import rows
from issbox.bundle.katello.advisories import updateinfo
from issbox.bundle.katello.comps import comps
from issbox.bundle.katello.content import read_content, repository_directories
from issbox.bundle.katello.pulp_archive import PulpArchive, open_archive
from issbox.bundle.katello.rows import iter_objects
from issbox.bundle.katello.toc import read_toc
from issbox.errors import BadManifestError, OversizedError, UnsafePathError

FLAT = st.dictionaries(st.text(), st.none() | st.text() | st.integers(), max_size=4)


def opened(toc: Path) -> PulpArchive:
    return open_archive(toc.parent, read_toc(toc.parent, toc.name), max_files=1000)


@pytest.fixture(scope="module")
def real() -> PulpArchive:
    return opened(next((REAL / "complete").glob("*-toc.json")))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    root = write_distribution(tmp_path_factory.mktemp("distribution") / "tree", Distribution(kickstart=True))
    return read_repository("tree-7", root)


def module(version: int) -> str:
    return json.dumps({"name": "n", "stream": "1", "version": version, "context": "c", "arch": "noarch"})


@given(found=st.lists(FLAT, max_size=6), cut=st.integers(1, 40), blanks=st.sampled_from(["", " ", "\n\t "]))
def test_rows_come_out_as_they_went_in(found: list[dict[str, Any]], cut: int, blanks: str) -> None:
    data = (blanks + json.dumps(found) + blanks).encode()
    blocks = [data[start : start + cut] for start in range(0, len(data), cut)]
    assert [json.loads(each) for each in iter_objects(blocks, "rows")] == found


@given(data=st.binary(max_size=60) | st.text('[]{}",\\ab: 1', max_size=60).map(str.encode))
def test_what_is_no_array_of_rows_is_refused(data: bytes) -> None:
    try:
        found = list(iter_objects([data], "rows"))
    except BadManifestError:
        return
    assert all(each.startswith(b"{") and each.endswith(b"}") for each in found)


@pytest.mark.parametrize("data", [b"[", b'[{"a": "1"}', b'[{"a": "1"]', b"{}", b"[] []", b'[{"a": {}}]', b'[{"a"'])
def test_cut_and_nested_rows_are_refused(data: bytes) -> None:
    with pytest.raises(BadManifestError):
        list(iter_objects([data], "rows"))


def test_a_row_beyond_all_measure_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROW", 1 << 16)
    endless = (b"x" * 4096 for _ in range(1 << 20))
    with pytest.raises(OversizedError):
        list(iter_objects([b'[{"a": "', *[next(endless) for _ in range(100)]], "rows"))


def test_blanks_before_the_rows_take_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROW", 100)
    assert list(iter_objects([b" " * 80, b"\n" * 80, b' [{"a": 1}', b"]"], "rows")) == [b'{"a": 1}']


def test_the_maker_writes_rows_of_the_same_shape_as_a_real_pulp(real: PulpArchive, made: Rows) -> None:
    ours = {name: set().union(*map(set, found)) for name, found in made.resources.items() if found}
    assert set(made.mapping) >= {"tree-7"}
    for name, fields in ours.items():
        plugin = "pulpcore" if name == "ContentArtifactResource" else "pulp_rpm"
        data = real.document(f"repository-tree-7_1/{plugin}.app.modelresource.{name}.json")
        assert data is not None, name
        theirs = set().union(*map(set, json.loads(data)))
        assert fields == theirs or (name == "RpmRepositoryResource" and fields <= theirs), name


def test_the_maker_writes_the_same_values_as_a_real_pulp(real: PulpArchive, made: Rows) -> None:
    """Only what each Pulp draws by lot, or computes for itself alone, is another one."""
    own = {"upstream_id", "pulp_domain", "_pulp_domain", "digest", "evr", "is_modular", "update_record", "content"}
    own |= {"update_collection", "distribution_tree", "repository", "matches", "profiles", "dependencies", "artifacts"}
    own |= {"package_ids", "description"}
    for name in ("PackageResource", "PackageGroupResource", "UpdateRecordResource", "UpdateCollectionPackageResource"):
        data = real.document(f"repository-tree-7_1/pulp_rpm.app.modelresource.{name}.json")
        theirs = [{key: each for key, each in row.items() if key not in own} for row in json.loads(data or b"")]
        ours = [{key: each for key, each in row.items() if key not in own} for row in made.resources[name]]
        assert sorted(ours, key=repr) == sorted(theirs, key=repr), name


def test_groups_are_those_that_pulp_publishes(real: PulpArchive) -> None:
    (published,) = (REAL / "syncable/custom/gap/tree/repodata").glob("*-comps.xml")
    content = read_content(real, "tree-7", "repository-tree-7_1")
    ours = b"".join(comps(real, content.directory, content.parts[0].ids))
    # The order of language packs is that of a hash in Pulp.
    assert sorted(ours.splitlines()) == sorted(published.read_bytes().splitlines())
    assert list(comps(real, content.directory, content.parts[1].ids)) == []


def test_advisories_are_those_that_pulp_publishes(real: PulpArchive) -> None:
    (published,) = (REAL / "syncable/custom/gap/tree/repodata").glob("*-updateinfo.xml.gz")
    content = read_content(real, "tree-7", "repository-tree-7_1")
    ours = b"".join(updateinfo(real, content.directory, content.parts[0].ids))
    # Pulp sorts references by their address, the rows come in the order of the advisory.
    assert sorted(ours.splitlines()) == sorted(gzip.decompress(published.read_bytes()).splitlines())


def test_a_kickstart_tree_is_told_from_the_repository_inside(real: PulpArchive) -> None:
    assert repository_directories(real) == {"base-7": "repository-base-7_1", "tree-7": "repository-tree-7_1"}
    content = read_content(real, "tree-7", "repository-tree-7_1")
    main, extras = content.parts
    assert (main.prefix, extras.prefix) == ("", "Extras/")
    assert [package.filename for package in extras.packages] == ["gap-traveller-0.9-2.noarch.rpm"]
    assert len(main.packages) == 2
    assert content.treeinfo is not None
    assert {file.path for file in content.tree} == {
        ".treeinfo",
        "images/install.img",
        "images/pxeboot/initrd.img",
        "images/pxeboot/vmlinuz",
    }


@pytest.mark.parametrize(
    ("resource", "change", "words"),
    [
        ("ContentArtifactResource", {"artifact": ""}, "never downloaded"),
        ("ContentArtifactResource", {"artifact": "0" * 63}, "never downloaded"),
        ("ContentArtifactResource", {"relative_path": "../../x"}, "not allowed"),
        ("PackageResource", {"pkgId": "0" * 64}, "its checksum is"),
        ("PackageResource", {"size_package": "many"}, "not a whole number"),
        ("PackageResource", {"size_package": "9" * 19}, "not a whole number"),
        ("PackageResource", {"upstream_id": "nobody"}, "0 artifacts instead of one"),
        ("PackageResource", {"name": 7}, "expected str"),
        ("RepoMetadataFileResource", {"data_type": "../repomd"}, "no type of metadata"),
        ("VariantResource", {"variant_id": "../Extras"}, "not allowed"),
        ("VariantResource", {"variant_id": "repodata"}, "in the way"),
        ("VariantResource", {"repository": "nobody's"}, "not told apart"),
        ("UpdateRecordResource", {"title": "\x01"}, "XML cannot hold"),
        ("UpdateRecordResource", {"title": "\uffff"}, "XML cannot hold"),
        ("UpdateRecordResource", {"issued_date": "yesterday"}, "not a time"),
        ("UpdateRecordResource", {"issued_date": "9" * 12}, "not a time"),
        ("UpdateCollectionResource", {"module": module(-1)}, "not the version of a module"),
        ("UpdateCollectionResource", {"module": module(1 << 64)}, "not the version of a module"),
        ("PackageGroupResource", {"name": "\x02"}, "XML cannot hold"),
        ("PackageGroupResource", {"name": "\ufffe"}, "XML cannot hold"),
        ("PackageGroupResource", {"packages": "[{]"}, "not JSON"),
    ],
)
def test_rows_are_not_believed(
    tmp_path: Path, made: Rows, resource: str, change: dict[str, object], words: str
) -> None:
    archive = make_archive([made])
    archive.rows(f".{resource}.json", lambda found: found[0].update(change))
    opened_archive = opened(write_archive(tmp_path, archive.data()))
    with pytest.raises((BadManifestError, UnsafePathError), match=words):
        read_everything(opened_archive)


def changed(root: Path, made: Rows, resource: str, change: dict[str, object]) -> PulpArchive:
    """Give the archive of the made repository with another first row of a resource."""
    archive = make_archive([made])
    archive.rows(f".{resource}.json", lambda found: found[0].update(change))
    return opened(write_archive(root, archive.data()))


def test_what_has_no_place_in_groups_is_left_out(tmp_path: Path, made: Rows) -> None:
    members = json.dumps([{"name": name, "type": number} for name, number in (("a", -1), ("b", 4), ("c", 3))])
    change: dict[str, object] = {"packages": members, "display_order": "1</display_order>"}
    archive = changed(tmp_path, made, "PackageGroupResource", change)
    text = b"".join(comps(archive, "repository-tree-7_1", None)).decode()
    assert re.findall('type="([a-z]+)">([abc])<', text) == [("default", "a"), ("default", "b"), ("mandatory", "c")]
    assert "<display_order>1<" not in text


def test_a_checksum_of_an_unknown_kind_is_left_out_of_advisories(tmp_path: Path, made: Rows) -> None:
    change: dict[str, object] = {"sum": "a" * 64, "sum_type": "99"}
    archive = changed(tmp_path, made, "UpdateCollectionPackageResource", change)
    assert "a" * 64 not in b"".join(updateinfo(archive, "repository-tree-7_1", None)).decode()


def test_a_time_that_no_metadata_can_hold_becomes_the_last_one(tmp_path: Path, made: Rows) -> None:
    archive = changed(tmp_path, made, "PackageResource", {"time_file": "9" * 18})
    content = read_content(archive, "tree-7", "repository-tree-7_1")
    assert max(package.changed_at for part in content.parts for package in part.packages) == (1 << 32) - 1


def test_more_rows_than_any_repository_has_are_refused(real: PulpArchive, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_ROWS", 1)
    with pytest.raises(OversizedError, match="more than 1 rows"):
        list(rows.read_rows(real, repository_directories(real)["base-7"], "PackageResource", msgspec.Struct))


def test_two_versions_of_one_repository_are_refused(made: Rows, tmp_path: Path) -> None:
    archive = opened(write_archive(tmp_path, make_archive([made, made]).data()))
    with pytest.raises(BadManifestError, match="two versions"):
        repository_directories(archive)


def read_everything(archive: PulpArchive) -> None:
    content = read_content(archive, "tree-7", "repository-tree-7_1")
    for part in content.parts:
        list(comps(archive, content.directory, part.ids))
        list(updateinfo(archive, content.directory, part.ids))
