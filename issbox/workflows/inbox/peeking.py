"""A look at an unverified manifest: hints for order and waiting, never facts.

Nothing here is trusted. A hint decides when a bundle is checked and which one goes first, never whether it is
accepted; anything unreadable simply gives no hint.
"""

import os
import stat
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import Annotated, Final

import msgspec

from issbox.bundle.iso.medium import Medium
from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.iso.volume import read_volume
from issbox.bundle.tar.chunked_stream import ChunkedStream
from issbox.bundle.tar.reading import reading_pipe
from issbox.bundle.tar.relisting import chunk_files
from issbox.bundle.tar.tar_reader import TarMember
from issbox.bundle.tar.toc_checks import TOC_SUFFIX
from issbox.errors import IssboxError
from issbox.files import copy_and_digest, open_regular
from issbox.manifest import MANIFEST_NAME, VOLUME_NAME
from issbox.workflows.foreign import foreign_hint
from issbox.workflows.imports.chunks import ChunkFolders, peek_toc

MAX_HINT_BYTES: Final = 16 << 20
"""Manifests above this size give no hint; the check has its own, configured limits."""
MAX_HINT_ENTRIES: Final = 4_000_000
"""Entries that an image is looked through for."""
_ARCHIVES: Final = (".tar", ".tgz", ".tar.gz")


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


class _Volume(msgspec.Struct):
    number: _Count = 0
    count: _Count = -1
    size: _Count = -1


class _Mark(msgspec.Struct):
    number: _Count = 1


class Hint(msgspec.Struct, frozen=True):
    """What a manifest claims. Negative numbers and empty texts stand for what it does not say."""

    bundle: _Bundle = msgspec.field(default_factory=_Bundle)
    source: _Source = msgspec.field(default_factory=_Source)
    organization: _Organization = msgspec.field(default_factory=_Organization)
    files: _Files = msgspec.field(default_factory=_Files)
    table: _Table = msgspec.field(default_factory=_Table)
    volumes: tuple[_Volume, ...] = ()
    volume: int = 1
    """Which volume this is, as it says itself."""
    lifecycle_environments: tuple[msgspec.Raw, ...] = ()
    """As they stand there: whoever takes them over reads them anew."""

    @property
    def expected(self) -> tuple[int, int]:
        """Give number and bytes of the files that this volume carries."""
        for each in self.volumes if len(self.volumes) > 1 else ():
            if each.number == self.volume:
                return each.count, each.size
        return self.files.carried_count, self.files.carried_size

    @property
    def line(self) -> tuple[str, str, str]:
        """Source box, organization and destination: within one such line, bundles are numbered."""
        return self.source.box_id, self.organization.label, self.bundle.destination


_DECODER: Final = msgspec.json.Decoder(Hint)
_MARK: Final = msgspec.json.Decoder(_Mark)


def peek(bundle: Path, folders: Iterable[Path] = ()) -> Hint | None:
    """Read what the manifest of this bundle or volume, or the export of a Katello, claims; None when nothing can.

    Chunks of an archive are looked for beside their table of contents and in `folders`.
    """
    return _peek_bundle(bundle, folders) or _foreign(bundle)


def peek_in_inbox(bundle: Path, folders: ChunkFolders, organization: str | None) -> Hint | None:
    """Do what `peek` does; chunks are looked for in the folders that go with the one that the bundle lies in."""
    is_set = bundle.name.endswith(TOC_SUFFIX)
    return peek(bundle, folders.of(bundle, organization) if is_set else ())


def _peek_bundle(bundle: Path, folders: Iterable[Path]) -> Hint | None:
    try:
        if stat.S_ISDIR(bundle.lstat().st_mode):
            hint = _decode(_read(bundle / MANIFEST_NAME))
            mark = bundle / VOLUME_NAME
            number = _MARK.decode(_read(mark)).number if len(hint.volumes) > 1 and mark.exists() else 1
            return msgspec.structs.replace(hint, volume=number)
        return _peek_image(bundle) or _peek_archive(bundle, folders)
    except (OSError, IssboxError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def image_size(path: Path) -> int | None:
    """Give how many bytes an ISO image says that it has; None for a file that is none, as far as it is here."""
    try:
        return read_volume(Medium.open(path)).size
    except IssboxError:
        return None


def _peek_image(path: Path) -> Hint | None:
    whole = image_size(path)
    if whole is None or path.stat().st_size < whole:
        return None
    files = IsoImage(path, max_entries=MAX_HINT_ENTRIES)
    hint = _decode(_read_from(files, MANIFEST_NAME))
    number = _MARK.decode(_read_from(files, VOLUME_NAME)).number if len(hint.volumes) > 1 else 1
    return msgspec.structs.replace(hint, volume=number)


def _peek_archive(path: Path, folders: Iterable[Path]) -> Hint | None:
    toc = peek_toc(path)
    if toc is None:
        if not path.name.endswith(_ARCHIVES):
            return None
        with open_regular(path) as source:
            return _first_member(reading_pipe(source))
    with ChunkedStream(chunk_files(toc, path.parent, folders), partial=True) as stream:
        return _first_member(reading_pipe(stream))


def _first_member(members: Iterable[TarMember]) -> Hint | None:
    member = next(iter(members), None)
    if member is None or member.path != MANIFEST_NAME or member.size > MAX_HINT_BYTES:
        return None
    out = BytesIO()
    copy_and_digest(member, out)
    return _decode(out.getvalue())


def _decode(data: bytes) -> Hint:
    return _DECODER.decode(data)


def _read(path: Path) -> bytes:
    with open_regular(path) as source:
        if os.fstat(source.fileno()).st_size > MAX_HINT_BYTES:
            return b""
        return source.read(MAX_HINT_BYTES) or b""


def _read_from(files: IsoImage, name: str) -> bytes:
    out = BytesIO()
    with files.open(name) as source:
        copy_and_digest(source, out, limit=MAX_HINT_BYTES)
    return out.getvalue()


def _foreign(export: Path) -> Hint | None:
    found = foreign_hint(export)
    if found is None:
        return None
    return Hint(
        bundle=_Bundle(id=found.identity, sequence=found.number),
        source=_Source(box_id=found.source),
        organization=_Organization(label=found.organization),
    )
