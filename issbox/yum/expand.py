"""Decompressing metadata in a stream, with limits, before any XML parser sees it."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, Final, cast

import zstandard

from issbox.errors import BadMetadataError
from issbox.files import error_from_os
from issbox.names import format_size

_BLOCK: Final = 1 << 18
_MEMORY: Final = 256 << 20
"""Bytes a decompressor may take for its window: `xz -9` needs 65 MiB, the formats allow gigabytes."""
_WINDOW: Final = 128 << 20
"""Bytes of window a zstd frame may ask for, as `zstd --long` does."""

_MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"BZh", "bzip2"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x00ZCK1", "zchunk"),
    (b"\x00ZHR1", "zchunk"),
)


def expand(source: Path, *, name: str, limit: int, open_size: int | None = None) -> Iterator[bytes]:
    """Give the decompressed bytes of a metadata file, block by block; the compression is seen from the first bytes.

    Never gives more than `limit` bytes, nor more than `open_size` when that is declared. Raises BadMetadataError
    naming the file for damaged data, for more data than that, and for zchunk, which is not read here.
    """
    allowed = limit if open_size is None else min(limit, open_size)
    given = 0
    try:
        with source.open("rb") as stream:
            kind = _detect(stream)
            for block in _blocks(stream, kind, name):
                given += len(block)
                if given > allowed:
                    raise BadMetadataError(_too_large(name, allowed, declared=open_size is not None and given <= limit))
                yield block
    except (zlib.error, lzma.LZMAError, zstandard.ZstdError, EOFError) as error:
        raise BadMetadataError(f"{name} cannot be decompressed: {error}") from None
    except OSError as error:
        if error.errno is None:  # gzip and bz2 tell of damage this way
            raise BadMetadataError(f"{name} cannot be decompressed: {error}") from None
        raise error_from_os(error) from error


def _too_large(name: str, allowed: int, *, declared: bool) -> str:
    if declared:
        return f"{name} is larger than the {allowed} bytes that repomd.xml declares for it once decompressed"
    return f"{name} is larger than {format_size(allowed)} once decompressed ([synchronize] max_metadata_size)"


def _detect(stream: BinaryIO) -> str:
    start = stream.read(8)
    stream.seek(0)
    return next((kind for magic, kind in _MAGIC if start.startswith(magic)), "plain")


def _blocks(stream: BinaryIO, kind: str, name: str) -> Iterator[bytes]:
    if kind == "zchunk":
        raise BadMetadataError(
            f"{name} is compressed with zchunk, which issbox keeps but cannot read",
            hint="Have upstream publish the same metadata with gzip, xz or zstd too, as createrepo_c does.",
        )
    if kind == "xz":
        yield from _blocks_of_xz(stream)
        return
    openers: dict[str, Callable[[BinaryIO], AbstractContextManager[object]]] = {
        "gzip": lambda raw: gzip.GzipFile(fileobj=raw),
        "bzip2": bz2.BZ2File,
        "zstd": lambda raw: zstandard.ZstdDecompressor(max_window_size=_WINDOW).stream_reader(
            raw, read_across_frames=True, closefd=False
        ),
        "plain": lambda raw: raw,
    }
    with openers[kind](stream) as opened:
        reader = cast("BinaryIO", opened)
        while block := reader.read(_BLOCK):
            yield block


def _blocks_of_xz(stream: BinaryIO) -> Iterator[bytes]:
    """Decompress one xz stream after the other; the class of the standard library has no limit for memory."""
    decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
    data = b""
    while True:
        if decoder.eof:
            data = decoder.unused_data.lstrip(b"\0")  # padding between streams
            decoder = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)
            while not data:
                if not (data := stream.read(_BLOCK)):
                    return
                data = data.lstrip(b"\0")
        elif decoder.needs_input and not (data := stream.read(_BLOCK)):
            raise EOFError("it ends too early")
        if block := decoder.decompress(data, _BLOCK):
            yield block
        data = b""
