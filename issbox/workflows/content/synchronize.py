"""Synchronizing a repository: mirror its upstream into the store, then publish that as a new version."""

import json
from dataclasses import dataclass, replace
from hashlib import sha256 as new_sha256
from typing import Final

from issbox.errors import InvalidValueError, SourceRefusedError
from issbox.model import FileKind, RepositoryKey, RepositoryVersion, VersionOrigin
from issbox.names import plural
from issbox.rules.content.urls import mask_url
from issbox.store import Batch, Store
from issbox.workflows.appliance.mending import find_damaged, rebuild_trees
from issbox.workflows.cdn.presenting import certificate_for
from issbox.workflows.content import publishing
from issbox.workflows.content.publishing import changing_content, publish
from issbox.workflows.content.sinks import BatchSink
from issbox.workflows.content.upstreams import TemporarySource, mirror_request, require_source
from issbox.workflows.context import Context, Permission
from issbox.yum import mirror as yum

STEPS: Final = (*yum.STEPS, "record-draft", *publishing.STEPS)
"""What `synchronize` announces, in order; with `repair`, `check-files` comes before them."""

_UNCHECKED: Final = "unchecked"
_NOT_PASSED: Final = "the newest version has not been checked with the present keys and checks: checking all of it"


@dataclass(frozen=True, slots=True)
class SynchronizeReport:
    """What a synchronization did."""

    version: RepositoryVersion | None
    """The new version; None when nothing has changed."""
    unchanged: bool
    downloaded: int
    """Bytes that came from upstream."""
    reused: int
    """Bytes that the box had already."""
    packages: int
    """Packages of the repository as it is now."""
    notes: tuple[str, ...]
    """What a person should know."""


def synchronize(
    ctx: Context, key: RepositoryKey, *, source: TemporarySource | None = None, repair: bool = False
) -> SynchronizeReport:
    """Make the Library version of a repository what its upstream is now.

    `source` is used instead of the repository's own, once; nothing of it is kept but its URL, without secrets, as the
    origin of the version. With `repair` every stored file of the newest version is read, and what is damaged is fetched
    again. A repository without change costs one request and makes no version; with keys or checks that its newest
    version has not passed yet, all of it is checked once more.
    Raises what `issbox.yum.mirror.mirror` does, NotFoundError, BusyError, InvalidValueError without any URL,
    SourceRefusedError, and NoSpaceError. Killed or failed, nothing of it is visible, and the next run goes on with what
    had been fetched.
    """
    ctx.require(Permission.CONTENT_MANAGE, key.organization, [key.product])
    with ctx.store.session(), changing_content(ctx, [key]):
        repository = ctx.store.repositories.get(key)
        latest = ctx.store.versions.latest(key)
        upstream = repository.upstream if source is None else source.instead_of(repository.upstream)
        url = upstream.url
        if url is None:
            raise InvalidValueError(
                f"the repository {key} has no URL to synchronize from",
                hint="Set one with `issbox repository update --source-url URL`, or fill it by importing a bundle.",
            )
        product = ctx.store.products.get(key.organization, key.product)
        require_source(ctx, product, url)
        gpg_key = repository.gpg_key or product.gpg_key
        presented = certificate_for(ctx, product, repository.path, upstream) if source is None else None
        damaged = find_damaged(ctx, latest) if repair and latest is not None else set()
        with (
            mirror_request(ctx, key.organization, upstream, gpg_key, presented=presented) as request,
            _batch(ctx, key, repair=repair) as batch,
        ):
            passed = latest is None or _has_passed(ctx, latest, request)
            if not passed:
                ctx.progress.note(_NOT_PASSED)
            known = latest.repomd_sha256 if latest is not None and passed and not repair else None
            sink = _StoreSink(ctx.store, batch, damaged)
            result = yum.mirror(replace(request, known_repomd=known), sink, ctx.progress)
            if source is not None and not source.unrelated and latest is not None and not result.unchanged:
                _require_related(ctx, latest, mask_url(url), result)
            notes = [*([] if passed else [_NOT_PASSED]), *result.notes]
            if damaged:
                notes += _mend(ctx, batch, damaged)
            version = _publish(ctx, key, mask_url(url), result, notes, checks=_checks(request, result.repomd_sha256))
            if not result.unchanged:
                _forget_downloads(batch)
        packages = result.packages if latest is None or not result.unchanged else latest.packages
        return SynchronizeReport(version, version is None, result.downloaded, result.reused, packages, tuple(notes))


def _has_passed(ctx: Context, version: RepositoryVersion, request: yum.MirrorRequest) -> bool:
    """Tell whether the newest version went through the checks that are asked for now, with the keys of now."""
    checks = _checks(request, version.repomd_sha256)
    return checks == _UNCHECKED or checks == ctx.store.repositories.checked_with(version.repository)


def _checks(request: yum.MirrorRequest, repomd_sha256: str) -> str:
    """Name the checks of a request and their keys, for the content with this repomd.xml."""
    asked = [request.check_metadata, request.check_packages]
    if not request.gpg_keys or not any(asked):
        return _UNCHECKED
    return new_sha256(json.dumps([repomd_sha256, *asked, *request.gpg_keys]).encode()).hexdigest()


def _require_related(ctx: Context, latest: RepositoryVersion, source: str, result: yum.MirrorResult) -> None:
    """Refuse a place that lists none of the packages that the repository has.

    It is the wrong one, or an export whose metadata lists only what is new, as Katello made them up to version 3:
    taking it as the whole would remove everything else.
    """
    present = {
        file.sha256
        for file in ctx.store.versions.files(latest.repository, latest.number)
        if file.kind is FileKind.PACKAGE
    }
    if present and not any(file.sha256 in present for file in result.files if file.kind is FileKind.PACKAGE):
        raise SourceRefusedError(
            f"{source} lists none of the {len(present)} packages that version {latest.number} of {latest.repository} "
            "has, so that all of them would go",
            hint="It is another repository, or an increment that lists only what is new: take a complete one. "
            "If everything is to be replaced, give --allow-unrelated.",
        )


def _publish(
    ctx: Context, key: RepositoryKey, source: str, result: yum.MirrorResult, notes: list[str], *, checks: str
) -> RepositoryVersion | None:
    """Record and show what was mirrored; gives the new version, or None when it is the one that is there."""

    def record(versions: list[RepositoryVersion]) -> None:
        details: dict[str, object] = {"source": source, "version": versions[0].number if versions else None}
        if not result.unchanged:
            details |= {"packages": result.packages, "downloaded": result.downloaded}
        if notes:
            details["notes"] = notes
        ctx.store.repositories.mark_checked(key, checks)
        ctx.audit(
            "repository.synchronize", f"{key.product}/{key.label}", organization=key.organization, details=details
        )

    if result.unchanged:
        with ctx.store.transaction():
            record([])
        return None
    ctx.progress.step("record-draft", plural(len(result.files), "file"))
    with ctx.store.versions.draft(key) as draft:
        draft.add(result.files)
        versions = publish(
            ctx,
            [draft],
            origin=VersionOrigin.SYNCHRONIZE,
            source=source,
            repomd={key: result.repomd_sha256},
            record=record,
        )
    return versions[0] if versions else None


def _mend(ctx: Context, batch: Batch, damaged: set[str]) -> list[str]:
    """Bring mended files into the published trees and say in words what was mended and what was not."""
    mended = {sha256 for sha256 in damaged if batch.has(sha256)}
    notes = []
    if mended:
        notes.append(f"fetched again: {plural(len(mended), 'damaged file')}")
        left = rebuild_trees(ctx, mended)
        notes += [f"version {number} of {key} still misses files and was left as it is" for key, number in left]
    if damaged - mended:
        notes.append(
            f"not mended, because upstream does not have it any more: {plural(len(damaged - mended), 'damaged file')}"
        )
    for note in notes:
        ctx.progress.note(note)
    return notes


def _batch(ctx: Context, key: RepositoryKey, *, repair: bool) -> Batch:
    """Give the staging area of this repository, where downloads of an earlier run lie."""
    name = f"synchronize-{new_sha256(str(key).encode()).hexdigest()[:32]}"
    return ctx.store.blobs.batch(name, replace=repair)


def _forget_downloads(batch: Batch) -> None:
    """Remove what earlier runs had begun to fetch and upstream does not list any more."""
    for path in batch.directory.glob("*.part"):
        path.unlink(missing_ok=True)


class _StoreSink(BatchSink):
    """Counts what the store has as there, but for files known to be damaged."""

    def __init__(self, store: Store, batch: Batch, damaged: set[str]) -> None:
        super().__init__(store, batch)
        self._damaged = damaged

    def has(self, sha256: str, size: int) -> bool:
        return super().has(sha256, size) or (sha256 not in self._damaged and self._store.blobs.has(sha256, size))
