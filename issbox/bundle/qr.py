"""QR codes (ISO/IEC 18004) for terminals and paper; the only room that knows segno."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import BinaryIO, Final, Literal

import segno
from segno.encoder import DataOverflowError

from issbox.errors import QrTooLargeError

QUIET_ZONE: Final = 4
"""Light modules around a code, as the standard asks for."""
_PIXELS: Final = 4
_HALVES: Final = {(False, False): " ", (True, False): "\u2580", (False, True): "\u2584", (True, True): "\u2588"}
"""Two modules, one above the other, as one character."""


@dataclass(frozen=True, slots=True)
class QrCode:
    """A QR code as a square of modules, True where it is dark."""

    modules: tuple[tuple[bool, ...], ...]
    """With the light ones of the quiet zone around it."""
    code: segno.QRCode

    @property
    def width(self) -> int:
        """Columns that `half_blocks` takes; `ascii_blocks` takes twice as many."""
        return len(self.modules)


def make_qr(text: str) -> QrCode:
    """Make the smallest code that holds a text; raises QrTooLargeError when none of the 40 sizes does.

    Error correction is level L, or more where the size allows: what is shown on a screen has no scratches.
    """
    try:
        code = segno.make_qr(text, error="l", boost_error=True)
    except DataOverflowError:
        raise QrTooLargeError(
            f"a text of {len(text)} characters does not fit into one QR code, which holds 4296 letters and digits"
        ) from None
    rows = code.matrix_iter(scale=1, border=QUIET_ZONE)
    return QrCode(tuple(tuple(bool(module) for module in row) for row in rows), code)


def half_blocks(qr: QrCode, *, inverse: bool = False) -> str:
    """Draw a code with two modules a character.

    Dark modules are printed, for dark characters on a light ground; `inverse` prints the light ones instead, for
    light characters on a dark ground.
    """
    upper, lower = qr.modules[::2], qr.modules[1::2]
    lines = []
    for above, below in zip_longest(upper, lower, fillvalue=(inverse,) * qr.width):
        lines.append(
            "".join(_HALVES[one is not inverse, two is not inverse] for one, two in zip(above, below, strict=True))
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def ascii_blocks(qr: QrCode, *, inverse: bool = False) -> str:
    """Draw a code in ASCII: `##` for a dark module, two spaces for a light one, or the other way round."""
    lines = ("".join("##" if module is not inverse else "  " for module in row) for row in qr.modules)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def draw_file(qr: QrCode, out: BinaryIO, kind: Literal["png", "svg"]) -> None:
    """Write a code as a picture."""
    qr.code.save(out, kind=kind, scale=_PIXELS, border=QUIET_ZONE)
