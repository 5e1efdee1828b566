"""`issbox content-import report`."""

from pathlib import Path

import click

from issbox.cli import output as out
from issbox.cli.command import Run, command
from issbox.cli.options import chosen_id, id_option
from issbox.cli.shapes import Field, Shape
from issbox.model import ImportReport

REPORT = Shape[ImportReport](
    "import report",
    (
        Field("format", "`issbox-import-report`", lambda each: each.format),
        Field("format_version", "1", lambda each: each.format_version),
        Field("import_id", "number of the import", lambda each: each.import_id),
        Field("imported_at", "when it was imported", lambda each: each.imported_at),
        Field("imported_by", "who imported it; `inbox` for the service", lambda each: each.imported_by),
        Field("imported_from", "address of the client, `local`, or `serve`", lambda each: each.imported_from),
        Field("approved_by", "array of the names of those who approved it", lambda each: each.approved_by),
        Field("box", "object `id`, `name`, `key_id`, `software`: the box that imported it", lambda each: each.box),
        Field("organization", "label of the organization it went into", lambda each: each.organization),
        Field("bundle_id", "id of the bundle", lambda each: each.bundle_id),
        Field("kind", "`complete` or `incremental`", lambda each: each.kind),
        Field("form", "`dir`, `tar`, `tgz`, `iso` or `katello`", lambda each: each.form),
        Field("created_at", "when the bundle was made", lambda each: each.created_at),
        Field("destination", "destination server, may be empty", lambda each: each.destination),
        Field("sequence", "its number among the exports for that destination", lambda each: each.sequence),
        Field(
            "source",
            "object `box_id`, `box_name`, `key_id`, `trusted_as`, `software`, `made_by`: where the bundle comes from",
            lambda each: each.source,
        ),
        Field("manifest_sha256", "SHA-256 of the manifest; empty without one", lambda each: each.manifest_sha256),
        Field(
            "checks",
            "array of what was checked: `signature`, `chunks`, `file-table`, `files`, `repodata`, or `own-checksums`",
            lambda each: each.checks,
        ),
        Field(
            "volumes",
            "array of objects `number`, `import_id`, `path`, `first_seen`, `copied_files`, `copied_size`",
            lambda each: each.volumes,
        ),
        Field(
            "files",
            "object `listed`, `listed_size`, `carried`, `carried_size`, `copied`, `copied_size`",
            lambda each: each.files,
        ),
        Field(
            "repositories",
            "array of objects `product`, `label`, `path`, `before` (number of the version before, or null), `after`, "
            "`packages`, `files`, `size`, `repomd_sha256`",
            lambda each: each.repositories,
        ),
        Field("note", "what else there was to say; may be empty", lambda each: each.note),
    ),
)


@command("report", example="issbox content-import report 3 --output import-3.json", shape=REPORT)
@id_option("import")
@click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the report as JSON, and this box's signature over it to FILE.sig.",
)
def report(run: Run, *, number: int | None, id_: int | None, output: Path | None) -> None:
    """Show what was checked when a bundle was imported, by whom, and what came of it.

    The report is written down together with the import, and never changes: --json gives its bytes, and --output signs
    them, so that `openssl pkeyutl -verify` can check them with the key of this box.
    """
    from issbox.bundle.report import decode_report, report_text
    from issbox.workflows.imports import reporting

    import_id = chosen_id(number, id_)
    ctx = run.open()
    data = reporting.import_report(ctx, import_id)
    if output is not None:
        written, signature = reporting.write_report(ctx, import_id, output)
        run.say(f"The report is complete: {written}, signed in {signature}")
    if run.as_json or output is None:
        run.progress.close()
        out.write(data.decode() if run.as_json else out.safe_lines(report_text(decode_report(data))))
