"""The manifest's bytes: written readable and always the same way, read only when everything in it holds."""

from dataclasses import dataclass

import msgspec

from issbox.bundle.decoding import check_format, decode
from issbox.bundle.manifest_checks import check_manifest
from issbox.manifest import FORMAT, FORMAT_VERSION, MANIFEST_NAME, Manifest


@dataclass(frozen=True, slots=True)
class _SourceKey:
    key_id: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who claims to have signed; in the same place in every version of the format."""

    source: _SourceKey


_CLAIM = msgspec.json.Decoder(_Claim)
_MANIFEST = msgspec.json.Decoder(Manifest)


def encode_manifest(manifest: Manifest) -> bytes:
    """Give the manifest as JSON: keys in the order of the dataclass, two spaces of indent, a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"


def decode_manifest(data: bytes) -> Manifest:
    """Read and check a manifest.

    Raises NewerFormatError for a format newer than this issbox, UnsafePathError and NameClashError for the paths of
    its repositories, and BadManifestError, naming the field, for everything else. Unknown fields are ignored.
    """
    check_format(data, MANIFEST_NAME, FORMAT, FORMAT_VERSION, called="the bundle")
    manifest = decode(_MANIFEST, data, MANIFEST_NAME)
    check_manifest(manifest)
    return manifest


def claimed_key_id(data: bytes) -> str:
    """Give the key id a manifest names, without trusting or reading the rest; raises BadManifestError."""
    return decode(_CLAIM, data, MANIFEST_NAME).source.key_id
