"""What is shown of content exports, and of planned ones."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from issbox.cli.shapes import Field, Shape, for_people, size, sizes
from issbox.model import ContentExport

if TYPE_CHECKING:
    from issbox.rules.bundles.retention import Superseded
    from issbox.workflows.exports import Estimate, Recut


def _base(value: object) -> str:
    """Say in words what an incremental bundle starts from."""
    if not isinstance(value, Mapping):
        return for_people(value)
    match value.get("kind"):
        case "since":
            return f"what there was on {value['time']}"
        case "export":
            return f"exports up to number {value['sequence']} ({value['bundle_id']})"
        case "receipt":
            checked = "" if value["verified"] else ", not signed"
            return f"receipt of {value['box_name'] or value['box_id']} of {value['created_at']}{checked}"
    return for_people(value)


EXPORT = Shape[ContentExport](
    "content export",
    (
        Field("id", "number of the export in this box", lambda each: each.id, column=True),
        Field("bundle_id", "id of the bundle", lambda each: each.bundle_id),
        Field("organization", "label of the organization", lambda each: each.organization, column=True),
        Field("scope", "what was exported, in words", lambda each: each.scope, column=True),
        Field("incremental", "whether it carries only what its base lacks", lambda each: each.incremental, column=True),
        Field("base", "what an incremental bundle starts from, or null", lambda each: each.base, show=_base),
        Field("repositories", "array of `product/repository`", lambda each: each.repositories),
        Field("destination", "destination server, may be empty", lambda each: each.destination, column=True),
        Field("sequence", "its number among the exports for that destination", lambda each: each.sequence, column=True),
        Field("form", "`dir`, `tar`, `tgz` or `iso`", lambda each: each.form.value, column=True),
        Field(
            "state",
            "`written`; `writing` while it is being made, `streamed` when it went down a pipe, `pruned` when deleted",
            lambda each: each.state.value,
            column=True,
        ),
        Field("path", "the bundle: a directory, with the volumes or chunks in it", lambda each: each.path, column=True),
        Field("created_at", "when it was made", lambda each: each.created_at, column=True),
        Field("made_by", "who made it", lambda each: each.made_by),
        Field("files", "number of files carried", lambda each: each.files),
        Field("size", "bytes of these files", lambda each: each.size, column=True, show=size),
        Field("volumes", "array of the bytes of each volume or chunk", lambda each: each.volumes, show=sizes),
        Field("seconds", "how long writing took", lambda each: each.seconds),
    ),
)

PLAN: "Shape[Estimate]" = Shape(
    "export plan",
    (
        Field("organization", "label of the organization", lambda each: each.plan.organization, column=True),
        Field("destination", "destination server, may be empty", lambda each: each.plan.destination, column=True),
        Field("scope", "what would be exported, in words", lambda each: each.plan.words, column=True),
        Field(
            "base",
            "what an incremental bundle would start from, or null",
            lambda each: each.plan.base and each.plan.base.document,
            show=_base,
        ),
        Field(
            "repositories",
            "array of `product/repository:version`",
            lambda each: [
                f"{one.key.product}/{one.key.label}:{version.number}" for one, version in each.plan.repositories
            ],
        ),
        Field("files", "number of files it would carry", lambda each: each.files, column=True),
        Field("size", "bytes of these files", lambda each: each.size, column=True, show=size),
        Field("volumes", "array of the bytes of each volume or chunk", lambda each: each.volumes, show=sizes),
        Field("needed", "bytes of free space that writing it needs", lambda each: each.needed, column=True, show=size),
        Field("free", "bytes that are free where it would be written", lambda each: each.free, column=True, show=size),
        Field(
            "seconds",
            "how long writing would take, going by earlier exports; null when there is none",
            lambda each: each.seconds,
            column=True,
        ),
    ),
)

RECUT: "Shape[Recut]" = Shape(
    "recut",
    (
        Field("id", "number of the export in this box", lambda each: each.export.id),
        Field("bundle_id", "id of the bundle", lambda each: each.export.bundle_id),
        Field("organization", "label of the organization", lambda each: each.export.organization),
        Field("destination", "destination server, may be empty", lambda each: each.export.destination),
        Field("path", "the directory with what was written again", lambda each: each.path),
        Field("form", "`volumes` or `chunks`", lambda each: each.form.value),
        Field("numbers", "array of their numbers; 0 is the table of contents of chunks", lambda each: each.numbers),
        Field(
            "volumes",
            "array of the bytes of each, without the table of contents",
            lambda each: each.volumes,
            show=sizes,
        ),
    ),
)

SUPERSEDED: "Shape[Superseded]" = Shape(
    "superseded export",
    (
        Field("id", "number of the export in this box", lambda each: each.export.id, column=True),
        Field("bundle_id", "id of the bundle", lambda each: each.export.bundle_id),
        Field("organization", "label of the organization", lambda each: each.export.organization, column=True),
        Field("destination", "destination server, may be empty", lambda each: each.export.destination, column=True),
        Field(
            "sequence",
            "its number among the exports for that destination",
            lambda each: each.export.sequence,
            column=True,
        ),
        Field("created_at", "when it was made", lambda each: each.export.created_at, column=True),
        Field("path", "where the bundle lies, or lay", lambda each: each.export.path),
        Field("size", "bytes of all its volumes", lambda each: sum(each.export.volumes), column=True, show=size),
        Field("goes", "whether it is deleted", lambda each: each.goes, column=True),
        Field("reason", "why it goes, or stays although it is old", lambda each: each.reason, column=True),
    ),
)
