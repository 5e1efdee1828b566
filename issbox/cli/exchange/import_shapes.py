"""What commands show of an import. Apart from `issbox content-import`, so that `issbox status` loads only this."""

from issbox.cli.shapes import Field, Shape, fingerprint, size
from issbox.model import ContentImport


def _changes(value: object) -> str:
    """Say in words which repositories an import changed."""
    told = value if isinstance(value, list) else []
    return "; ".join(f"{one['repository']} {one['before'] or 'new'} -> {one['after'] or 'none'}" for one in told)


IMPORT = Shape[ContentImport](
    "content import",
    (
        Field("id", "number of the import in this box", lambda each: each.id, column=True),
        Field(
            "state",
            "`arriving`, `settled`, `checking`, `waiting`, `importing`, `imported`, `refused`, `discarded` or "
            "`rolled-back`",
            lambda each: each.state,
            column=True,
        ),
        Field(
            "organization",
            "label of the organization it goes into, or null while that is not known",
            lambda each: each.organization,
            column=True,
        ),
        Field("path", "where the bundle lies now; empty once it was deleted", lambda each: each.path, column=True),
        Field("form", "`dir`, `tar`, `tgz` or `iso`, or null", lambda each: each.form and each.form.value),
        Field("incremental", "whether it carries only what its base lacks, or null", lambda each: each.incremental),
        Field("volume", "which volume or chunk this is; null for a bundle in one piece", lambda each: each.volume),
        Field("volumes", "how many volumes or chunks there are, or null", lambda each: each.volumes),
        Field(
            "waits_for",
            "`volumes`, `base` or `approval` in state `waiting`, else null",
            lambda each: each.waits_for and each.waits_for.value,
        ),
        Field("made_by", "who exported it", lambda each: each.made_by),
        Field("approvals", "array of the names of those who approved it", lambda each: each.approvals),
        Field(
            "changes",
            "array of the repositories that it changed, with the version before and after",
            lambda each: [
                {"repository": str(one.repository), "before": one.before, "after": one.after} for one in each.changes
            ],
            show=_changes,
        ),
        Field(
            "view_version",
            "content view and number of the version that it brought, such as `servers 3.0`, or null",
            lambda each: each.view_version,
        ),
        Field(
            "with_lifecycle_environments",
            "whether somebody asked for the lifecycle environments that it may carry",
            lambda each: each.with_environments,
        ),
        Field("inbox", "whether it came through the inbox", lambda each: each.inbox),
        Field("first_seen", "when it was first seen", lambda each: each.first_seen),
        Field("updated_at", "when its state changed last", lambda each: each.updated_at, column=True),
        Field("bundle_id", "id of the bundle, or null while it has not been checked", lambda each: each.bundle_id),
        Field("source_box", "id of the box that made it, or null", lambda each: each.source_box),
        Field("key_id", "fingerprint of the key that signed it, or null", lambda each: each.key_id, show=fingerprint),
        Field("destination", "destination server named at the export, or null", lambda each: each.destination),
        Field("sequence", "its number among the exports for that destination, or null", lambda each: each.sequence),
        Field("files", "number of files of its repositories", lambda each: each.files),
        Field("size", "bytes of these files", lambda each: each.size, show=size),
        Field("copied_files", "number of files copied into the store", lambda each: each.copied_files),
        Field("copied_size", "bytes of these files", lambda each: each.copied_size, show=size),
        Field("error_code", "code of the error that refused it, or null", lambda each: each.error_code, column=True),
        Field("reason", "in words: why it was refused, or what it waits for", lambda each: each.reason, column=True),
        Field("allow_older", "whether an older bundle than the last one is accepted", lambda each: each.allow_older),
    ),
)
