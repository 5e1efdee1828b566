"""Commands whose cost a benchmark of images compares: issbox and xorriso writing the same files, and issbox reading.

`python -m benchmarks.images digest TREE LIST`, then `write TREE LIST IMAGE` and `read LIST IMAGE`; an export knows
the digests before it writes, so finding them is a command of its own.
"""

import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.iso.writing import write_iso
from issbox.bundle.members import Member
from issbox.files import Digest, copy_and_digest, digest_file, open_regular
from issbox.syncing import sync_filesystem

_LABEL = IsoLabel("BENCHMARK", "benchmark", 1, 1, datetime(2026, 11, 1, tzinfo=UTC))


def xorriso(tree: Path, image: Path) -> list[str | Path]:
    """Give the command that is the limit."""
    return ["xorriso", "-as", "mkisofs", "-quiet", "-R", "-iso-level", "3", "-o", image, tree]


def issbox(*words: str | Path) -> list[str | Path]:
    """Give the command that runs one of the functions below in its own process."""
    return [sys.executable, "-m", "benchmarks.images", *words]


def digest(tree: Path, listing: Path) -> None:
    """List path, size and digest of every file below a directory, in the order of the paths."""
    with listing.open("w") as out:
        for path in sorted(path for path in tree.rglob("*") if path.is_file()):
            found = digest_file(path)
            out.write(json.dumps([path.relative_to(tree).as_posix(), found.size, found.sha256]) + "\n")


def write(tree: Path, listing: Path, image: Path) -> None:
    """Write an image of the files, each compared with its digest, and make it durable."""
    with image.open("wb") as out:
        write_iso(_Members(tree, listing), out, label=_LABEL)
    sync_filesystem(image)


def read(listing: Path, image: Path) -> None:
    """List an image, then digest every file of the list where it lies; RuntimeError when one is not the same."""
    with IsoImage(image) as opened:
        count = sum(1 for _ in opened.walk())
        for path, expected in _entries(listing):
            count -= 1
            with opened.open(path) as source:
                if copy_and_digest(source, None) != expected:
                    raise RuntimeError(f"{path} is not the same in {image}")
    if count:
        raise RuntimeError(f"{image} has {count} files more than {listing}")


class _Members:
    """The files of a list, from the beginning each time."""

    def __init__(self, tree: Path, listing: Path) -> None:
        self._tree = tree
        self._listing = listing

    def __iter__(self) -> Iterator[Member]:
        for path, expected in _entries(self._listing):
            yield Member(path, expected, partial(open_regular, self._tree / path))


def _entries(listing: Path) -> Iterator[tuple[str, Digest]]:
    with listing.open() as lines:
        for line in lines:
            path, size, sha256 = json.loads(line)
            yield path, Digest(size, sha256)


if __name__ == "__main__":
    _COMMANDS: dict[str, Callable[..., None]] = {"digest": digest, "write": write, "read": read}
    _COMMANDS[sys.argv[1]](*map(Path, sys.argv[2:]))
