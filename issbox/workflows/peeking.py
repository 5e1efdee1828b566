"""A look at an unverified manifest: hints for order and waiting, never facts.

Nothing here is trusted. A hint decides when a bundle is checked and which one goes first, never whether it is
accepted; anything unreadable simply gives no hint.
"""

import os
from pathlib import Path
from typing import Annotated, Final

import msgspec

from issbox.errors import InvalidValueError
from issbox.files import open_regular
from issbox.manifest import MANIFEST_NAME
from issbox.workflows.foreign import foreign_hint

MAX_HINT_BYTES: Final = 16 << 20
"""Manifests above this size give no hint; the check has its own, configured limits."""


_Count = Annotated[int, msgspec.Meta(ge=-1, le=2**62)]


class _Bundle(msgspec.Struct):
    id: str = ""
    destination: str = ""
    sequence: _Count = 0


class _Source(msgspec.Struct):
    box_id: str = ""


class _Organization(msgspec.Struct):
    label: str = ""


class _Files(msgspec.Struct):
    carried_count: _Count = -1
    carried_size: _Count = -1


class _Table(msgspec.Struct):
    size: _Count = -1


class Hint(msgspec.Struct, frozen=True):
    """What a manifest claims. Negative numbers and empty texts stand for what it does not say."""

    bundle: _Bundle = msgspec.field(default_factory=_Bundle)
    source: _Source = msgspec.field(default_factory=_Source)
    organization: _Organization = msgspec.field(default_factory=_Organization)
    files: _Files = msgspec.field(default_factory=_Files)
    table: _Table = msgspec.field(default_factory=_Table)

    @property
    def line(self) -> tuple[str, str, str]:
        """Source box, organization and destination: within one such line, bundles are numbered."""
        return self.source.box_id, self.organization.label, self.bundle.destination


_DECODER: Final = msgspec.json.Decoder(Hint)


def peek(bundle: Path) -> Hint | None:
    """Read what the manifest of this bundle, or the export of a Katello, claims; None when nothing can be read."""
    try:
        with open_regular(bundle / MANIFEST_NAME) as source:
            if os.fstat(source.fileno()).st_size > MAX_HINT_BYTES:
                return None
            data = source.read(MAX_HINT_BYTES)
        return _DECODER.decode(data or b"")
    except (OSError, InvalidValueError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _foreign(bundle)


def _foreign(export: Path) -> Hint | None:
    found = foreign_hint(export)
    if found is None:
        return None
    return Hint(
        bundle=_Bundle(id=found.identity, sequence=found.number),
        source=_Source(box_id=found.source),
        organization=_Organization(label=found.organization),
    )
