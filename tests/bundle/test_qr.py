"""QR codes, read back by another program from a picture of what the terminal shows."""

import io
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest
from makers.bundles import new_key
from makers.receipts import make_receipt, make_slip

from issbox.bundle.compact_receipt import encode_compact
from issbox.bundle.qr import QUIET_ZONE, ascii_blocks, draw_file, half_blocks, make_qr
from issbox.bundle.slip import encode_short_slip
from issbox.errors import QrTooLargeError

needs_zbar = pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbarimg (zbar-tools) is not installed")
KEY = new_key()
TEXTS = {
    "slip": encode_short_slip(make_slip()),
    "receipt": encode_compact(make_receipt(KEY.key_id, 50), KEY),
    "largest": "IBC1:" + "7" * 4291,
    "bytes": "any text, in lower case",
}


def read_by_zbar(picture: Path) -> str:
    command = ["zbarimg", "--quiet", "--raw", "-Sdisable", "-Sqrcode.enable", str(picture)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.removesuffix("\n")


def paint(rows: list[list[bool]], path: Path, pixels: int = 4) -> Path:
    """Write rows of modules as a grey PNG, True being black."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    lines = [b"\0" + b"".join((b"\0" if dark else b"\xff") * pixels for dark in row) for row in rows]
    data = zlib.compress(b"".join(line * pixels for line in lines))
    size = (len(rows[0]) * pixels).to_bytes(4, "big") + (len(rows) * pixels).to_bytes(4, "big")
    header = chunk(b"IHDR", size + b"\x08\0\0\0\0")
    chunks = header + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def seen_in_ascii(text: str, width: int) -> list[list[bool]]:
    """Give the modules that ASCII shows, True where something is printed."""
    assert set(text) <= {"#", " ", "\n"}
    rows = [line.ljust(2 * width) for line in text.splitlines()]
    assert all(line[::2] == line[1::2] for line in rows)
    return [[character == "#" for character in line[::2]] for line in rows]


def seen_in_blocks(text: str, width: int) -> list[list[bool]]:
    """Give the modules that half blocks show, True where something is printed."""
    rows: list[list[bool]] = []
    for line in text.splitlines():
        rows.append([character in "\u2580\u2588" for character in line.ljust(width)])
        rows.append([character in "\u2584\u2588" for character in line.ljust(width)])
    return rows


@needs_zbar
@pytest.mark.parametrize("inverse", [False, True])
@pytest.mark.parametrize("name", TEXTS)
def test_another_program_reads_what_the_terminal_shows(tmp_path: Path, name: str, inverse: bool) -> None:
    qr = make_qr(TEXTS[name])
    for seen in (
        seen_in_ascii(ascii_blocks(qr, inverse=inverse), qr.width),
        seen_in_blocks(half_blocks(qr, inverse=inverse), qr.width),
    ):
        # What is printed is light on a dark terminal, for which `inverse` is.
        dark = [[printed is not inverse for printed in row] for row in seen]
        assert read_by_zbar(paint(dark, tmp_path / "seen.png")) == TEXTS[name]


@needs_zbar
def test_another_program_reads_the_picture(tmp_path: Path) -> None:
    with (tmp_path / "qr.png").open("wb") as out:
        draw_file(make_qr(TEXTS["receipt"]), out, "png")
    assert read_by_zbar(tmp_path / "qr.png") == TEXTS["receipt"]


@pytest.mark.parametrize("inverse", [False, True])
def test_both_drawings_show_the_same_modules_with_a_light_edge(inverse: bool) -> None:
    qr = make_qr(TEXTS["slip"])
    drawn = seen_in_ascii(ascii_blocks(qr, inverse=inverse), qr.width)
    assert seen_in_blocks(half_blocks(qr, inverse=inverse), qr.width)[: qr.width] == drawn
    assert [[printed is not inverse for printed in row] for row in drawn] == [list(row) for row in qr.modules]
    assert not any(map(any, qr.modules[:QUIET_ZONE]))
    assert not any(any(row[-QUIET_ZONE:]) for row in qr.modules)


def test_an_svg_is_a_picture_too() -> None:
    out = io.BytesIO()
    draw_file(make_qr("x"), out, "svg")
    assert b"<svg" in out.getvalue()


def test_a_slip_fits_a_small_terminal_and_fifty_repositories_a_large_one() -> None:
    slip = half_blocks(make_qr(TEXTS["slip"])).splitlines()
    assert len(slip) <= 24
    assert max(map(len, slip)) <= 80
    assert make_qr(TEXTS["receipt"]).width < 130


def test_a_text_too_large_is_refused() -> None:
    make_qr("A" * 4296)
    with pytest.raises(QrTooLargeError, match="4297 characters"):
        make_qr("A" * 4297)
