"""Errors of bundles that this box writes."""

from issbox.errors.base import ExitCode, IssboxError


class RecutError(IssboxError):
    """Single volumes or chunks of an earlier export cannot be written again as they were."""

    code = "recut-impossible"
    exit_code = ExitCode.CONFLICT
    hint = "Make a new export; an incremental one carries only what the other side lacks."


class StreamBrokenError(IssboxError):
    """Whoever read the bundle from standard output ended before it was complete."""

    code = "stream-broken"
    hint = (
        "Look at what the reader said, for example `issbox content-import run -` on the other side; then run it again."
    )
