"""Reading re-request slips on the side that sends: which volumes of which export are to be written again."""

from issbox.bundle.decoding import MAX_NUMBER, check_format
from issbox.bundle.slip import MAX_SLIP, SHORT_SLIP_PREFIX, decode_short_slip, decode_slip, expand_short_slip
from issbox.errors import BadSlipError, IssboxError, NotFoundError
from issbox.model import RECEIPT_FORMAT, Slip
from issbox.rules.bundles.slips import bundle_tag
from issbox.workflows.context import Context, Permission
from issbox.workflows.exchange.handed import handed_over
from issbox.workflows.exchange.received import is_receipt_text


def read_slip(ctx: Context, given: str) -> Slip:
    """Read a slip from a JSON file, from standard input (`-`), or the short text itself.

    Raises BadSlipError, MistypedError, and NotFoundError when a short text names no export of this box. The bundle of
    a JSON slip may be unknown here: look for it by `bundle_id`.
    """
    ctx.require_anywhere(Permission.CONTENT_EXPORT)
    data = handed_over(given, is_slip_text, "a re-request slip", MAX_SLIP)
    text = data[: len(SHORT_SLIP_PREFIX) + 64].decode("ascii", errors="replace")
    if not is_slip_text(text):
        if _is_receipt(data):
            raise BadSlipError(
                "this is a receipt and not a re-request slip",
                hint="Read it with `issbox receipt read`. A slip is written by `issbox content-import slip` on the box "
                "that misses volumes.",
            )
        return decode_slip(data)
    short = decode_short_slip(data.decode("ascii", errors="replace"))
    with ctx.store.session():
        for export in ctx.store.exports.list(sequence=short.sequence or None):
            if bundle_tag(export.bundle_id) == short.tag:
                return expand_short_slip(
                    short,
                    bundle_id=export.bundle_id,
                    organization=export.organization,
                    destination=export.destination,
                    at=ctx.clock().replace(microsecond=0),
                )
    raise NotFoundError(
        f"no export of this box with the sequence number {short.sequence} is the one that the slip names",
        hint="`issbox content-export list` shows the exports; was the bundle made by another box?",
    )


def _is_receipt(data: bytes) -> bool:
    """Tell whether it is a receipt in one of its forms: both are carried in the same direction."""
    if is_receipt_text(data[:16].decode("ascii", errors="replace")):
        return True
    try:
        check_format(data, "receipt", RECEIPT_FORMAT, MAX_NUMBER)
    except IssboxError:
        return False
    return True


def is_slip_text(text: str) -> bool:
    """Tell whether a text is a short slip itself, and not the path of a file."""
    return text.strip().upper().startswith(SHORT_SLIP_PREFIX)
