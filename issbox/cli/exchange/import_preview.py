"""`issbox content-import preview`."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.content.differences import DIFFERENCE_MEANING, DIFFERENCE_WORDS, difference_document, difference_parts
from issbox.cli.exchange.carried_environments import ENVIRONMENTS_MEANING, environment_documents, environment_lines
from issbox.cli.shapes import Field, Shape
from issbox.model import Advisory
from issbox.names import format_size, format_time, plural

if TYPE_CHECKING:
    from issbox.workflows.imports.previewing import ImportPreview, RepositoryPreview

_LISTED: Final = 10
"""How many of each list people are shown when they do not say."""


def _repository(each: "RepositoryPreview") -> dict[str, object]:
    return {
        "repository": each.key.short,
        "new": not each.exists,
        "version": each.version,
        "known": each.difference is not None,
        **(difference_document(each.difference) if each.difference is not None else {}),
    }


PREVIEW: "Shape[ImportPreview]" = Shape(
    "import preview",
    (
        Field("path", "what was looked at", lambda each: each.path),
        Field(
            "form",
            "`dir`, `tar`, `tgz` or `iso`; null for an export of a Katello",
            lambda each: each.form and each.form.value,
        ),
        Field("bundle_id", "id of the bundle", lambda each: each.manifest.bundle.id),
        Field("kind", "`complete` or `incremental`", lambda each: each.manifest.bundle.kind.value),
        Field("created_at", "when it was made", lambda each: each.manifest.bundle.created_at),
        Field("source_box", "name of the box that made it", lambda each: each.manifest.source.box_name),
        Field(
            "key_id",
            "fingerprint of the key that signed it; empty when nobody did",
            lambda each: each.manifest.source.key_id,
        ),
        Field("made_by", "who exported it", lambda each: each.manifest.source.made_by),
        Field("destination", "destination server, may be empty", lambda each: each.manifest.bundle.destination),
        Field(
            "sequence", "its number among the exports for that destination", lambda each: each.manifest.bundle.sequence
        ),
        Field("volume", "number of the volume that was looked at", lambda each: each.volume),
        Field("volumes", "how many volumes the bundle has", lambda each: max(1, len(each.manifest.volumes))),
        Field("organization", "label of the organization that it goes into", lambda each: each.organization),
        Field(
            "imported_before",
            "number of the import that brought all of it already, or null",
            lambda each: each.imported_before and each.imported_before.id,
        ),
        Field(
            "refusals",
            "array of objects `code`, `message`, `hint`: why it cannot be imported",
            lambda each: [{"code": one.code, "message": one.message, "hint": one.hint} for one in each.refusals],
        ),
        Field(
            "waits_for",
            "array of objects `what` (`volumes`, `base`, `approval`) and `reason`: what it would wait for",
            lambda each: [{"what": one.what.value, "reason": one.reason} for one in each.waits],
        ),
        Field("new_products", "array of the labels of products that appear", lambda each: each.new_products),
        Field(
            "changed_products",
            "array of the labels of products whose description changes",
            lambda each: each.changed_products,
        ),
        Field(
            "repositories",
            "array of objects: `repository` (`product/repository`), `new`, `version` (number of the version that "
            "Library holds now, or null), `known` (false while its metadata lies in a volume that is not here; the "
            f"rest is missing then), {DIFFERENCE_MEANING}",
            lambda each: [_repository(one) for one in each.repositories],
        ),
        Field("lifecycle_environments", ENVIRONMENTS_MEANING, lambda each: environment_documents(each.environments)),
        Field("files", "number of files that would be copied", lambda each: each.files),
        Field("size", "bytes of these files", lambda each: each.size),
        Field("missing", "number of files that it neither carries nor finds here", lambda each: each.missing),
        Field("free", "bytes free now", lambda each: each.free),
        Field(
            "free_afterwards",
            "bytes free after the import; below zero when there is too little",
            lambda each: each.free_afterwards,
        ),
    ),
)


@command("preview", example="issbox content-import preview /media/usb/ACME-base-0002", shape=PREVIEW)
@click.argument("what", metavar="PATH|ID")
@click.option("--organization", metavar="LABEL", help="Into this organization instead of the one of the same label.")
@click.option("--allow-older", is_flag=True, help="Do not count it against the bundle that it is older.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=_LISTED,
    metavar="NUMBER",
    show_default=True,
    help="Show people only so many lines of each list; 0 shows all. --json always has all.",
)
def preview(run: Run, *, what: str, organization: str | None, allow_older: bool, limit: int) -> None:
    """Show what importing a bundle would change, before anything of it is stored.

    PATH is what `content-import run` takes, ID the number of an import that waits, was refused, or is on its way. The
    signature is checked first. Of a bundle in several volumes, what is known so far is shown.
    """
    from issbox.workflows.imports.previewing import preview as preview_path
    from issbox.workflows.imports.previewing import preview_import

    ctx, path = run.open(), Path(what)
    if what.isascii() and what.isdigit() and not os.path.exists(what):  # noqa: PTH110 - False, too, where it may not look
        found = preview_import(ctx, int(what))
    else:
        found = preview_path(ctx, path, organization=organization, allow_older=allow_older)
    if run.as_json:
        run.show(PREVIEW, found)
        return
    run.progress.close()
    output.write(_text(found, limit))


def _text(found: "ImportPreview", limit: int) -> str:
    headings = ["REPOSITORY", "NOW", "ADDED", "UPDATED", "REMOVED", "REBUILT", "ERRATA", "CVES"]
    rows = [_row(each) for each in found.repositories]
    lines = [output.details(_facts(found)), "\n", output.table(headings, rows, output.terminal_columns())]
    for each in found.repositories:
        lines.extend(_lists(each, limit))
    lines.extend(environment_lines(found.environments))
    return "".join(lines)


def _facts(found: "ImportPreview") -> list[tuple[str, str]]:
    bundle, source = found.manifest.bundle, found.manifest.source
    form = found.form.value if found.form is not None else "export of a Katello"
    volumes = len(found.manifest.volumes)
    volume = f", volume {found.volume} of {volumes}" if volumes > 1 else ""
    made_by = f" by {source.made_by}" if source.made_by else ""
    signed = f"signed by {source.box_name}" if source.key_id else f"{source.box_name}; nobody has signed it"
    made = "" if found.form is None else f", made{made_by} on {format_time(bundle.created_at)}"  # Katello does not say
    before = found.imported_before
    pairs = [
        ("bundle", f"{bundle.id} ({bundle.kind.value}, {form}{volume})"),
        ("from", f"{signed}{made}"),
        ("number", f"{bundle.sequence} for {bundle.destination or 'no destination'}" if made else ""),
        ("organization", found.organization),
        ("new products", ", ".join(found.new_products)),
        ("changed products", ", ".join(found.changed_products)),
        ("to copy", f"{plural(found.files, 'file')}, {format_size(found.size)}"),
        ("free", f"{format_size(found.free)} now, {_left(found.free_afterwards)} afterwards"),
        ("waits for", "; ".join(each.reason for each in found.waits) or "nothing"),
        ("refused", "; ".join(f"{each.message} ({each.code})" for each in found.refusals) or "no"),
    ]
    if before is not None:
        pairs.append(("imported before", f"as import {before.id}: importing it again would do nothing"))
    return pairs


def _left(size: int) -> str:
    return format_size(size) if size >= 0 else f"{format_size(-size)} too little"


def _row(each: "RepositoryPreview") -> list[str]:
    now = "new" if not each.exists else "empty" if each.version is None else f"version {each.version}"
    if each.difference is None:
        return [each.key.short, now, *["?"] * 6]
    added, updated, removed, rebuilt, *more = map(len, difference_parts(each.difference))
    signed = [f"+{come} -{go}" for come, go in zip(more[::2], more[1::2], strict=True)]
    return [each.key.short, now, *map(str, (added, updated, removed, rebuilt)), *signed]


def _lists(each: "RepositoryPreview", limit: int) -> Iterator[str]:
    if each.difference is None:
        yield f"\n{each.key.short}: its metadata lies in a volume or chunk that is not here yet\n"
        return
    for (_, word), items in zip(DIFFERENCE_WORDS, difference_parts(each.difference), strict=True):
        if items:
            yield f"\n{each.key.short}: {word} ({len(items)})\n"
            yield from _some(map(_line, items), len(items), limit)


def _some(lines: Iterable[str], count: int, limit: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        if limit and number == limit:
            yield f"  ... and {count - limit} more: --limit 0 shows all\n"
            return
        yield f"  {output.printable(line)}\n"


def _line(item: object) -> str:
    if isinstance(item, Advisory):
        severity = f", {item.severity}" if item.severity else ""
        cves = f" ({', '.join(item.cves)})" if item.cves else ""
        return f"{item.id} {item.type.value}{severity}: {item.title}{cves}"
    return " -> ".join(map(str, item)) if isinstance(item, tuple) else str(item)
