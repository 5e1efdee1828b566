"""`issbox verify`."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.options import read_text_file
from issbox.cli.shapes import Field, Shape, fingerprint, size
from issbox.errors import BundleError, CommandLineError, NotInitializedError
from issbox.rules.bundles.slips import format_ranges

if TYPE_CHECKING:
    from issbox.bundle.verifying import VerificationReport

VERIFICATION: "Shape[VerificationReport]" = Shape(
    "verification",
    (
        Field("bundle_id", "id of the bundle", lambda each: each.manifest.bundle.id),
        Field("kind", "`complete` or `incremental`", lambda each: each.manifest.bundle.kind),
        Field("created_at", "when it was made", lambda each: each.manifest.bundle.created_at),
        Field("source_box", "name of the box that made it", lambda each: each.manifest.source.box_name),
        Field("key_id", "fingerprint of the key that the manifest names", lambda each: each.key_id, show=fingerprint),
        Field("signature_checked", "false only with --skip-signature", lambda each: each.trusted),
        Field("organization", "label of the organization", lambda each: each.manifest.organization.label, column=True),
        Field(
            "destination",
            "destination server, may be empty",
            lambda each: each.manifest.bundle.destination,
            column=True,
        ),
        Field(
            "sequence",
            "its number among the exports for that destination",
            lambda each: each.manifest.bundle.sequence,
            column=True,
        ),
        Field(
            "repositories",
            "array of the paths of its repositories",
            lambda each: [one.path for one in each.repositories],
        ),
        Field("packages", "number of packages", lambda each: sum(one.packages for one in each.repositories)),
        Field("volume", "number of the volume that was read", lambda each: each.volume, column=True),
        Field("volumes", "how many volumes the bundle has", lambda each: len(each.manifest.volumes), column=True),
        Field("files", "number of files read", lambda each: each.files, column=True),
        Field("size", "bytes of these files", lambda each: each.size, show=size, column=True),
    ),
)


@command(
    "verify",
    example="issbox verify /media/usb/ACME-base-0001-20261101T120000Z --public-key border-box.pem",
    shape=VERIFICATION,
)
@click.argument("path", type=click.Path(readable=False, path_type=Path))
@click.option("--public-key", metavar="FILE", help="Public key of the box that made it; then no box is needed here.")
@click.option("--skip-signature", is_flag=True, help="Only check that the bundle fits itself, whoever made it.")
def verify(run: Run, *, path: Path, public_key: str | None, skip_signature: bool) -> None:
    """Check the bundle at PATH completely: signature, file table, and every byte of every file.

    The key must be the one of --public-key, or else a trusted key or the own key of this box. Nothing is changed. Of a
    directory that holds several bundles or volumes, each is checked, and those that are damaged are named; --json gives
    an array then.
    """
    from issbox.bundle.check import Limits
    from issbox.bundle.opening import sources_at
    from issbox.bundle.verifying import verify as verify_bundle
    from issbox.config import load_settings

    if skip_signature and public_key is not None:
        raise CommandLineError("--skip-signature goes without --public-key")
    inbox = load_settings(os.environ).inbox
    limits = Limits(max_bundle_size=inbox.max_bundle_size, max_files=inbox.max_files)
    trusted = None if skip_signature else _keys(run, public_key)
    sources, reports, failed = sources_at(path), [], list[BundleError]()
    for source in sources:
        try:
            reports.append(verify_bundle(source, trusted, limits, run.progress))
        except BundleError as error:
            if len(sources) == 1:
                raise
            run.say(f"{source}: {error}")
            failed.append(error)
    if reports and not failed:
        trustworthy = all(report.trusted for report in reports)
        run.say(
            "Every byte is as it was exported." if trustworthy else "The bundle fits itself; who made it is unknown."
        )
    if len(sources) == 1:
        run.show(VERIFICATION, reports[0])
    else:
        _say_missing(run, reports)
        run.show_all(VERIFICATION, reports)
    if failed:
        raise failed[0]


def _say_missing(run: Run, reports: "Sequence[VerificationReport]") -> None:
    """Say which volumes of a bundle are not among several that were read: this is no damage."""
    read: dict[str, set[int]] = {}
    for report in reports:
        read.setdefault(report.manifest.bundle.id, set()).add(report.volume)
    for report in reports:
        seen = read.pop(report.manifest.bundle.id, None)
        missing = [] if seen is None else [each.number for each in report.manifest.volumes if each.number not in seen]
        if missing:
            run.say(
                f"Volumes of {report.manifest.bundle.id} that are missing or damaged here: {format_ranges(missing)}"
            )


def _keys(run: Run, public_key: str | None) -> Callable[[str], str | None]:
    """Give a function from key id to the public key that may have signed the bundle."""
    from issbox.bundle.signature import read_public_key
    from issbox.workflows.appliance import boxes

    if public_key is not None:
        pem, key_id = read_public_key(read_text_file(public_key, "a public key", boxes.LARGEST_KEY))
        return {key_id: pem}.get
    try:
        ctx = run.open()
    except NotInitializedError as error:
        hint = "Name the key of the sending box with --public-key FILE, or run it where a box is."
        raise NotInitializedError(str(error), hint=hint) from None
    return lambda wanted: boxes.find_public_key(ctx, wanted)
