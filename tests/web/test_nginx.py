"""The generated configuration in a real nginx: the same answers as those of the built-in server."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from makers.certificates import NOW, authority_of
from makers.fleets import quick
from makers.nginx import Front, needs_nginx, nginx_in_front
from makers.serving import BASE, GRANTED, KEY, REPOMD, issue

from issbox.certs.keys import KeyKind
from issbox.errors import ConfigurationError
from issbox.model import CredentialKind, Validity
from issbox.workflows.appliance.nginx import write_nginx_config
from issbox.workflows.certificates import certificates
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.content import credentials, repositories
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.environments.promoting import plan_demotion, plan_repository_promotion, promote
from issbox.workflows.hosts import consumers, registering

pytestmark = needs_nginx
GPG_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
DEV = REPOMD.replace("Library", "dev")


@pytest.fixture(scope="module")
def front(served_box: Context, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with nginx_in_front(served_box, tmp_path_factory.mktemp("nginx")) as front:
        yield front


def test_nginx_sends_every_file_that_a_certificate_grants(front: Front) -> None:
    client = front.client(GRANTED)
    root = front.service.ctx.store.state_dir / BASE.removeprefix("/")
    for path in (each for each in root.rglob("*") if each.is_file()):
        answer = client.get(f"{BASE}/{path.relative_to(root)}?ssl_clientkey=/x", Accept_Encoding="gzip")
        assert (answer.status, answer.body) == (200, path.read_bytes())
        assert "Content-Encoding" not in answer.headers
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    whole = client.get(REPOMD)
    assert whole.headers["Content-Type"] == "text/xml"
    assert client.get(REPOMD, If_None_Match=whole.headers["ETag"]).status == 304
    part = client.get(REPOMD, Range="bytes=10-19")
    assert (part.status, part.body) == (206, whole.body[10:20])
    head = client.get(REPOMD, "HEAD")
    assert (head.status, head.body) == (200, b"")
    for directory, text in (("", "custom"), ("/custom", "tools"), ("/custom/tools", "base")):
        assert client.get(f"/content/acme/Library{directory}/listing").text == text


def test_names_beyond_ascii_are_found_by_both(front: Front) -> None:
    root = front.service.ctx.store.state_dir / BASE.removeprefix("/")
    file = root / "prüfung-\N{SNOWMAN}.txt"
    file.write_bytes(b"found")
    try:
        path = f"{BASE}/{quote(file.name)}"
        for server in (front, front.service):
            answer = server.client(GRANTED).get(path)
            assert (answer.status, answer.body) == (200, b"found")
    finally:
        file.unlink()


PATHS = [
    REPOMD,
    DEV,
    REPOMD.replace("acme", "other"),
    REPOMD.replace("Library", "library"),
    f"{BASE}/absent.rpm",
    f"{BASE}/repodata",
    "/content/acme/dev/listing",
    "/content/acme/gpg-keys/none",
    "/content/acme/content_views/web/1.0/x",
    "/content",
    "/",
    "/keys/signing.pem",
    "/.issbox/guard",
]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("shown", [True, False])
def test_both_servers_answer_alike(front: Front, path: str, shown: bool) -> None:
    """The built-in server of the same service listens beside nginx."""
    clients = [each.client(GRANTED) if shown else each.client() for each in (front, front.service)]
    through_nginx, built_in = (client.get(path) for client in clients)
    if path == "/.issbox/guard":
        assert through_nginx.status == 404
        return
    assert through_nginx.status == built_in.status, (through_nginx.text, built_in.text)
    if built_in.status == 403:
        assert through_nginx.headers["Content-Type"] == built_in.headers["Content-Type"]
        strip = str.maketrans("0123456789", "##########")  # serial numbers differ
        kept = [each.text.translate(strip).replace("#", "") for each in (through_nginx, built_in)]
        assert kept[0] == kept[1]


def test_reasons_of_certificates_are_told(front: Front) -> None:
    day = timedelta(days=1)
    authority = open_authority(front.service.ctx)
    cases = {
        "does not lead to a trusted authority": issue(authority_of(KeyKind.EC_P256, 1), [GRANTED]),
        "was valid until": issue(authority, [GRANTED], valid=Validity(NOW - 3 * day, NOW - day)),
        "is valid from": issue(authority, [GRANTED], valid=Validity(NOW + 300 * day, NOW + 400 * day)),
        "was issued for the organization other": issue(authority, [GRANTED], organization="other"),
        "needs a client certificate": None,
    }
    for words, certificate in cases.items():
        answer = front.showing(certificate).get(REPOMD)
        assert (answer.status, words in answer.text) == (403, True), answer.text
        assert answer.headers["Content-Type"].startswith("text/plain")
        hidden = front.showing(certificate).get("/.issbox/guard")
        assert (hidden.status, "X-Issbox-File" in hidden.headers) == (404, False)
        if "authority" not in words:  # TLS itself turns those away here
            assert front.service.showing(certificate).get(REPOMD).text == answer.text


def test_a_certificate_of_no_use_closes_nothing_that_is_open_to_everybody(own_box: Context, tmp_path: Path) -> None:
    repositories.update_repository(own_box, KEY, unprotected=True)
    day = timedelta(days=1)
    with nginx_in_front(own_box, tmp_path) as front:
        authority = open_authority(front.service.ctx)
        late = issue(authority, [GRANTED], valid=Validity(NOW - 3 * day, NOW - day))
        assert front.showing(late).get(REPOMD).status == front.service.showing(late).get(REPOMD).status == 200
        assert front.showing(late).get("/pki/revoked.crl").status == 200
        answer = front.showing(late).ask("PUT", "/rhsm/consumers/x", {"Content-Type": "application/json"}, b"{}")
        assert answer.status == 401
        assert b"was valid until" in answer.body


def test_what_a_client_claims_of_itself_is_not_believed(front: Front) -> None:
    good = quote(issue(open_authority(front.service.ctx), [GRANTED]))
    claims = {
        "X_Issbox_Client_Certificate": good,
        "X_Issbox_Site": "acme/Library",
        "X_Issbox_Path": REPOMD,
        "X_Issbox_Client_Address": "127.0.0.1",
    }
    nobody = front.client()
    for path in (REPOMD, "/custom/tools/base/repodata/repomd.xml", "/content/acme/content_views/web/1.0/x"):
        assert nobody.get(path, **claims).status == 403
    assert nobody.get("/.issbox/guard", **claims).status == 404


@pytest.mark.parametrize(
    "target",
    [
        "//content/acme/Library/listing",
        f"{BASE}//repodata/repomd.xml",
        f"{BASE}/repodata/./repomd.xml",
        f"{BASE}/repodata/../repodata/repomd.xml",
        f"{BASE}/repodata%2frepomd.xml",
        f"{BASE}/%2e%2e/base/repodata/repomd.xml",
        f"{BASE}/%252e%252e/repomd.xml",
        f"{BASE}/repodata/repomd%00.xml",
        f"{BASE}/repodata/\\repomd.xml",
        f"{BASE}/%c0%ae%c0%ae/repomd.xml",
        f"{BASE}/../../../../../keys/signing.pem",
        f"{BASE}/..%2f..%2f..%2f..%2fkeys/signing.pem",
    ],
)
def test_odd_paths_give_nothing(front: Front, target: str) -> None:
    for client in (front.client(GRANTED), front.service.client(GRANTED)):
        received = client.raw(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        assert received.split(b" ", 2)[1] in (b"400", b"403", b"404"), received[:200]
        assert b"PRIVATE KEY" not in received
        assert b"<repomd" not in received


def test_the_access_log_has_no_query(front: Front) -> None:
    front.client(GRANTED).get(f"{REPOMD}?ssl_clientkey=/secret")
    wait_until(lambda: REPOMD in (front.logs / "access.log").read_text())
    assert "secret" not in (front.logs / "access.log").read_text()


def test_settings_that_change_and_what_is_proxied(own_box: Context, tmp_path: Path) -> None:
    credentials.create_credential(
        own_box, organization="acme", label="key", name="key", kind=CredentialKind.GPG_KEY, content=GPG_KEY
    )
    environments.update_environment(own_box, "acme", "dev", serves_as_cdn=True)
    repositories.update_repository(own_box, KEY, unprotected=True)
    with nginx_in_front(own_box, tmp_path) as front:
        assert front.client().get("/content/acme/gpg-keys/key").text == GPG_KEY
        assert front.client().get(REPOMD).status == 200
        assert front.client("/custom/tools").get("/content/acme/dev/custom/listing").text == "tools"
        assert front.client("/custom/tools").get("/content/acme/Library/custom/listing").status == 403
        assert front.client().get("/healthz").text == "ok\n"
        assert "issbox_http_requests_total" in front.client().get("/metrics").text


def test_what_is_taken_back_is_refused_though_answers_and_files_are_kept(own_box: Context, tmp_path: Path) -> None:
    ctx = quick(own_box)
    host = registering.register(ctx, organization="acme", name="web1", facts={}, environments=["dev"])
    (issued,) = certificates.certificates_of(ctx, host.uuid)
    with nginx_in_front(ctx, tmp_path) as front:
        client = front.client()
        file = tmp_path / "host.pem"
        file.write_text(issued.certificate.pem + consumers.read_key(ctx, host.uuid))
        client.context.load_cert_chain(file)
        assert [client.get(DEV).status for _ in range(3)] == [200] * 3
        promote(ctx, plan_demotion(ctx, "acme", "dev", [KEY]))
        wait_until(lambda: client.get(DEV).status == 404)
        promote(ctx, plan_repository_promotion(ctx, KEY, 1, "dev"))
        wait_until(lambda: client.get(DEV).status == 200)
        consumers.delete_consumer(ctx, host.uuid)
        wait_until(lambda: "was revoked" in client.get(DEV).text)
        assert client.get(DEV).status == 403


def test_answers_are_kept_for_each_certificate_apart_also_for_large_ones(own_box: Context, tmp_path: Path) -> None:
    many = [f"/acme/Library/custom/tools/{number:04}" for number in range(180)]
    with nginx_in_front(own_box, tmp_path) as front:
        for version in (1, 3):
            for _ in range(2):
                assert front.client(*many, GRANTED, version=version).get(REPOMD).status == 200
                assert front.client(*many, version=version).get(REPOMD).status == 403
                assert front.client(GRANTED, version=version).get(REPOMD).status == 200
                assert front.client().get(REPOMD).status == 403
    assert (front.logs / "error.log").read_text() == ""


def wait_until(holds: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_without_a_socket_there_is_nothing_to_ask(own_box: Context) -> None:
    with pytest.raises(ConfigurationError, match="socket is not set"):
        write_nginx_config(own_box, listen=("443",), user="x", cache=Path("/c"), logs=Path("/l"))
