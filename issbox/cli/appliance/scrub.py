"""`issbox scrub`."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.shapes import Field, Shape, for_json, size
from issbox.errors import StoreDamagedError
from issbox.names import parse_size, plural

if TYPE_CHECKING:
    from issbox.workflows.appliance.scrubbing import ScrubReport

SCRUB: "Shape[ScrubReport]" = Shape(
    "scrub report",
    (
        Field("checked", "files read this time", lambda each: each.checked),
        Field("size", "bytes of these", lambda each: each.size, show=size),
        Field("finished", "whether all that were due were read", lambda each: each.finished),
        Field("mended", "damaged files that were replaced from the bundle", lambda each: each.mended),
        Field(
            "damaged",
            "array of the files that are damaged or missing: `sha256`, `size`, `repository`, `path`, `checked_at`",
            lambda each: [
                {
                    "sha256": file.sha256,
                    "size": file.size,
                    "repository": file.repository,
                    "path": file.path,
                    "checked_at": for_json(file.checked_at),
                }
                for file in each.damaged
            ],
            show=lambda files: (
                "\n".join(f"{file['repository']} {file['path']}" for file in files) if isinstance(files, list) else ""
            ),
        ),
    ),
)


@command("scrub", example="issbox scrub --older-than 30 --rate 50MiB --seconds 3600", shape=SCRUB)
@click.option(
    "--older-than",
    type=click.IntRange(0, 36_500),
    default=0,
    metavar="DAYS",
    help="Only files not read for so many days.",
)
@click.option("--rate", metavar="SIZE", help="Read no more than so many bytes a second.")
@click.option(
    "--seconds", type=click.IntRange(min=1), metavar="SECONDS", help="Stop after so long; the next one goes on."
)
@click.option(
    "--from", "source", metavar="PATH", help="Mend damaged files from this bundle, volume or folder of any files."
)
def scrub(run: Run, *, older_than: int, rate: str | None, seconds: int | None, source: str | None) -> None:
    """Read stored files again and compare them with their digests, those not read for longest first.

    What was found is kept for each file, so that a scrub goes on where the last one stopped. Ends with exit code 7 when
    a file is damaged or missing. --from takes files from any bundle, and from any folder, that has them; from an
    upstream they come by `issbox repository synchronize --repair`.
    """
    from issbox.workflows.appliance import scrubbing

    report = scrubbing.scrub(
        run.open(),
        older_than=timedelta(days=older_than),
        rate=None if rate is None else max(1, parse_size(rate)),
        longest=seconds,
        source=None if source is None else Path(source),
    )
    run.show(SCRUB, report)
    if report.damaged:
        raise StoreDamagedError(
            f"damaged or missing: {plural(len(report.damaged), 'stored file')}",
            hint="Mend them with `issbox scrub --from PATH`, or `issbox repository synchronize --repair`.",
        )
