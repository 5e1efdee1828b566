"""QR codes on a terminal: drawn as it can show them."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from issbox.cli import output
from issbox.cli.command import Run
from issbox.errors import CommandLineError


def show_qr(run: Run, text: str, *, inverse: bool, plain: bool) -> None:
    """Write the QR code of a text to standard output.

    Half blocks where the terminal has them, else ASCII: when `plain` says so, in another locale than UTF-8, and on the
    Linux console. Raises QrTooLargeError.
    """
    from issbox.bundle.qr import ascii_blocks, half_blocks, make_qr

    qr = make_qr(text)
    plain = plain or not has_blocks(os.environ, getattr(sys.stdout, "encoding", None))
    columns = qr.width * (2 if plain else 1)
    run.progress.close()
    if sys.stdout.isatty() and columns > os.get_terminal_size(sys.stdout.fileno()).columns:
        run.say(
            f"The code is {columns} columns wide: make the window larger or its letters smaller, or use --qr-image."
        )
    output.write(ascii_blocks(qr, inverse=inverse) if plain else half_blocks(qr, inverse=inverse))


def write_qr_image(text: str, path: Path) -> None:
    """Write the QR code of a text as a picture, .png or .svg; raises CommandLineError for another ending."""
    from issbox.bundle.qr import draw_file, make_qr
    from issbox.files import atomic_write

    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("png", "svg"):
        raise CommandLineError(f"{path} ends neither in .png nor in .svg")
    qr = make_qr(text)
    with atomic_write(path) as out:
        draw_file(qr, out, "png" if kind == "png" else "svg")


def has_blocks(environ: Mapping[str, str], encoding: str | None) -> bool:
    """Tell whether half blocks can be shown: the encoding, the locale and the kind of terminal have them."""
    locale = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or "C"
    if locale == "C.UTF-8" and not environ.get("LC_ALL") and environ.get("LANG", "C") in {"", "C", "POSIX"}:
        locale = "C"  # Python itself sets LC_CTYPE so in the locale C (PEP 538); the terminal knows nothing of it
    utf8 = all(
        word.lower().replace("-", "").endswith("utf8") for word in (locale.partition("@")[0], encoding or "ascii")
    )
    return utf8 and environ.get("TERM", "") not in {"linux", "dumb"}
