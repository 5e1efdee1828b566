"""What the server keeps up while it runs: its own certificate, and the authorities that a server in front reads."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from makers.certificates import authority_of
from makers.serving import serve, with_web

from issbox.certs.keys import KeyKind
from issbox.model import CredentialKind
from issbox.web import server
from issbox.web.tls import ServerTls
from issbox.workflows.appliance.nginx import AUTHORITIES, write_authorities
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.certificates.server_certificate import CERTIFICATE
from issbox.workflows.content import catalog, credentials
from issbox.workflows.context import Context

SITE = authority_of(KeyKind.EC_P256, 1).root_pem


def accept_site(ctx: Context) -> None:
    credentials.create_credential(
        ctx, organization="acme", label="site", name="Site", kind=CredentialKind.CA_CERTIFICATE, content=SITE
    )
    catalog.update_organization(ctx, "acme", client_cas=["site"])


def wait(until: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not until():
        assert time.monotonic() < end
        time.sleep(0.02)


def text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def test_with_a_socket_alone_certificate_and_authorities_are_kept_up(
    own_box: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "_RENEW_EVERY", 0.1)
    own = open_authority(own_box).root_pem
    certificate, authorities = (own_box.store.state_dir / each for each in (CERTIFICATE, AUTHORITIES))
    with serve(with_web(own_box, listen=(), socket=tmp_path / "s"), tmp_path):
        wait(lambda: text(authorities) == own and certificate.exists())
        certificate.unlink()
        wait(certificate.exists)
        accept_site(own_box)
        wait(lambda: text(authorities) == own + SITE)


def test_what_changed_while_nobody_served_is_written(own_box: Context, tmp_path: Path) -> None:
    authorities = write_authorities(own_box)
    accept_site(own_box)
    with serve(with_web(own_box, socket=tmp_path / "s"), tmp_path):
        wait(lambda: SITE in text(authorities))


def test_authorities_that_tls_does_not_take_do_not_end_the_upkeep(
    own_box: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = open_authority(own_box).root_pem
    refused: list[str] = []

    def refuse_once(self: ServerTls, authorities: str) -> bool:
        if not refused:
            refused.append(authorities)
            raise ssl.SSLError("not enough data")
        return False

    monkeypatch.setattr(ServerTls, "refresh", refuse_once)
    with serve(with_web(own_box, socket=tmp_path / "s"), tmp_path):
        wait(lambda: bool(refused) and text(own_box.store.state_dir / AUTHORITIES) == own)
