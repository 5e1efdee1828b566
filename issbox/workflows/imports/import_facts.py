"""What the row of an import says of its bundle, checked or only claimed yet."""

import os
from collections.abc import Callable
from pathlib import Path

from issbox.bundle.reader import BundleReader
from issbox.bundle.tar.toc_reader import read_toc, signature_path
from issbox.manifest import BundleKind
from issbox.model import BundleForm
from issbox.workflows.context import Context
from issbox.workflows.imports.chunk_sets import form_of_toc
from issbox.workflows.imports.chunks import peek_toc
from issbox.workflows.inbox.peeking import peek


def trusted_public_key(ctx: Context) -> Callable[[str], str | None]:
    """Give a function from key id to the PEM of the trusted public key, or None."""

    def find(key_id: str) -> str | None:
        key = ctx.store.trusted_keys.find(key_id)
        return key.public_key if key is not None else None

    return find


def claims(ctx: Context, path: Path, folders: list[Path]) -> dict[str, object]:
    """Give what an import's row says of a set of chunks that is not whole: what its table of contents claims.

    Raises what reading a table of contents raises, when it is there with its signature and may not be believed.
    """
    toc = peek_toc(path)
    if toc is None:
        return {}
    if os.path.lexists(signature_path(path, folders)):
        toc = read_toc(path, trusted_public_key(ctx), folders=folders)
    hint = peek(path, folders)
    head = (
        {}
        if hint is None or hint.bundle.id != toc.bundle_id
        else {
            "source_box": hint.source.box_id,
            "destination": hint.bundle.destination,
            "sequence": hint.bundle.sequence,
        }
    )
    return {"bundle_id": toc.bundle_id, "key_id": toc.key_id, "form": form_of_toc(path), **head}


def facts(bundle: BundleReader, form: BundleForm) -> dict[str, object]:
    """Give what an import's row says of its bundle."""
    manifest = bundle.manifest
    volumes = len(manifest.volumes)
    return {
        "bundle_id": manifest.bundle.id,
        "source_box": manifest.source.box_id,
        "key_id": manifest.source.key_id,
        "destination": manifest.bundle.destination,
        "sequence": manifest.bundle.sequence,
        "size": manifest.files.size,
        "files": manifest.files.count,
        "incremental": manifest.bundle.kind is BundleKind.INCREMENTAL,
        "volume": bundle.volume if volumes > 1 else None,
        "volumes": volumes if volumes > 1 else None,
        "made_by": manifest.source.made_by,
        "form": form,
    }
