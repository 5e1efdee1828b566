"""What importing a bundle would do, said before a byte of it is stored."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from issbox.bundle.opening import opened
from issbox.bundle.reader import BundleReader
from issbox.errors import BadMetadataError, ImportRefusedError, NotFoundError
from issbox.manifest import EntryKind, FileEntry, Manifest, ManifestRepository
from issbox.model import LIBRARY, Advisory, BundleForm, RepositoryKey
from issbox.rules.comparing import ContentDifference, compare_content
from issbox.rules.importing import ImportPlan, PlannedRepository, Refusal, plan_import
from issbox.store import Batch
from issbox.workflows.chunks import chunk_folders
from issbox.workflows.comparing import read_advisories, version_facts
from issbox.workflows.context import Context, Permission
from issbox.workflows.importing import bundle_limits, target_organization, trusted_public_key
from issbox.workflows.planning import library_of
from issbox.workflows.staging import describe_packages, missing_files
from issbox.yum.repomd import REPOMD_PATH, parse_repomd
from issbox.yum.updateinfo import merge_advisories, read_updateinfo


@dataclass(frozen=True, slots=True)
class RepositoryPreview:
    """What happens to one repository."""

    key: RepositoryKey
    exists: bool
    version: int | None
    """Number of the version that Library holds now."""
    difference: ContentDifference | None
    """None when its metadata lies in a volume that is not here yet."""


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What importing a bundle would do."""

    path: Path
    form: BundleForm
    manifest: Manifest
    volume: int
    organization: str
    refusals: tuple[Refusal, ...]
    """Why it cannot be imported."""
    new_products: tuple[str, ...]
    changed_products: tuple[str, ...]
    repositories: tuple[RepositoryPreview, ...]
    files: int
    """Files that the store lacks and this volume carries."""
    size: int
    """Their bytes, which the import would copy."""
    missing: int
    """Files that the bundle does not carry and the store lacks: it would wait for its base."""
    free: int
    """Bytes free where the store lies."""

    @property
    def free_afterwards(self) -> int:
        """Give the bytes that would be free after the import."""
        return self.free - self.size


def preview_import(ctx: Context, import_id: int) -> ImportPreview:
    """Say what importing a bundle of the inbox would do; raises what `preview` raises, and NotFoundError."""
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    with ctx.store.session():
        row = ctx.store.imports.get(import_id)
    if not row.path or not Path(row.path).exists():
        raise NotFoundError(f"the bundle of import {import_id} is no longer at {row.path or 'any place known here'}")
    return preview(ctx, Path(row.path), organization=row.organization, allow_older=row.allow_older)


def preview(ctx: Context, path: Path, *, organization: str | None = None, allow_older: bool = False) -> ImportPreview:
    """Say what importing the bundle or volume at the path would do. Nothing is stored or written down.

    Only the metadata is read, except that an archive has to be read to its end. Raises the BundleError that would
    refuse it, and ImportRefusedError when the organization does not exist.
    """
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    if not path.exists():
        raise NotFoundError(f"there is nothing at {path}", hint="Check the path; is the medium mounted?")
    trusted, limits = trusted_public_key(ctx), bundle_limits(ctx)
    with (
        ctx.store.session(),
        ctx.store.scratch() as scratch,
        opened(path, trusted, limits, scratch, folders=chunk_folders(ctx)) as (bundle, form),
        ctx.store.blobs.batch() as batch,
    ):
        owner = target_organization(ctx, organization, bundle.manifest)
        ctx.require(Permission.CONTENT_IMPORT, owner, {each.product for each in bundle.manifest.repositories})
        bundle.check_body()
        plan = plan_import(bundle.manifest, library_of(ctx, owner), allow_older=allow_older)
        files, size, missing = _weigh(ctx, bundle)
        metadata = _read_metadata(bundle, batch)
        return ImportPreview(
            path=path,
            form=form,
            manifest=bundle.manifest,
            volume=bundle.volume,
            organization=owner,
            refusals=plan.refusals,
            new_products=tuple(product.label for product in plan.products_to_create),
            changed_products=tuple(product.label for product in plan.products_to_update),
            repositories=tuple(_repositories(ctx, bundle.manifest, plan, batch, metadata)),
            files=files,
            size=size,
            missing=missing,
            free=shutil.disk_usage(ctx.store.state_dir).free,
        )


def _weigh(ctx: Context, bundle: BundleReader) -> tuple[int, int, int]:
    files = size = 0
    for entry in bundle.entries():
        sizes = [entry.size] if entry.volume == bundle.volume else []
        sizes += [part.size for part in entry.parts if part.volume == bundle.volume]
        if sizes and entry.repository is not None and not ctx.store.blobs.has(entry.sha256, entry.size):
            files, size = files + 1, size + sum(sizes)
    return files, size, sum(1 for _ in missing_files(ctx, bundle))


def _read_metadata(bundle: BundleReader, batch: Batch) -> list[dict[str, FileEntry]]:
    """Stage the metadata of the volume for a moment; give the metadata files of each repository, by relative path."""
    for piece in bundle.pieces(_is_metadata):
        if piece.part is None:
            with piece.open() as source:
                batch.add(source, sha256=piece.digest.sha256, size=piece.digest.size)
    found: list[dict[str, FileEntry]] = [{} for _ in bundle.manifest.repositories]
    for entry in filter(_is_metadata, bundle.entries()):
        assert entry.repository is not None, "the reader has checked it"
        described = bundle.manifest.repositories[entry.repository]
        found[entry.repository][entry.path.removeprefix(f"{described.path}/")] = entry
    return found


def _is_metadata(entry: FileEntry) -> bool:
    return entry.kind is EntryKind.METADATA


def _repositories(
    ctx: Context, manifest: Manifest, plan: ImportPlan, batch: Batch, metadata: list[dict[str, FileEntry]]
) -> Iterator[RepositoryPreview]:
    held = {each.key: number for each, number in ctx.store.versions.promoted(plan.organization, LIBRARY)}
    for planned in plan.repositories:
        key = planned.repository.key
        described = manifest.repositories[planned.index]
        difference = _difference(
            ctx, planned, described, number=held.get(key), batch=batch, metadata=metadata[planned.index]
        )
        yield RepositoryPreview(key, planned.exists, held.get(key), difference)


def _difference(
    ctx: Context,
    planned: PlannedRepository,
    described: ManifestRepository,
    *,
    number: int | None,
    batch: Batch,
    metadata: dict[str, FileEntry],
) -> ContentDifference | None:
    if not all(batch.has(entry.sha256, entry.size) for entry in metadata.values()):
        return None
    before = version_facts(ctx, planned.repository.key, number)
    digests = {path: entry.sha256 for path, entry in metadata.items()}
    packages = (package for _, package in describe_packages(ctx, batch, described, digests).values())
    return compare_content(
        before.packages, packages, read_advisories(ctx, before.updateinfo), _advisories(ctx, batch, digests)
    )


def _advisories(ctx: Context, batch: Batch, metadata: dict[str, str]) -> dict[str, Advisory]:
    def files() -> Iterator[Iterator[Advisory]]:
        for path, sha256 in metadata.items():
            if path == REPOMD_PATH or path.endswith(f"/{REPOMD_PATH}"):
                prefix = path.removesuffix(REPOMD_PATH)
                for record in parse_repomd(batch.locate(sha256).read_bytes()).records:
                    name = prefix + record.href
                    if record.type == "updateinfo" and name in metadata:
                        limit = ctx.settings.synchronize.max_metadata_size
                        yield read_updateinfo(batch.locate(metadata[name]), limit, name=name)

    try:
        return merge_advisories(chain.from_iterable(files()))
    except BadMetadataError as error:
        raise ImportRefusedError(f"the advisories of the bundle cannot be read: {error}") from error
