"""Reaching a web server: TLS, proxies, secrets in URLs, and everything that breaks off."""

import os
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from makers.authority import Authority, serve_tls
from makers.repodata import DirectorySink, Listed, digest, write_repository
from makers.upstream import Answer, Upstream

from issbox.errors import (
    DigestMismatchError,
    InvalidValueError,
    IssboxError,
    NoSpaceError,
    UnreachableError,
    UpstreamError,
)
from issbox.yum.mirror import MirrorResult

Fetch = Callable[..., MirrorResult]
BIG = Listed("big.rpm", bytes(range(256)) * 4096)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "test-ca")


@pytest.fixture
def root(upstream: Upstream) -> Path:
    write_repository(upstream.root, BIG)
    return upstream.root


def test_tls_with_a_ca_of_its_own(root: Path, authority: Authority, fetch: Fetch) -> None:
    with serve_tls(root, authority, clients=False) as server:
        assert fetch(url=server.url, ca_pem=authority.pem).packages == 1
        with pytest.raises(UnreachableError, match="TLS failed"):
            fetch(url=server.url)
        other = Authority(authority.directory, "other-ca")
        with pytest.raises(UnreachableError, match="TLS failed"):
            fetch(url=server.url, ca_pem=other.pem)


def test_a_certificate_for_another_host_is_refused(root: Path, authority: Authority, fetch: Fetch) -> None:
    with serve_tls(root, authority, clients=False) as server, pytest.raises(UnreachableError, match="TLS failed"):
        fetch(url=server.url.replace("127.0.0.1", "localhost"), ca_pem=authority.pem)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_client_certificate_reaches_the_server(
    version: ssl.TLSVersion, root: Path, authority: Authority, fetch: Fetch
) -> None:
    certificate, key = authority.issue("this-box")
    with serve_tls(root, authority, clients=True, version=version) as server:
        fetch(url=server.url, ca_pem=authority.pem, client_certificate=certificate, client_key=key)
        assert {request.client for request in server.requests} == {"this-box"}
        with pytest.raises(UnreachableError) as caught:
            fetch(url=server.url, ca_pem=authority.pem)
        assert "TLS failed" in str(caught.value) or "connection" in str(caught.value)


def test_certificates_that_cannot_be_used_are_named(root: Path, authority: Authority, fetch: Fetch) -> None:
    certificate, _ = authority.issue("one")
    _, key = authority.issue("two")
    with pytest.raises(InvalidValueError, match="client certificate"):
        fetch(url="https://127.0.0.1:1/", client_certificate=certificate, client_key=key)
    with pytest.raises(InvalidValueError, match="CA certificate"):
        fetch(url="https://127.0.0.1:1/", ca_pem="-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")


def test_https_that_leads_to_http_needs_a_checksum(
    root: Path, upstream: Upstream, authority: Authority, fetch: Fetch
) -> None:
    with serve_tls(root, authority, clients=False) as server:
        server.always["big.rpm"] = Answer(status=302, headers={"Location": f"{upstream.url}big.rpm"})
        assert fetch(url=server.url, ca_pem=authority.pem).packages == 1
        server.always["repodata/repomd.xml"] = Answer(
            status=302, headers={"Location": f"{upstream.url}repodata/repomd.xml"}
        )
        with pytest.raises(UpstreamError, match="unencrypted"):
            fetch(url=server.url, ca_pem=authority.pem)


def test_redirects_are_followed(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.always["big.rpm"] = Answer(status=301, headers={"Location": "/moved/big.rpm"})
    upstream.always["moved/big.rpm"] = Answer(body=BIG.content)
    assert fetch().packages == 1
    assert "moved/big.rpm" in upstream.paths


def test_redirects_in_a_circle_or_to_files_end(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.always["repodata/repomd.xml"] = Answer(status=302, headers={"Location": "/repodata/repomd.xml"})
    with pytest.raises(UpstreamError, match="circle"):
        fetch()
    upstream.always["repodata/repomd.xml"] = Answer(status=302, headers={"Location": "file:///etc/passwd"})
    with pytest.raises(IssboxError, match=r"repomd\.xml"):
        fetch(retries=0)


def test_everything_goes_through_the_proxy(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    result = fetch(url="http://upstream.invalid/", proxy=upstream.url.replace("http://", "http://me:secret@"))
    assert result.packages == 1
    assert all(request.path.startswith("http://upstream.invalid/") for request in upstream.requests)
    assert all(request.headers["proxy-authorization"].startswith("Basic ") for request in upstream.requests)


def test_a_proxy_that_refuses_is_named_without_its_password(upstream: Upstream, fetch: Fetch) -> None:
    with pytest.raises(UnreachableError) as caught:
        fetch(url="http://upstream.invalid/", proxy="http://me:secret@127.0.0.1:1", retries=0)
    assert "secret" not in str(caught.value)
    with pytest.raises(InvalidValueError, match="http://"):
        fetch(proxy="socks5://127.0.0.1:1")


def test_user_password_and_token_are_used_but_never_shown(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    url = upstream.url.replace("http://", "http://me:secret@") + "?token=abc"
    fetch(url=url)
    assert all(request.headers["authorization"] == "Basic bWU6c2VjcmV0" for request in upstream.requests)
    assert all(request.path.endswith("?token=abc") for request in upstream.requests)
    for broken in (Answer(status=404), Answer(status=403), Answer(status=500), Answer(hang_up=True), Answer(cut=3)):
        upstream.always["repodata/repomd.xml"] = broken
        with pytest.raises(IssboxError) as caught:
            fetch(url=url, retries=0)
        assert upstream.url in str(caught.value)
        assert "secret" not in str(caught.value)
        assert "abc" not in str(caught.value)


@pytest.mark.parametrize(
    "failure",
    [
        Answer(status=500),
        Answer(status=503, headers={"Retry-After": "0"}),
        Answer(status=429),
        Answer(hang_up=True),
        Answer(cut=0),
        Answer(cut=1000),
        Answer(cut=700_000, ranges=False),
        Answer(cut=1000, chunked=True),
    ],
)
def test_what_may_pass_is_tried_again(failure: Answer, root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.script["big.rpm"] = [failure, failure]
    assert fetch(retries=2).packages == 1
    assert upstream.paths.count("big.rpm") == 3
    upstream.script["repodata/repomd.xml"] = [failure]
    fetch(retries=1)


def test_attempts_end(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.always["repodata/repomd.xml"] = Answer(status=502)
    with pytest.raises(UpstreamError, match=r"502 Bad Gateway \(3 attempts\)"):
        fetch(retries=2)
    assert upstream.paths == ["repodata/repomd.xml"] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_not_tried_again(status: int, root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.always["repodata/repomd.xml"] = Answer(status=status)
    with pytest.raises(UpstreamError, match=rf"repodata/repomd\.xml: the server answered {status}"):
        fetch(retries=3)
    assert len(upstream.requests) == 1


def test_nobody_answers(fetch: Fetch) -> None:
    with pytest.raises(UnreachableError, match=r"no connection to 127\.0\.0\.1:1"):
        fetch(url="http://127.0.0.1:1/", retries=0)
    with pytest.raises(UnreachableError, match=r"repodata/repomd\.xml"):
        fetch(url="http://name.invalid/", retries=0)


def test_a_silent_server_is_left(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.always["repodata/repomd.xml"] = Answer(pause=1.0)
    with pytest.raises(UnreachableError, match=r"within 0\.1 seconds"):
        fetch(timeout_seconds=0.1, retries=0)


def test_a_download_goes_on_where_it_broke_off(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    upstream.script["big.rpm"] = [Answer(cut=600_000)]
    fetch()
    asked = [request.headers.get("range") for request in upstream.requests if request.path == "/big.rpm"]
    assert asked[0] is None
    assert asked[1] is not None
    assert asked[1].startswith("bytes=")
    assert asked[1] != "bytes=0-"


def test_the_next_run_goes_on_where_the_last_broke_off(
    root: Path, upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    upstream.always["big.rpm"] = Answer(cut=600_000, ranges=False)
    with pytest.raises(UnreachableError):
        fetch(retries=0)
    (part,) = sink.partial()
    assert part.suffix == ".part"
    size = part.stat().st_size
    assert 0 < size <= 600_000
    assert part.read_bytes() == BIG.content[:size]
    del upstream.always["big.rpm"]
    upstream.requests.clear()
    result = fetch()
    asked = [request.headers.get("range") for request in upstream.requests if request.path == "/big.rpm"]
    assert asked == [f"bytes={size}-"]
    assert result.downloaded < len(BIG.content)


@pytest.mark.parametrize("left", [b"other bytes", BIG.content[:-1] + b"!", BIG.content + b"more", BIG.content])
def test_whatever_an_earlier_run_left_does_no_harm(
    left: bytes, root: Path, upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    sha256 = digest("sha256", BIG.content)
    sink.temporary(f"sha256-{sha256}-{len(BIG.content)}.part").write_bytes(left)
    result = fetch()
    assert sink.read(sha256).read_bytes() == BIG.content
    assert result.packages == 1
    assert ("big.rpm" in upstream.paths) == (left != BIG.content)


def test_a_server_that_cannot_go_on_sends_all(
    root: Path, upstream: Upstream, sink: DirectorySink, fetch: Fetch
) -> None:
    sha256 = digest("sha256", BIG.content)
    part = sink.temporary(f"sha256-{sha256}-{len(BIG.content)}.part")
    for answer in (Answer(ranges=False), Answer(status=416, body=b""), Answer(status=206, body=b"wrong part")):
        part.write_bytes(BIG.content[:1000])
        sink.read(sha256).unlink(missing_ok=True)
        upstream.script["big.rpm"] = [answer]
        fetch()
        assert sink.read(sha256).read_bytes() == BIG.content


def test_wrong_bytes_are_fetched_once_more_past_caches(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    stale = b"?" * len(BIG.content)
    upstream.script["big.rpm"] = [Answer(body=stale)]
    assert fetch().packages == 1
    first, second = [request.headers for request in upstream.requests if request.path == "/big.rpm"]
    assert "cache-control" not in first
    assert second["cache-control"] == "no-cache"
    assert "range" not in second


def test_wrong_bytes_twice_are_an_error(root: Path, upstream: Upstream, sink: DirectorySink, fetch: Fetch) -> None:
    upstream.always["big.rpm"] = Answer(body=b"?" * len(BIG.content))
    sink.read(digest("sha256", BIG.content)).unlink(missing_ok=True)
    with pytest.raises(DigestMismatchError, match=r"big\.rpm is damaged"):
        fetch()
    assert upstream.paths.count("big.rpm") == 2
    assert sink.partial() == []


def test_several_downloads_at_once_but_not_more(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    files = [Listed(f"{number}.rpm", str(number).encode(), name=f"n{number}") for number in range(12)]
    write_repository(upstream.root, *files)
    for listed in files:
        upstream.always[listed.href] = Answer(pause=0.03)
    assert fetch(downloads=3).packages == 12
    assert upstream.most_at_once == 3


def test_the_first_failure_ends_the_others(root: Path, upstream: Upstream, sink: DirectorySink, fetch: Fetch) -> None:
    files = [Listed(f"{number}.rpm", str(number).encode() * 50, name=f"n{number}") for number in range(100)]
    write_repository(upstream.root, *files)
    for listed in files[4:]:
        upstream.always[listed.href] = Answer(pause=0.05)
    upstream.always["3.rpm"] = Answer(status=404)
    before = threading.active_count()
    with pytest.raises(UpstreamError, match=r"3\.rpm: the server answered 404"):
        fetch()
    assert len([path for path in upstream.paths if path.endswith(".rpm")]) < 20
    assert threading.active_count() <= before + 4  # the server's own


def test_checkpoints_come_while_it_runs(root: Path, upstream: Upstream, sink: DirectorySink, fetch: Fetch) -> None:
    files = [Listed(f"{number}.rpm", str(number).encode(), name=f"n{number}") for number in range(600)]
    write_repository(upstream.root, *files)
    fetch()
    assert sink.commits == 3


def test_space_is_looked_at_first(root: Path, upstream: Upstream, fetch: Fetch) -> None:
    write_repository(upstream.root, BIG, Listed("huge.rpm", b"x", name="huge", size=1 << 43))
    upstream.requests.clear()
    with pytest.raises(NoSpaceError, match="synchronization"):
        fetch()
    assert not any(path.endswith(".rpm") for path in upstream.paths)


_RUN = """
import sys
from pathlib import Path
from makers.recorder import Recorder
from makers.repodata import DirectorySink
from issbox.yum.mirror import MirrorRequest, mirror
try:
    mirror(MirrorRequest(url=sys.argv[1]), DirectorySink(Path(sys.argv[2])), Recorder())
except KeyboardInterrupt:
    sys.exit(130)
"""


def test_ctrl_c_ends_it_soon(root: Path, upstream: Upstream, tmp_path: Path) -> None:
    upstream.always["big.rpm"] = Answer(pause=5)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["tests", *sys.path])}
    with subprocess.Popen([sys.executable, "-c", _RUN, upstream.url, str(tmp_path / "s")], env=environment) as process:
        while "big.rpm" not in upstream.paths:
            assert process.poll() is None
            threading.Event().wait(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=4) == 130
