"""What importing a bundle would do, as a diff to read."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from issbox.console.showing import difference_lines, difference_summary
from issbox.console.words import Text
from issbox.names import format_size, plural
from issbox.workflows.context import Context

if TYPE_CHECKING:
    from issbox.workflows.imports.previewing import ImportPreview


def preview_text(ctx: Context, import_id: int) -> Text:
    """Give the preview of an import; raises what reading the bundle raises."""
    from issbox.workflows.imports.previewing import preview_import

    preview = preview_import(ctx, import_id)
    return Text(f"What import {import_id} would change", preview_lines(preview), (("path", str(preview.path)),))


def preview_lines(preview: "ImportPreview") -> tuple[str, ...]:
    """Give a preview in words."""
    return tuple(_lines(preview))


def _lines(preview: "ImportPreview") -> Iterator[str]:
    manifest = preview.manifest
    carried = f"{plural(preview.files, 'file')}, {format_size(preview.size)}"
    yield f"{preview.path.name}: {carried}, into {preview.organization}"
    by = f", made by {manifest.source.made_by}" if manifest.source.made_by else ""
    yield f"{manifest.bundle.kind} bundle #{manifest.bundle.sequence} from {manifest.source.box_name}{by}"
    if preview.missing:
        yield f"{plural(preview.missing, 'file')} of it must be here already, and are looked for then"
    yield f"free space: {format_size(preview.free)}, afterwards {format_size(preview.free_afterwards)}"
    for refusal in preview.refusals:
        yield f"! {refusal.message}"
    for label in preview.new_products:
        yield f"+ product {label}"
    for label in preview.changed_products:
        yield f"~ product {label}"
    for each in preview.repositories:
        yield ""
        sign = "~" if each.exists else "+"
        if each.difference is None:
            yield f"{sign} {each.key.short}: cannot be compared, since not all of it is here"
            continue
        yield f"{sign} {each.key.short}: {difference_summary(each.difference)}"
        for line in difference_lines(each.difference):
            yield f"    {line}"
    environments = preview.environments.lines()
    if environments:
        yield ""
        yield "Lifecycle environments that it carries, for whoever asks for them:"
        yield from (f"  {line}" for line in environments)
