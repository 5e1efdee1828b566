"""One line in the log for every request: no query, since some clients put the paths of their keys there.

In systemd's journal the facts of the line are fields, too (docs/appliance.md).
"""

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
    seconds: float,
    presented: Presented | None,
    asked_by: str = "",
    why: str = "",
) -> None:
    """Write the line; control characters and the like are escaped."""
    if not _LOG.isEnabledFor(logging.INFO):
        return
    path, reason, holder, serial, organization = plain(target.split("?", 1)[0]), plain(why), plain(asked_by), "", ""
    if presented is not None:
        decoded = presented.decoded
        holder, serial, organization = (
            plain(decoded.common_name),
            str(decoded.serial),
            plain(decoded.organization or ""),
        )
    facts = {
        "client": peer,
        "method": method,
        "path": path,
        "status": str(status),
        "bytes": str(sent),
        "seconds": f"{seconds:.6f}",
        "serial": serial,
        "holder": holder,
        "organization": organization,
        "reason": reason,
    }
    who = f"{serial} {holder}" if serial else holder or "-"
    _LOG.info(
        "%s %s %s %d %d %s%s",
        *(peer, method, path, status, sent, who, f" ({reason})" if reason else ""),
        extra={"facts": {name: value for name, value in facts.items() if value}},
    )


def plain(text: str) -> str:
    """Give text as one line of a log that commands no terminal, cut when it is long."""
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    return cut if cut.isprintable() else cut.encode("unicode_escape").decode()
