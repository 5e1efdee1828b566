"""Mirroring a whole repository: everything arrives byte for byte, nothing is fetched twice, nothing unsafe gets in."""

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import createrepo_c
import pytest
import zstandard
from makers.boxes import PACKAGES
from makers.recorder import Recorder
from makers.repodata import (
    DirectorySink,
    Listed,
    createrepo,
    digest,
    primary_xml,
    record_xml,
    repomd_xml,
    write,
    write_repository,
)
from makers.upstream import Answer, Upstream

from issbox.errors import (
    BadMetadataError,
    DigestMismatchError,
    InvalidValueError,
    NotFoundError,
    OversizedError,
    UnsafePathError,
    UpstreamError,
)
from issbox.files import Digest
from issbox.model import FileKind
from issbox.yum.mirror import STEPS, MirrorRequest, MirrorResult, mirror

Fetch = Callable[..., MirrorResult]


def kept(result: MirrorResult, sink: DirectorySink) -> dict[str, bytes]:
    """What was mirrored, by path."""
    return {file.path: sink.read(file.sha256).read_bytes() for file in result.files}


def tree(root: Path) -> dict[str, bytes]:
    """What lies below a directory, by path."""
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.mark.parametrize("compression", ["GZ", "XZ", "BZ2", "ZSTD", "NO_COMPRESSION"])
@pytest.mark.parametrize("checksum", ["SHA256", "SHA512"])
def test_a_real_repository_arrives_byte_for_byte(
    compression: str, checksum: str, upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    packages = PACKAGES
    createrepo(
        upstream.root,
        packages,
        compression=getattr(createrepo_c, compression),
        checksum=getattr(createrepo_c, checksum),
    )
    result = fetch()
    assert kept(result, sink) == tree(upstream.root)
    assert result.packages == len(packages)
    assert result.size == sum(map(len, tree(upstream.root).values()))
    assert result.downloaded == result.size
    assert result.notes == ()
    assert not result.unchanged
    found = {file.package.nevra: file for file in result.files if file.package}
    assert "gap-greeting-1.0-1.noarch" in found
    assert found["gap-greeting-1.0-1.noarch"].kind is FileKind.PACKAGE
    assert found["gap-greeting-1.0-1.noarch"].package.checksum_type == checksum.lower()  # type: ignore[union-attr] # set
    assert len([file for file in result.files if file.kind is FileKind.METADATA]) >= 4
    assert sink.partial() == []


def test_all_steps_are_announced_and_bytes_add_up(upstream: Upstream, fetch: Fetch, progress: Recorder) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a" * 3000), Listed("b.rpm", b"b" * 5000, name="b"))
    write(upstream.root, ".treeinfo", treeinfo := b"[stage2]\nmainimage = install.img\n")
    write(upstream.root, "install.img", b"i" * 900)
    fetch()
    assert progress.steps == list(STEPS)
    assert progress.expected["fetch-packages"] == (2, 8000)
    assert progress.expected["fetch-kickstart"] == (2, 900 + len(treeinfo))
    assert {step: each for step, each in progress.expected.items() if each != (0, 0)} == progress.advanced


def test_a_known_repository_costs_one_request(upstream: Upstream, sink: DirectorySink, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"a"))
    first = fetch()
    upstream.requests.clear()
    again = fetch(known_repomd=first.repomd_sha256)
    assert again.unchanged
    assert again.files == ()
    assert again.repomd_sha256 == first.repomd_sha256
    assert upstream.paths == ["repodata/repomd.xml"]


def test_only_what_is_new_is_fetched(upstream: Upstream, fetch: Fetch) -> None:
    old, new = Listed("old.rpm", b"o" * 1000), Listed("new.rpm", b"n" * 2000, name="new")
    write_repository(upstream.root, old, others={"group": b"<comps/>"})
    first = fetch()
    write_repository(upstream.root, old, new, others={"group": b"<comps/>"})
    upstream.requests.clear()
    second = fetch(known_repomd=first.repomd_sha256)
    assert "old.rpm" not in upstream.paths
    assert "repodata/group" not in upstream.paths
    assert "new.rpm" in upstream.paths
    assert second.reused == 1000 + len(b"<comps/>")
    assert second.packages == 2


def test_equal_packages_are_fetched_once(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(
        upstream.root, Listed("one/a.rpm", b"same"), Listed("two/a.rpm", b"same"), Listed("one/a.rpm", b"same")
    )
    result = fetch()
    assert result.packages == 2
    assert len([path for path in upstream.paths if path.endswith(".rpm")]) == 1


def test_a_package_known_under_another_checksum_is_not_fetched(
    upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    content = b"known by sha512"
    stored = digest("sha256", content)
    (sink.root / "blobs" / stored).write_bytes(content)
    sink.checksums["sha512", digest("sha512", content)] = Digest(len(content), stored)
    write_repository(upstream.root, Listed("a.rpm", content, checksum_type="sha512"))
    result = fetch()
    assert "a.rpm" not in upstream.paths
    assert [file.sha256 for file in result.files if file.path == "a.rpm"] == [stored]


def test_every_kind_of_metadata_is_kept(upstream: Upstream, sink: DirectorySink, fetch: Fetch) -> None:
    others = {
        name: f"content of {name}".encode()
        for name in (
            *("filelists", "other", "primary_db", "primary_zck", "updateinfo", "group", "group_gz", "modules"),
            *("productid", "prestodelta", "appstream-icons", "something_new"),
        )
    }
    write_repository(upstream.root, Listed("a.rpm", b"a"), others=others)
    write(upstream.root, "repodata/repomd.xml.key", b"a key nobody asked to use")
    result = fetch()
    assert kept(result, sink) == tree(upstream.root)


@pytest.mark.parametrize("weak", ["sha", "sha1", "md5"])
def test_weak_checksums_are_accepted_and_said(
    weak: str, upstream: Upstream, sink: DirectorySink, fetch: Fetch, progress: Recorder
) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"old days", checksum_type=weak), checksum_type=weak)
    result = fetch()
    assert kept(result, sink)["a.rpm"] == b"old days"
    assert [file.package.checksum_type for file in result.files if file.package] == [weak]
    name = "md5" if weak == "md5" else "sha1"
    assert len([note for note in result.notes if name in note]) == 2
    assert list(result.notes) == progress.notes


@pytest.mark.parametrize("weak", ["sha256", "sha512", "sha384", "sha224", "sha1", "md5"])
def test_a_changed_package_is_refused_whatever_the_checksum(weak: str, upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"genuine", checksum_type=weak))
    (upstream.root / "a.rpm").write_bytes(b"changed")
    with pytest.raises(DigestMismatchError, match=r"a\.rpm"):
        fetch()


def test_a_repository_without_packages(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    result = fetch()
    assert result.packages == 0
    assert {file.path for file in result.files} == {"repodata/repomd.xml", "repodata/primary"}


def test_identical_records_count_once(upstream: Upstream, fetch: Fetch) -> None:
    primary = gzip.compress(primary_xml())
    write(upstream.root, "repodata/primary", primary)
    record = record_xml("primary", "repodata/primary", primary)
    write(upstream.root, "repodata/repomd.xml", repomd_xml(record, record))
    assert len(fetch().files) == 2


def test_two_different_primaries_are_refused(upstream: Upstream, fetch: Fetch) -> None:
    records: list[str] = []
    for name in ("one", "two"):
        content = gzip.compress(primary_xml(), mtime=len(records))
        write(upstream.root, f"repodata/{name}", content)
        records.append(record_xml("primary", f"repodata/{name}", content))
    write(upstream.root, "repodata/repomd.xml", repomd_xml(*records))
    with pytest.raises(BadMetadataError, match="2 different 'primary'"):
        fetch()


def test_zchunk_alone_is_said_plainly(upstream: Upstream, fetch: Fetch) -> None:
    write(upstream.root, "repodata/p.zck", b"\0ZCK1 data")
    write(upstream.root, "repodata/repomd.xml", repomd_xml(record_xml("primary_zck", "repodata/p.zck", b"\0ZCK1 data")))
    with pytest.raises(BadMetadataError, match="only in zchunk"):
        fetch()


def test_a_repository_without_primary_is_refused(upstream: Upstream, fetch: Fetch) -> None:
    write(upstream.root, "repodata/g", b"g")
    write(upstream.root, "repodata/repomd.xml", repomd_xml(record_xml("group", "repodata/g", b"g")))
    with pytest.raises(BadMetadataError, match="no primary"):
        fetch()


@pytest.mark.parametrize(
    "href",
    [
        "../../etc/passwd",
        "/etc/passwd",
        "a/../../b.rpm",
        "./a.rpm",
        "a//b.rpm",
        "a\\b.rpm",
        "a\tb.rpm",
        "%2e%2e/%2e%2e/x",
    ],
)
def test_a_package_outside_the_repository_is_refused(
    href: str, upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    xml = primary_xml(Listed(href, b"x")).replace(b"\t", b"&#9;")
    write_repository(upstream.root, primary=xml)
    with pytest.raises(UnsafePathError, match="is not allowed"):
        fetch()
    assert not any(path.endswith((".rpm", "passwd", "/x")) for path in upstream.paths)


@pytest.mark.parametrize("href", ["../secret", "/etc/shadow", "repodata/../../x", ""])
def test_metadata_outside_the_repository_is_refused(href: str, upstream: Upstream, fetch: Fetch) -> None:
    write(upstream.root, "repodata/repomd.xml", repomd_xml(record_xml("primary", href, b"x")))
    with pytest.raises(UnsafePathError):
        fetch()
    assert upstream.paths[0] == "repodata/repomd.xml"
    assert not any("secret" in path or "shadow" in path for path in upstream.paths)


def test_packages_at_another_place_are_refused(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"x", base="http://elsewhere.invalid/"))
    with pytest.raises(BadMetadataError, match="xml:base"):
        fetch()


def test_one_path_with_two_contents_is_refused(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"one"), Listed("a.rpm", b"two"))
    with pytest.raises(BadMetadataError, match=r"a\.rpm twice"):
        fetch()


def test_a_package_cannot_stand_in_for_repomd(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root)
    primary = primary_xml(Listed("repodata/repomd.xml.asc", b"fake"))
    write_repository(upstream.root, primary=primary)
    write(upstream.root, "repodata/repomd.xml.asc", b"fake")
    fetch()  # the same bytes at the same path are no contradiction
    primary = primary_xml(Listed("repodata/primary", b"fake"))
    write_repository(upstream.root, primary=primary)
    with pytest.raises((BadMetadataError, DigestMismatchError)):
        fetch()


def test_a_file_that_is_also_a_directory_is_refused(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("a/b.rpm", b"inner"))
    primary = primary_xml(Listed("a/b.rpm", b"inner"), Listed("a", b"outer", name="outer"))
    write_repository(upstream.root, primary=primary)
    upstream.always["a"] = Answer(body=b"outer")
    with pytest.raises(BadMetadataError, match="below it"):
        fetch()


def test_names_that_differ_in_case_only_are_said(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("Judy.rpm", b"J"), Listed("judy.rpm", b"j"))
    assert any("upper and lower case" in note for note in fetch().notes)


def test_declared_open_size_is_enforced(upstream: Upstream, fetch: Fetch) -> None:
    primary = gzip.compress(primary_xml(Listed("a.rpm", b"x")))
    write(upstream.root, "repodata/primary", primary)
    record = record_xml("primary", "repodata/primary", primary, extra="<open-size>100</open-size>")
    write(upstream.root, "repodata/repomd.xml", repomd_xml(record))
    with pytest.raises(BadMetadataError, match=r"100 bytes that repomd\.xml declares"):
        fetch()


def test_max_metadata_size_is_enforced(upstream: Upstream, fetch: Fetch) -> None:
    bomb = primary_xml().replace(b"</metadata>", b"<x/>" * 100_000 + b"</metadata>")
    write_repository(upstream.root, primary=gzip.compress(bomb))
    with pytest.raises(BadMetadataError, match="max_metadata_size"):
        fetch(max_metadata_size=100_000)


def test_an_endless_file_of_unknown_size_is_cut(upstream: Upstream, fetch: Fetch) -> None:
    upstream.always["repodata/repomd.xml"] = Answer(body=b" " * ((16 << 20) + 1))
    with pytest.raises(OversizedError, match=r"repomd\.xml"):
        fetch()


def test_a_package_longer_than_promised_is_refused(upstream: Upstream, sink: DirectorySink, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("a.rpm", b"genuine"))
    (upstream.root / "a.rpm").write_bytes(b"genuine and more")
    with pytest.raises(DigestMismatchError, match="longer than the 7 bytes"):
        fetch()
    assert sink.partial() == []


@pytest.mark.parametrize("pack", [bz2.compress, lzma.compress, zstandard.compress, gzip.compress, bytes])
def test_the_compression_is_seen_from_the_bytes(
    pack: Callable[[bytes], bytes], upstream: Upstream, fetch: Fetch
) -> None:
    listed = Listed("a.rpm", b"x")
    write(upstream.root, "a.rpm", b"x")
    write_repository(upstream.root, primary=pack(primary_xml(listed)))
    assert fetch().packages == 1


def test_upstream_that_changes_meanwhile_is_mirrored_anew(
    upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    write_repository(upstream.root, Listed("old.rpm", b"old"))
    old_repomd = (upstream.root / "repodata/repomd.xml").read_bytes()
    for path in upstream.root.rglob("*"):
        if path.is_file():
            path.unlink()
    write_repository(upstream.root, Listed("new.rpm", b"new"))
    upstream.script["repodata/repomd.xml"] = [Answer(body=old_repomd)]
    result = fetch()
    assert kept(result, sink) == tree(upstream.root)
    assert any("meanwhile" in note for note in result.notes)


def test_a_missing_package_names_url_and_status(upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, Listed("sub/a.rpm", b"x"))
    (upstream.root / "sub/a.rpm").unlink()
    with pytest.raises(UpstreamError, match=rf"{upstream.url}sub/a\.rpm: the server answered 404"):
        fetch()


def test_a_directory_is_mirrored_as_a_server_is(
    tmp_path: Path, sink: DirectorySink, progress: Recorder, packages: list[Path]
) -> None:
    root = tmp_path / "a mirror"
    createrepo(root, packages, compression=createrepo_c.ZSTD)
    write(root, ".treeinfo", b"[checksums]\nimages/boot.iso = sha256:" + digest("sha256", b"boot").encode() + b"\n")
    write(root, "images/boot.iso", b"boot")
    result = mirror(MirrorRequest(url=root.as_uri()), sink, progress)
    assert kept(result, sink) == tree(root)
    assert sink.partial() == []


def test_a_directory_that_is_not_there(tmp_path: Path, sink: DirectorySink, progress: Recorder) -> None:
    with pytest.raises(NotFoundError, match="no such directory"):
        mirror(MirrorRequest(url=(tmp_path / "gone").as_uri()), sink, progress)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UpstreamError, match=r"repodata/repomd\.xml: there is no such file"):
        mirror(MirrorRequest(url=(tmp_path / "empty").as_uri()), sink, progress)


def test_a_link_does_not_give_away_other_files(tmp_path: Path, sink: DirectorySink, progress: Recorder) -> None:
    root = tmp_path / "mirror"
    (tmp_path / "pool.rpm").write_bytes(b"pooled")
    (tmp_path / "secret").write_bytes(b"secret")
    write_repository(root, Listed("a.rpm", b"pooled"))
    (root / "a.rpm").unlink()
    (root / "a.rpm").symlink_to(tmp_path / "pool.rpm")
    result = mirror(MirrorRequest(url=root.as_uri()), sink, progress)
    assert kept(result, sink)["a.rpm"] == b"pooled"
    write(root, ".treeinfo", b"[images-x86_64]\nboot.iso = boot.iso\n")
    (root / "boot.iso").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafePathError, match="link out of the repository"):
        mirror(MirrorRequest(url=root.as_uri()), sink, progress)


@pytest.mark.parametrize("url", ["ftp://x/", "http://", "file://host/x", "http://x:port/", "nonsense"])
def test_a_url_of_another_kind_is_refused(url: str, fetch: Fetch) -> None:
    with pytest.raises(InvalidValueError):
        fetch(url=url)
