"""SSH public keys: one line in, a checked key out.

The line is that of a `.pub` file: type, key in base64, comment. The key is read as the SSH protocol writes it (RFC 4253
section 6.6, RFC 5656 section 3.1, RFC 8709 section 4, and OpenSSH's PROTOCOL.u2f for the `sk-` types of hardware keys),
so that nothing which sshd would take for an option, another key or a second line gets into an authorized_keys file.
"""

import base64
import binascii
import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, NoReturn

from issbox.errors import InvalidValueError
from issbox.model import SshKey
from issbox.names import check_name, plural

LONGEST_LINE: Final = 16 << 10
"""Characters; an RSA key of 16384 bits has about 2,800."""
SHORTEST_RSA: Final = 2048
LONGEST_RSA: Final = 16384
"""Bits; OpenSSH reads no longer ones."""
_POINT_BYTES: Final = {"nistp256": 65, "nistp384": 97, "nistp521": 133}
"""Length of an uncompressed point of each curve."""


class _Reader:
    """Reads the fields of a key one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def string(self) -> bytes:
        """Give the next string: four bytes of length, and so many bytes."""
        length = int.from_bytes(self._data[:4])
        end = 4 + length
        if len(self._data) < end or len(self._data) < 4:
            _refuse("it is cut off")
        field, self._data = self._data[4:end], self._data[end:]
        return field

    def number(self) -> int:
        """Give the next number; it must be positive and in its shortest form."""
        data = self.string()
        if not data or data[0] & 0x80 or (data[0] == 0 and (len(data) == 1 or not data[1] & 0x80)):
            _refuse("a number in it is not positive, or not in its shortest form")
        return int.from_bytes(data)

    def end(self) -> None:
        """Refuse what comes after the last field."""
        if self._data:
            _refuse("something follows its last field")


def parse_ssh_key(text: str) -> SshKey:
    """Read a public key; raises InvalidValueError saying what is wrong with it."""
    if "PRIVATE KEY" in text:
        _refuse("it is a private key", hint="Give the file that ends in .pub; the private one stays where it is.")
    if len(text) > LONGEST_LINE:
        _refuse("it is too long")
    lines = text.strip("\r\n").splitlines()
    if len(lines) != 1:
        _refuse(f"it has {plural(len(lines), 'line')}", hint="Give one key at a time, as one line.")
    kind, _, rest = lines[0].strip().partition(" ")
    if kind not in _FIELDS:
        known = ", ".join(_FIELDS)
        _refuse(f"it begins with {kind[:40]!r}", hint=f"A key begins with its type, without options: {known}.")
    encoded, _, comment = rest.strip().partition(" ")
    blob = _decode(encoded)
    reader = _Reader(blob)
    if reader.string() != kind.encode():
        _refuse("the type written before it is not its own")
    _FIELDS[kind](reader)
    reader.end()
    comment = comment.strip()
    if comment:
        check_name(comment, "comment")
    return SshKey(kind, encoded, comment, fingerprint(blob))


def fingerprint(blob: bytes) -> str:
    """Give the fingerprint of a key as `ssh-keygen -l` shows it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")


def _decode(encoded: str) -> bytes:
    try:
        blob = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        _refuse("it is not base64")
    if base64.b64encode(blob).decode() != encoded:
        _refuse("its base64 is not in the usual form")
    return blob


def _ed25519(reader: _Reader) -> None:
    if len(reader.string()) != 32:
        _refuse("an Ed25519 key has 32 bytes")


def _ecdsa(curve: str) -> Callable[[_Reader], None]:
    def check(reader: _Reader) -> None:
        if reader.string() != curve.encode():
            _refuse("the curve in it is not that of its type")
        point = reader.string()
        if len(point) != _POINT_BYTES[curve] or point[0] != 4:
            _refuse(f"its point is not an uncompressed one of {curve}")

    return check


def _rsa(reader: _Reader) -> None:
    exponent, modulus = reader.number(), reader.number()
    bits = modulus.bit_length()
    if not SHORTEST_RSA <= bits <= LONGEST_RSA:
        _refuse(
            f"it is an RSA key of {bits} bits; {SHORTEST_RSA} to {LONGEST_RSA} are accepted",
            hint="Make another one with `ssh-keygen -t ed25519`.",
        )
    if exponent < 3 or exponent % 2 == 0 or modulus % 2 == 0:
        _refuse("these are no numbers of an RSA key")


def _on_hardware(check: Callable[[_Reader], None]) -> Callable[[_Reader], None]:
    def check_both(reader: _Reader) -> None:
        check(reader)
        if not reader.string():
            _refuse("the application of the hardware key is missing")

    return check_both


_FIELDS: Final[Mapping[str, Callable[[_Reader], None]]] = MappingProxyType(
    {
        "ssh-ed25519": _ed25519,
        "ecdsa-sha2-nistp256": _ecdsa("nistp256"),
        "ecdsa-sha2-nistp384": _ecdsa("nistp384"),
        "ecdsa-sha2-nistp521": _ecdsa("nistp521"),
        "ssh-rsa": _rsa,
        "sk-ssh-ed25519@openssh.com": _on_hardware(_ed25519),
        "sk-ecdsa-sha2-nistp256@openssh.com": _on_hardware(_ecdsa("nistp256")),
    }
)
"""By type: reads and checks the fields after the type. Certificates and DSA are not among them."""


def _refuse(reason: str, *, hint: str | None = None) -> NoReturn:
    raise InvalidValueError(
        f"this is not an SSH public key that can be accepted: {reason}",
        hint=hint or "Give the file that ends in .pub as ssh-keygen wrote it.",
    )
