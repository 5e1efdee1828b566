"""One line in the log for every request: no query, since some clients put the paths of their keys there."""

import logging
from typing import Final

from issbox.certs.clients import Presented

_LOG: Final = logging.getLogger("issbox.access")
_LONGEST: Final = 2000


def log_request(
    *,
    peer: str,
    method: str,
    target: str,
    status: int,
    sent: int,
    presented: Presented | None,
    asked_by: str = "",
    why: str = "",
) -> None:
    """Write the line; control characters and the like are escaped."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    holder = plain(asked_by) or "-"
    if presented is not None:
        holder = f"{presented.decoded.serial} {plain(presented.decoded.common_name)}"
    reason = f" ({plain(why)})" if why else ""
    _LOG.info("%s %s %s %d %d %s%s", peer, method, plain(target.split("?", 1)[0]), status, sent, holder, reason)


def plain(text: str) -> str:
    """Give text as one line of a log that commands no terminal, cut when it is long."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return cut if cut.isprintable() else cut.encode("unicode_escape").decode()
