"""Everything that a host without subscription-manager needs, as one archive."""

import re
from typing import Any, Final

from issbox.web.api.answers import Document
from issbox.web.api.failures import Refusal
from issbox.web.api.routes import CONSUMER, Call, NoQuery, Routes, Who
from issbox.workflows.context import Context
from issbox.workflows.hosts.host_files import archive_host_files

ROUTES: Final = Routes("consumers")
TAR: Final = "application/x-tar"
_HOST: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?")


@ROUTES.add("GET", "/consumers/{consumer_uuid}/files", who=Who.USER_OR_HOST, other_answers=(TAR,))
def get_files(call: Call[None, NoQuery]) -> Document:
    """Give certificates, key and a .repo file of a host as a tar, all as they should be now."""
    return archive(call, call.ctx, call.path[CONSUMER])


def wants_archive(call: Call[Any, Any]) -> bool:
    """Tell whether the client asks for a tar in place of JSON."""
    return TAR in call.headers.get("Accept", "")


def archive(call: Call[Any, Any], ctx: Context, uuid: str) -> Document:
    """Give the archive. The content lies where the configuration says, or else where the client reached this box."""
    known = ctx.settings.certificates.content_url
    host = call.headers.get("Host", "")
    if not known and not _HOST.fullmatch(host):
        raise Refusal(400, "the Host header is no name of a server")
    return Document(archive_host_files(ctx, uuid, content_url=known or f"https://{host}/content"), TAR)
