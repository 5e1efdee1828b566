"""Writing bundles: plan first (what, how much, is there room), then copy with every byte checked on the way out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final
from uuid import uuid4

from issbox import VERSION
from issbox.bundle.directory import DirectoryWriter
from issbox.bundle.katello import katello_metadata
from issbox.errors import DigestMismatchError, NameClashError, NotFoundError, StoreDamagedError
from issbox.files import Digest, FileLock, require_space
from issbox.manifest import (
    FORMAT,
    FORMAT_VERSION,
    TABLE_NAME,
    BundleIdentity,
    BundleKind,
    BundleSource,
    EntryKind,
    Manifest,
    ManifestCredential,
    ManifestOrganization,
    ManifestProduct,
    ManifestRepository,
    ManifestVersion,
    TableReference,
    Totals,
    Volume,
)
from issbox.model import (
    ContentExport,
    CredentialKind,
    ExportState,
    Product,
    Repository,
    RepositoryFile,
    RepositoryKey,
    RepositoryVersion,
)
from issbox.names import check_name
from issbox.rules.layout import bundle_name, first_clash
from issbox.workflows.boxes import signing_key
from issbox.workflows.context import Context, Permission
from issbox.workflows.parallel import run_all

STEPS: Final = ("plan-export", "copy-files", "finish-bundle", "record-export")
"""What `export` announces, in order."""

_HEAD_ROOM: Final = 16 << 20
"""Bytes kept free besides the content, for manifest, file table and directories."""
_TABLE_LINE: Final = 320
"""About how many bytes a file's line of the table takes."""
_DOCUMENT: Final = "metadata.json"


@dataclass(frozen=True, slots=True)
class ExportPlan:
    """What a bundle will hold."""

    organization: str
    destination: str
    repositories: tuple[tuple[Repository, RepositoryVersion], ...]
    files: int
    size: int
    """Bytes of content."""
    needed: int
    """Bytes of free space the bundle needs."""


def plan_export(ctx: Context, keys: Sequence[RepositoryKey], *, destination: str = "") -> ExportPlan:
    """Say what a complete bundle of the newest versions of these repositories holds.

    Raises NotFoundError for a repository that has no version yet, and NameClashError for names that a file system
    ignoring case cannot keep apart.
    """
    if destination:
        check_name(destination, "destination server")
    if not keys:
        raise NotFoundError("no repository was named, so there is nothing to export")
    for key in keys:
        ctx.require(Permission.CONTENT_EXPORT, key.organization, [key.product])
    with ctx.store.session():
        chosen = []
        for key in sorted(set(keys)):
            version = ctx.store.versions.latest(key)
            if version is None:
                raise NotFoundError(
                    f"the repository {key} has no version yet",
                    hint="Run `issbox repository synchronize` for it first, or import a bundle that holds it.",
                )
            chosen.append((ctx.store.repositories.get(key), version))
            clash = first_clash(file.path for file in ctx.store.versions.files(key, version.number))
            if clash is not None:
                raise NameClashError(f"{clash[0]} and {clash[1]} in the repository {key} differ only in case")
    files = sum(version.files for _, version in chosen)
    size = sum(version.size for _, version in chosen)
    needed = size + files * _TABLE_LINE + _HEAD_ROOM
    return ExportPlan(keys[0].organization, destination, tuple(chosen), files, size, needed)


def export(ctx: Context, plan: ExportPlan, output: Path | None = None) -> ContentExport:
    """Write the planned bundle below `output` (the configured export directory by default) and record it.

    The bundle has its final name only when it is whole and durable. Raises NoSpaceError before anything is written.
    """
    products = {repository.key.product for repository, _ in plan.repositories}
    ctx.require(Permission.CONTENT_EXPORT, plan.organization, products)
    parent = output or ctx.settings.export.path
    parent.mkdir(parents=True, exist_ok=True)
    with ctx.store.session(), ExitStack() as stack:
        ctx.progress.step("plan-export", f"{plan.files} files")
        stack.enter_context(
            FileLock(ctx.store.locks / "content.lock", shared=True, busy="garbage collection is running in this box")
        )
        stack.enter_context(
            FileLock(
                ctx.store.locks / "export.lock", busy="another export is running; two would share a sequence number"
            )
        )
        require_space(parent, plan.needed, "the bundle")
        return _write(ctx, plan, parent)


def _write(ctx: Context, plan: ExportPlan, parent: Path) -> ContentExport:
    """Reserve the sequence number by a row in state WRITING, write the bundle, and complete the row.

    A row that a killed process leaves in WRITING is resolved by `reconcile`: the bundle has its name, or it goes.
    """
    now = ctx.clock()
    repositories = tuple(f"{repository.key.product}/{repository.key.label}" for repository, _ in plan.repositories)
    scope = repositories[0].split("/")[1] if len(repositories) == 1 else f"{len(repositories)}-repositories"
    with ctx.store.transaction():
        sequence = ctx.store.exports.next_sequence(plan.organization, plan.destination)
        name = bundle_name(plan.organization, scope, plan.destination, sequence, now)
        row = ctx.store.exports.add(
            bundle_id=str(uuid4()),
            organization=plan.organization,
            repositories=repositories,
            destination=plan.destination,
            sequence=sequence,
            path=str((parent / name).absolute()),
            created_at=now,
            files=plan.files,
            size=plan.size,
            state=ExportState.WRITING,
        )
    try:
        path = _write_bundle(ctx, plan, row)
    except BaseException:
        with ctx.store.transaction():
            ctx.store.exports.delete(row.id)
        raise
    ctx.progress.step("record-export")
    with ctx.store.transaction():
        ctx.audit(
            "content-export.create",
            row.bundle_id,
            organization=plan.organization,
            details={"repositories": list(repositories), "destination": plan.destination, "path": str(path)},
        )
        return ctx.store.exports.update(row.id, state=ExportState.WRITTEN)


def _write_bundle(ctx: Context, plan: ExportPlan, row: ContentExport) -> Path:
    box = ctx.store.box.get()
    manifest = _describe(
        ctx,
        plan,
        BundleIdentity(
            id=row.bundle_id,
            kind=BundleKind.COMPLETE,
            created_at=row.created_at.replace(microsecond=0),
            destination=plan.destination,
            sequence=row.sequence,
        ),
        BundleSource(box_id=box.id, box_name=box.name, key_id=box.key_id, software=f"issbox {VERSION}"),
    )
    final = Path(row.path)
    with DirectoryWriter(final.parent, final.name) as writer:
        ctx.progress.step("copy-files", f"to {final}")
        ctx.progress.expect(files=plan.files, size=plan.size)
        _copy_files(ctx, plan, writer)
        writer.add_listings(repository.path for repository, _ in plan.repositories)
        writer.add_bytes(_DOCUMENT, EntryKind.DOCUMENT, katello_metadata(manifest))
        ctx.progress.step("finish-bundle")
        return writer.finish(manifest, signing_key(ctx))


def _copy_files(ctx: Context, plan: ExportPlan, writer: DirectoryWriter) -> None:
    """Copy every file of the versions from the blob store, several at once, checking each against its digest."""

    def copy(index: int, repository: Repository, file: RepositoryFile) -> None:
        with ctx.store.blobs.open(file.sha256) as source:
            try:
                writer.add(
                    f"{repository.path}/{file.path}",
                    EntryKind(file.kind.value),
                    source,
                    repository=index,
                    expected=Digest(file.size, file.sha256),
                    advance=lambda count: ctx.progress.advance(size=count),
                )
            except DigestMismatchError as error:
                raise StoreDamagedError(
                    f"the stored file {file.path} of {repository.key} is damaged: {error}"
                ) from error
        ctx.progress.advance(files=1)

    def jobs() -> Iterator[Callable[[], None]]:
        for index, (repository, version) in enumerate(plan.repositories):
            for file in ctx.store.versions.files(repository.key, version.number):
                yield partial(copy, index, repository, file)

    run_all(jobs())


def _describe(ctx: Context, plan: ExportPlan, identity: BundleIdentity, source: BundleSource) -> Manifest:
    """Build the manifest; the writer fills in table, totals and volumes."""
    organization = ctx.store.organizations.get(plan.organization)
    labels = sorted({repository.key.product for repository, _ in plan.repositories})
    products = [ctx.store.products.get(plan.organization, label) for label in labels]
    return Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle=identity,
        source=source,
        organization=ManifestOrganization(label=organization.label, name=organization.name),
        content_credentials=_gpg_keys(ctx, plan, products),
        products=tuple(
            ManifestProduct(
                label=product.label,
                name=product.name,
                kind=product.kind,
                description=product.description,
                gpg_key=product.gpg_key,
            )
            for product in products
        ),
        repositories=tuple(_describe_repository(*each) for each in plan.repositories),
        files=Totals(count=0, size=0, carried_count=0, carried_size=0),
        table=TableReference(path=TABLE_NAME, size=0, sha256=""),
        volumes=(Volume(number=1, size=0),),
    )


def _describe_repository(repository: Repository, version: RepositoryVersion) -> ManifestRepository:
    return ManifestRepository(
        product=repository.key.product,
        label=repository.key.label,
        name=repository.name,
        content=repository.content,
        path=repository.path,
        version=ManifestVersion(
            number=version.number,
            created_at=version.created_at,
            repomd_sha256=version.repomd_sha256,
            packages=version.packages,
        ),
        files=version.files,
        size=version.size,
        variables=dict(repository.variables),
        gpg_key=repository.gpg_key,
    )


def _gpg_keys(ctx: Context, plan: ExportPlan, products: Sequence[Product]) -> tuple[ManifestCredential, ...]:
    """Give the GPG keys that products and repositories refer to; other credentials belong to this side only."""
    labels = {product.gpg_key for product in products} | {repository.gpg_key for repository, _ in plan.repositories}
    credentials = [
        ctx.store.credentials.get(plan.organization, label) for label in sorted(labels - {None}, key=str) if label
    ]
    return tuple(
        ManifestCredential(label=each.label, name=each.name, kind=each.kind, content=each.content)
        for each in credentials
        if each.kind is CredentialKind.GPG_KEY
    )
