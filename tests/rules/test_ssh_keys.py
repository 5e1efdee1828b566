"""SSH public keys: what ssh-keygen writes is read, and nothing else is."""

import base64
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from issbox.errors import InvalidValueError
from issbox.model import SshKey
from issbox.rules.people.ssh_keys import LONGEST_LINE, parse_ssh_key


def field(data: bytes) -> bytes:
    return len(data).to_bytes(4) + data


def number(value: int) -> bytes:
    return field(value.to_bytes(value.bit_length() // 8 + 1))


def line(kind: str, *fields: bytes, comment: str = "ann@desk", inner: str | None = None) -> str:
    blob = field((inner or kind).encode()) + b"".join(fields)
    return f"{kind} {base64.b64encode(blob).decode()} {comment}".rstrip()


POINT = b"\x04" + b"p" * 64
ED25519 = line("ssh-ed25519", field(b"k" * 32))
MODULUS = (1 << 2047) + 1
GOOD = {
    "ssh-ed25519": ED25519,
    "ecdsa-sha2-nistp256": line("ecdsa-sha2-nistp256", field(b"nistp256"), field(POINT)),
    "ecdsa-sha2-nistp384": line("ecdsa-sha2-nistp384", field(b"nistp384"), field(b"\x04" + b"p" * 96)),
    "ecdsa-sha2-nistp521": line("ecdsa-sha2-nistp521", field(b"nistp521"), field(b"\x04" + b"p" * 132)),
    "ssh-rsa": line("ssh-rsa", number(65537), number(MODULUS)),
    "sk-ssh-ed25519@openssh.com": line("sk-ssh-ed25519@openssh.com", field(b"k" * 32), field(b"ssh:")),
    "sk-ecdsa-sha2-nistp256@openssh.com": line(
        "sk-ecdsa-sha2-nistp256@openssh.com", field(b"nistp256"), field(POINT), field(b"ssh:")
    ),
}


@pytest.mark.parametrize("kind", GOOD)
def test_every_type_is_read(kind: str) -> None:
    key = parse_ssh_key(GOOD[kind])
    assert (key.type, key.comment) == (kind, "ann@desk")
    assert key.line == GOOD[kind]
    assert parse_ssh_key(f"{key.line}\n") == parse_ssh_key(f"  {key.line}\r\n") == key
    assert parse_ssh_key(f"{key.type} {key.key}") == SshKey(kind, key.key, "", key.fingerprint)


BAD = {
    "nothing": "",
    "one word": "ssh-ed25519",
    "options before it": f'command="/bin/sh" {ED25519}',
    "an option glued to it": f"no-pty,{ED25519}",
    "a second line": f"{ED25519}\nssh-ed25519 AAAA eve",
    "a second line by a return": f"{ED25519}\rssh-ed25519 AAAA eve",
    "a second line by Unicode": f"{ED25519}\u2028ssh-ed25519 AAAA eve",
    "a private key": "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n-----END OPENSSH PRIVATE KEY-----",
    "no base64": "ssh-ed25519 !!!! ann",
    "base64 in two ways": ED25519.replace("= ", "== ").replace("ssh-ed25519 ", "ssh-ed25519 A"),
    "too long": ED25519 + "x" * LONGEST_LINE,
    "a terminal in the comment": f"{ED25519}\x1b[2J",
    "a comment without end": f"{ED25519}{'x' * 300}",
    "another type inside": line("ssh-ed25519", field(b"k" * 32), inner="ssh-rsa"),
    "DSA": line("ssh-dss", number(3), number(5), number(7), number(9)),
    "a certificate": line("ssh-ed25519-cert-v01@openssh.com", field(b"k" * 32)),
    "a short Ed25519 key": line("ssh-ed25519", field(b"k" * 31)),
    "something after the key": line("ssh-ed25519", field(b"k" * 32), b"x"),
    "another curve": line("ecdsa-sha2-nistp256", field(b"nistp384"), field(POINT)),
    "a compressed point": line("ecdsa-sha2-nistp256", field(b"nistp256"), field(b"\x02" + b"p" * 32)),
    "RSA of 2047 bits": line("ssh-rsa", number(65537), number((1 << 2046) + 1)),
    "RSA of 16385 bits": line("ssh-rsa", number(65537), number((1 << 16384) + 1)),
    "RSA with an even modulus": line("ssh-rsa", number(65537), number(1 << 2047)),
    "RSA with exponent 1": line("ssh-rsa", number(1), number(MODULUS)),
    "RSA with a negative modulus": line("ssh-rsa", number(65537), field(MODULUS.to_bytes(256))),
    "RSA with a long form": line("ssh-rsa", field(b"\x00\x00\x01\x00\x01"), number(MODULUS)),
    "RSA with a zero": line("ssh-rsa", field(b"\x00"), number(MODULUS)),
    "RSA with nothing": line("ssh-rsa", field(b""), number(MODULUS)),
    "a hardware key without application": line("sk-ssh-ed25519@openssh.com", field(b"k" * 32), field(b"")),
    "a hardware key cut off": line("sk-ssh-ed25519@openssh.com", field(b"k" * 32)),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_refused(what: str) -> None:
    with pytest.raises(InvalidValueError) as caught:
        parse_ssh_key(BAD[what])
    assert caught.value.hint
    assert "\x1b" not in str(caught.value)


def test_base64_has_one_form() -> None:
    padded = line("sk-ssh-ed25519@openssh.com", field(b"k" * 32), field(b"ssh:ab"), comment="")
    assert padded.endswith("Yg==")
    parse_ssh_key(padded)
    for other in ("Lh==", "Li==", "Lg", "Lg=", "Yg==="):
        with pytest.raises(InvalidValueError, match="base64"):
            parse_ssh_key(padded.removesuffix("Yg==") + other)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    for given_text in (text, f"ssh-ed25519 {text}", f"{ED25519} {text}"):
        try:
            key = parse_ssh_key(given_text)
        except InvalidValueError:
            continue
        assert "\n" not in key.line
        assert key.line.startswith("ssh-ed25519 ")
        assert parse_ssh_key(key.line) == key


@given(kind=st.sampled_from(sorted(GOOD)), data=st.data())
def test_a_cut_or_lengthened_key_is_refused(kind: str, data: st.DataObject) -> None:
    blob = base64.b64decode(GOOD[kind].split()[1])
    cut = blob[: data.draw(st.integers(0, len(blob) - 1))]
    for changed in (cut, blob + data.draw(st.binary(min_size=1, max_size=8))):
        with pytest.raises(InvalidValueError):
            parse_ssh_key(f"{kind} {base64.b64encode(changed).decode()}")


@pytest.mark.parametrize(
    ("kind", "bits"), [("ed25519", ""), ("ecdsa", "256"), ("ecdsa", "384"), ("ecdsa", "521"), ("rsa", "2048")]
)
def test_keys_and_fingerprints_are_those_of_ssh_keygen(tmp_path: Path, kind: str, bits: str) -> None:
    if shutil.which("ssh-keygen") is None:
        pytest.skip("ssh-keygen is not installed (Debian package openssh-client)")
    path = tmp_path / "key"
    size = ["-b", bits] if bits else []
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *size, "-N", "", "-C", "ann at her desk", "-f", path], check=True)
    key = parse_ssh_key(path.with_suffix(".pub").read_text())
    assert key.comment == "ann at her desk"
    shown = subprocess.run(["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True).stdout
    assert shown.split()[1] == key.fingerprint
    (tmp_path / "line").write_text(key.line + "\n")
    again = subprocess.run(
        ["ssh-keygen", "-l", "-f", tmp_path / "line"], check=True, capture_output=True, text=True
    ).stdout
    assert again == shown
    with pytest.raises(InvalidValueError, match="private"):
        parse_ssh_key(path.read_text())
