"""`issbox content-import missing` and `slip`: what an import lacks, and how to ask for it again."""

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli import output as out
from issbox.cli.command import Run, command
from issbox.cli.options import chosen_id, id_option
from issbox.cli.qr import show_qr
from issbox.cli.shapes import Field, Shape

if TYPE_CHECKING:
    from issbox.workflows.imports.asking_again import MadeSlip
    from issbox.workflows.imports.lacking import Lack

LACK: "Shape[Lack]" = Shape(
    "missing thing",
    (
        Field("kind", "`volume`, `chunk` or `file`", lambda each: each.kind.value, column=True),
        Field(
            "number",
            "number of the volume or chunk, 0 for the table of contents; of a file that of its volume, or null when "
            "the bundle does not carry it",
            lambda each: each.number,
            column=True,
        ),
        Field("name", "path of the file or name of the chunk; empty for a volume", lambda each: each.name, column=True),
        Field("damaged", "whether something else lies in its place", lambda each: each.damaged, column=True),
        Field("detail", "more, in words", lambda each: each.detail, column=True),
    ),
)


def _items(value: object) -> str:
    assert isinstance(value, list), "the field gives a list"
    return ", ".join(f"{one['number']} {one['reason']}" for one in value)


SLIP: "Shape[tuple[MadeSlip, Path | None]]" = Shape(
    "re-request slip",
    (
        Field("path", "the file, or null when none was written", lambda each: each[1]),
        Field("bundle_id", "id of the bundle", lambda each: each[0].slip.bundle_id),
        Field("organization", "label of its organization", lambda each: each[0].slip.organization),
        Field("destination", "destination server, may be empty", lambda each: each[0].slip.destination),
        Field(
            "sequence",
            "its number among the exports for that destination; 0 when nothing that is here says it",
            lambda each: each[0].slip.sequence,
        ),
        Field("form", "`volumes` or `chunks`", lambda each: each[0].slip.form.value),
        Field("numbers", "array of the numbers asked for", lambda each: each[0].slip.numbers),
        Field(
            "items",
            "array of objects `number`, `reason` (`missing` or `damaged`), `detail` and `files`",
            lambda each: [
                {"number": one.number, "reason": one.reason.value, "detail": one.detail, "files": list(one.files)}
                for one in each[0].slip.items
            ],
            show=_items,
        ),
        Field("short", "the same as short text to type", lambda each: each[0].short),
    ),
)


@command("missing", example="issbox content-import missing 3", shape=LACK, many=True)
@id_option("import")
@click.option("--page", type=click.IntRange(min=1), default=1, metavar="NUMBER", help="Which page to show.")
@click.option("--per-page", type=click.IntRange(min=1), metavar="NUMBER", help="Lines of a page; all without it.")
def missing(run: Run, *, number: int | None, id_: int | None, page: int, per_page: int | None) -> None:
    """List exactly what an import lacks: volumes, chunks or files, missing or damaged.

    Of an increment whose base is not here, these are all the files that neither the bundle nor this box has. Of a
    damaged bundle, every file is read to find all that is wrong with it.
    """
    from issbox.workflows.imports.lacking import lacking

    import_id = chosen_id(number, id_)
    found = lacking(run.open(), import_id)
    first = (page - 1) * (per_page or 0)
    lacks = list(islice(found, first, None if per_page is None else first + per_page))
    if not lacks and not first:
        run.say(f"Import {import_id} lacks nothing.")
    run.show_all(LACK, lacks)


@command("slip", example="issbox content-import slip 3 --output /media/usb/again.slip.json", shape=SLIP)
@id_option("import")
@click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the slip here (- for standard output) instead of the configured export directory.",
)
@click.option("--qr", is_flag=True, help="Show the short text as a QR code instead of writing a file.")
@click.option("--inverse", is_flag=True, help="Draw the QR code for light letters on a dark ground.")
@click.option("--ascii", "ascii_", is_flag=True, help="Draw the QR code with # instead of blocks.")
@click.option("--short", is_flag=True, help="Write only the short text, to be typed or read out.")
def slip(
    run: Run,
    *,
    number: int | None,
    id_: int | None,
    output: Path | None,
    qr: bool,
    inverse: bool,
    ascii_: bool,
    short: bool,
) -> None:
    """Ask the sender again for what an import lacks: a small file, a QR code, or text to type.

    On the other side, `issbox content-export recut --slip` writes these volumes or chunks again, and only these. Drop
    them into the inbox here: the import goes on by itself.
    """
    from issbox.bundle.slip import letter
    from issbox.workflows.imports import asking_again

    ctx = run.open()
    made = asking_again.make_slip(ctx, chosen_id(number, id_))
    if output == Path("-"):
        run.progress.close()
        out.write(made.file.decode())
        return
    path = None
    if output is not None or not (qr or short):
        path = asking_again.write_slip(ctx, made, output)
        run.say(f"The slip is complete: {path}")
    if run.as_json:
        run.show(SLIP, (made, path))
        return
    run.progress.close()
    if short:
        out.write(f"{made.short}\n")
    elif not qr:
        out.write(out.safe_lines(letter(made.slip)))
    if qr:
        show_qr(run, made.short, inverse=inverse, plain=ascii_)
