"""Metadata from outside: whatever the bytes, the answer is a value or one of our errors, in little memory."""

import bz2
import gzip
import lzma
import random
import resource
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.recorder import Recorder
from makers.repodata import DirectorySink, Listed, digest, primary_xml, record_xml, repomd_xml, write, write_repository

from issbox.errors import BadMetadataError, IssboxError, OperatingSystemError, UnsafePathError
from issbox.names import path_problem
from issbox.yum.address import parse_address
from issbox.yum.expand import expand
from issbox.yum.mirror import MirrorRequest, mirror
from issbox.yum.primary import read_packages
from issbox.yum.repomd import parse_repomd
from issbox.yum.treeinfo import parse_treeinfo
from issbox.yum.xmlgate import XmlGate

LIMIT = 64 << 20
NO_FIXTURE_CHECK = [HealthCheck.function_scoped_fixture]


def packages(tmp_path: Path, data: bytes) -> list[str]:
    path = tmp_path / "primary"
    path.write_bytes(data)
    return [entry.path for entry in read_packages(path, LIMIT, name="repodata/primary", scratch=tmp_path)]


@given(st.binary())
def test_parse_repomd_gives_a_value_or_our_error(data: bytes) -> None:
    with pytest.raises(IssboxError):
        parse_repomd(data)


@given(st.data())
def test_damaged_repomd_gives_a_value_or_our_error(data: st.DataObject) -> None:
    whole = repomd_xml(record_xml("primary", "repodata/p", b"x", extra="<open-size>5</open-size>"))
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + data.draw(st.binary(max_size=4)) + whole[place + data.draw(st.integers(0, 4)) :]
    try:
        found = parse_repomd(changed)
    except IssboxError:
        return
    assert all(path_problem(record.href) is None for record in found.records)
    assert len({record.href for record in found.records}) == len(found.records)


paths = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)


@given(st.lists(st.tuples(paths, st.binary(max_size=9)), max_size=5), st.integers(0, 10**17))
def test_repomd_says_what_was_written(files: list[tuple[str, bytes]], size: int) -> None:
    records = [record_xml("x", href, content, extra=f"<open-size>{size}</open-size>") for href, content in files]
    contents: dict[str, set[bytes]] = {}
    for href, content in files:
        contents.setdefault(href, set()).add(content)
    if any(path_problem(href) is not None or len(each) > 1 for href, each in contents.items()):
        with pytest.raises((UnsafePathError, BadMetadataError)):
            parse_repomd(repomd_xml(*records))
    else:
        found = parse_repomd(repomd_xml(*records))
        assert found.revision == "7"
        assert {record.href: record.checksum.value for record in found.records} == {
            href: digest("sha256", content) for href, content in files
        }
        assert all(record.open_size == size for record in found.records)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"<repomd", b"<metadata", "it holds <metadata>"),
        (b"</repomd>", b"", "not well-formed"),
        (b'type="sha256"', b'type="crc32"', "record 1 .*crc32"),
        (b'type="sha256"', b"", "record 1"),
        (b"<location", b"<place", "no location"),
        (b'type="primary"', b"", "no type"),
        (b"<size>1<", b"<size>-1<", "'-1' is not a size"),
        (b"<size>1<", b"<size>1e9<", "'1e9' is not a size"),
        (b"<location ", b'<location xml:base="http://x/" ', "xml:base"),
        (b"<repomd", b'<!DOCTYPE repomd [<!ENTITY a "b">]><repomd', "DOCTYPE"),
    ],
)
def test_a_wrong_repomd_is_said_where(old: bytes, new: bytes, what: str) -> None:
    whole = repomd_xml(record_xml("primary", "repodata/p", b"x"))
    assert old in whole
    with pytest.raises(BadMetadataError, match=what):
        parse_repomd(whole.replace(old, new, 1))


def test_another_document_is_not_repomd() -> None:
    with pytest.raises(BadMetadataError, match="it holds <html>"):
        parse_repomd(b"<html></html>")


def check_treeinfo(data: bytes) -> None:
    try:
        info = parse_treeinfo(data)
    except IssboxError:
        return
    assert all(path_problem(file.path) is None for file in info.files)
    assert all(path_problem(path) is None for path in info.repositories)


lines = st.lists(
    st.one_of(
        st.sampled_from(
            ["[checksums]", "[stage2]", "[images-x]", "[variant-A]", "[addon-B]", "[DEFAULT]", " cont", "x"]
        ),
        st.builds("{} = {}".format, paths, paths),
        st.builds("{} = sha256:{}".format, paths, st.just("0" * 64)),
        st.builds("repository = {}".format, paths),
    )
)


@given(lines)
def test_a_treeinfo_like_text_gives_a_value_or_our_error(text: list[str]) -> None:
    check_treeinfo("\n".join(text).encode())


@given(st.one_of(st.binary(), st.text().map(str.encode)))
def test_any_treeinfo_gives_a_value_or_our_error(data: bytes) -> None:
    check_treeinfo(data)


def test_packages_are_read_as_written(tmp_path: Path) -> None:
    path = tmp_path / "primary"
    path.write_bytes(primary_xml(Listed("P/a.rpm", b"abc", name="größe"), Listed("b.rpm", b"", size=9)))
    first, second = read_packages(path, LIMIT)
    assert (first.path, first.size, first.package.nevra) == ("P/a.rpm", 3, "größe-1.0-1.noarch")
    assert first.package.checksum == digest("sha256", b"abc")
    assert second.size == 9


def test_a_disk_without_room_for_the_decompressed_bytes_is_named(tmp_path: Path) -> None:
    path, scratch = tmp_path / "primary.gz", tmp_path / "scratch"
    path.write_bytes(gzip.compress(primary_xml(Listed("a.rpm", b"a")) + b" " * 400_000))
    scratch.mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(OperatingSystemError, match="/scratch"):
            list(read_packages(path, LIMIT, scratch=scratch))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(list(read_packages(path, LIMIT, scratch=scratch))) == 1
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"<metadata", b"<other", "it holds <other>"),
        (b"</metadata>", b"", "not well-formed"),
        (b"<name>sample</name>", b"", "no name"),
        (b"<name>sample</name>", b"<name>" + b"x" * 600 + b"</name>", "could be one"),
        (b"<name>sample</name>", b"<name>a&#10;b</name>", "could be one"),
        (b'epoch="0"', b'epoch="-1"', "epoch"),
        (b'epoch="0"', b'epoch="4294967296"', "epoch"),
        (b'package="3"', b'package="0"', "size"),
        (b'package="3"', b'package="-3"', "size"),
        (b'package="3"', b"", "size"),
        (b'type="sha256"', b'type="sha999"', "sha999"),
        (b'href="a.rpm"', b"", "no location"),
        (b"<name>", b"<name>\xff\xfe", "not well-formed"),
        (b"<metadata", b'<!DOCTYPE m [<!ENTITY a "b">]><metadata', "DOCTYPE"),
        (b"<packager/>", b"<packager>&undefined;</packager>", "undefined entity"),
    ],
)
def test_a_wrong_primary_is_said_where(
    old: bytes, new: bytes, what: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    whole = primary_xml(Listed("a.rpm", b"abc"))
    assert old in whole
    with pytest.raises(BadMetadataError, match=f"repodata/primary.*{what}"):
        packages(tmp_path, whole.replace(old, new, 1))
    assert capfd.readouterr() == ("", "")  # the C library has nothing to print


def test_another_document_is_not_primary(tmp_path: Path) -> None:
    with pytest.raises(BadMetadataError, match="<html> instead of <metadata>"):
        packages(tmp_path, b"<html></html>")


def big(*parts: bytes, times: int) -> bytes:
    """A primary whose description is the parts, many times."""
    return primary_xml(Listed("a.rpm", b"x")).replace(b"Nothing", b"".join(parts) * times)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (big(b"x", times=2 << 20), "without any tag"),
        (big(b"<!--" + b"<" * (2 << 20) + b"-->", times=1), "tag or comment"),
        (big(b"<b c='" + b"x" * (2 << 20) + b"'/>", times=1), "without any tag"),
        (big(b"<b " + b"".join(b"c%d='<'" % n for n in range(9)) + b"/>", times=1), "not well-formed"),
        (big(b"<![CDATA[" + b"<x>" * 1000 + b"]]>", times=6000), "element of more than"),
        (big(b"x" * 10_000 + b"<!-- </package> -->", times=1800), "element of more than"),
        (big(b"x" * 10_000 + b"<package></package>", times=1800), "element of more than"),
    ],
    ids=["text", "comment", "attribute", "bad", "cdata", "pieces", "nested"],
)
def test_what_would_eat_memory_is_refused(data: bytes, what: str, tmp_path: Path) -> None:
    with pytest.raises(BadMetadataError, match=what):
        packages(tmp_path, gzip.compress(data, compresslevel=1))


def test_many_packages_are_no_large_element(tmp_path: Path) -> None:
    listed = [Listed(f"{number}.rpm", b"x" * 10) for number in range(50_000)]
    data = primary_xml(*listed)
    assert len(data) > 16 << 20
    assert len(packages(tmp_path, gzip.compress(data, compresslevel=1))) == 50_000


def test_a_bomb_is_cut_before_it_explodes(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(bytes(200 << 20), compresslevel=9))
    tracemalloc.start()
    with pytest.raises(BadMetadataError, match="larger than 64"):
        for _ in expand(path, name="bomb", limit=LIMIT):
            pass
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 16 << 20


def test_a_window_of_gigabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb"
    header = bytearray(lzma.compress(b"<metadata></metadata>", check=lzma.CHECK_NONE))
    place = header.index(b"\x21\x01") + 2
    header[place] = 40  # 4 GiB of dictionary
    path.write_bytes(header)
    with pytest.raises(BadMetadataError, match="cannot be decompressed"):
        list(expand(path, name="bomb", limit=LIMIT))


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "xz": lzma.compress,
    "bzip2": bz2.compress,
    "zstd": zstandard.compress,
    "plain": bytes,
}


@settings(max_examples=40, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(content=st.lists(st.binary(max_size=3000), max_size=3), name=st.sampled_from(sorted(PACKERS)))
def test_expanding_gives_back_what_was_packed(content: list[bytes], name: str, tmp_path: Path) -> None:
    path = tmp_path / "packed"
    head = b"<x>"  # so that plain content is not taken for compressed
    path.write_bytes(b"".join(PACKERS[name](head + part) for part in content))
    assert b"".join(expand(path, name="x", limit=LIMIT)) == b"".join(head + part for part in content)


@pytest.mark.parametrize("name", ["gzip", "xz", "bzip2", "zstd"])
def test_cut_metadata_never_passes_for_whole(name: str, tmp_path: Path) -> None:
    whole = primary_xml(Listed("a.rpm", random.Random(1).randbytes(5000).hex().encode()))
    packed = PACKERS[name](whole)
    for length in (7, len(packed) // 2, len(packed) - 1):
        with pytest.raises(BadMetadataError, match="repodata/primary"):
            packages(tmp_path, packed[:length])


@given(st.binary(max_size=400), st.integers(1, 50))
def test_the_gate_gives_nothing_or_our_error(data: bytes, step: int) -> None:
    gate = XmlGate("x", "metadata")
    whole = b"<metadata>" + data
    try:
        for start in range(0, len(whole), step):
            gate.feed(whole[start : start + step])
        gate.finish()
    except BadMetadataError:
        pass


@given(path=paths.filter(lambda path: path_problem(path) is None and "%" not in path))
def test_a_path_stays_a_path_in_a_url(path: str) -> None:
    address = parse_address("https://me:pw@host.invalid/base?token=1")
    assert address.url(path).startswith("https://me:pw@host.invalid/base/")
    assert address.url(path).endswith("?token=1")
    assert address.url(path).count("?") == 1
    assert "#" not in address.url(path)
    assert "pw" not in str(address)
    assert "token" not in repr(address)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    write_repository(
        root, Listed("a.rpm", b"a" * 500), Listed("b.rpm", b"b" * 500, name="b"), others={"group": b"<c/>"}
    )
    image = digest("sha256", b"boot")
    write(root, ".treeinfo", f"[checksums]\nboot.iso = sha256:{image}\n[stage2]\nmainimage = b.img\n".encode())
    write(root, "boot.iso", b"boot")
    write(root, "b.img", b"unchecked")
    return root


@settings(max_examples=120, deadline=None, suppress_health_check=NO_FIXTURE_CHECK)
@given(data=st.data())
def test_a_damaged_repository_gives_our_error_or_is_whole(
    data: st.DataObject, repository: Path, tmp_path: Path
) -> None:
    names = [".treeinfo", "a.rpm", "boot.iso", "repodata/group", "repodata/primary", "repodata/repomd.xml"]
    place = repository / data.draw(st.sampled_from(names))
    whole = place.read_bytes()
    flips = st.tuples(st.integers(0, len(whole) - 1), st.integers(1, 255))
    changed = bytearray(whole)
    for index, bits in data.draw(st.lists(flips, min_size=1, max_size=3)):
        changed[index] ^= bits
    length = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    with tempfile.TemporaryDirectory(dir=tmp_path) as scratch:
        sink = DirectorySink(Path(scratch))
        place.write_bytes(changed[:length])
        try:
            result = mirror(MirrorRequest(url=repository.as_uri()), sink, Recorder())
        except IssboxError:
            assert sink.commits == 0
        else:
            assert place.name in {".treeinfo", "repomd.xml"} or changed[:length] == whole
            assert all(sink.has(file.sha256, file.size) for file in result.files)
        finally:
            place.write_bytes(whole)
