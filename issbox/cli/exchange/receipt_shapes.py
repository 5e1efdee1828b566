"""What `issbox receipt` shows."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from issbox.cli.shapes import Field, Shape, fingerprint, for_people
from issbox.model import LastImport, ReceivedReceipt

if TYPE_CHECKING:
    from issbox.workflows.exchange.receipts import MadeReceipt

_IMPORTED: Final = (
    "array: `source_box`, `destination`, `bundle_id` and `sequence` of the last bundle imported, and ranges of "
    "sequence numbers that are `missing`"
)


def _imported(last: LastImport) -> dict[str, object]:
    return {
        "source_box": last.source_box,
        "destination": last.destination,
        "bundle_id": last.bundle_id,
        "sequence": last.sequence,
        "missing": [list(each) for each in last.missing],
    }


def _up_to(value: object) -> str:
    """Show how far bundles were imported, for people."""
    texts = []
    for last in value if isinstance(value, list) else []:
        gaps = ", ".join(f"{first}" if first == end else f"{first}-{end}" for first, end in last["missing"])
        destination = f" for {last['destination']}" if last["destination"] else ""
        texts.append(f"up to {last['sequence']}{destination}{f' without {gaps}' if gaps else ''}")
    return for_people(texts)


def _paths(value: object) -> str:
    """Show repositories for people."""
    return ", ".join(each["path"] or "unknown" for each in value) if isinstance(value, list) else ""


MADE: "Shape[tuple[MadeReceipt, Path | None]]" = Shape(
    "receipt made",
    (
        Field("path", "the signed file, or null when none was written", lambda each: each[1]),
        Field("organization", "label of the organization", lambda each: each[0].receipt.organization.label),
        Field("created_at", "when it was made", lambda each: each[0].receipt.created_at),
        Field("box_id", "id of this box", lambda each: each[0].receipt.box.id),
        Field(
            "key_id", "fingerprint of the key that signed", lambda each: each[0].receipt.box.key_id, show=fingerprint
        ),
        Field("repositories", "number of repositories", lambda each: len(each[0].receipt.repositories)),
        Field(
            "packages",
            "number of package digests, or null without them",
            lambda each: each[0].receipt.packages.count if each[0].receipt.packages else None,
        ),
        Field(
            "imported",
            _IMPORTED,
            lambda each: [_imported(last) for last in each[0].receipt.imported],
            show=_up_to,
        ),
        Field(
            "short",
            "array of short texts, not signed, one for each of `imported` and in the same order",
            lambda each: [text for _, text in each[0].short],
        ),
        Field(
            "compact",
            "the text of the QR code, signed",
            lambda each: each[0].compact,
            show=lambda value: f"{len(str(value))} characters, shown by --qr and --json",
        ),
    ),
)


def received_shape(own: "Callable[[ReceivedReceipt], dict[str, int]] | None") -> Shape[ReceivedReceipt]:
    """Give the shape of a receipt; with a function that knows own versions, each repository says its own."""

    def repositories(each: ReceivedReceipt) -> list[dict[str, object]]:
        versions = own(each) if own is not None else {}
        return [
            {
                "product": one.product,
                "label": one.label,
                "path": one.path,
                "version": one.version,
                "repomd_sha256": one.repomd_sha256,
                "own_version": versions.get(one.path),
            }
            for one in each.receipt.repositories
        ]

    return Shape(
        "receipt",
        (
            Field("id", "number of the receipt in this box", lambda each: each.id, column=True),
            Field("received_at", "when it was read here", lambda each: each.received_at, column=True),
            Field("received_by", "who read it", lambda each: each.received_by),
            Field("form", "`file`, `compact` or `short`", lambda each: each.form, column=True),
            Field("verified", "whether a trusted key signed it", lambda each: each.verified, column=True),
            Field("box_id", "id of the box that made it; empty in a short text", lambda each: each.receipt.box.id),
            Field("box_name", "its name", lambda each: each.receipt.box.name, column=True),
            Field(
                "key_id",
                "fingerprint of the key that signed, or its beginning",
                lambda each: each.receipt.box.key_id,
                show=fingerprint,
            ),
            Field(
                "organization",
                "label of the organization of this box that it is about, or null",
                lambda each: each.organization,
                column=True,
            ),
            Field("far_organization", "its label over there", lambda each: each.receipt.organization.label),
            Field("created_at", "when it was made", lambda each: each.receipt.created_at, column=True),
            Field(
                "imported",
                _IMPORTED,
                lambda each: [_imported(last) for last in each.receipt.imported],
                column=True,
                show=_up_to,
            ),
            Field(
                "repositories",
                "array: `product`, `label`, `path`, `version` over there, `repomd_sha256`, and `own_version`, the "
                "version of this box that is the same, or null",
                repositories,
                show=_paths,
            ),
            Field(
                "packages",
                "number of package digests, or null without them",
                lambda each: each.receipt.packages.count if each.receipt.packages else None,
            ),
        ),
    )


RECEIPT = received_shape(None)
