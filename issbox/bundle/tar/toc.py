"""The table of contents of a chunked stream, `NAME.toc.json`: which chunks there are, and what each must be.

Its detached signature, `NAME.toc.json.sig`, is one as `bundle/signature.py` makes it, over exactly these bytes.
"""

from dataclasses import dataclass

import msgspec

from issbox.bundle.decoding import check_format, decode
from issbox.bundle.tar.toc_checks import FORMAT, FORMAT_VERSION, Chunk, Compression, Toc, check_toc


@dataclass(frozen=True, slots=True)
class _Claim:
    """Who claims to have signed; in the same place in every version of the format."""

    key_id: str


_CLAIM = msgspec.json.Decoder(_Claim)
_TOC = msgspec.json.Decoder(Toc)


def new_toc(bundle_id: str, key_id: str, compression: Compression, chunks: tuple[Chunk, ...]) -> Toc:
    """Give the table of contents of these chunks, in the newest format."""
    return Toc(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle_id=bundle_id,
        key_id=key_id,
        compression=compression,
        size=sum(chunk.size for chunk in chunks),
        chunks=chunks,
    )


def encode_toc(toc: Toc) -> bytes:
    """Give the table of contents as JSON: readable, always the same way, with a newline at the end."""
    return msgspec.json.format(msgspec.json.encode(toc), indent=2) + b"\n"


def decode_toc(data: bytes, where: str) -> Toc:
    """Read and check a table of contents; `where` names it in errors. Unknown fields are ignored.

    Raises NewerFormatError for a format newer than this issbox, and BadManifestError, naming the field, for
    everything else that is wrong.
    """
    check_format(data, where, FORMAT, FORMAT_VERSION)
    toc = decode(_TOC, data, where)
    check_toc(toc, where)
    return toc


def claimed_key_id(data: bytes, where: str) -> str:
    """Give the key id a table of contents names, without trusting or reading the rest; raises BadManifestError."""
    return decode(_CLAIM, data, where).key_id
