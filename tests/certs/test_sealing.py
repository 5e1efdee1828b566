"""Sealed streams: what went in comes out, and any change of the file is found."""

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from issbox.certs import sealing
from issbox.certs.sealing import SealedReader, SealedWriter
from issbox.errors import BackupDamagedError, InvalidValueError

PASSPHRASE = "correct horse battery"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing may be cheap here, and blocks small."""
    monkeypatch.setattr(sealing, "_SCRYPT", {"n": 2, "r": 1, "p": 1})
    monkeypatch.setattr(sealing, "_BLOCK", 64)


def seal(data: bytes, passphrase: str = PASSPHRASE) -> bytes:
    out = io.BytesIO()
    writer = SealedWriter(out, passphrase, {"name": "near"})
    for start in range(0, len(data), 50):
        writer.write(data[start : start + 50])
    writer.close()
    return out.getvalue()


def unseal(sealed: bytes, passphrase: str = PASSPHRASE) -> bytes:
    reader = SealedReader(io.BytesIO(sealed), passphrase)
    parts = []
    while part := reader.read(30):
        parts.append(part)
    return b"".join(parts)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 128, 1000])
def test_what_went_in_comes_out(size: int) -> None:
    data = bytes(index % 251 for index in range(size))
    sealed = seal(data)
    assert unseal(sealed) == data
    assert size < 16 or data not in sealed


def test_two_files_of_the_same_bytes_differ() -> None:
    assert seal(b"x" * 100) != seal(b"x" * 100)


def test_another_passphrase_opens_nothing() -> None:
    with pytest.raises(BackupDamagedError, match="passphrase is wrong"):
        unseal(seal(b"secret"), "another passphrase")


def test_a_short_passphrase_is_refused() -> None:
    with pytest.raises(InvalidValueError, match="12 characters"):
        seal(b"", "short")


@settings(max_examples=60)
@given(st.data())
def test_a_changed_byte_is_found(data: st.DataObject) -> None:
    sealed = bytearray(seal(b"a" * 200))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(BackupDamagedError):
        unseal(bytes(sealed))


def test_a_cut_or_an_exchange_at_any_block_is_found() -> None:
    sealed = seal(b"b" * 200)
    begin = sealed.index(b"\n") + 1
    for size in range(len(sealed)):
        with pytest.raises(BackupDamagedError):
            unseal(sealed[:size])
    block = 64 + 16
    exchanged = sealed[:begin] + sealed[begin + block : begin + 2 * block] + sealed[begin : begin + block]
    with pytest.raises(BackupDamagedError):
        unseal(exchanged + sealed[begin + 2 * block :])
    with pytest.raises(BackupDamagedError):
        unseal(sealed + b"x")


@given(st.binary(max_size=300))
def test_anything_else_is_no_backup(data: bytes) -> None:
    with pytest.raises(BackupDamagedError):
        unseal(data)
