"""Verification reports: written with each import, and given out signed by this box."""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from issbox import VERSION
from issbox.bundle.report import encode_report
from issbox.bundle.tar.toc_checks import TOC_SUFFIX
from issbox.errors import NotFoundError, WrongStateError
from issbox.files import atomic_write
from issbox.manifest import Manifest
from issbox.model import (
    LIBRARY,
    REPORT_FORMAT,
    REPORT_FORMAT_VERSION,
    ContentImport,
    ImportReport,
    ImportState,
    ReportBox,
    ReportCheck,
    ReportEnvironment,
    ReportFiles,
    ReportPromotion,
    ReportRepository,
    ReportSource,
    ReportVolume,
    VersionChange,
)
from issbox.rules.bundles.carried_environments import EnvironmentsPlan
from issbox.rules.bundles.importing import ImportPlan
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context
from issbox.workflows.history import get_import

SIGNATURE_SUFFIX: Final = ".sig"


def record_report(
    ctx: Context,
    row: ContentImport,
    manifest: Manifest,
    plan: ImportPlan,
    changes: Sequence[VersionChange],
    *,
    head: bytes = b"",
    environments: EnvironmentsPlan | None = None,
) -> None:
    """Write the report of an import down; in the transaction that records it, when Library shows the new versions.

    `head` is the manifest as signed, empty for what nobody signs, `environments` what became of those of the bundle.
    """
    box, source, bundle = ctx.store.box.get(), manifest.source, manifest.bundle
    volumes = tuple(_volumes(ctx, row))
    repositories = tuple(_repositories(ctx, plan, changes))
    trusted = ctx.store.trusted_keys.find(source.key_id) if head else None
    signed = bool(head)
    report = ImportReport(
        format=REPORT_FORMAT,
        format_version=REPORT_FORMAT_VERSION,
        import_id=row.id,
        imported_at=ctx.clock(),
        imported_by=ctx.actor.name,
        imported_from=ctx.actor.origin,
        approved_by=ctx.store.imports.get(row.id).approvals,
        box=ReportBox(id=box.id, name=box.name, key_id=box.key_id, software=f"issbox {VERSION}"),
        organization=plan.organization,
        bundle_id=bundle.id,
        kind=bundle.kind.value,
        form=row.form.value if row.form is not None and signed else "katello",
        created_at=bundle.created_at,
        destination=bundle.destination,
        sequence=bundle.sequence,
        source=ReportSource(
            box_id=source.box_id,
            box_name=source.box_name,
            key_id=source.key_id,
            trusted_as=trusted.name if trusted is not None else "",
            software=source.software,
            made_by=source.made_by,
        ),
        manifest_sha256=sha256(head).hexdigest() if signed else "",
        checks=_checks(ctx, row, signed=signed),
        volumes=volumes,
        files=_files(manifest, row, repositories, volumes, signed=signed),
        repositories=repositories,
        lifecycle_environments=() if environments is None else tuple(_environments(environments)),
        note=ctx.store.imports.get(row.id).reason,
    )
    ctx.store.reports.add(row.id, bundle_id=bundle.id, organization=plan.organization, content=encode_report(report))


def import_report(ctx: Context, import_id: int) -> bytes:
    """Give the report of an import, or of the one that brought the same bundle; its bytes never change.

    Raises NotFoundError, and WrongStateError for a bundle that has not been imported.
    """
    row = get_import(ctx, import_id)
    with ctx.store.session():
        found = ctx.store.reports.find(row.id)
        if found is None and row.bundle_id is not None and row.organization is not None:
            found = ctx.store.reports.find_bundle(row.bundle_id, row.organization)
    if found is not None:
        return found
    if row.state is ImportState.IMPORTED:
        raise NotFoundError(
            f"import {import_id} has no report: it was imported by an older issbox",
            hint="`issbox verify` checks the bundle again, wherever it lies.",
        )
    raise WrongStateError(
        f"import {import_id} is {row.state}; only what has been imported has a report", shown="content-import info"
    )


def write_report(ctx: Context, import_id: int, path: Path) -> tuple[Path, Path]:
    """Write the report to a file and this box's signature over its bytes beside it; gives both paths.

    The signature comes first, so that nobody finds a report without one. Raises what `import_report` raises,
    OSError, and what reading the signing key raises.
    """
    report = import_report(ctx, import_id)
    signature = path.with_name(path.name + SIGNATURE_SUFFIX)
    signed = signing_key(ctx).sign(report)
    for place, data in ((signature, signed), (path, report)):
        with atomic_write(place) as out:
            out.write(data)
    return path.absolute(), signature.absolute()


def _volumes(ctx: Context, row: ContentImport) -> Iterator[ReportVolume]:
    """Give the volumes that this import is made of, each as it came in last."""
    assert row.bundle_id is not None, "it is known since the head was checked"
    rows = ctx.store.imports.list(states=(ImportState.IMPORTED,), bundle_id=row.bundle_id)
    latest: dict[int, ContentImport] = {row.volume or 1: ctx.store.imports.get(row.id)}
    for each in rows:  # newest first
        if each.organization == row.organization and row.volumes:
            latest.setdefault(each.volume or 1, each)
    for number, each in sorted(latest.items()):
        yield ReportVolume(
            number=number,
            import_id=each.id,
            path=each.path,
            first_seen=each.first_seen,
            copied_files=each.copied_files,
            copied_size=each.copied_size,
        )


def _repositories(ctx: Context, plan: ImportPlan, changes: Sequence[VersionChange]) -> Iterator[ReportRepository]:
    before = {change.repository: change.before for change in changes}
    held = {each.key: number for each, number in ctx.store.versions.promoted(plan.organization, LIBRARY)}
    for planned in plan.repositories:
        repository = planned.repository
        version = ctx.store.versions.get(repository.key, held[repository.key])
        yield ReportRepository(
            product=repository.key.product,
            label=repository.key.label,
            path=repository.path,
            before=before.get(repository.key, version.number),
            after=version.number,
            packages=version.packages,
            files=version.files,
            size=version.size,
            repomd_sha256=version.repomd_sha256,
        )


def _environments(plan: EnvironmentsPlan) -> Iterator[ReportEnvironment]:
    for each in plan.environments:
        promotions = tuple(
            ReportPromotion(
                path=one.promotion.path,
                content_label=one.promotion.content_label,
                repomd_sha256=one.promotion.repomd_sha256,
                change=one.fate.value,
                version=one.number,
                content_view_version="" if one.view_version is None else str(one.view_version),
            )
            for one in plan.promotions
            if one.environment == each.after.label
        )
        yield ReportEnvironment(label=each.after.label, change=each.fate.value, promotions=promotions)


def _checks(ctx: Context, row: ContentImport, *, signed: bool) -> tuple[ReportCheck, ...]:
    scan = (ReportCheck.SCAN,) if ctx.settings.inbox.scan_command else ()
    if not signed:
        return (ReportCheck.OWN_CHECKSUMS, *scan)
    chunks = (ReportCheck.CHUNKS,) if row.path.endswith(TOC_SUFFIX) else ()
    return (ReportCheck.SIGNATURE, *chunks, ReportCheck.FILE_TABLE, ReportCheck.FILES, ReportCheck.REPODATA, *scan)


def _files(
    manifest: Manifest,
    row: ContentImport,
    repositories: Sequence[ReportRepository],
    volumes: Sequence[ReportVolume],
    *,
    signed: bool,
) -> ReportFiles:
    totals = manifest.files
    return ReportFiles(
        listed=totals.count if signed else sum(each.files for each in repositories),
        listed_size=totals.size if signed else sum(each.size for each in repositories),
        carried=totals.carried_count if signed else row.files,
        carried_size=totals.carried_size if signed else row.size,
        copied=sum(each.copied_files for each in volumes),
        copied_size=sum(each.copied_size for each in volumes),
    )
