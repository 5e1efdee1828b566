"""Real clients of others: the connection library of subscription-manager, and curl with real certificates."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from makers.api import PASSWORD, basic
from makers.towns import Town

from issbox.certs.decode import decode_certificate

try:
    from rhsm import config
    from rhsm.connection import GoneException, RestlibException, UEPConnection
except ImportError:  # it is compiled
    UEPConnection = None

needs_rhsm = pytest.mark.skipif(UEPConnection is None, reason="rhsm is not installed: see packaging/make-environment")
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
FACTS = {"system.certificate_version": "3.2", "uname.machine": "x86_64"}


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:rhsm")


@pytest.fixture
def connections(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a function that opens connections as the stock client does, which trusts the CA files of a directory."""
    trusted = tmp_path / "ca"
    trusted.mkdir()
    shutil.copy(tmp_path / "root.pem", trusted / "issbox.pem")
    settings = config.initConfig(str(_write(tmp_path / "rhsm.conf", f"[rhsm]\nca_cert_dir={trusted}\n")))
    settings.set("rhsm", "ca_cert_dir", str(trusted))
    monkeypatch.setattr("rhsm.connection.config", settings)
    # The published release writes b'...' into the header on Python 3, which the client of today does not.
    monkeypatch.setattr("rhsm.connection._encode_auth", basic)
    port = town.service.running.ports[0]
    return lambda **credentials: UEPConnection(host="localhost", ssl_port=port, handler="/rhsm", **credentials)


def _write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@needs_rhsm
def test_the_library_of_the_stock_client_registers_refreshes_and_leaves(
    town: Town, connections: Any, tmp_path: Path
) -> None:
    user = connections(username="alice", password=PASSWORD)
    assert user.supports_resource("environments")
    assert user.has_capability("cert_v3")
    assert [each["key"] for each in user.getOwnerList("alice")] == ["acme"]
    place = user.getEnvironment(owner_key="acme", name="Dev")
    made = user.registerConsumer(name="web1", facts=FACTS, owner="acme", environment=place["id"])
    cert = _write(tmp_path / "id.pem", made["idCert"]["cert"])
    key = _write(tmp_path / "id-key.pem", made["idCert"]["key"])
    host = connections(cert_file=str(cert), key_file=str(key))
    uuid = made["uuid"]
    assert host.ping()["result"] is True
    assert host.getOwner(uuid)["key"] == "acme"
    serials = [each["serial"] for each in host.getCertificateSerials(uuid)]
    (found,) = host.getCertificates(uuid, serials=[str(each) for each in serials])
    assert decode_certificate(found["cert"]).paths == ("/acme/dev/custom/tools/base",)
    assert host.regenEntitlementCertificates(uuid) is True
    assert [each["serial"] for each in host.getCertificateSerials(uuid)] != serials
    host.updateConsumer(uuid, facts=FACTS, installed_products=[], release="9.4", service_level="Premium")
    assert host.getRelease(uuid)["releaseVer"] == "9.4"
    host.setContentOverrides(uuid, [{"contentLabel": "a", "name": "enabled", "value": "0"}])
    assert host.deleteContentOverrides(uuid) == []
    host.checkin(uuid)
    assert host.getAvailableReleases(uuid) == []
    assert host.getCompliance(uuid)["status"] == "disabled"
    assert len(host.getEntitlementList(uuid)) == 1
    assert [each["uuid"] for each in user.getConsumers(owner="acme")] == [uuid]
    renewed = host.regenIdCertificate(uuid)
    cert.write_text(renewed["idCert"]["cert"])
    host = connections(cert_file=str(cert), key_file=str(key))
    host.unregisterConsumer(uuid)
    with pytest.raises(GoneException) as gone:
        host.getConsumer(uuid)
    assert gone.value.deleted_id == uuid


@needs_rhsm
def test_the_library_of_the_stock_client_registers_with_activation_keys(town: Town, connections: Any) -> None:
    made = connections().registerConsumer(name="web1", facts=FACTS, owner="acme", keys=["web", "both"])
    assert [each["label"] for each in made["environments"]] == ["dev", "prod"]
    with pytest.raises(RestlibException, match="nothing") as missing:
        connections().registerConsumer(name="web1", facts=FACTS, owner="acme", keys=["nothing"])
    assert missing.value.code == 404
    with pytest.raises(RestlibException) as refused:
        connections(username="alice", password="wrong").getOwnerList("alice")
    assert refused.value.code == 401


def curl(town: Town, path: str, *words: str) -> tuple[int, str]:
    """Call the API with curl."""
    port = town.service.running.ports[0]
    root = town.service.directory / "root.pem"
    command = ["curl", "--silent", "--cacert", str(root), "--write-out", "\n%{http_code}", *words]
    done = subprocess.run(
        [*command, f"https://localhost:{port}/candlepin{path}"], capture_output=True, text=True, check=True
    )
    text, _, status = done.stdout.rpartition("\n")
    return int(status), text


@needs_curl
def test_curl_with_an_identity_certificate_until_it_is_revoked(town: Town, tmp_path: Path) -> None:
    found = town.user("alice").post("/consumers", {"name": "web1", "facts": FACTS}, owner="acme").good()
    cert = _write(tmp_path / "id.pem", found["idCert"]["cert"])
    key = _write(tmp_path / "id-key.pem", found["idCert"]["key"])
    shown = ("--cert", str(cert), "--key", str(key))
    path = f"/consumers/{found['uuid']}"
    status, text = curl(town, path, *shown)
    assert (status, json.loads(text)["name"]) == (200, "web1")
    assert curl(town, path)[0] == 401
    assert curl(town, path, "--user", f"alice:{PASSWORD}")[0] == 200
    assert curl(town, path, "--oauth2-bearer", town.tokens["alice"])[0] == 200
    assert curl(town, path, "--oauth2-bearer", "issbox_x")[0] == 401
    town.user("alice").post(path).good()
    status, text = curl(town, path, *shown)
    assert (status, "revoked" in json.loads(text)["displayMessage"]) == (401, True)


@needs_curl
def test_an_entitlement_certificate_is_no_identity(town: Town, tmp_path: Path) -> None:
    found = town.user("alice").post("/consumers", {"name": "web1", "facts": FACTS}, owner="acme").good()
    path = f"/consumers/{found['uuid']}"
    (issued,) = town.user("alice").get(f"{path}/certificates").good()
    both = _write(tmp_path / "e.pem", issued["cert"] + issued["key"])
    status, text = curl(town, path, "--cert", str(both))
    assert (status, "no identity certificate" in json.loads(text)["displayMessage"]) == (401, True)
