"""Reading re-request slips on the side that sends: which volumes of which export are to be written again."""

from issbox.bundle.slip import MAX_SLIP, SHORT_SLIP_PREFIX, decode_short_slip, decode_slip, expand_short_slip
from issbox.errors import NotFoundError
from issbox.model import Slip
from issbox.rules.slips import bundle_tag
from issbox.workflows.context import Context, Permission
from issbox.workflows.handed import handed_over


def read_slip(ctx: Context, given: str) -> Slip:
    """Read a slip from a JSON file, from standard input (`-`), or the short text itself.

    Raises BadSlipError, MistypedError, and NotFoundError when a short text names no export of this box. The bundle of
    a JSON slip may be unknown here: look for it by `bundle_id`.
    """
    ctx.require_anywhere(Permission.CONTENT_EXPORT)
    data = handed_over(given, is_slip_text, "a re-request slip", MAX_SLIP)
    text = data[: len(SHORT_SLIP_PREFIX) + 64].decode("ascii", errors="replace")
    if not is_slip_text(text):
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


def is_slip_text(text: str) -> bool:
    """Tell whether a text is a short slip itself, and not the path of a file."""
    return text.strip().upper().startswith(SHORT_SLIP_PREFIX)
