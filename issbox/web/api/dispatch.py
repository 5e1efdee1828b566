"""What happens to one request of the API: route, caller, body, function, answer.

The event loop only reads and writes. Everything that waits, for the database or for a password hash, runs in threads of
the API's own, so that the guard of the content never waits behind it.
"""

import asyncio
import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import uuid4

from aiohttp import web

from issbox import VERSION
from issbox.certs.clients import Presented, Wallet
from issbox.errors import BadCertificateError, DatabaseBusyError, IssboxError, UntrustedCertificateError
from issbox.progress import Silent
from issbox.store.patience import patience
from issbox.web.access_log import plain
from issbox.web.api.answers import JSON, Document, NotModified
from issbox.web.api.bodies import LARGEST, LARGEST_OF_ANYONE, decode_body, decode_query, encode, read_body
from issbox.web.api.callers import Credentials, enter
from issbox.web.api.failures import Refusal, answer_to
from issbox.web.api.routes import CONSUMER, Call, Found, Route, Table
from issbox.web.api.table import TABLE
from issbox.web.current import Current
from issbox.web.peers import Peer
from issbox.web.sending import Sent, send_data
from issbox.workflows.context import Context

PREFIXES: Final = ("candlepin", "rhsm")
"""First path segments below which the API lies."""
_THREADS: Final = 8
_DOORS: Final = 4
"""Threads in which users prove who they are: hosts never wait behind those who guess passwords."""
DATABASE_SECONDS: Final = 20.0
"""How long a request waits for a thread, and one of its statements for the database, before the answer is 503."""
_CORRELATION: Final = re.compile(r"[A-Za-z0-9_.:-]{1,64}")
_LOG: Final = logging.getLogger("issbox.api")
T = TypeVar("T")


class Api:
    """The API of a box."""

    def __init__(
        self, ctx: Context, current: Current, *, clock: Callable[[], datetime] | None = None, table: Table = TABLE
    ) -> None:
        """Act on this box; `current` knows whom it trusts."""
        self._ctx = replace(ctx, progress=Silent())
        self._current = current
        self._clock = clock or ctx.clock
        self._table = table
        self._wallet = Wallet()
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="api")
        self._doors = ThreadPoolExecutor(_DOORS, thread_name_prefix="api-doors")

    def close(self) -> None:
        """Let what is under way end."""
        for pool in (self._doors, self._threads):
            pool.shutdown(wait=True, cancel_futures=True)

    async def handle(self, request: web.BaseRequest, peer: Peer) -> Sent:
        """Answer a request, whatever happens."""
        request_uuid, asked_by = str(uuid4()), [""]
        try:
            status, data, headers = await self._answer(request, peer, asked_by)
        except (Refusal, IssboxError) as error:
            if not isinstance(error, Refusal):
                _LOG.info("%s %s: %s", request_uuid, plain(request.raw_path.partition("?")[0]), plain(str(error)))
            status, data, headers = _failed(error, request_uuid)
        except Exception as error:
            _LOG.exception("%s: a call of the API failed", request_uuid)
            status, data, headers = _failed(error, request_uuid)
        sent = await send_data(request, status, data, headers | _marks(request, request_uuid))
        return replace(sent, asked_by=asked_by[0])

    async def _answer(
        self, request: web.BaseRequest, peer: Peer, asked_by: list[str]
    ) -> tuple[int, bytes, dict[str, str]]:
        """Give status, body and headers; who proved to be somebody is put into `asked_by`, also when this fails."""
        path, _, query = request.raw_path.partition("?")
        found = self._table.find("/" + path.lstrip("/").partition("/")[2])
        route = _route_of(found, request.method)
        _check_parameters(found)
        question = decode_query(route, query)
        credentials = await self._credentials(request, peer, route)
        pool = self._doors if credentials.authorization else self._threads
        caller = await _run(pool, enter, self._ctx, route, credentials, found.parameters.get(CONSUMER))
        known = caller.user is not None or caller.host is not None
        asked_by[0] = caller.ctx.actor.name if known else ""
        data = await read_body(request, route, largest=LARGEST if known else LARGEST_OF_ANYONE)
        call: Call[Any, Any] = Call(caller, found.parameters, decode_body(route, data), question, request.headers)
        return await _run(self._threads, _do, route, call)

    async def _credentials(self, request: web.BaseRequest, peer: Peer, route: Route) -> Credentials:
        presented, unusable = await self._presented(peer) if route.who.hosts else (None, "")
        return Credentials(peer.address, request.headers.get("Authorization", ""), presented, unusable)

    async def _presented(self, peer: Peer) -> tuple[Presented | None, str]:
        """Give the certificate that was shown, if it leads to the authority of this box, or why it is of no use."""
        if peer.certificate is None:
            return None, peer.unreadable
        own = (await self._current.overview()).trust.own
        try:
            presented = self._wallet.open(peer.certificate)
            if own is None:
                return None, "this box has issued no certificate"
            presented.leads_to(own, self._clock())
        except (BadCertificateError, UntrustedCertificateError) as error:
            return None, str(error)
        return presented, ""


async def _run(pool: ThreadPoolExecutor, do: Callable[..., T], *arguments: Any) -> T:
    """Do something in a thread; raises DatabaseBusyError when no thread has been free for it for too long.

    That is so when many wait for a database that hangs: what was not begun is not done any more, either.
    """
    job = pool.submit(_patiently, do, *arguments)
    answer = asyncio.wrap_future(job)
    done, _ = await asyncio.wait({answer}, timeout=DATABASE_SECONDS)
    if not done and job.cancel():
        raise DatabaseBusyError(f"nothing was free to answer this request for {DATABASE_SECONDS:g} seconds")
    return await answer


def _patiently(do: Callable[..., T], *arguments: Any) -> T:
    with patience(DATABASE_SECONDS):
        return do(*arguments)


def _do(route: Route, call: Call[Any, Any]) -> tuple[int, bytes, dict[str, str]]:
    """Call the function of the route and put its answer into bytes."""
    answer = route.deed(call)
    if isinstance(answer, NotModified):
        return 304, b"", {}
    if isinstance(answer, Document):
        return 200, answer.data, {"Content-Type": answer.media_type, **answer.headers}
    if route.status == 204:
        return 204, b"", {}
    return route.status, encode(answer), {"Content-Type": JSON}


def _route_of(found: Found, method: str) -> Route:
    if not found.routes:
        raise Refusal(404, "there is no such call in this API")
    route = found.routes.get("GET" if method == "HEAD" else method)
    if route is None:
        allowed = {*found.routes, *(["HEAD"] if "GET" in found.routes else [])}
        raise Refusal(405, f"{method} is not possible here", {"Allow": ", ".join(sorted(allowed))})
    return route


def _check_parameters(found: Found) -> None:
    for name, value in found.parameters.items():
        if not value.isprintable() or len(value) > 4096:
            raise Refusal(404, f"there is no such {name.removesuffix('_uuid').removesuffix('_id')}")


def _failed(error: Exception, request_uuid: str) -> tuple[int, bytes, dict[str, str]]:
    status, problem, headers = answer_to(error, request_uuid)
    return status, encode(problem), {"Content-Type": JSON, **headers}


def _marks(request: web.BaseRequest, request_uuid: str) -> dict[str, str]:
    """Give the headers by which a request is found again in logs."""
    marks = {"X-Candlepin-Request-Uuid": request_uuid, "X-Version": VERSION, "Cache-Control": "no-store"}
    given = request.headers.get("X-Correlation-ID", "")
    return marks | ({"X-Correlation-ID": given} if _CORRELATION.fullmatch(given) else {})
