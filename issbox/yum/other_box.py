"""Asking the API of another box or of a Katello, as a user with a password: JSON both ways, and nothing without end."""

import http.client
import json
from base64 import b64encode
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from issbox import VERSION
from issbox.errors import UnreachableError, UpstreamError
from issbox.yum.address import parse_address
from issbox.yum.request import MirrorRequest
from issbox.yum.web import tls_context

_LARGEST: Final = 8 << 20
"""Bytes of an answer; a certificate of version 1 with its key has less than one MiB."""
_LONGEST_MESSAGE: Final = 300


class OtherBox:
    """The API of the https server that a request names."""

    def __init__(self, request: MirrorRequest, user: str, password: str) -> None:
        """Ask as this user; CA and proxy are those of the request."""
        self._request = request
        address = parse_address(request.url)
        self._server = urlsplit(f"https://{address.host}")
        self._path = address.path.rstrip("/")
        self._authorization = f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """Give what the server answers as JSON, None for nothing.

        Raises UnreachableError, and UpstreamError with the reason that the server gives.
        """
        shown = f"https://{self._server.netloc}{self._path}{path.split('?', maxsplit=1)[0]}"
        headers = {
            "Authorization": self._authorization,
            "Accept": "application/json",
            "User-Agent": f"issbox/{VERSION}",
        }
        data = None if body is None else json.dumps(body).encode()
        if data is not None:
            headers["Content-Type"] = "application/json"
        connection = self._connect()
        try:
            connection.request(method, f"{self._path}{path}", data, headers)
            response = connection.getresponse()
            answer = response.read(_LARGEST + 1)
            status = response.status
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or type(error).__name__
            raise UnreachableError(
                f"{shown}: {reason}", hint="Check URL, proxy and CA of the other box, and that its server is up."
            ) from None
        finally:
            connection.close()
        return _read(shown, status, answer)

    def _connect(self) -> http.client.HTTPSConnection:
        host, port = self._server.hostname or "", self._server.port or 443
        context, timeout = tls_context(self._request), self._request.timeout_seconds
        if not self._request.proxy:
            return http.client.HTTPSConnection(host, port, context=context, timeout=timeout)
        proxy = urlsplit(self._request.proxy)
        connection = http.client.HTTPSConnection(
            proxy.hostname or "", proxy.port or 80, context=context, timeout=timeout
        )
        told = {}
        if proxy.username is not None:
            pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
            told["Proxy-Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        connection.set_tunnel(host, port, told)
        return connection


def _read(shown: str, status: int, answer: bytes) -> Any:
    if len(answer) > _LARGEST:
        raise UpstreamError(f"{shown}: the answer has more than {_LARGEST >> 20} MiB")
    try:
        document: Any = json.loads(answer) if answer.strip() else None
    except (ValueError, RecursionError):
        document = None
        if status < 400:
            raise UpstreamError(f"{shown}: the answer is no JSON, so this is not the server of another box") from None
    if status >= 400:
        said = document.get("displayMessage") if isinstance(document, dict) else None
        words = f" ({said[:_LONGEST_MESSAGE]})" if isinstance(said, str) and said.isprintable() else ""
        raise UpstreamError(
            f"{shown}: the server answered {status}{words}",
            hint="Check user and password, and that the user may manage hosts of the organization there."
            if status in {401, 403}
            else "Check the URL of the server, the organization and the lifecycle environment.",
        )
    return document
