"""Following content paths down the listing files of a server: only what is there, and not without end."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.repodata import write
from makers.upstream import Answer, Upstream

from issbox.errors import BadMetadataError, IssboxError, UpstreamError
from issbox.yum import walking
from issbox.yum.listings import parse_listing, read_top_listing
from issbox.yum.mirror import MirrorRequest
from issbox.yum.walking import Template, Walk, walk

RHEL9 = Template("os", "/content/dist/rhel9/$releasever/$basearch/os", ("x86_64",))
PLAIN = Template("plain", "/content/dist/layered/tools/os")


def lay(root: Path, *paths: str, listed: bool = True) -> None:
    """Make repositories at these paths, with listing files above them."""
    children: dict[str, set[str]] = {}
    for path in paths:
        write(root, f"{path}/repodata/repomd.xml", b"<repomd/>")
        parent = ""
        for segment in path.split("/"):
            children.setdefault(parent, set()).add(segment)
            parent = f"{parent}/{segment}".lstrip("/")
    for directory, names in children.items() if listed else ():
        write(root, f"{directory}/listing".lstrip("/"), "\n".join(sorted(names)).encode())


def ask(upstream: Upstream, *templates: Template, **bounds: int) -> Walk:
    return walk(MirrorRequest(url=upstream.url, retries=0, downloads=4), templates, **bounds)


def found(answer: Walk) -> set[tuple[str, str]]:
    return {(each.key, each.path) for each in answer.places}


def test_variables_become_what_the_listings_name(upstream: Upstream) -> None:
    base = "content/dist/rhel9"
    lay(upstream.root, f"{base}/9/x86_64/os", f"{base}/9.4/x86_64/os", f"{base}/9/aarch64/os", f"{base}/9/x86_64/debug")
    answer = ask(upstream, RHEL9, PLAIN)
    assert found(answer) == {("os", f"{base}/9/x86_64/os"), ("os", f"{base}/9.4/x86_64/os")}
    assert [dict(each.variables) for each in answer.places] == [
        {"releasever": "9.4", "basearch": "x86_64"},
        {"releasever": "9", "basearch": "x86_64"},
    ]
    assert answer.readable
    assert not answer.cut
    assert all(each.confirmed for each in answer.places)
    assert len(upstream.paths) == len(set(upstream.paths)), "each listing is read once"
    assert upstream.most_at_once <= 4


def test_known_values_are_looked_up_and_not_chosen(upstream: Upstream) -> None:
    base = "content/dist/rhel9"
    lay(upstream.root, f"{base}/9/x86_64/os", f"{base}/9.4/x86_64/os")
    known = Template("os", RHEL9.path, values={"releasever": "9.4", "basearch": "x86_64"})
    assert found(ask(upstream, known)) == {("os", f"{base}/9.4/x86_64/os")}
    absent = Template("os", RHEL9.path, values={"releasever": "8", "basearch": "x86_64"})
    assert found(ask(upstream, absent)) == set()


def test_without_listings_only_what_has_metadata_is_there(upstream: Upstream) -> None:
    lay(upstream.root, "content/dist/layered/tools/os", listed=False)
    answer = ask(upstream, PLAIN, Template("absent", "/content/dist/layered/other/os"), RHEL9)
    assert found(answer) == {("plain", "content/dist/layered/tools/os")}
    assert not answer.readable
    lay(upstream.root, "content/dist/rhel9/9/x86_64/os", listed=False)
    known = Template("os", RHEL9.path, values={"releasever": "9", "basearch": "x86_64"})
    assert found(ask(upstream, known)) == {("os", "content/dist/rhel9/9/x86_64/os")}


def test_what_is_not_for_us_is_not_there(upstream: Upstream) -> None:
    lay(upstream.root, "content/dist/rhel9/9/x86_64/os", "content/dist/layered/tools/os")
    upstream.always["content/dist/rhel9/listing"] = Answer(status=403)
    assert found(ask(upstream, RHEL9, PLAIN)) == {("plain", "content/dist/layered/tools/os")}


@pytest.mark.parametrize("names", [b"../../etc", b"..", b"a/b", b"\xff\xfe", b"/"])
def test_a_listing_with_names_that_lead_elsewhere_ends_the_walk(upstream: Upstream, names: bytes) -> None:
    lay(upstream.root, "content/dist/rhel9/9/x86_64/os")
    write(upstream.root, "content/dist/rhel9/listing", names)
    with pytest.raises(BadMetadataError, match="rhel9/listing"):
        ask(upstream, RHEL9, PLAIN)


@pytest.mark.parametrize("name", ["$basearch", "%2e%2e", "9 x", "-x", ".hidden", "9..1", "x" * 100, "\u0669"])
def test_odd_names_are_no_values(upstream: Upstream, name: str) -> None:
    lay(upstream.root, "content/dist/rhel9/9/x86_64/os")
    write(upstream.root, "content/dist/rhel9/listing", f"9\n{name}".encode())
    assert found(ask(upstream, RHEL9)) == {("os", "content/dist/rhel9/9/x86_64/os")}


def test_a_walk_without_end_is_cut(upstream: Upstream) -> None:
    write(upstream.root, "content/dist/rhel9/listing", "\n".join(map(str, range(500))).encode())
    for bounds in ({"most_listings": 20}, {"most_places": 10}):
        upstream.requests.clear()
        answer = ask(upstream, RHEL9, **bounds)
        assert answer.cut
        assert answer.places == ()
        assert len(upstream.requests) <= 600


def test_listings_may_not_grow_without_end(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walking, "MOST_SIZE", 100)
    lay(upstream.root, "content/dist/rhel9/9/x86_64/os")
    write(upstream.root, "content/listing", b"dist\n" + b"x\n" * 100)
    assert ask(upstream, RHEL9).cut
    write(upstream.root, "content/listing", b"x\n" * (1 << 20))
    with pytest.raises(IssboxError, match="content/listing"):
        ask(upstream, RHEL9)


def test_a_server_that_fails_ends_the_walk(upstream: Upstream) -> None:
    lay(upstream.root, "content/dist/rhel9/9/x86_64/os")
    upstream.always["content/dist/listing"] = Answer(status=500)
    with pytest.raises(UpstreamError, match="content/dist/listing"):
        ask(upstream, RHEL9, PLAIN)


def test_the_top_listing_says_why_it_cannot_be_read(upstream: Upstream) -> None:
    request = MirrorRequest(url=upstream.url, retries=0)
    refused = Answer(status=403, body=b"the certificate 7 was revoked\nmore", headers={"Content-Type": "text/plain"})
    upstream.always["listing"] = refused
    with pytest.raises(UpstreamError, match=r"403 Forbidden \(the certificate 7 was revoked\)"):
        read_top_listing(request)
    upstream.always["listing"] = Answer(status=403, body=b"\x1b[2J", headers={"Content-Type": "text/plain"})
    with pytest.raises(UpstreamError, match=r"403 Forbidden$"):
        read_top_listing(request)
    upstream.always["listing"] = Answer(body=b"<html>")
    assert read_top_listing(request) is None


@given(data=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_of_a_listing_leads_out(data: bytes) -> None:
    try:
        names = parse_listing(data, "listing")
    except BadMetadataError:
        return
    for name in names or ():
        assert "/" not in name
        assert name not in {"", ".", ".."}
