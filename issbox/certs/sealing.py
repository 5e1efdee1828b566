"""Streams sealed with a passphrase: what a backup is written through, in constant memory.

The file is one line of JSON and then blocks. The key comes from the passphrase by scrypt (RFC 7914); each block is
sealed by AES-256-GCM (NIST SP 800-38D) with its number as nonce, and the line and whether it is the last block as
additional data, so that blocks cannot be exchanged, dropped or cut off unseen. The salt is new for each file, so no
key is used twice.
"""

import json
import os
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from issbox.errors import BackupDamagedError, InvalidValueError

FORMAT: Final = "issbox-backup-1"
SHORTEST_PASSPHRASE: Final = 12
"""Characters."""
_BLOCK: Final = 1 << 20
_TAG: Final = 16
_LONGEST_LINE: Final = 4096
_SCRYPT: Final = {"n": 1 << 17, "r": 8, "p": 1}
"""128 MiB and some tenths of a second for each guess."""
_LARGEST_N: Final = 1 << 20


class SealedWriter:
    """Takes bytes and writes them sealed; `close` writes the last block, without which nothing can be opened."""

    def __init__(self, out: BinaryIO, passphrase: str, facts: Mapping[str, object]) -> None:
        """Write the line; `facts` are readable without the passphrase. Raises InvalidValueError for a short one."""
        if len(passphrase) < SHORTEST_PASSPHRASE:
            raise InvalidValueError(f"the passphrase has fewer than {SHORTEST_PASSPHRASE} characters")
        salt = os.urandom(16)
        self._out = out
        line = json.dumps({**facts, "format": FORMAT, "salt": salt.hex(), "scrypt": _SCRYPT}, sort_keys=True)
        self._line = line.encode() + b"\n"
        self._cipher = AESGCM(_key(passphrase, salt, _SCRYPT))
        self._number = 0
        self._buffer = bytearray()
        out.write(self._line)

    def write(self, data: bytes, /) -> int:
        """Take bytes."""
        self._buffer += data
        while len(self._buffer) > _BLOCK:
            self._seal(bytes(self._buffer[:_BLOCK]), last=False)
            del self._buffer[:_BLOCK]
        return len(data)

    def close(self) -> None:
        """Write what is left as the last block."""
        self._seal(bytes(self._buffer), last=True)
        self._buffer.clear()

    def _seal(self, block: bytes, *, last: bool) -> None:
        self._out.write(self._cipher.encrypt(_nonce(self._number), block, _bound(self._line, last=last)))
        self._number += 1


class SealedReader:
    """Gives back what a SealedWriter took; nothing is given that was not checked."""

    def __init__(self, source: BinaryIO, passphrase: str) -> None:
        """Read the line; raises BackupDamagedError when this is no sealed file."""
        self._source = source
        self._line, facts = read_line(source)
        self._cipher = AESGCM(_key(passphrase, bytes.fromhex(facts["salt"]), facts["scrypt"]))
        self._number = 0
        self._ahead = source.read(_BLOCK + _TAG)
        self._block = b""
        if not self._ahead:
            raise BackupDamagedError("the backup was cut off after its first line")

    def read(self, size: int = -1, /) -> bytes:
        """Give up to so many bytes, b"" at the end; raises BackupDamagedError."""
        if not self._block and self._ahead:
            self._next()
        count = len(self._block) if size < 0 else size
        given, self._block = self._block[:count], self._block[count:]
        return given

    def _next(self) -> None:
        sealed, self._ahead = self._ahead, self._source.read(_BLOCK + _TAG)
        try:
            self._block = self._cipher.decrypt(_nonce(self._number), sealed, _bound(self._line, last=not self._ahead))
        except InvalidTag:
            wrong = "the passphrase is wrong, or the file" if self._number == 0 else "the file"
            raise BackupDamagedError(f"{wrong} was damaged or cut off (block {self._number})") from None
        self._number += 1


def read_line(source: BinaryIO) -> tuple[bytes, dict[str, Any]]:
    """Give the line of a sealed file and the facts in it; raises BackupDamagedError."""
    line = source.readline(_LONGEST_LINE)
    try:
        facts: dict[str, Any] = json.loads(line)
        scrypt = facts["scrypt"]
        sound = (
            facts["format"] == FORMAT
            and len(bytes.fromhex(facts["salt"])) == 16
            and all(isinstance(scrypt[name], int) for name in _SCRYPT)
            and 2 <= scrypt["n"] <= _LARGEST_N
            and 1 <= scrypt["r"] <= 16
            and 1 <= scrypt["p"] <= 4
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        sound = False
    if not sound or not line.endswith(b"\n"):
        raise BackupDamagedError("this is no backup of issbox that this version can read")
    return line, facts


def _key(passphrase: str, salt: bytes, scrypt: Mapping[str, int]) -> bytes:
    try:
        return Scrypt(salt=salt, length=32, n=scrypt["n"], r=scrypt["r"], p=scrypt["p"]).derive(passphrase.encode())
    except (ValueError, MemoryError):
        raise BackupDamagedError("the key of this backup cannot be computed from what its first line says") from None


def _nonce(number: int) -> bytes:
    return number.to_bytes(12)


def _bound(line: bytes, *, last: bool) -> bytes:
    return line + (b"last" if last else b"more")
