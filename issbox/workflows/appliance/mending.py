"""Finding stored files that are damaged, and putting mended ones where the damaged ones were."""

from collections.abc import Set as AbstractSet
from functools import partial

from issbox.errors import IssboxError, StoreDamagedError
from issbox.files import digest_file
from issbox.model import RepositoryKey, RepositoryVersion
from issbox.workflows.context import Context
from issbox.workflows.parallel import run_all


def find_damaged(ctx: Context, version: RepositoryVersion) -> set[str]:
    """Read every stored file of a version and give the SHA-256 of those that are missing or not what they should be.

    They are written down as damaged until trees have been built again that link to mended ones. Announces the step
    `check-files`.
    """
    ctx.progress.step("check-files", f"version {version.number} of {version.repository}")
    ctx.progress.expect(files=version.files, size=version.size)
    damaged: set[str] = set()

    def check(sha256: str, size: int) -> None:
        try:
            sound = digest_file(ctx.store.blobs.path(sha256)).sha256 == sha256
        except (OSError, IssboxError):
            sound = False
        if not sound:
            damaged.add(sha256)
        ctx.progress.advance(files=1, size=size)

    files = ctx.store.versions.files(version.repository, version.number)
    run_all(partial(check, file.sha256, file.size) for file in files)
    ctx.store.blob_checks.record([(sha256, False) for sha256 in sorted(damaged)], ctx.clock())
    return damaged


def rebuild_trees(ctx: Context, mended: AbstractSet[str]) -> list[tuple[RepositoryKey, int]]:
    """Build again every published tree that links to a file which has been mended; gives those that could not be.

    A tree links to the damaged file itself, whatever the blob store holds now. Only then are the files written down as
    sound, so that a scrub does what a killed process has left.
    """
    if not mended:
        return []
    left = []
    shown = ctx.store.versions.shown_anywhere()
    for key, number in sorted(ctx.store.versions.in_use()):
        if (key, number) not in shown and not ctx.store.trees.exists(key, number):
            continue
        if any(file.sha256 in mended for file in ctx.store.versions.files(key, number)):
            files = ((file.path, file.sha256) for file in ctx.store.versions.files(key, number))
            try:
                ctx.store.trees.build(key, number, files, replace=True)
            except StoreDamagedError:
                left.append((key, number))
    ctx.store.blob_checks.record([(sha256, True) for sha256 in sorted(mended)], ctx.clock())
    return left
