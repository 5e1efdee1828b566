"""What is kept of an exported bundle beside its row: all but the packages, so that any volume can be written again."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Final

import msgspec

from issbox.bundle.check import Limits, check_head
from issbox.bundle.head import Head, Source
from issbox.errors import BundleError, RecutError
from issbox.files import atomic_write, digest_file
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, FileEntry
from issbox.model import BundleForm, ContentExport
from issbox.syncing import sync_directory
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context
from issbox.workflows.exports.forms import Style
from issbox.workflows.exports.forms.archive import KEPT_TOC

RECUTTING: Final = "recutting"
"""Holds the path where volumes are written again, while that lasts."""
_ARCHIVES: Final = {BundleForm.TAR, BundleForm.TGZ}
_STYLE: Final = "style.json"
_DOCUMENTS: Final = "documents.json"
_READ_STYLE: Final = msgspec.json.Decoder(Style)
_READ_DOCUMENTS: Final = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class KeptBundle:
    """A bundle that was exported, ready to be written again."""

    place: Path
    """The directory where it is kept."""
    head: Head
    style: Style
    documents: Mapping[str, bytes]
    """Bytes of the files that belong to no repository, by path."""


def keep_head(ctx: Context, head: Head, style: Style, documents: Mapping[str, bytes]) -> Path:
    """Keep a bundle's head, whose table is moved, and give the directory."""
    place = ctx.store.heads / head.manifest.bundle.id
    ctx.store.heads.mkdir(mode=0o700, exist_ok=True)
    place.mkdir(mode=0o700, exist_ok=True)
    _make_durable(head.table)
    head.table.replace(place / TABLE_NAME)
    texts = {path: data.decode() for path, data in documents.items()}
    for name, data in (
        (_STYLE, msgspec.json.encode(style)),
        (_DOCUMENTS, msgspec.json.encode(texts)),
        (SIGNATURE_NAME, head.signature),
        (MANIFEST_NAME, head.data),
    ):
        with atomic_write(place / name) as out:
            out.write(data)
    sync_directory(ctx.store.heads)
    return place


def kept_bundle(ctx: Context, export: ContentExport) -> KeptBundle:
    """Give what is kept of an export; raises RecutError when it is not there or not what it was."""
    place = ctx.store.heads / export.bundle_id
    try:
        data, signature = (place / MANIFEST_NAME).read_bytes(), (place / SIGNATURE_NAME).read_bytes()
        style = _READ_STYLE.decode((place / _STYLE).read_bytes())
        documents = _READ_DOCUMENTS.decode((place / _DOCUMENTS).read_bytes())
        table = digest_file(place / TABLE_NAME)
        key = signing_key(ctx)
        manifest = check_head(data, signature, {key.key_id: key.public_pem}.get, Limits(max_files=1 << 62))
    except FileNotFoundError:
        raise RecutError(f"nothing is kept of the content export {export.id}") from None
    except (msgspec.MsgspecError, BundleError) as error:
        raise RecutError(f"what is kept of the content export {export.id} is damaged: {error}") from None
    if (table.size, table.sha256) != (manifest.table.size, manifest.table.sha256):
        raise RecutError(f"what is kept of the content export {export.id} is damaged: {TABLE_NAME} is another one")
    if style.form in _ARCHIVES and not all((place / name).exists() for name in KEPT_TOC):
        raise RecutError(f"no table of contents is kept of the content export {export.id}")
    head = Head(manifest, data, signature, place / TABLE_NAME)
    return KeptBundle(place, head, style, {path: text.encode() for path, text in documents.items()})


class StoredContent:
    """Opens the files of a bundle: those of repositories in the store, the others as they are given."""

    def __init__(self, ctx: Context, documents: Mapping[str, bytes]) -> None:
        """Take the bytes of the files that belong to no repository."""
        self._ctx = ctx
        self._documents = documents

    def __call__(self, entry: FileEntry) -> AbstractContextManager[Source]:
        """Open the bytes of an entry; raises StoreDamagedError when they are missing."""
        if entry.repository is None:
            return nullcontext(BytesIO(self._documents[entry.path]))
        return self._ctx.store.blobs.open(entry.sha256)

    def has(self, entry: FileEntry) -> bool:
        """Tell whether the bytes of an entry are there."""
        if entry.repository is None:
            return sha256(self._documents.get(entry.path, b"")).hexdigest() == entry.sha256
        return self._ctx.store.blobs.has(entry.sha256, entry.size)


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
