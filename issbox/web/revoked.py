"""The list of revoked serial numbers, for everybody: whoever checks a certificate needs it."""

from typing import Final

from aiohttp import web

from issbox.rules.serving import REVOKED_DER, REVOKED_PEM
from issbox.web import sending
from issbox.web.current import Current
from issbox.web.peers import Peer
from issbox.web.sending import Sent

_DER_TYPE: Final = "application/pkix-crl"  # RFC 2585 section 4.2
_PEM_TYPE: Final = "application/x-pem-file"


class RevokedList:
    """Answers below `/pki`."""

    def __init__(self, current: Current) -> None:
        """Offer what `current` knows."""
        self._current = current

    async def handle(self, request: web.BaseRequest, _peer: Peer) -> Sent:
        """Give the list in DER or in PEM."""
        path = request.raw_path.partition("?")[0]
        if path not in (REVOKED_DER, REVOKED_PEM):
            return await sending.send_text(request, 404, "there is no such list")
        if request.method not in ("GET", "HEAD"):
            return await sending.send_text(request, 405, "the list is only read", {"Allow": "GET, HEAD"})
        found = await self._current.revoked_list()
        if found is None:
            return await sending.send_text(request, 404, "this box has no authority yet, so it has revoked nothing")
        text, data = found
        if path == REVOKED_PEM:
            return await sending.send_bytes(request, text, _PEM_TYPE)
        return await sending.send_bytes(request, data, _DER_TYPE)
