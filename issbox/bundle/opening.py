"""Opens whatever may hold a bundle or a volume of one: which form it has is found out by looking."""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Final

from issbox.bundle.archive import ArchiveReader, pipe_once
from issbox.bundle.check import Limits, Trusted, open_volume
from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.reader import BundleReader
from issbox.bundle.tar.chunked_stream import ChunkedStream
from issbox.bundle.tar.reading import reading_chunks, reading_pipe
from issbox.bundle.tar.relisting import chunk_files
from issbox.bundle.tar.tar_reader import TarReader
from issbox.bundle.tar.toc_checks import TOC_SUFFIX, Compression, Toc
from issbox.bundle.tar.toc_reader import read_toc
from issbox.bundle.volume_files import DirectoryFiles
from issbox.errors import BadManifestError, NotABundleError, UnsafeFileError
from issbox.files import Readable, error_from_os, open_regular
from issbox.manifest import MANIFEST_NAME, Manifest
from issbox.model import BundleForm

_ISO_MARK: Final = (32769, b"CD001")
_TAR_MARK: Final = (257, b"ustar")
_GZIP_MARK: Final = (0, b"\x1f\x8b")
_ENDINGS: Final = (".iso", ".tar", ".tgz", ".tar.gz")
DEEPEST: Final = 3
"""How many folders deep bundles, volumes and chunks may lie on a medium or in the inbox."""
TREE_NAMES: Final = frozenset({"repodata", ".treeinfo", "treeinfo"})
"""What is in the top directory of a yum repository."""
_LARGEST_HEADROOM: Final = 1 << 30
"""Bytes of headers and padding that an archive may have beside its content, for two million files."""


@contextmanager
def opened(
    path: Path,
    trusted: Trusted | None,
    limits: Limits,
    scratch: Path,
    *,
    folders: Sequence[Path] = (),
    lenient: bool = False,
) -> Iterator[tuple[BundleReader, BundleForm]]:
    """Open the bundle or volume at the path, its head checked, and say which form it has.

    `scratch` is a directory for the copy of the file table; chunks are looked for beside the table of contents and
    in `folders`. With `lenient` an archive of which chunks are missing can be read up to the first of these, where
    BundleIncompleteError or BundleDamagedError is raised. Raises the BundleError that fits.
    """
    form = form_at(path)
    if form is BundleForm.DIRECTORY:
        yield open_volume(DirectoryFiles(path, scratch), trusted, limits, scratch), form
    elif form is BundleForm.ISO:
        image = IsoImage(path, max_entries=2 * limits.max_files + 1000, scratch=scratch)
        yield open_volume(image, trusted, limits, scratch), form
    else:
        toc = read_toc(path, trusted, folders=folders) if path.name.endswith(TOC_SUFFIX) else None
        stream = partial(_open_archive, path, toc, limits, folders, lenient=lenient)
        with ArchiveReader(path, stream, trusted, limits, scratch) as archive:
            if toc is not None:
                _require_same_bundle(path, toc, archive.manifest)
            yield archive, form


@contextmanager
def opened_stream(
    source: Readable, shown: Path, trusted: Trusted | None, limits: Limits, scratch: Path
) -> Iterator[tuple[BundleReader, BundleForm]]:
    """Open a bundle that comes down a pipe, which messages call `shown`."""
    limit = limits.max_bundle_size + _LARGEST_HEADROOM if limits.max_bundle_size else None
    reader = reading_pipe(source, limit)
    with ArchiveReader(shown, partial(pipe_once, reader), trusted, limits, scratch) as archive:
        yield archive, BundleForm.TAR


def form_at(path: Path) -> BundleForm:
    """Say which form the thing at the path has, by its first bytes; raises NotABundleError for anything else.

    A table of contents stands for its chunks. Links, pipes and the like give UnsafeFileError.
    """
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            raise UnsafeFileError(f"{path} is a symbolic link", hint="Name the thing that it leads to.")
        if stat.S_ISDIR(mode):
            return BundleForm.DIRECTORY
        if stat.S_ISBLK(mode):
            return BundleForm.ISO
        if not stat.S_ISREG(mode):
            raise UnsafeFileError(f"{path} is neither a file nor a directory")
        if path.name.endswith(TOC_SUFFIX):
            return BundleForm.TGZ if read_toc(path, None).compression is Compression.GZIP else BundleForm.TAR
        return _form_of_bytes(path)
    except FileNotFoundError:
        raise NotABundleError(f"{path} does not exist") from None
    except OSError as error:
        raise error_from_os(error) from error


def sources_at(path: Path, is_other: Callable[[Path], bool] = lambda _: False) -> list[Path]:
    """Give what there is to import at a path: the thing itself, or the volumes and sets in a directory, by name.

    They may lie in folders of it, as on a medium. `is_other` tells of a directory whether another system exported it.
    """
    if not path.is_dir() or os.path.lexists(path / MANIFEST_NAME) or is_other(path):
        return [path]
    return list(_sources_below(sorted(path.iterdir()), is_other, DEEPEST)) or [path]


def _sources_below(entries: Sequence[Path], is_other: Callable[[Path], bool], depth: int) -> Iterator[Path]:
    if any(each.name in TREE_NAMES for each in entries):  # a yum repository, where an image is part of the content
        return
    for each in entries:
        directory = each.is_dir() and not each.is_symlink() and not each.name.startswith(".")
        if is_source(each) or (directory and is_other(each)):
            yield each
        elif directory and depth > 1:
            with suppress(PermissionError):  # such as lost+found
                yield from _sources_below(sorted(each.iterdir()), is_other, depth - 1)


def is_source(path: Path) -> bool:
    """Tell by its name, or by the manifest in it, whether a thing may be a bundle, a volume or a set of chunks."""
    if path.name.startswith("."):
        return False
    if path.is_dir():
        return os.path.lexists(path / MANIFEST_NAME)
    if path.name.endswith(TOC_SUFFIX):
        return True
    archive = path.name.endswith(_ENDINGS)
    return archive and not os.path.lexists(toc_beside(path))


def toc_beside(path: Path) -> Path:
    """Give where the table of contents of a single archive would lie: `NAME.toc.json` beside `NAME.tgz`."""
    stem = path.name
    for ending in (".tar.gz", ".tgz", ".tar"):
        stem = stem.removesuffix(ending)
    return path.with_name(stem + TOC_SUFFIX)


@contextmanager
def _open_archive(
    path: Path, toc: Toc | None, limits: Limits, folders: Sequence[Path], *, lenient: bool
) -> Iterator[TarReader]:
    if toc is None:
        with open_regular(path) as source:
            yield reading_pipe(source, None)
        return
    limit = limits.max_bundle_size + _LARGEST_HEADROOM if limits.max_bundle_size else None
    with reading_chunks(ChunkedStream(chunk_files(toc, path.parent, folders), partial=lenient), limit) as reader:
        yield reader


def _require_same_bundle(path: Path, toc: Toc, manifest: Manifest) -> None:
    if (toc.bundle_id, toc.key_id) != (manifest.bundle.id, manifest.source.key_id):
        raise BadManifestError(
            f"{path.name} belongs to the bundle {toc.bundle_id}, but its chunks hold the bundle {manifest.bundle.id}",
            hint="Files of two bundles were mixed up: copy the set again as a whole.",
        )


def _form_of_bytes(path: Path) -> BundleForm:
    with open_regular(path) as source:
        for (offset, mark), form in (
            (_ISO_MARK, BundleForm.ISO),
            (_TAR_MARK, BundleForm.TAR),
            (_GZIP_MARK, BundleForm.TGZ),
        ):
            if os.pread(source.fileno(), len(mark), offset) == mark:
                return form
    raise NotABundleError(f"{path} is neither an ISO image nor a tar archive, nor the table of contents of one")
