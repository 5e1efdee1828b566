"""What importing a bundle would do, said before a byte of it is stored."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.bundle.katello import read_metadata as read_katello
from issbox.bundle.opening import opened, sources_at
from issbox.bundle.reader import BundleReader
from issbox.errors import InvalidValueError, NotFoundError
from issbox.files import free_space, require_path
from issbox.manifest import Manifest
from issbox.model import LIBRARY, BundleForm, ContentImport, RepositoryKey, WaitsFor
from issbox.rules.bundles.approvals import approvals_missing
from issbox.rules.bundles.carried_environments import EnvironmentsPlan
from issbox.rules.bundles.importing import Refusal, plan_import
from issbox.rules.content.comparing import ContentDifference, compare_content
from issbox.workflows.content.comparing import packages_of, read_advisories, updateinfo_of
from issbox.workflows.context import Context, Permission
from issbox.workflows.foreign import importing as katello
from issbox.workflows.foreign import is_foreign
from issbox.workflows.foreign.contents import read_contents
from issbox.workflows.history import get_import
from issbox.workflows.imports import importing
from issbox.workflows.imports.carried_environments import plan_carried
from issbox.workflows.imports.chunks import chunk_folders, missing_chunks
from issbox.workflows.imports.import_facts import trusted_public_key
from issbox.workflows.imports.incoming import volumes_taken, words_for_volumes
from issbox.workflows.imports.planning import imported_before, library_of
from issbox.workflows.imports.previewed import difference_to, read_metadata, weigh_lacking
from issbox.workflows.imports.staging import missing_files
from issbox.workflows.inbox.disposal import in_inbox
from issbox.workflows.inbox.waiting import FirstNamed, Waiting, approvals_given, first_named, missing_base

_NAMED: Final = 5
"""How many of several bundles a message names."""


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
    form: BundleForm | None
    """None for an export of a Katello."""
    manifest: Manifest
    """Of an export of a Katello, what this box makes of its description."""
    volume: int
    organization: str
    imported_before: ContentImport | None
    """The import that brought all of it already: importing it again would do nothing."""
    refusals: tuple[Refusal, ...]
    """Why it cannot be imported."""
    waits: tuple[Waiting, ...]
    """What it would wait for, in this order."""
    new_products: tuple[str, ...]
    changed_products: tuple[str, ...]
    repositories: tuple[RepositoryPreview, ...]
    files: int
    """Files that the store lacks and the bundle carries, in any of its volumes."""
    size: int
    """Their bytes, which the import would copy."""
    missing: int
    """Files that the bundle does not carry and the store lacks: it would wait for its base."""
    free: int
    """Bytes free where the store lies."""
    environments: EnvironmentsPlan
    """What would become of the lifecycle environments that it carries, if somebody asked for them."""

    @property
    def free_afterwards(self) -> int:
        """Give the bytes that would be free after the import; below zero when there is too little."""
        return self.free - self.size


def preview_import(ctx: Context, import_id: int) -> ImportPreview:
    """Say what importing a bundle known by its number would do, in whatever state it is.

    Raises what `preview` raises, and NotFoundError.
    """
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    row = get_import(ctx, import_id)
    if not row.path or not Path(row.path).exists():
        raise NotFoundError(
            f"the bundle of import {import_id} is no longer at {row.path or 'any place known here'}",
            hint="Put it into the inbox again, or name the path where it lies now.",
        )
    return preview(ctx, Path(row.path), organization=row.organization, allow_older=row.allow_older)


def preview(ctx: Context, path: Path, *, organization: str | None = None, allow_older: bool = False) -> ImportPreview:
    """Say what importing the bundle or volume at the path would do. Nothing is stored or written down.

    Only the metadata is read, except that an archive has to be read to its end; of one whose chunks are not all there,
    as far as it goes. A directory may hold it, alone. Raises the BundleError that would refuse it, InvalidValueError
    for a directory of several, and ImportRefusedError when the organization does not exist.
    """
    ctx.require_anywhere(Permission.CONTENT_IMPORT)
    require_path(path)
    path = _only_one(path)
    with ctx.store.session():
        if is_foreign(path):
            return _preview_katello(ctx, path, organization, allow_older=allow_older)
        folders = chunk_folders(ctx, path)
        chunks = missing_chunks(path, folders)
        trusted, limits = trusted_public_key(ctx), importing.bundle_limits(ctx)
        with (
            ctx.store.scratch() as scratch,
            opened(path, trusted, limits, scratch, folders=folders, lenient=bool(chunks[1])) as (bundle, form),
        ):
            return _preview(ctx, bundle, form, chunks, organization, allow_older=allow_older)


def _only_one(path: Path) -> Path:
    sources = sources_at(path, is_foreign)
    if len(sources) > 1:
        named = ", ".join(str(each.relative_to(path)) for each in sources[:_NAMED])
        raise InvalidValueError(
            f"{path} holds {len(sources)} bundles or volumes",
            hint=f"Name one of them: {named}{', ...' if len(sources) > _NAMED else ''}.",
        )
    return sources[0]


def _preview(
    ctx: Context,
    bundle: BundleReader,
    form: BundleForm,
    chunks: tuple[int, list[int]],
    organization: str | None,
    *,
    allow_older: bool,
) -> ImportPreview:
    manifest = bundle.manifest
    owner = importing.target_organization(ctx, organization, manifest)
    ctx.require(Permission.CONTENT_IMPORT, owner, {each.product for each in manifest.repositories})
    bundle.check_body()
    library = library_of(ctx, owner)
    before = None if allow_older else imported_before(ctx, manifest, library)
    plan = plan_import(manifest, library, allow_older=allow_older)
    missing = first_named(entry.path for entry in missing_files(ctx, bundle))
    with ctx.store.blobs.batch() as batch:
        files, size = weigh_lacking(ctx, bundle, batch.directory)
        metadata = read_metadata(bundle, batch, lenient=bool(chunks[1]))
        held = _held(ctx, owner)
        repositories = tuple(
            RepositoryPreview(
                key,
                planned.exists,
                held.get(key),
                difference_to(
                    ctx,
                    batch,
                    key,
                    number=held.get(key),
                    described=manifest.repositories[planned.index],
                    metadata=metadata[planned.index],
                ),
            )
            for planned in plan.foreseen
            for key in (planned.repository.key,)
        )
    return ImportPreview(
        path=bundle.path,
        form=form,
        manifest=manifest,
        volume=bundle.volume,
        organization=owner,
        imported_before=before,
        refusals=plan.refusals,
        waits=tuple(
            _waits(
                ctx,
                manifest,
                owner,
                approvals=ctx.settings.inbox.approvals,
                absent=missing,
                volume=bundle.volume,
                chunks=chunks,
                inbox=in_inbox(ctx, str(bundle.path.resolve())),
            )
        ),
        new_products=tuple(product.label for product in plan.products_to_create),
        changed_products=tuple(product.label for product in plan.products_to_update),
        repositories=repositories,
        files=files,
        size=size,
        missing=missing.count,
        free=free_space(ctx.store.state_dir),
        environments=plan_carried(ctx, owner, manifest, plan.foreseen),
    )


def _preview_katello(ctx: Context, path: Path, chosen: str | None, *, allow_older: bool) -> ImportPreview:
    metadata = read_katello(path)
    export = katello.open_export(ctx, path, metadata)
    library = library_of(ctx, katello.organization_of(ctx, chosen, metadata))
    synthesis = katello.described(ctx, metadata, library, export)
    manifest, owner = synthesis.manifest, library.organization
    ctx.require(Permission.CONTENT_IMPORT, owner, {each.product for each in synthesis.repositories})
    katello.check_keys(metadata)
    export.check(synthesis.repositories)
    plan = plan_import(manifest, library, allow_older=allow_older)
    held = _held(ctx, owner)
    repositories, lacking, missing = [], dict[str, int](), first_named(())
    if len(plan.foreseen) == len(synthesis.repositories):  # one that is refused has no place here
        targets = katello.targets_of(synthesis, [each.repository for each in plan.foreseen])
        missing = first_named(export.missing(ctx, targets))
        with ctx.store.scratch() as scratch:
            for target, planned in zip(targets, plan.foreseen, strict=True):
                contents = read_contents(ctx, export, target, scratch)
                lacking.update(contents.lacking)
                key = target.repository.key
                number = held.get(key)
                difference = compare_content(
                    packages_of(ctx, key, number),
                    contents.packages,
                    read_advisories(ctx, updateinfo_of(ctx, key, number)),
                    contents.advisories,
                )
                repositories.append(RepositoryPreview(key, planned.exists, held.get(key), difference))
    needed = katello.approvals_for(ctx)
    return ImportPreview(
        path=path,
        form=None,
        manifest=manifest,
        volume=1,
        organization=owner,
        imported_before=None if allow_older else imported_before(ctx, manifest, library),
        refusals=plan.refusals,
        waits=tuple(
            _waits(
                ctx,
                manifest,
                owner,
                approvals=needed,
                absent=missing,
                volume=1,
                chunks=(0, []),
                inbox=in_inbox(ctx, str(path.resolve())),
            )
        ),
        new_products=tuple(product.label for product in plan.products_to_create),
        changed_products=tuple(product.label for product in plan.products_to_update),
        repositories=tuple(repositories),
        files=len(lacking),
        size=sum(lacking.values()),
        missing=missing.count,
        free=free_space(ctx.store.state_dir),
        environments=EnvironmentsPlan(owner),
    )


def _held(ctx: Context, organization: str) -> dict[RepositoryKey, int]:
    return {each.key: number for each, number in ctx.store.versions.promoted(organization, LIBRARY)}


def _waits(
    ctx: Context,
    manifest: Manifest,
    organization: str,
    *,
    approvals: int,
    absent: FirstNamed,
    volume: int,
    chunks: tuple[int, list[int]],
    inbox: bool,
) -> Iterator[Waiting]:
    """Give what an import would wait for."""
    if chunks[1]:
        yield Waiting(WaitsFor.VOLUMES, f"still missing: {words_for_volumes(*chunks, noun='chunk')}")
    given = approvals_given(ctx, manifest.bundle.id, organization, manifest.source.key_id or None)
    people = approvals_missing(approvals, given, manifest.source.made_by)
    if people:
        yield Waiting(WaitsFor.APPROVAL, f"the approval of {'one person' if people == 1 else f'{people} people'}")
    base = missing_base(absent, inbox=inbox)
    if base is not None:
        yield base
    taken = volumes_taken(ctx, manifest.bundle.id, organization)
    others = [each.number for each in manifest.volumes if each.number not in {volume, *taken}]
    if others:
        yield Waiting(WaitsFor.VOLUMES, f"still missing: {words_for_volumes(len(manifest.volumes), others)}")
