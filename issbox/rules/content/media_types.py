"""What kind of file it is, as hosts and their administrators' browsers are told.

Compressed files are that, and never the transport encoding of something else: clients compare them with checksums.
"""

from typing import Final

TEXT: Final = "text/plain; charset=utf-8"
OTHER: Final = "application/octet-stream"

BY_ENDING: Final = {
    "asc": TEXT,
    "bz2": "application/x-bzip2",
    "drpm": "application/x-rpm",
    "gz": "application/gzip",
    "iso": "application/x-iso9660-image",
    "json": "application/json",
    "rpm": "application/x-rpm",
    "sqlite": "application/vnd.sqlite3",
    "treeinfo": TEXT,
    "txt": TEXT,
    "xml": "text/xml",
    "xz": "application/x-xz",
    "yaml": "application/yaml",
    "zck": "application/x-zchunk",
    "zst": "application/zstd",
}
"""Anything else, HTML included, is only bytes: nothing of a mirrored repository runs in a browser."""


def content_type(name: str) -> str:
    """Give the media type of a file by its name."""
    if name == "listing":
        return TEXT
    return BY_ENDING.get(name.rpartition(".")[2].lower(), OTHER)
