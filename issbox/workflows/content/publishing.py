"""Making new repository versions visible: trees first, then one transaction, then the symlinks.

Killed before the transaction, nothing is visible and `reconcile` removes the trees; killed after it, the database
holds the new versions and `reconcile` swaps the symlinks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Final

from issbox.errors import StoreDamagedError
from issbox.files import FileLock
from issbox.model import LIBRARY, RepositoryKey, RepositoryVersion, VersionOrigin
from issbox.store import Draft
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.context import Context

STEPS: Final = ("build-trees", "record-versions", "switch-links")
"""What `publish` announces, in order."""


@contextmanager
def changing_content(ctx: Context, keys: Sequence[RepositoryKey]) -> Iterator[None]:
    """Hold what protects a change of these repositories from other processes.

    Shared with other changes, but not with garbage collection; alone on each repository. Raises BusyError naming
    what is busy. The locks end with the process.
    """
    locks = ctx.store.locks
    with ExitStack() as stack:
        stack.enter_context(
            FileLock(locks / "content.lock", shared=True, busy="garbage collection is running in this box")
        )
        for key in sorted(set(keys)):
            name = f"repository-{key.organization}-{key.product}-{key.label}@{key.view}"[:240]
            stack.enter_context(
                FileLock(locks / f"{name}.lock", busy=f"the repository {key} is being changed by another process")
            )
        yield


def publish(
    ctx: Context,
    drafts: Sequence[Draft],
    *,
    origin: VersionOrigin,
    source: str | Mapping[RepositoryKey, str],
    repomd: Mapping[RepositoryKey, str],
    record: Callable[[list[RepositoryVersion]], None],
    prepare: Callable[[], None] = lambda: None,
    environment: str | None = LIBRARY,
) -> list[RepositoryVersion]:
    """Turn drafts into repository versions of an environment, Library by default, or of none, all at once.

    Call it inside `changing_content` with every file of the drafts in the blob store. Drafts equal to what the
    repository holds already make no version. In the same transaction `prepare` is called first, to make repositories
    that do not exist yet, and `record` last with the versions made, to write history and audit entries.
    """
    changed = [draft for draft in drafts if not draft.same_as_latest()]
    ctx.progress.step("build-trees", f"repositories changed: {len(changed)}")
    for draft in changed:
        _build_draft(ctx, draft)
    ctx.progress.step("record-versions")
    organizations = sorted({draft.key.organization for draft in drafts})
    with ctx.store.transaction(), ExitStack() as following:
        for organization in organizations:
            following.enter_context(certificates_follow(ctx, organization))
        prepare()
        versions = (
            ctx.store.versions.commit(
                changed, created_at=ctx.clock(), origin=origin, source=source, environment=environment, repomd=repomd
            )
            if changed
            else []
        )
        if environment is not None:
            versions += _shown_again(ctx, environment, [draft for draft in drafts if draft not in changed])
        record(versions)
    ctx.progress.step("switch-links")
    if environment is not None:
        for organization in sorted({version.repository.organization for version in versions}):
            point_environment(ctx, organization, environment)
    return versions


def _build_draft(ctx: Context, draft: Draft) -> None:
    """Build the tree of a draft, of one that nobody is shown any more when there is one.

    The number is not recorded yet: a tree that is there already was left by a run that was killed.
    """
    if not (draft.based and _renewed(ctx, draft)):
        ctx.store.trees.build(draft.key, draft.next_number, draft.digests(), replace=True)


def _renewed(ctx: Context, draft: Draft) -> bool:
    """Make the tree of a draft out of a worn one, if there is one, and tell whether there was.

    The tree of the newest version is spared: an import is rolled back to it in a moment.
    """
    trees, key, number = ctx.store.trees, draft.key, draft.next_number
    with ctx.store.transaction():  # so that nobody begins to show the worn tree meanwhile
        shown = ctx.store.versions.shown(key)
        others = {each.number for each in ctx.store.versions.list(key)} - shown - {number - 1}
        worn = max((each for each in others if trees.exists(key, each)), default=None)
        changes = None if worn is None else draft.changes_since(worn)
        if worn is None or changes is None:
            return False
        trees.renew(key, worn, number, changes)
        return True


def build_tree(ctx: Context, key: RepositoryKey, number: int) -> bool:
    """Build the tree of a recorded version, unless it is there; tells whether it is there now.

    A lost file must not stop everything else: a note tells of it.
    """
    files = ctx.store.versions.files(key, number)
    try:
        ctx.store.trees.build(key, number, ((file.path, file.sha256) for file in files))
    except StoreDamagedError as error:
        ctx.progress.note(f"version {number} of {key} cannot be shown: {error}")
        return False
    return True


def _shown_again(ctx: Context, environment: str, unchanged: Sequence[Draft]) -> list[RepositoryVersion]:
    """Let the environment hold the newest versions of repositories that have nothing newer; give those it did not.

    It may hold an older one since an import was rolled back.
    """
    shown = []
    for organization in sorted({draft.key.organization for draft in unchanged}):
        promoted = ctx.store.versions.promoted(organization, environment)
        held = {repository.key: number for repository, number in promoted}
        for draft in unchanged:
            newest = ctx.store.versions.latest(draft.key) if draft.key.organization == organization else None
            if newest is not None and held.get(draft.key) != newest.number:
                ctx.store.versions.promote(environment, draft.key, newest.number)
                shown.append(newest)
    return shown


def point_environment(ctx: Context, organization: str, environment: str) -> int:
    """Make the links and listing files of an environment agree with the database; gives the number of changes."""
    trees = ctx.store.trees
    wanted = {
        repository.path: (repository.key, number)
        for repository, number in ctx.store.versions.promoted(organization, environment)
    }
    present = trees.pointed(organization, environment)
    changes = 0
    for path in present.keys() - wanted.keys():
        trees.unpoint(organization, environment, path)
        changes += 1
    for path, (key, number) in sorted(wanted.items()):
        if present.get(path) != trees.path(key, number):
            build_tree(ctx, key, number)  # that of an older version may have become the tree of a newer one
            trees.point(organization, environment, path, key, number)
            changes += 1
    trees.write_listings(organization, environment, wanted)
    return changes
