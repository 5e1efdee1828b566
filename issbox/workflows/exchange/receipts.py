"""Receipts on the side that holds the content: stating what is held, in each of the three forms."""

import base64
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox import VERSION
from issbox.bundle.compact_receipt import encode_compact
from issbox.bundle.receipt import SUFFIX, encode_receipt
from issbox.bundle.receipt_checks import PREFIX_BYTES
from issbox.bundle.short_receipt import encode_short, short_receipt
from issbox.files import atomic_write, error_from_os
from issbox.model import (
    LIBRARY,
    RECEIPT_FORMAT,
    RECEIPT_FORMAT_VERSION,
    FileKind,
    LastImport,
    PackageDigests,
    Receipt,
    ReceiptBox,
    ReceiptOrganization,
    ReceiptRepository,
    Repository,
    RepositoryVersion,
)
from issbox.names import is_label
from issbox.rules.bundles.receipts import missing_sequences
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.context import Context, Permission

_FILES: Final = {FileKind.PACKAGE, FileKind.KICKSTART}
"""Metadata always travels whole, so it is of no use in a receipt."""


@dataclass(frozen=True, slots=True)
class MadeReceipt:
    """A receipt of this box in all its forms."""

    receipt: Receipt
    file: bytes
    """The signed file."""
    compact: str
    """The text of the QR code."""
    short: tuple[tuple[LastImport, str], ...]
    """A short text for each source that bundles were imported from."""

    @property
    def name(self) -> str:
        """What the file is called when nobody says otherwise."""
        at = self.receipt.created_at.strftime("%Y%m%dT%H%M%SZ")
        return f"{self.receipt.organization.label}-{self.receipt.box.id[:8]}-{at}{SUFFIX}"


def create_receipt(ctx: Context, organization: str, *, with_packages: bool = False) -> MadeReceipt:
    """State what Library of an organization holds, and sign it.

    With packages, the receipt's file lists the beginning of the SHA-256 of every package too: 21 bytes each. Raises
    NotFoundError for the organization and ReceiptError when the file would be too large to be read.
    """
    ctx.require(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        box, owner = ctx.store.box.get(), ctx.store.organizations.get(organization)
        held = [
            (repository, ctx.store.versions.get(repository.key, number))
            for repository, number in ctx.store.versions.promoted(organization, LIBRARY)
        ]
        receipt = Receipt(
            format=RECEIPT_FORMAT,
            format_version=RECEIPT_FORMAT_VERSION,
            created_at=ctx.clock().replace(microsecond=0),
            box=ReceiptBox(id=box.id, name=box.name, key_id=box.key_id, software=f"issbox {VERSION}"),
            organization=ReceiptOrganization(label=owner.label, name=owner.name),
            imported=_imported(ctx, organization),
            repositories=tuple(_describe(*each) for each in held),
            packages=_digests(ctx, held) if with_packages else None,
        )
        key = signing_key(ctx)
        made = MadeReceipt(
            receipt,
            encode_receipt(receipt, key),
            encode_compact(receipt, key),
            tuple((last, encode_short(short_receipt(receipt, last))) for last in receipt.imported),
        )
        with ctx.store.transaction():
            ctx.audit(
                "receipt.create",
                organization,
                organization=organization,
                details={"repositories": len(held), "packages": receipt.packages.count if receipt.packages else None},
            )
    return made


def write_receipt(ctx: Context, made: MadeReceipt, output: Path | None = None) -> Path:
    """Write the receipt's file, into the configured export directory unless a path is given, and give its path."""
    path = output or ctx.settings.export.path / made.name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as out:
            out.write(made.file)
    except OSError as error:
        raise error_from_os(error) from error
    return path


def _imported(ctx: Context, organization: str) -> tuple[LastImport, ...]:
    """Say how far each issbox was imported; what other programs made has no number, and is acknowledged to nobody."""
    return tuple(
        LastImport(
            source_box=source_box,
            destination=destination,
            bundle_id=bundles[max(bundles)],
            sequence=max(bundles),
            missing=missing_sequences(bundles),
        )
        for (source_box, destination), bundles in sorted(ctx.store.imports.sequences(organization).items())
        if is_label(source_box)
    )


def _describe(repository: Repository, version: RepositoryVersion) -> ReceiptRepository:
    mark = repository.imported
    if mark is not None and not is_label(mark.box_id):  # it came from another program than issbox
        mark = None
    return ReceiptRepository(
        product=repository.key.product,
        label=repository.key.label,
        path=repository.path,
        content_id=repository.content.id,
        variables=dict(repository.variables),
        version=version.number,
        repomd_sha256=version.repomd_sha256,
        source_box=None if mark is None else mark.box_id,
        source_version=None if mark is None else mark.number,
    )


def _digests(ctx: Context, held: list[tuple[Repository, RepositoryVersion]]) -> PackageDigests:
    found = {
        bytes.fromhex(file.sha256)[:PREFIX_BYTES]
        for repository, version in held
        for file in ctx.store.versions.files(repository.key, version.number)
        if file.kind in _FILES
    }
    prefixes = base64.b64encode(b"".join(sorted(found))).decode()
    return PackageDigests(count=len(found), prefix_bytes=PREFIX_BYTES, prefixes=prefixes)
