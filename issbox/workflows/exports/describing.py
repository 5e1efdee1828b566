"""The head of an export: manifest and file table of the planned repository versions."""

import heapq
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from issbox import VERSION
from issbox.bundle.katello import METADATA_NAME, katello_metadata
from issbox.errors import StoreDamagedError
from issbox.files import BLOCK
from issbox.manifest import (
    FORMAT,
    FORMAT_VERSION,
    TABLE_NAME,
    BundleIdentity,
    BundleKind,
    BundleSource,
    EntryKind,
    FileEntry,
    Manifest,
    ManifestCredential,
    ManifestEnvironment,
    ManifestOrganization,
    ManifestProduct,
    ManifestPromotion,
    ManifestRepository,
    ManifestVersion,
    TableReference,
    Totals,
    Volume,
)
from issbox.model import ContentExport, CredentialKind, FileKind, Product, Promotion, Repository, RepositoryVersion
from issbox.rules.bundles.layout import listings
from issbox.workflows.context import Context
from issbox.workflows.exports.kept import StoredContent
from issbox.workflows.exports.plan import ExportPlan

_CARRIED: Final = 1
"""Stands for any volume until the layout is known."""
_ENTRY_KINDS: Final = {kind: EntryKind(kind.value) for kind in FileKind}


def describe(ctx: Context, plan: ExportPlan, row: ContentExport) -> Manifest:
    """Give the manifest of an export, without what the layout fills in; call it inside a session."""
    box = ctx.store.box.get()
    organization = ctx.store.organizations.get(plan.organization)
    labels = sorted({repository.key.product for repository, _ in plan.repositories})
    products = [ctx.store.products.get(plan.organization, label) for label in labels]
    return Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle=BundleIdentity(
            id=row.bundle_id,
            kind=BundleKind.COMPLETE if plan.base is None else BundleKind.INCREMENTAL,
            created_at=row.created_at.replace(microsecond=0),
            destination=plan.destination,
            sequence=row.sequence,
            base=None if plan.base is None else plan.base.document,
        ),
        source=BundleSource(
            box_id=box.id,
            box_name=box.name,
            key_id=box.key_id,
            software=f"issbox {VERSION}",
            made_by=row.made_by,
        ),
        organization=ManifestOrganization(label=organization.label, name=organization.name),
        content_credentials=_gpg_keys(ctx, plan, products),
        products=tuple(map(_product, products)),
        repositories=tuple(_repository(*each) for each in plan.repositories),
        files=Totals(count=0, size=0, carried_count=0, carried_size=0),
        table=TableReference(path=TABLE_NAME, size=0, sha256=""),
        volumes=(Volume(number=1, size=0),),
        scope=plan.scope,
        lifecycle_environments=_environments(ctx, plan.organization) if plan.request.with_environments else (),
    )


class BundleContent:
    """The files of an export: what they are, in the order of the table, and their bytes."""

    def __init__(self, ctx: Context, plan: ExportPlan, manifest: Manifest) -> None:
        """Take the manifest as `describe` gives it."""
        self._ctx = ctx
        self._plan = plan
        self.documents = {
            f"{directory}/listing".lstrip("/"): text.encode()
            for directory, text in listings(repository.path for repository, _ in plan.repositories).items()
        } | {METADATA_NAME: katello_metadata(manifest)}
        """Bytes of the files that belong to no repository, by path."""
        self.open = StoredContent(ctx, self.documents)
        """Opens the bytes of an entry."""

    def entries(self) -> Iterator[FileEntry]:
        """Give the entries sorted by path, read from the store again at every call; needs a session."""
        return heapq.merge(self._repository_entries(), self._document_entries(), key=lambda entry: entry.path)

    def digest_parts(self, entry: FileEntry, sizes: Sequence[int]) -> list[str]:
        """Give the SHA-256 of each of the consecutive parts of a file; raises StoreDamagedError when it is another."""
        digests, whole, size_read = [], sha256(), 0
        with self.open(entry) as source:
            buffer = memoryview(bytearray(BLOCK))
            for size in sizes:
                digest, left = sha256(), size
                while left and (count := source.readinto(buffer[: min(left, BLOCK)])):
                    digest.update(buffer[:count])
                    whole.update(buffer[:count])
                    left -= count
                digests.append(digest.hexdigest())
                size_read += size - left
        # Whoever writes the parts compares them with these digests, so that only here damage of the whole shows.
        if (size_read, whole.hexdigest()) != (entry.size, entry.sha256):
            raise StoreDamagedError(
                f"a stored file is damaged: {entry.path!r} does not have the SHA-256 {entry.sha256}"
            )
        return digests

    def _repository_entries(self) -> Iterator[FileEntry]:
        base = self._plan.base
        has_digest = base.has_digest if base is not None and base.has_digest is not None else lambda _: False
        # Sorted by path with a final slash, so that the files of all come sorted when one follows the other.
        for index, (repository, version) in enumerate(self._plan.repositories):
            held = () if base is None else base.held.get((repository.key.product, repository.key.label), ())
            for file, is_held in self._ctx.store.increments.files(repository.key, version.number, held):
                left_out = file.kind is not FileKind.METADATA and (is_held or has_digest(file.sha256))
                yield FileEntry(
                    path=f"{repository.path}/{file.path}",
                    size=file.size,
                    sha256=file.sha256,
                    kind=_ENTRY_KINDS[file.kind],
                    repository=index,
                    volume=None if left_out else _CARRIED,
                )

    def _document_entries(self) -> Iterator[FileEntry]:
        for path, data in sorted(self.documents.items()):
            kind = EntryKind.DOCUMENT if path == METADATA_NAME else EntryKind.LISTING
            yield FileEntry(
                path=path, size=len(data), sha256=sha256(data).hexdigest(), kind=kind, repository=None, volume=_CARRIED
            )


def _product(product: Product) -> ManifestProduct:
    return ManifestProduct(
        label=product.label,
        name=product.name,
        kind=product.kind,
        description=product.description,
        gpg_key=product.gpg_key,
    )


def _repository(repository: Repository, version: RepositoryVersion) -> ManifestRepository:
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
            lineage=repository.key.view,
        ),
        files=version.files,
        size=version.size,
        variables=dict(repository.variables),
        gpg_key=repository.gpg_key,
    )


def _environments(ctx: Context, organization: str) -> tuple[ManifestEnvironment, ...]:
    """Give the lifecycle environments but Library, each after its prior one, with what they hold; no hosts."""
    return tuple(
        ManifestEnvironment(
            label=each.label,
            name=each.name,
            prior=each.prior,
            description=each.description,
            type=each.type,
            content_prefix=each.content_prefix,
            promotions=tuple(
                _promotion(ctx, promotion) for promotion in ctx.store.promotions.list(organization, each.label)
            ),
        )
        for each in ctx.store.environments.list(organization)
        if each.prior is not None
    )


def _promotion(ctx: Context, promotion: Promotion) -> ManifestPromotion:
    repository, view = promotion.repository, promotion.view_version
    return ManifestPromotion(
        content_label=repository.content.label,
        path=repository.path,
        repomd_sha256=ctx.store.versions.get(repository.key, promotion.number).repomd_sha256,
        enabled=promotion.enabled,
        content_view="" if view is None else view.view,
        content_view_version="" if view is None else view.number,
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
