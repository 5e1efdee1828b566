"""Reading stored files again, those not looked at for longest first, and mending damaged ones from elsewhere."""

import os
import stat
import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from issbox.bundle.check import Limits
from issbox.bundle.opening import opened, sources_at
from issbox.bundle.pieces import Piece
from issbox.bundle.reader import BundleReader
from issbox.errors import BundleError, DigestMismatchError, IssboxError, NotABundleError, OperatingSystemError
from issbox.files import BLOCK, copy_and_digest, open_regular, require_path
from issbox.store import Batch
from issbox.store.blob_checks import DamagedFile, StoredFile
from issbox.workflows.appliance.mending import rebuild_trees
from issbox.workflows.context import Context, Permission
from issbox.workflows.imports.chunks import chunk_folders


@dataclass(frozen=True, slots=True)
class ScrubReport:
    """What a scrub found."""

    checked: int
    size: int
    """Bytes read."""
    mended: int
    damaged: tuple[DamagedFile, ...]
    """Those that are damaged or missing now, whenever that was found."""
    finished: bool
    """Whether every file is younger checked than was asked for."""


def scrub(
    ctx: Context,
    *,
    older_than: timedelta = timedelta(0),
    rate: int | None = None,
    longest: float | None = None,
    source: Path | None = None,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> ScrubReport:
    """Hash stored files that were not looked at for `older_than`, and then mend what is damaged from a bundle.

    Never more than `rate` bytes a second, and no new file after `longest` seconds. What was found is kept, so that the
    next one goes on from there; a killed one loses the last few hundred results. `source` is a bundle, a volume of one,
    or a folder with such or with any other files: a file that has the right digest is taken.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    began = clock()
    checked = size = 0
    finished = True
    ctx.progress.step("scrub")

    def read(count: int) -> None:
        nonlocal size
        size += count
        if rate is not None and (ahead := size / rate - (clock() - began)) > 0:
            sleep(ahead)

    if source is not None:
        require_path(source)
    with ctx.store.session():
        ctx.store.blob_checks.forget()
        before = {each.sha256 for each in ctx.store.blob_checks.damaged()}
        for page in ctx.store.blob_checks.due(ctx.clock() - older_than):
            results: list[tuple[str, bool]] = []
            for file in page:
                results.append((file.sha256, is_sound(ctx, file, read)))
                checked += 1
                ctx.progress.advance(files=1, size=file.size)
                if longest is not None and clock() - began >= longest:
                    finished = False
                    break
            rebuild_trees(ctx, {sha256 for sha256, sound in results if sound and sha256 in before})
            ctx.store.blob_checks.record(results, ctx.clock())
            if not finished:
                break
        damaged = {each.sha256: each.size for each in ctx.store.blob_checks.damaged()}
        mended = mend_from(ctx, source, damaged) if source is not None and damaged else set()
        left = ctx.store.blob_checks.damaged()
        if left or mended:
            with ctx.store.transaction():
                details: dict[str, object] = {"damaged": len(left), "mended": len(mended)}
                ctx.audit("store.scrub", "store", details=details)
    return ScrubReport(checked, size, len(mended), tuple(left), finished)


def is_sound(ctx: Context, file: StoredFile, advance: Callable[[int], None] = lambda _: None) -> bool:
    """Read a stored file and tell whether it is what its name says; one that nobody needs any more is.

    `advance` hears of the bytes read.
    """
    try:
        with open_regular(ctx.store.blobs.path(file.sha256)) as stored:
            found = copy_and_digest(stored, None, limit=file.size + BLOCK, advance=advance)
        sound = found.sha256 == file.sha256
    except (OSError, IssboxError):
        sound = False
    return sound or not ctx.store.blob_checks.is_needed(file.sha256)


def mend_from(ctx: Context, source: Path, wanted: Mapping[str, int]) -> set[str]:
    """Take the files with these SHA-256 and sizes from a path, and build the trees again that hold them.

    It is a bundle, a volume of one, or a folder with such or with any other files, as a mirror or a Katello has them. A
    file is taken only when its bytes have the digest, so it does not matter who made what. Gives the digests of the
    files mended; call it inside a session. Raises BundleError when there is nothing to take.
    """
    mended: set[str] = set()
    no_bundle: IssboxError | None = None
    try:
        for path in sources_at(source):
            ctx.progress.step("mend", f"from {path.name}")
            _from_bundle(ctx, path, wanted.keys(), mended)
    except (BundleError, OperatingSystemError) as error:
        no_bundle = error
    if source.is_dir() and wanted.keys() - mended:
        ctx.progress.step("mend", f"from files below {source.name}")
        mended |= _from_files(ctx, source, {sha256: wanted[sha256] for sha256 in wanted.keys() - mended})
    if no_bundle is not None:
        if not mended:
            raise no_bundle
        if not isinstance(no_bundle, NotABundleError):
            ctx.progress.note(str(no_bundle))
    rebuild_trees(ctx, mended)
    return mended


def _from_bundle(ctx: Context, path: Path, wanted: AbstractSet[str], mended: set[str]) -> None:
    """Take what is wanted and not mended yet from a bundle, up to where it is damaged, and add it to the mended."""
    limits = Limits(ctx.settings.inbox.max_bundle_size, ctx.settings.inbox.max_files)
    problem: IssboxError | None = None
    with ctx.store.scratch() as scratch, ctx.store.blobs.batch(replace=True) as batch:
        taken: set[str] = set()
        try:
            with opened(path, None, limits, scratch, folders=chunk_folders(ctx, path)) as (bundle, _):
                for piece in bundle.pieces(lambda entry: entry.sha256 in wanted):
                    if piece.digest.sha256 in wanted - mended - taken and _add(ctx, batch, piece, bundle):
                        taken.add(piece.digest.sha256)
        except (BundleError, OperatingSystemError) as error:
            problem = error
        batch.commit()
        mended |= taken
    if problem is not None:
        raise problem


def _add(ctx: Context, batch: Batch, piece: Piece, bundle: BundleReader) -> bool:
    """Bring a file of a bundle into the batch and tell whether it was one; of a stream, raises what reading raises."""
    try:
        with piece.open() as data:
            batch.add(data, sha256=piece.digest.sha256, size=piece.digest.size)
    except DigestMismatchError:
        return False
    except (BundleError, OperatingSystemError) as error:  # others may be read
        if bundle.sequential:
            raise
        ctx.progress.note(str(error))
        return False
    return True


def _from_files(ctx: Context, root: Path, wanted: Mapping[str, int]) -> set[str]:
    """Hash the files whose size is that of one wanted, and take those that are one."""
    sizes, taken = set(wanted.values()), set[str]()
    with ctx.store.blobs.batch(replace=True) as batch:
        for path, size in _regular_files(root, ctx.settings.inbox.max_files):
            if size not in sizes:
                continue
            with suppress(OSError, IssboxError), open_regular(path) as source:
                sha256 = copy_and_digest(source, None, limit=size).sha256
                if sha256 in wanted and sha256 not in taken:
                    source.seek(0)
                    batch.add(source, sha256=sha256, size=size)
                    taken.add(sha256)
            if len(taken) == len(wanted):
                break
        batch.commit()
    return taken


def _regular_files(root: Path, most: int) -> Iterator[tuple[Path, int]]:
    """Give the regular files below a directory with their sizes, following no link, and no more than so many."""
    seen = 0
    for directory, _, names in os.walk(root):
        for name in names:
            path = Path(directory, name)
            with suppress(OSError):
                found = path.lstat()
                if stat.S_ISREG(found.st_mode):
                    yield path, found.st_size
            if (seen := seen + 1) >= most:
                return
