"""The file table: lines come back as they were, and no line that breaks a rule gets through."""

import io
import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.bundle_strategies import entries, json_values
from makers.bundles import SampleBundle, SampleRepository, sample_manifest

from issbox.bundle.clashes import ClashFinder
from issbox.bundle.table import MAX_LINE, encode_entry, iter_table, iter_volume, write_table
from issbox.bundle.table_checks import EntryCheck, checked_entries, in_order
from issbox.bundle.totals import TableTotals
from issbox.errors import BadManifestError, BundleError, NameClashError, UnsafePathError
from issbox.manifest import BundleIdentity, BundleKind, EntryKind, FileEntry, FilePart, Manifest, Volume
from issbox.names import clash_key

DIGEST = "ab" * 32
BASE = "custom/tools/base"


class Trickle(io.BytesIO):
    """A stream that gives only a few bytes at a time."""

    def read(self, size: int | None = -1, /) -> bytes:
        return super().read(min(size or 7, 7))


def a_manifest() -> Manifest:
    sample = SampleBundle((SampleRepository(), SampleRepository(label="extras")))
    draft = sample_manifest(sample, [{"repodata/repomd.xml": b"x"}] * 2)
    return replace(draft, volumes=(Volume(number=1, size=0),))


def entry(path: str = f"{BASE}/Packages/a.rpm", **changes: object) -> FileEntry:
    made = FileEntry(path=path, size=3, sha256=DIGEST, kind=EntryKind.PACKAGE, repository=0, volume=1)
    return replace(made, **changes)  # type: ignore[arg-type]  # tests give any field


def check_all(lines: Sequence[FileEntry], manifest: Manifest | None = None) -> list[FileEntry]:
    return list(in_order(EntryCheck(manifest or a_manifest()), lines, lambda: lines))


@given(st.lists(entries))
def test_lines_come_back_as_they_were_however_the_stream_is_cut(lines: list[FileEntry]) -> None:
    data = b"".join(map(encode_entry, lines))
    assert list(iter_table(io.BytesIO(data))) == lines
    assert list(iter_table(Trickle(data))) == lines


@given(st.lists(entries), st.sampled_from([1, 2, 3, 12]))
def test_a_volume_has_the_lines_of_which_it_holds_bytes(lines: list[FileEntry], volume: int) -> None:
    data = b"".join(map(encode_entry, lines))
    held = [each for each in lines if volume in {each.volume, *(part.volume for part in each.parts)}]
    assert list(iter_volume(io.BytesIO(data), volume)) == held


def test_a_number_that_only_begins_like_a_volume_is_another_one() -> None:
    parts = (FilePart(volume=3, size=1, sha256=DIGEST), FilePart(volume=12, size=2, sha256=DIGEST))
    lines = [entry("a", volume=1), entry("b", volume=12), entry("c", volume=None), entry("d", volume=None, parts=parts)]
    stream = b"".join(map(encode_entry, lines))
    assert list(iter_volume(io.BytesIO(stream), 1)) == lines[:1]
    assert list(iter_volume(io.BytesIO(stream), 12)) == [lines[1], lines[3]]


def test_a_line_has_its_keys_in_a_fixed_order_and_no_spaces() -> None:
    assert encode_entry(entry("a", size=1, repository=None, volume=None)) == (
        b'{"path":"a","size":1,"sha256":"%s","kind":"package","repository":null,"volume":null}\n' % DIGEST.encode()
    )


PARTS = (FilePart(volume=1, size=1, sha256=DIGEST), FilePart(volume=2, size=2, sha256=DIGEST))


def test_the_parts_of_a_file_come_last_and_only_where_there_are_any() -> None:
    cut = entry("a", volume=None, parts=PARTS)
    line = encode_entry(cut)
    parts = [{"volume": 1, "size": 1, "sha256": DIGEST}, {"volume": 2, "size": 2, "sha256": DIGEST}]
    assert line.endswith(b',"volume":null,"parts":' + json.dumps(parts, separators=(",", ":")).encode() + b"}\n")
    assert list(iter_table(io.BytesIO(line))) == [cut]
    assert cut.carried


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"volume": 1, "parts": PARTS}, "carried whole and in parts"),
        ({"parts": PARTS[:1]}, "a single part"),
        ({"parts": (PARTS[0], replace(PARTS[1], volume=3))}, "no volume 3"),
        ({"parts": (PARTS[0], replace(PARTS[1], size=3))}, "do not add up"),
        ({"parts": (replace(PARTS[0], size=0), replace(PARTS[1], size=3))}, "size of a part"),
        ({"parts": (PARTS[0], replace(PARTS[1], sha256="x"))}, "sha256 of a part"),
    ],
)
def test_parts_keep_their_rules(wrong: dict[str, object], message: str) -> None:
    manifest = replace(a_manifest(), volumes=(Volume(number=1, size=1), Volume(number=2, size=2)))
    assert check_all([entry(volume=None, parts=PARTS)], manifest)
    with pytest.raises(BadManifestError, match=message):
        check_all([replace(entry(volume=None), **wrong)], manifest)  # type: ignore[arg-type]  # any field


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\n", r"line 1: this is not JSON"),
        (b"{}\n", r"line 1: \$: object missing required field `?path"),
        (encode_entry(entry()) + b"[]\n", r"line 2: \$: expected object, got array"),
        (encode_entry(entry())[:-1], r"line 1: the last line does not end"),
        (encode_entry(entry()).replace(b'"size":3', b'"size":3.5'), r"line 1: \$\.size: expected int, got float"),
        (encode_entry(entry()).replace(b'"package"', b'"virus"'), r"line 1: \$\.kind: invalid enum value 'virus'"),
        (encode_entry(entry("x" * MAX_LINE)), r"line 1: longer than 8192 bytes"),
        (b" " * 3_000_000, r"line 1: longer than 8192 bytes"),
    ],
)
def test_a_line_that_is_no_entry_is_named_by_its_number(data: bytes, message: str) -> None:
    with pytest.raises(BadManifestError, match=r"^issbox-files\.jsonl " + message):
        list(iter_table(io.BytesIO(data)))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (entry(sha256="AB" * 32), "its sha256 is not 64"),
        (entry(size=-1), "its size is not a number"),
        (entry(size=2**53), "its size is not a number"),
        (entry(volume=None), "it is not carried, although the bundle is complete"),
        (entry(volume=2), "there is no volume 2"),
        (entry(volume=0), "there is no volume 0"),
        (entry(repository=2), "there is no repository 2"),
        (entry(repository=-1), "there is no repository -1"),
        (entry(repository=1), "it does not lie inside its repository"),
        (entry(f"{BASE}"), "it does not lie inside its repository"),
        (entry(f"{BASE}-other/a.rpm"), "it does not lie inside its repository"),
        (entry(repository=None), "a file of kind package belongs to a repository"),
        (entry(kind=EntryKind.LISTING), "a file of kind listing belongs to no repository"),
        (entry(f"{BASE}/listing", kind=EntryKind.LISTING, repository=None), "it lies inside a repository"),
        (entry("custom/index", kind=EntryKind.LISTING, repository=None), "a listing file is called"),
    ],
)
def test_an_entry_that_breaks_a_rule_is_refused(wrong: FileEntry, message: str) -> None:
    with pytest.raises(BadManifestError, match=message):
        check_all([wrong])


@pytest.mark.parametrize(
    "path",
    ["", "/etc/passwd", "..", "a/../b", "a//b", "a/", "./a", "a\\b", "a\nb", "a\0b", "x" * 256, "a/" * 600 + "b"],
)
def test_an_unsafe_path_is_refused(path: str) -> None:
    with pytest.raises(UnsafePathError):
        check_all([entry(path, kind=EntryKind.DOCUMENT, repository=None)])


@pytest.mark.parametrize("path", ["lost+found/a", "._a", ".DS_Store", ".Trash-1000/files/a"])
def test_a_bundle_never_carries_what_a_reader_passes_over(path: str) -> None:
    with pytest.raises(UnsafePathError, match="operating systems leave"):
        check_all([entry(path, kind=EntryKind.DOCUMENT, repository=None)])


def test_lines_out_of_order_are_refused() -> None:
    with pytest.raises(BadManifestError, match="not sorted"):
        check_all([entry(f"{BASE}/b"), entry(f"{BASE}/a")])


def refuse_clashes(paths: Callable[[], Iterable[str]]) -> None:
    finder = ClashFinder(paths)
    for path in paths():
        finder.add(path)
    finder.finish()


@pytest.mark.parametrize(
    "clashing",
    [
        ["a", "a"],
        ["README", "readme"],
        ["Packages/a.rpm", "packages/b.rpm"],
        ["a", "a/b"],
        ["A", "a/b"],
        ["a-b", "a/b", "A"],
        ["straße", "strasse"],
        ["caf\u00e9", "cafe\u0301"],
    ],
)
def test_paths_that_clash_are_refused_in_any_order(clashing: list[str]) -> None:
    for order in (clashing, clashing[::-1]):
        with pytest.raises(NameClashError):
            refuse_clashes(order.copy)


def test_head_files_are_not_in_the_table() -> None:
    for path in ("issbox-bundle.json", "ISSBOX-FILES.jsonl", "issbox-bundle.json.sig/a"):
        with pytest.raises(NameClashError):
            check_all([entry(path, kind=EntryKind.DOCUMENT, repository=None)])


@given(
    st.lists(st.lists(st.sampled_from(["a", "A", "b", "ß", "ss"]), min_size=1, max_size=3).map("/".join), max_size=5)
)
def test_clashes_are_found_exactly_when_there_are_any(made: list[str]) -> None:
    def ancestors(path: str) -> Iterable[str]:
        parts = path.split("/")
        return ("/".join(parts[:count]) for count in range(1, len(parts)))

    directories = {directory for path in made for directory in ancestors(path)}
    nodes = [*made, *directories]
    expected = len({clash_key(node) for node in nodes}) < len(nodes)
    try:
        refuse_clashes(lambda: made)
        found = False
    except NameClashError:
        found = True
    assert found == expected


def test_memory_hardly_grows_with_the_paths_that_are_compared() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        try:
            refuse_clashes(lambda: (f"Packages/{number:06d}.rpm" for number in range(count)))
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(50_000) < 1.5 * peak(10_000)


def a_whole_table() -> list[FileEntry]:
    return [
        entry("custom/listing", kind=EntryKind.LISTING, repository=None),
        entry(f"{BASE}/Packages/a.rpm"),
        entry(f"{BASE}/repodata/repomd.xml", kind=EntryKind.METADATA),
        entry("custom/tools/extras/repodata/repomd.xml", kind=EntryKind.METADATA, repository=1),
    ]


def a_fitting_manifest() -> Manifest:
    manifest = a_manifest()
    totals = TableTotals(manifest)
    for line in a_whole_table():
        totals.add(line)
    filled = totals.fill()
    versions = [
        replace(r.version, packages=n, repomd_sha256=DIGEST) for r, n in zip(filled.repositories, (1, 0), strict=True)
    ]
    repositories = tuple(replace(r, version=v) for r, v in zip(filled.repositories, versions, strict=True))
    return replace(filled, repositories=repositories)


def test_a_table_that_adds_up_passes_unchanged() -> None:
    lines = a_whole_table()
    assert list(checked_entries(a_fitting_manifest(), lambda: lines)) == lines


@pytest.mark.parametrize("missing", range(4))
def test_a_table_that_lacks_a_line_does_not_add_up(missing: int) -> None:
    lines = a_whole_table()
    del lines[missing]
    with pytest.raises(BadManifestError, match="the manifest says"):
        list(checked_entries(a_fitting_manifest(), lambda: lines))


def test_the_version_is_known_by_the_digest_of_its_repomd() -> None:
    lines = a_whole_table()
    lines[2] = replace(lines[2], sha256="cd" * 32)
    with pytest.raises(BadManifestError, match=r"repositories\[0\]\.version\.repomd_sha256"):
        list(checked_entries(a_fitting_manifest(), lambda: lines))


def test_an_incremental_bundle_lists_what_it_does_not_carry() -> None:
    manifest = a_manifest()
    identity = manifest.bundle
    incremental = replace(
        manifest,
        bundle=BundleIdentity(
            id=identity.id,
            kind=BundleKind.INCREMENTAL,
            created_at=identity.created_at,
            destination="",
            sequence=2,
            base={"bundle": "x"},
        ),
    )
    assert check_all([entry(volume=None)], incremental) == [entry(volume=None)]


@given(st.binary(max_size=300), st.lists(st.dictionaries(st.sampled_from(["path", "size", "kind"]), json_values)))
def test_garbage_is_refused_as_a_bundle_error(garbage: bytes, documents: list[object]) -> None:
    for data in (garbage + b"!", b"".join(json.dumps(document).encode() + b"\n" for document in documents)):
        try:
            found = list(iter_table(io.BytesIO(data)))
            check_all(found)
        except BundleError:
            continue
        assert not found


@given(st.lists(entries, max_size=4))
def test_any_entries_are_passed_or_refused(lines: list[FileEntry]) -> None:
    try:
        passed = check_all(lines)
    except BundleError:
        return
    assert passed == lines


SCALE = """
import io, resource, sys, tempfile
sys.path.insert(0, "tests")
sys.path.insert(0, "tests/bundle")
from pathlib import Path
from issbox.bundle.table import iter_table, write_table
from test_table import BASE, check_counted, entry
with tempfile.TemporaryDirectory() as scratch:
    with open(f"{scratch}/table", "wb") as out:
        write_table((entry(f"{BASE}/Packages/{number:07d}.rpm") for number in range(1_000_000)), out)
    with open(f"{scratch}/table", "rb") as table:
        assert check_counted(iter_table(table)) == 1_000_000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


def check_counted(lines: Iterable[FileEntry]) -> int:
    return sum(1 for _ in in_order(EntryCheck(a_manifest()), lines, list))


@pytest.mark.slow
def test_a_million_lines_are_written_and_checked_in_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", SCALE], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 250


def test_a_table_is_digested_as_it_is_written() -> None:
    out = io.BytesIO()
    digest = write_table([entry()], out)
    assert (digest.size, out.getvalue()) == (len(encode_entry(entry())), encode_entry(entry()))
