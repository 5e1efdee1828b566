"""What an image says about itself: volume and set identifiers, its number in the set, and one time for everything."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from issbox.errors import InvalidValueError

MAX_VOLUME_ID = 16
"""Characters of a volume identifier that every system shows whole (Joliet and UDF cut longer ones)."""
_VOLUME_ID = re.compile(r"[A-Z0-9_]{1,16}")
_SET_ID = re.compile(r"[ -~]{1,128}")
_MAX_VOLUMES = 0xFFFF
"""Volume numbers are 16 bits wide (ECMA-119 8.4.12)."""


@dataclass(frozen=True, slots=True)
class IsoLabel:
    """How an image is labelled; two images with equal labels and members are equal byte for byte."""

    volume_id: str
    """What file managers show: 1 to 16 of A-Z, 0-9 and `_`; see `make_volume_id`."""
    set_id: str
    """The same on every volume of a set: 1 to 128 printable ASCII characters, for example the bundle's id."""
    number: int
    """Which volume of the set this is, from 1."""
    count: int
    """How many volumes the set has."""
    created_at: datetime
    """The one time that every file, directory and descriptor of the image carries; aware, from 1970 on."""

    def check(self) -> None:
        """Raise InvalidValueError when a field is not as described."""
        if not _VOLUME_ID.fullmatch(self.volume_id):
            raise InvalidValueError(f"{self.volume_id!r} is no volume label: it must be 1 to 16 of A-Z, 0-9 and '_'")
        if not _SET_ID.fullmatch(self.set_id):
            raise InvalidValueError(f"{self.set_id!r} is no volume set identifier: 1 to 128 printable ASCII characters")
        if not 1 <= self.number <= self.count <= _MAX_VOLUMES:
            raise InvalidValueError(
                f"there is no volume {self.number} of {self.count}; a set of images has 1 to {_MAX_VOLUMES} volumes"
            )
        if not 1970 <= self.created_at.astimezone(UTC).year < 2155:
            raise InvalidValueError(f"an image cannot be dated {self.created_at}")

    @property
    def unique_id(self) -> str:
        """16 hexadecimal digits that stand for the set, as UDF asks for (OSTA UDF 2.60, 2.2.2.5)."""
        return hashlib.sha256(self.set_id.encode()).hexdigest()[:16]


def make_volume_id(name: str, number: int = 1, count: int = 1) -> str:
    """Derive a volume identifier from the name of a bundle; in a set, it ends with the volume's number.

    Letters lose their accents and become upper case, anything else becomes `_`, and the name is cut, never the
    number: `make_volume_id("acme-weekly-0042", 2, 12)` is `ACME_WEEKLY_0_02`.
    """
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    stem = re.sub(r"[^A-Z0-9]+", "_", folded).strip("_") or "ISSBOX"
    suffix = f"_{number:0{len(str(count))}d}" if count > 1 else ""
    return stem[: MAX_VOLUME_ID - len(suffix)].rstrip("_") + suffix
