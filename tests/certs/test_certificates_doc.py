"""The commands of docs/certificates.md show what the page says they show."""

import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from makers.certificates import CONSUMER, NOW, YEAR, authority_of, entitle, key_of
from makers.needs import needs_openssl

from issbox.certs.identity import issue_identity
from issbox.certs.keys import KeyKind
from issbox.certs.revocation import issue_revocation_list

PAGE = Path(__file__).resolve().parents[2] / "docs/certificates.md"
pytestmark = [
    needs_openssl,
    pytest.mark.skipif(shutil.which("base64") is None, reason="base64 (coreutils) is not installed"),
]


@pytest.fixture
def shown(tmp_path: Path) -> str:
    """Run every command of the page that stock tools have, and give what they say."""
    authority = authority_of(KeyKind.RSA_3072)
    identity = issue_identity(
        authority,
        organization="Acme",
        consumer=CONSUMER,
        name="host.example.com",
        public=key_of(KeyKind.EC_P256, 1).public,
        valid=YEAR,
        serial=12,
    )
    revocations = issue_revocation_list(
        authority, {99: NOW}, number=7, this_update=NOW, next_update=NOW + timedelta(days=1)
    )
    (tmp_path / "4711.pem").write_text(entitle(["/Acme/dev/$releasever/tools"], authority, serial=4711))
    (tmp_path / "authority.pem").write_text(authority.root_pem)
    (tmp_path / "crl.pem").write_text(revocations)
    (tmp_path / "cert.pem").write_text(identity)
    blocks = re.findall(r"(?:^ {4}.*\n)+", PAGE.read_text(), re.MULTILINE)
    lines = [line[4:] for block in blocks for line in block.splitlines()]
    commands = "\n".join(lines)
    script = "\n".join(
        command.split("    #")[0].replace("/etc/pki/consumer/", "")
        for command in re.sub(r"\\\n\s*", "", commands).splitlines()
        if command.startswith(("openssl", "sed"))
    )
    done = subprocess.run(["sh", "-eu", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, script + done.stdout + done.stderr
    return done.stdout.replace(" = ", "=")  # older versions write names with spaces


def test_the_commands_of_the_page_show_what_it_says(shown: str) -> None:
    for piece in (
        f"subject=O=Acme, CN={CONSUMER}",
        "DirName:/CN=host.example.com",
        "1.3.6.1.4.1.2312.9.8: \n                ..Basic",
        '"path":"/Acme/dev/$releasever/tools"',
        "Verified OK",
        "X509v3 CRL Number: \n                7",
        "4711.pem: OK",
    ):
        assert piece in shown
