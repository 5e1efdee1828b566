"""Reads a table of contents and its signature from where they lie."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from issbox.bundle.signature import SIGNATURE_SIZE, format_fingerprint, verify
from issbox.bundle.tar.toc import claimed_key_id, decode_toc
from issbox.bundle.tar.toc_checks import SIGNATURE_SUFFIX, TOC_SUFFIX, Toc
from issbox.bundle.tree import read_bounded
from issbox.errors import (
    BadManifestError,
    BundleIncompleteError,
    BundleSignatureError,
    OversizedError,
    UnknownKeyError,
    UnsignedBundleError,
)
from issbox.names import is_sha256

MAX_TOC: Final = 64 << 20
"""Largest table of contents in bytes; room for `MAX_CHUNKS` with the longest names."""


def read_toc(path: Path, trusted: Callable[[str], str | None] | None, *, folders: Iterable[Path] = ()) -> Toc:
    """Read and check `NAME.toc.json`; without `trusted` its signature is not checked.

    `trusted` gives the public key of a key id in PEM, or None. The signature lies beside it, or in one of `folders`.
    Raises BundleIncompleteError when it is not there, UnsignedBundleError without its signature, UnknownKeyError,
    BundleSignatureError, OversizedError, UnsafeFileError, NewerFormatError and BadManifestError, also when it is that
    of other files.
    """
    data = read_bounded(path.parent, path.name, MAX_TOC)
    if trusted is not None:
        _check_signature(path, data, trusted, folders)
    toc = decode_toc(data, path.name)
    if path.name != f"{toc.set_name}{TOC_SUFFIX}":
        raise BadManifestError(f"{path.name} is the table of contents of {toc.set_name!r}: it was given another name")
    return toc


def signature_path(path: Path, folders: Iterable[Path] = ()) -> Path:
    """Give where the signature of a table of contents lies: beside it, or else in one of the folders."""
    beside = path.with_name(path.name.removesuffix(TOC_SUFFIX) + SIGNATURE_SUFFIX)
    places = (folder / beside.name for folder in (path.parent, *folders))
    return next((place for place in places if os.path.lexists(place)), beside)


def _check_signature(path: Path, data: bytes, trusted: Callable[[str], str | None], folders: Iterable[Path]) -> None:
    beside = signature_path(path, folders)
    try:
        signature = read_bounded(beside.parent, beside.name, SIGNATURE_SIZE)
    except OversizedError:
        signature = b""
    except BundleIncompleteError:
        raise UnsignedBundleError(
            f"{path.name} has no {beside.name} beside it",
            hint=f"Copy {beside.name} too, or have the bundle exported again.",
        ) from None
    if len(signature) != SIGNATURE_SIZE:
        raise BundleSignatureError(f"{beside.name} is no signature of {SIGNATURE_SIZE} bytes")
    key_id = claimed_key_id(data, path.name)
    if not is_sha256(key_id):
        raise BadManifestError(f"{path.name}: $.key_id: expected 64 lower-case hexadecimal digits")
    public_key = trusted(key_id)
    if public_key is None:
        raise UnknownKeyError(
            f"{path.name} is signed by the key {format_fingerprint(key_id)}, which is not trusted here"
        )
    verify(public_key, data, signature)
