"""Decides whether a bundle is accepted. Every refusal is the BundleError that says why.

Cheap checks come first, and nothing that is not signed by a trusted key is looked into, except for the key id:

1. there is a manifest, and it is not too large; there is a signature of 64 bytes; there is a file table
2. the key named by the manifest is trusted, and the signature belongs to the manifest's bytes
3. the format is not newer than this issbox; the manifest keeps every rule; the bundle is not larger than allowed
4. the file table has the size and digest of the manifest
5. every line of it keeps every rule, and together they add up to what the manifest says
6. the volume holds exactly the files it carries, each of its size, and nothing but files and directories
7. (only `verifying.verify`) every byte of every file is what its digest says
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from issbox.bundle.decoding import decode
from issbox.bundle.head import VolumeMark
from issbox.bundle.manifest import claimed_key_id, decode_manifest
from issbox.bundle.reader import BundleReader, VolumeReader
from issbox.bundle.signature import SIGNATURE_SIZE, format_fingerprint
from issbox.bundle.signature import verify as verify_signature
from issbox.bundle.volume_files import DirectoryFiles, VolumeFiles
from issbox.errors import (
    BadManifestError,
    BundleIncompleteError,
    BundleSignatureError,
    NotABundleError,
    OversizedError,
    UnknownKeyError,
    UnsignedBundleError,
)
from issbox.files import BLOCK
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME, VOLUME_NAME, Manifest
from issbox.names import format_size, is_sha256, plural

Trusted = Callable[[str], str | None]
"""Gives the public key of a key id in PEM, or None when that key is not trusted."""

MAX_MANIFEST = 64 << 20
"""Largest manifest in bytes."""
_MARK = msgspec.json.Decoder(VolumeMark)
_MAX_MARK = 4096


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a bundle may be."""

    max_bundle_size: int = 0
    """Bytes of the carried files and the file table; 0 means no limit."""
    max_files: int = 2_000_000


def open_bundle(path: Path, trusted: Trusted, limits: Limits = Limits()) -> BundleReader:
    """Check everything but the contents of the carried files, and give the bundle or volume for reading."""
    bundle = open_head(path, trusted, limits)
    bundle.check_body()
    return bundle


def open_head(
    path: Path, trusted: Trusted | None, limits: Limits = Limits(), scratch: Path | None = None
) -> BundleReader:
    """Do steps 1 to 3: enough to know which bundle it is and that its manifest can be believed, whatever its size.

    `check_body` of what is given does steps 4 to 6; nothing but the manifest may be used before. `scratch` is a
    directory for the copy of the file table.
    """
    return open_volume(DirectoryFiles(path, scratch), trusted, limits, scratch)


def open_volume(
    files: VolumeFiles, trusted: Trusted | None, limits: Limits, scratch: Path | None = None
) -> VolumeReader:
    """Do steps 1 to 3 with the files of one volume."""
    data, signature = _read_head(files)
    manifest = check_head(data, signature, trusted, limits)
    number = _volume_number(files, manifest)
    return VolumeReader(files, data, signature, manifest, volume=number, scratch=scratch)


def check_head(data: bytes, signature: bytes, trusted: Trusted | None, limits: Limits) -> Manifest:
    """Check the signature of a manifest, unless `trusted` is None, then the manifest, and give it."""
    if len(signature) != SIGNATURE_SIZE:
        raise BundleSignatureError(f"{SIGNATURE_NAME} is no signature of {SIGNATURE_SIZE} bytes")
    if trusted is not None:
        _check_signature(data, signature, trusted)
    manifest = decode_manifest(data)
    _check_limits(manifest, limits)
    return manifest


def _read_head(files: VolumeFiles) -> tuple[bytes, bytes]:
    """Give the manifest's bytes and the signature, once the three head files are there and not too large."""
    try:
        data = _read_small(files, MANIFEST_NAME, MAX_MANIFEST)
    except BundleIncompleteError:
        if any(files.has(name) for name in (SIGNATURE_NAME, TABLE_NAME)):
            raise
        raise NotABundleError(f"{files.path} holds no {MANIFEST_NAME}") from None
    if len(data) > MAX_MANIFEST:
        raise OversizedError(
            f"{MANIFEST_NAME} is larger than {format_size(MAX_MANIFEST)}",
            hint="No issbox writes such a manifest: find out where it comes from.",
        )
    try:
        signature = _read_small(files, SIGNATURE_NAME, SIGNATURE_SIZE)
    except BundleIncompleteError:
        raise UnsignedBundleError(f"{files.path} holds no {SIGNATURE_NAME}") from None
    with files.open(TABLE_NAME):
        pass
    return data, signature


def _read_small(files: VolumeFiles, name: str, limit: int) -> bytes:
    """Give a file's bytes, one more than the limit when it is longer."""
    parts: list[bytes] = []
    left = limit + 1
    with files.open(name) as source:
        while left:
            buffer = memoryview(bytearray(min(left, BLOCK)))
            count = source.readinto(buffer) or 0
            if not count:
                break
            parts.append(bytes(buffer[:count]))
            left -= count
    return b"".join(parts)


def _volume_number(files: VolumeFiles, manifest: Manifest) -> int:
    """Give the number that a volume of several says it has."""
    count = len(manifest.volumes)
    if count == 1:
        return 1
    mark = decode(_MARK, _read_small(files, VOLUME_NAME, _MAX_MARK), VOLUME_NAME)
    if mark.bundle_id != manifest.bundle.id or not 1 <= mark.number <= count:
        raise BadManifestError(
            f"{VOLUME_NAME} says volume {mark.number} of the bundle {mark.bundle_id[:128]!r}, but the manifest is that "
            f"of the bundle {manifest.bundle.id}, which has {plural(count, 'volume')}",
            hint="Files of two volumes or bundles were mixed up: copy the volume again as a whole.",
        )
    return mark.number


def _check_signature(data: bytes, signature: bytes, trusted: Trusted) -> None:
    key_id = claimed_key_id(data)
    if not is_sha256(key_id):
        raise BadManifestError(f"{MANIFEST_NAME}: $.source.key_id: expected 64 lower-case hexadecimal digits")
    public_key = trusted(key_id)
    if public_key is None:
        raise UnknownKeyError(
            f"the bundle is signed by the key {format_fingerprint(key_id)}, which is not trusted here"
        )
    verify_signature(public_key, data, signature)


def _check_limits(manifest: Manifest, limits: Limits) -> None:
    size = manifest.files.carried_size + manifest.table.size
    if limits.max_bundle_size and size > limits.max_bundle_size:
        raise OversizedError(
            f"the bundle has {format_size(size)}, more than the {format_size(limits.max_bundle_size)} allowed",
            hint="Raise [inbox] max_bundle_size if it is meant to be so.",
        )
    if manifest.files.count > limits.max_files:
        raise OversizedError(
            f"the bundle lists {manifest.files.count} files, more than the {limits.max_files} allowed",
            hint="Raise [inbox] max_files if it is meant to be so.",
        )
