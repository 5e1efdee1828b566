"""`issbox receipt`."""

from pathlib import Path

import click

from issbox.cli import output as out
from issbox.cli.command import Run, command
from issbox.cli.exchange.receipt_shapes import MADE, RECEIPT, received_shape
from issbox.cli.index import noun
from issbox.cli.options import chosen_id, chosen_organization, id_option, organization_option, yes_option
from issbox.cli.qr import show_qr, write_qr_image
from issbox.model import ReceivedReceipt

receipt = noun("receipt")


def _show(run: Run, chosen: ReceivedReceipt) -> None:
    """Show a receipt with the own versions that its repositories hold."""
    from issbox.workflows.exchange import received

    ctx = run.open()
    run.show(received_shape(lambda each: dict(received.own_versions(ctx, each))), chosen)


@command("create", group=receipt, example="issbox receipt create --output /media/usb/plant.receipt.json", shape=MADE)
@organization_option
@click.option("--with-packages", is_flag=True, help="List every package too; the file grows by 21 bytes for each.")
@click.option(
    "--output",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the receipt here (- for standard output) instead of the configured export directory.",
)
@click.option("--qr", is_flag=True, help="Show a QR code instead of writing a file.")
@click.option("--inverse", is_flag=True, help="Draw the QR code for light letters on a dark ground.")
@click.option("--ascii", "ascii_", is_flag=True, help="Draw the QR code with # instead of blocks.")
@click.option(
    "--qr-image",
    type=click.Path(readable=False, path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the QR code as a picture, .png or .svg.",
)
@click.option("--short", is_flag=True, help="Write only the texts to type, one for each source, not signed.")
def create(
    run: Run,
    *,
    organization: str | None,
    with_packages: bool,
    output: Path | None,
    qr: bool,
    inverse: bool,
    ascii_: bool,
    qr_image: Path | None,
    short: bool,
) -> None:
    """State what Library of an organization holds in a small signed file, a QR code, or text to type.

    Carry it to the box that the bundles come from: `issbox receipt read` there, and the next incremental export holds
    exactly what is missing here.
    """
    from issbox.workflows.exchange import receipts

    ctx = run.open()
    made = receipts.create_receipt(ctx, chosen_organization(ctx, organization), with_packages=with_packages)
    if output == Path("-"):
        run.progress.close()
        out.write(made.file.decode())
        return
    path = None
    if output is not None or not (qr or qr_image or short):
        path = receipts.write_receipt(ctx, made, output)
        run.say(f"The receipt is complete: {path}")
    if qr_image is not None:
        write_qr_image(made.compact, qr_image)
        run.say(f"The QR code is complete: {qr_image}")
    if run.as_json or not (qr or short):
        run.show(MADE, (made, path))
        return
    if short:
        if not made.short:
            run.say("No bundle has been imported yet, so there is no short text.")
        run.progress.close()
        for last, text in made.short:
            if len(made.short) > 1:
                run.say(f"For what the box {last.source_box} makes for {last.destination or 'no destination'}:")
            out.write(f"{text}\n")
    if qr:
        show_qr(run, made.compact, inverse=inverse, plain=ascii_)


@command("read", group=receipt, example="issbox receipt read /media/usb/plant.receipt.json", shape=RECEIPT)
@click.argument("given", metavar="FILE|TEXT")
@click.option(
    "--accept-untrusted",
    is_flag=True,
    help="Accept a receipt whose key is not trusted here; it acknowledges no export then.",
)
def read(run: Run, *, given: str, accept_untrusted: bool) -> None:
    """Read and keep a receipt of another box: its file, - for standard input, or the text itself.

    The text is that of a QR code (IBC1:...), or the short one (IB1-...). A file and a QR code must be signed by a
    trusted key. A short text is not signed: it serves an export, but acknowledges none.
    """
    from issbox.workflows.exchange import received

    kept = received.read_receipt(run.open(), given, accept_untrusted=accept_untrusted)
    if not kept.verified:
        run.say("Nobody's signature was checked: this receipt acknowledges no export.")
    _show(run, kept)


@command("list", group=receipt, example="issbox receipt list", shape=RECEIPT, many=True)
def list_(run: Run) -> None:
    """List the receipts of other boxes that were read here, newest first."""
    from issbox.workflows.exchange import received

    run.show_all(RECEIPT, received.list_receipts(run.open()))


@command("info", group=receipt, example="issbox receipt info 3", shape=RECEIPT)
@id_option("receipt")
def info(run: Run, *, number: int | None, id_: int | None) -> None:
    """Show one receipt, and which of this box's versions the other box holds."""
    from issbox.workflows.exchange import received

    receipt_id = chosen_id(number, id_)
    _show(run, received.get_receipt(run.open(), receipt_id))


@command("delete", group=receipt, example="issbox receipt delete 3 --yes", shape=RECEIPT)
@id_option("receipt")
@yes_option
def delete(run: Run, *, number: int | None, id_: int | None, yes: bool) -> None:
    """Forget a receipt; what only it acknowledged is not acknowledged any more."""
    from issbox.workflows.exchange import received

    receipt_id = chosen_id(number, id_)
    ctx = run.open()
    chosen = received.get_receipt(ctx, receipt_id)
    run.confirm(f"Forget receipt {chosen.id} of {chosen.receipt.box.name or 'a box without a name'}?", yes=yes)
    run.show(RECEIPT, received.delete_receipt(ctx, receipt_id))
