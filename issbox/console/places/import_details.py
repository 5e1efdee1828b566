"""All there is to know about a bundle that arrived."""

from collections.abc import Iterator

from issbox.console.lines import details
from issbox.console.showing import when
from issbox.model import ContentImport
from issbox.names import format_size


def import_details(row: ContentImport, next_step: str) -> Iterator[str]:
    """Give all there is to know about an import, line by line."""
    yield from details(
        [
            ("state", row.state),
            ("why", row.reason),
            ("error code", row.error_code),
            ("next step", next_step),
            ("organization", row.organization),
            ("path", row.path),
            ("form", row.form),
            ("kind", None if row.incremental is None else "incremental" if row.incremental else "complete"),
            ("volume", None if row.volume is None else f"{row.volume} of {row.volumes}"),
            ("sequence", row.sequence),
            ("destination", row.destination),
            ("made by", row.made_by),
            ("approved by", ", ".join(row.approvals)),
            ("source box", row.source_box),
            ("signing key", row.key_id),
            ("bundle", row.bundle_id),
            ("files", row.files or None),
            ("size", format_size(row.size)),
            ("first seen", when(row.first_seen)),
            ("changed", when(row.updated_at)),
        ]
    )
    if row.changes:
        yield ""
        yield "It changed:"
    for change in row.changes:
        before = "nothing" if change.before is None else f"version {change.before}"
        yield f"  {change.repository.short}: {before} -> version {change.after}"


def import_values(row: ContentImport) -> tuple[tuple[str, str], ...]:
    """Give what somebody may want to copy."""
    pairs = (("path", row.path), ("bundle", row.bundle_id), ("signing key", row.key_id), ("why", row.reason))
    return tuple((name, value) for name, value in pairs if value)
