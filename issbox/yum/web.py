"""Fetching over HTTP: certificates, proxy, attempts with growing pauses, and going on where a download broke off."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Final

import aiohttp
from yarl import URL

from issbox import VERSION
from issbox.errors import InvalidValueError, IssboxError, UnreachableError, UpstreamError
from issbox.files import error_from_os
from issbox.rules.content.urls import PROXY_SCHEMES, check_url, mask_url
from issbox.yum.address import Address
from issbox.yum.part import Part
from issbox.yum.request import MirrorRequest

_ABSENT: Final = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
_ABSENT_OPTIONAL: Final = {*_ABSENT, HTTPStatus.FORBIDDEN}
"""Object stores answer 403 for what is not there; for the first file of a repository it stays an error."""
_PASSING: Final = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_LONGEST_PAUSE: Final = 30.0
_INLINE: Final = 1 << 16
"""Blocks up to this size are hashed at once; for larger ones another thread pays off."""
_LONGEST_EXPLANATION: Final = 500
"""Bytes."""
_PROGRESS: Final = 1 << 20
"""So many new bytes make an attempt count as a fresh start, so that a weak line does not end a large file."""


class _PassingError(Exception):
    """What may go well at the next attempt; carries the error to raise when it does not."""

    def __init__(self, error: IssboxError, pause: float = 0.0) -> None:
        super().__init__(str(error))
        self.error = error
        self.pause = pause

    def final(self, attempts: int) -> IssboxError:
        """Give the error for when this was the last attempt."""
        if attempts == 1:
            return self.error
        return type(self.error)(f"{self.error} ({attempts} attempts)", hint=self.error.hint)


@asynccontextmanager
async def open_web_source(request: MirrorRequest, address: Address) -> AsyncIterator["WebSource"]:
    """Open a pool of connections. Raises InvalidValueError when the proxy or a certificate cannot be used."""
    if request.proxy:
        check_url(request.proxy, PROXY_SCHEMES, "proxy")
    connector = aiohttp.TCPConnector(limit=request.downloads, ssl=tls_context(request))
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=request.timeout_seconds, sock_read=request.timeout_seconds)
    async with aiohttp.ClientSession(
        connector=connector,
        timeout=timeout,
        headers={"User-Agent": f"issbox/{VERSION}", "Accept-Encoding": "identity"},
        auto_decompress=False,  # the bytes are wanted as they lie on the server
        read_bufsize=_INLINE * 4,
    ) as session:
        yield WebSource(session, address, request)


def tls_context(request: MirrorRequest) -> ssl.SSLContext:
    """Make the TLS settings of a request. Raises InvalidValueError naming the certificate that cannot be read."""
    try:
        context = ssl.create_default_context(cadata=request.ca_pem)
    except (ssl.SSLError, ValueError) as error:
        raise InvalidValueError(f"the CA certificate of the repository cannot be read: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if request.client_certificate is not None:
        try:
            # The password keeps OpenSSL from asking at the terminal for that of an encrypted key.
            context.load_cert_chain(request.client_certificate, request.client_key, password="-")  # noqa: S106 (none)
        except ssl.SSLError as error:
            raise InvalidValueError(
                f"the client certificate of the repository and its key cannot be used: {error}",
                hint="Check that they belong together, are PEM, and that the key is not encrypted.",
            ) from None
        except OSError as error:
            raise error_from_os(error) from error
    return context


class WebSource:
    """A repository on a web server."""

    resumable: Final = True

    def __init__(self, session: aiohttp.ClientSession, address: Address, request: MirrorRequest) -> None:
        """Fetch files below the address."""
        self.address: Final = address
        self._session = session
        self._request = request

    async def fetch(self, path: str, part: Part, *, optional: bool, fresh: bool) -> bool:
        """Fetch a file, as often as the request allows."""
        failures = 0
        while True:
            before = part.reached
            try:
                return await self._attempt(path, part, optional=optional, fresh=fresh)
            except _PassingError as failure:
                failures = 1 if part.reached - before >= _PROGRESS else failures + 1
                if failures > self._request.retries:
                    raise failure.final(failures) from None
                pause = self._request.retry_delay_seconds * 2.0 ** (failures - 1)
                await asyncio.sleep(min(max(pause, failure.pause), _LONGEST_PAUSE))

    async def _attempt(self, path: str, part: Part, *, optional: bool, fresh: bool) -> bool:
        shown = self.address.shown(path)
        if part.size and not part.checked:
            part.restart()
        headers = {"Range": f"bytes={part.size}-"} if part.size else {}
        if fresh:
            headers["Cache-Control"] = "no-cache"
        url = URL(self.address.url(path), encoded=True)
        try:
            async with self._session.get(url, headers=headers, proxy=self._request.proxy or None) as response:
                said = await _explanation(response)
                if not self._accept(response, shown, part, said, optional=optional):
                    return False
                await _receive(response, part)
        except (aiohttp.ClientError, TimeoutError) as error:
            raise self._translate(error, shown) from None
        if part.short and response.content_length is None:
            raise _PassingError(UnreachableError(f"{shown}: the connection was closed after {part.size} bytes"))
        return True

    def _accept(self, response: aiohttp.ClientResponse, shown: str, part: Part, said: str, *, optional: bool) -> bool:
        """Look at the head of an answer, and make the part ready for its body; False when there is no file."""
        status = response.status
        if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and part.size:
            part.restart()
            raise _PassingError(UpstreamError(f"{shown}: the server cannot go on with a download"))
        if optional and status in _ABSENT_OPTIONAL:
            return False
        if status >= 500 or status in _PASSING:
            raise _PassingError(_refusal(shown, response, said), _asked_pause(response))
        if status not in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT}:
            raise _refusal(shown, response, said)
        if self.address.scheme == "https" and response.url.scheme != "https" and not part.checked:
            raise UpstreamError(
                f"{shown}: the server leads to an unencrypted address, and this file has no checksum to check it by"
            )
        if status == HTTPStatus.OK:
            part.restart()
        elif not response.headers.get("Content-Range", "").startswith(f"bytes {part.size}-"):
            part.restart()
            raise _PassingError(UpstreamError(f"{shown}: the server sent another part of the file than was asked for"))
        return True

    def _translate(self, error: aiohttp.ClientError | TimeoutError, shown: str) -> Exception:
        """Turn the client's exception into ours, without anything secret that its text might hold."""
        result: Exception
        if isinstance(error, aiohttp.ClientHttpProxyError):
            proxy = mask_url(self._request.proxy or "")
            result = UpstreamError(f"{shown}: the proxy {proxy} answered {error.status}", hint="Check the proxy.")
        elif isinstance(error, aiohttp.TooManyRedirects):
            result = UpstreamError(f"{shown}: the server leads in a circle (too many redirects)")
        elif isinstance(error, aiohttp.InvalidURL):
            result = UpstreamError(f"{shown}: the server leads to an address that cannot be used")
        elif _tls_cause(error) is not None:
            cause = _tls_cause(error)
            reason = getattr(cause, "verify_message", "") or getattr(cause, "reason", "") or str(cause)
            result = UnreachableError(
                f"{shown}: TLS failed: {reason}",
                hint="Check the CA that is given, the server's name, and whether it wants a client certificate.",
            )
        elif isinstance(error, TimeoutError):
            seconds = f"{self._request.timeout_seconds:g}"
            result = _PassingError(UnreachableError(f"{shown}: nothing came within {seconds} seconds"))
        else:
            result = _PassingError(UnreachableError(f"{shown}: {_reason(error)}"))
        return result


async def _receive(response: aiohttp.ClientResponse, part: Part) -> None:
    async for block in response.content.iter_any():
        if len(block) <= _INLINE:
            part.write(block)
        else:
            await asyncio.to_thread(part.write, block)


async def _explanation(response: aiohttp.ClientResponse) -> str:
    """Give the line that a server writes for people when it refuses something; '' when it writes none."""
    if response.status < 400 or not response.headers.get("Content-Type", "").startswith("text/plain"):
        return ""
    text = (await response.content.read(_LONGEST_EXPLANATION)).decode(errors="replace").strip()
    return text.splitlines()[0] if text and text.splitlines()[0].isprintable() else ""


def _refusal(shown: str, response: aiohttp.ClientResponse, said: str) -> UpstreamError:
    phrase = HTTPStatus(response.status).phrase if response.status in set(HTTPStatus) else ""
    message = f"{shown}: the server answered {response.status} {phrase}".rstrip()
    message += f" ({said})" if said else ""
    if response.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return UpstreamError(message, hint="Check the user, password or client certificate that is shown.")
    return UpstreamError(message)


def _asked_pause(response: aiohttp.ClientResponse) -> float:
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else 0.0


def _tls_cause(error: BaseException) -> ssl.SSLError | None:
    if isinstance(error, (aiohttp.ClientConnectorSSLError, aiohttp.ClientConnectorCertificateError)):
        inner = getattr(error, "certificate_error", None) or error.os_error
        return inner if isinstance(inner, ssl.SSLError) else ssl.SSLError(str(inner))
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__
    return cause


def _reason(error: aiohttp.ClientError | TimeoutError) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the name {error.host} cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError):
        # aiohttp's own message repeats every address tried; the system's reason is enough.
        return f"no connection to {error.host}:{error.port}: {error.os_error.strerror or error.os_error}"
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return "the server closed the connection without an answer"
    if isinstance(error, aiohttp.ClientPayloadError):
        return "the connection was lost in the middle of the file"
    if isinstance(error, OSError):
        return f"the connection was lost ({error.strerror or type(error).__name__})"
    return f"the answer cannot be understood ({type(error).__name__})"
