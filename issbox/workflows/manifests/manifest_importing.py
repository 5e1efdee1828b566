"""Taking a subscription manifest in, and deleting it.

A manifest is the only thing that makes Red Hat products. Importing one is a single transaction: killed before it,
nothing has changed but a directory of keys that the next start removes; killed after it, all of it is there.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final
from uuid import uuid4

from issbox.bundle.subscription.archive import LARGEST_ARCHIVE
from issbox.bundle.subscription.reading import OpenedManifest
from issbox.certs.manifest_signature import CertificateAndKey, SignatureFinding, pair_up, split_entitlement
from issbox.errors import ManifestRefusedError, NotASubscriptionManifestError
from issbox.files import error_from_input, open_regular
from issbox.model import (
    EntitlementFile,
    ManifestAction,
    ManifestConflict,
    ManifestEvent,
    ManifestRecord,
    ProductKind,
    SubscriptionManifest,
)
from issbox.names import format_time
from issbox.rules.content.manifest_conflicts import Holdings
from issbox.rules.content.manifests import ManifestPlan, plan_deletion, plan_import
from issbox.workflows.certificates.following import certificates_follow
from issbox.workflows.context import Context, Permission
from issbox.workflows.manifests.manifest_keys import changing_manifest, remove_stray_keys, write_keys
from issbox.workflows.manifests.manifest_trust import KNOWN_AUTHORITIES, ManifestTrust, require_signature

STEPS: Final = ("check-manifest", "write-keys", "record-manifest", "remove-old-keys")
"""What importing a manifest announces, in order; deleting one announces the last two."""


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """What was done, or would be."""

    record: ManifestRecord
    """The manifest that was taken in, or that went."""
    plan: ManifestPlan
    warnings: tuple[str, ...] = ()
    """What a person should know, that of the plan among it."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A manifest that was read and whose signature was looked at."""

    manifest: SubscriptionManifest
    finding: SignatureFinding
    certificates: tuple[CertificateAndKey, ...]
    identity: CertificateAndKey | None
    record: ManifestRecord


def read_manifest_file(path: Path) -> bytes:
    """Read the file of a manifest.

    Raises NotFoundError, NotASubscriptionManifestError for a large one, and what the disk says.
    """
    try:
        with open_regular(path.resolve(strict=True)) as source:
            return read_manifest(source, str(path))
    except OSError as error:
        raise error_from_input(error) from error


def read_manifest(source: IO[bytes], what: str) -> bytes:
    """Read a manifest from what is open, such as standard input, and no more than one can have.

    Raises NotASubscriptionManifestError, naming `what`, for more than that.
    """
    parts, size = [], 0
    while size <= LARGEST_ARCHIVE and (part := source.read(1 << 20)):
        parts.append(part)
        size += len(part)
    if size > LARGEST_ARCHIVE:
        raise NotASubscriptionManifestError(f"{what} is larger than any subscription manifest")
    return b"".join(parts)


def import_manifest(
    ctx: Context,
    organization: str,
    data: bytes,
    name: str,
    *,
    trust: ManifestTrust = KNOWN_AUTHORITIES,
    force: Collection[ManifestConflict] = (),
    action: ManifestAction = ManifestAction.IMPORT,
    dry_run: bool = False,
) -> ManifestChange:
    """Take the bytes of a manifest in, or with `dry_run` only say what that would change.

    Raises NotASubscriptionManifestError, UntrustedManifestError, ManifestRefusedError with every reason, BusyError,
    NotFoundError. Nothing is changed then.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_manifest(ctx, organization):
        ctx.store.organizations.get(organization)
        ctx.progress.step("check-manifest", name)
        candidate = _candidate(ctx, organization, data, name, trust)
        plan = _accepted(ctx, candidate, force)
        warnings = (*_doubts(ctx, candidate), *plan.warnings)
        if dry_run:
            return ManifestChange(candidate.record, plan, warnings)
        try:
            ctx.progress.step("write-keys")
            write_keys(ctx, organization, candidate.record.id, candidate.certificates, candidate.identity)
            ctx.progress.step("record-manifest")
            with ctx.store.transaction(), certificates_follow(ctx, organization):
                plan = _accepted(ctx, candidate, force)
                _apply(ctx, plan)
                ctx.store.manifests.put(candidate.record, plan.offered)
                _remove_products(ctx, plan)
                _note(ctx, action, candidate.record, plan, warnings)
        finally:
            ctx.progress.step("remove-old-keys")
            remove_stray_keys(ctx, organization)
        return ManifestChange(candidate.record, plan, warnings)


def delete_manifest(ctx: Context, organization: str, *, dry_run: bool = False) -> ManifestChange:
    """Delete the manifest of an organization with its certificates and keys, or with `dry_run` say what that changes.

    Repositories and promotions stay. Raises NotFoundError, BusyError.
    """
    ctx.require(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session(), changing_manifest(ctx, organization):
        record = ctx.store.manifests.get(organization)
        plan = plan_deletion(_holdings(ctx, organization))
        if dry_run:
            return ManifestChange(record, plan)
        ctx.progress.step("record-manifest")
        with ctx.store.transaction(), certificates_follow(ctx, organization):
            plan = plan_deletion(_holdings(ctx, organization))
            _apply(ctx, plan)
            ctx.store.manifests.remove(organization)
            _remove_products(ctx, plan)
            _note(ctx, ManifestAction.DELETE, record, plan, ())
        ctx.progress.step("remove-old-keys")
        remove_stray_keys(ctx, organization)
        return ManifestChange(record, plan)


def _candidate(ctx: Context, organization: str, data: bytes, name: str, trust: ManifestTrust) -> _Candidate:
    opened = OpenedManifest(data, name)
    finding = require_signature(ctx, organization, opened.signed, trust)
    file = opened.read()
    certificates = tuple(
        split_entitlement(text, f"the entitlement certificate {number}")
        for number, text in enumerate(file.entitlements, start=1)
    )
    identity = None if file.identity is None else pair_up(*file.identity, "the distributor's identity")
    manifest = file.manifest
    record = ManifestRecord(
        organization=organization,
        id=uuid4().hex,
        sha256=opened.sha256,
        size=opened.size,
        signed_by=finding.signed_by,
        imported_at=ctx.clock(),
        imported_by=ctx.actor.name,
        created=manifest.created,
        version=manifest.version,
        cdn_label=manifest.cdn_label,
        distributor=manifest.distributor,
        subscriptions=manifest.subscriptions,
        certificates=tuple(
            EntitlementFile(str(each.decoded.serial), each.decoded.subject, each.decoded.valid, each.paths)
            for each in certificates
        ),
        identity=identity is not None,
    )
    return _Candidate(manifest, finding, certificates, identity, record)


def _accepted(ctx: Context, candidate: _Candidate, force: Collection[ManifestConflict]) -> ManifestPlan:
    """Plan the import; raises ManifestRefusedError with every reason against it."""
    holdings = _holdings(ctx, candidate.record.organization, candidate.record.distributor.uuid)
    plan = plan_import(candidate.manifest, candidate.record.sha256, holdings, now=ctx.clock(), forced=force)
    if plan.refusals:
        raise ManifestRefusedError(
            "\n".join(each.message for each in plan.refusals),
            hint=" ".join(dict.fromkeys(each.hint for each in plan.refusals)),
        )
    return plan


def _doubts(ctx: Context, candidate: _Candidate) -> list[str]:
    found = [f"taken without a good signature: {candidate.finding.problem}"] if candidate.finding.problem else []
    now = ctx.clock()
    if candidate.manifest.products and not candidate.certificates:
        found.append("the manifest has no entitlement certificate, so nothing can be read from the CDN with it")
    if candidate.certificates and not any(each.decoded.valid.holds(now) for each in candidate.certificates):
        found.append("no entitlement certificate of the manifest is valid now")
    return found


def _holdings(ctx: Context, organization: str, distributor: str = "") -> Holdings:
    store = ctx.store
    products = {each.label: each for each in store.products.list(organization)}
    repositories, custom, paths = defaultdict(list), set(), {}
    for each in store.repositories.list(organization):
        if products[each.key.product].kind is ProductKind.REDHAT:
            repositories[each.content.id].append(each.key)
            paths[each.content.id] = each.content.path
        else:
            custom.add(each.content.id)
    environments = defaultdict(list)
    for label, stage in sorted(store.catalogues.get(organization).stages.items()):
        for content in stage.content:
            environments[content].append(label)
    holder = store.manifests.holder(distributor, besides=organization) if distributor else None
    return Holdings(
        organization=organization,
        manifest=store.manifests.find(organization),
        products=products,
        offered=store.manifests.offered(organization),
        needed=store.manifests.needed_products(organization),
        repositories=dict(repositories),
        custom_contents=frozenset(custom),
        paths=paths,
        withdrawn=store.manifests.withdrawn(organization),
        environments=dict(environments),
        holder=holder,
    )


def _apply(ctx: Context, plan: ManifestPlan) -> None:
    """Make products, and bring the contents of repositories up to date."""
    organization = plan.organization
    for product in plan.products_in:
        ctx.store.products.create(product)
    for product in plan.products_renamed:
        ctx.store.manifests.rename_product(organization, product.label, product.name)
    for gone in plan.withdrawn:
        ctx.store.repositories.withdraw(organization, gone.id)
    for content in plan.restored:
        ctx.store.repositories.withdraw(organization, content, withdrawn=False)
    offered = {(label, each.content.id): each for label, contents in plan.offered.items() for each in contents}
    anywhere = {content: each for (_, content), each in sorted(offered.items(), reverse=True)}
    for repository in ctx.store.repositories.list(organization):
        identity = repository.content.id
        present = offered.get((repository.key.product, identity)) or anywhere.get(identity)
        if present is not None:
            ctx.store.manifests.describe_content(organization, present)


def _remove_products(ctx: Context, plan: ManifestPlan) -> None:
    for label in plan.products_out:
        ctx.store.products.delete(plan.organization, label)


def _note(
    ctx: Context, action: ManifestAction, record: ManifestRecord, plan: ManifestPlan, notes: Sequence[str]
) -> None:
    """Write the history and the audit entry; no certificate or key is in them."""
    event = ManifestEvent(
        organization=record.organization,
        at=ctx.clock(),
        actor=ctx.actor,
        action=action,
        distributor=record.distributor.name,
        distributor_uuid=record.distributor.uuid,
        created=record.created,
        sha256=record.sha256,
        signed_by=record.signed_by,
        products=len(plan.offered),
        contents_in=len(plan.contents_in),
        contents_changed=len(plan.contents_changed),
        contents_out=len(plan.contents_out),
        forced=plan.forced,
        notes=tuple(notes),
    )
    ctx.store.manifests.note(event)
    ctx.audit(
        f"manifest.{action}",
        record.distributor.name,
        organization=record.organization,
        details={
            "distributor": record.distributor.uuid,
            "created": format_time(record.created),
            "sha256": record.sha256,
            "signed_by": record.signed_by,
            "forced": [str(each) for each in plan.forced],
            "products_in": [each.label for each in plan.products_in],
            "products_out": list(plan.products_out),
            "contents_in": len(plan.contents_in),
            "contents_changed": len(plan.contents_changed),
            "contents_out": len(plan.contents_out),
            "withdrawn": [each.label for each in plan.withdrawn],
            "notes": list(notes),
        },
    )
