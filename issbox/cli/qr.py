"""QR codes on a terminal: drawn as it can show them."""

import os
import sys
from pathlib import Path

from issbox.cli import output
from issbox.cli.command import Run
from issbox.errors import CommandLineError
from issbox.screen_text import has_blocks


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
