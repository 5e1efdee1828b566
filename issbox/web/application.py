"""What happens to one request, from its line to the last byte of the answer."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from ipaddress import ip_address
from typing import Final

from aiohttp import web

from issbox.errors import IssboxError
from issbox.rules.content.media_types import content_type
from issbox.rules.nginx import FILE_HEADER, GUARD_PATH, PATH_HEADER, REASON_HEADER
from issbox.rules.serving import Site
from issbox.store import open_below
from issbox.store.patience import patience
from issbox.web import sending
from issbox.web.access_log import log_request
from issbox.web.counters import Counters
from issbox.web.current import Current
from issbox.web.guard import Answer, Guard, Question, site_of
from issbox.web.peers import Peer
from issbox.web.sending import Sent
from issbox.web.takings import Takings
from issbox.workflows.appliance.measuring import measure
from issbox.workflows.context import Context

_METHODS: Final = ("GET", "HEAD")
_LOG: Final = logging.getLogger("issbox.web")

Handler = Callable[[web.BaseRequest, Peer], Awaitable[Sent]]
"""Answers everything below a first path segment that is not content, such as an API."""


class Application:
    """Everything that requests share."""

    def __init__(
        self,
        ctx: Context,
        current: Current,
        *,
        handlers: Mapping[str, Handler] | None = None,
        counters: Counters | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        """Answer with what `current` says; `handlers` answer below other first segments than content."""
        self._ctx = ctx
        self._settings = ctx.settings.web
        self._sites = {each.host: each for each in self._settings.sites}
        self._current = current
        self._guard = Guard(current, clock or ctx.clock)
        self._handlers = {"healthz": self._health, "metrics": self._metrics, **(handlers or {})}
        self.counters = counters or Counters()
        self.takings = Takings(current, clock or ctx.clock)

    async def handle(self, request: web.BaseRequest, peer: Peer, *, in_front: bool) -> web.StreamResponse:
        """Answer a request; what goes wrong in this box is told to its log, and to the client in general words."""
        try:
            sent = await self._answer(request, peer, in_front=in_front)
        except (IssboxError, OSError) as error:
            _LOG.error("a request cannot be answered: %s", error)
            sent = await sending.send_text(request, 503, "this box cannot answer at present")
        if sent.broken:
            self.counters.drop(sent.broken)
        return sent.response

    async def _answer(self, request: web.BaseRequest, peer: Peer, *, in_front: bool) -> Sent:
        target, began = request.raw_path, time.monotonic()
        if in_front and target == GUARD_PATH:
            return await self._tell_front(request, peer)
        site = peer.site or site_of(request.headers.get("Host", ""), self._sites)
        handler = None if site else self._handlers.get(_first_segment(target))
        if handler is not None:
            sent = await handler(request, peer)
            self._note(request, peer, None, sent, began)
            return sent
        if request.method not in _METHODS:
            sent = await sending.send_text(request, 405, "content is only read", {"Allow": "GET, HEAD"})
            self._note(request, peer, None, sent, began)
            return sent
        answer = await self._ask(target, peer, site)
        sent = await self._send(request, answer)
        self._note(request, peer, answer, sent, began)
        return sent

    async def _ask(self, target: str, peer: Peer, site: Site | None) -> Answer:
        if peer.unreadable:
            return Answer(403, peer.unreadable)
        return await self._guard.answer(Question(target, peer.certificate, site))

    async def _send(self, request: web.BaseRequest, answer: Answer) -> Sent:
        if answer.status != 200:
            return await sending.send_text(request, answer.status, answer.message)
        if answer.text is not None:
            return await sending.send_bytes(request, answer.text, content_type(answer.name))
        file = open_below(answer.root, answer.inner) if answer.root is not None else None
        if file is None:
            return await sending.send_text(request, 404, f"there is no {answer.name}")
        with file:
            kind = content_type(answer.name)
            return await sending.send_file(request, file, kind, patience=self._settings.send_seconds)

    async def _tell_front(self, request: web.BaseRequest, peer: Peer) -> Sent:
        """Tell the server in front whether, and which file: it asks by GET and sends the file itself."""
        site = peer.site or site_of(request.headers.get("Host", ""), self._sites)
        answer = await self._ask(request.headers.get(PATH_HEADER, ""), peer, site)
        if answer.status not in (200, 404):
            reason = answer.message.encode("ascii", "backslashreplace").decode()
            return await sending.send_nothing(request, 403, {REASON_HEADER: _one_line(reason)})
        file = None
        if answer.root is not None:
            file = open_below(answer.root, answer.inner)
            if file is not None:
                file.close()
                self.takings.note(answer.place, answer.presented, file.size)
        place = f"{answer.root}/{answer.inner}" if file is not None else self._listing(answer)
        return await sending.send_nothing(request, 200, {FILE_HEADER: _one_line(place)})

    def _listing(self, answer: Answer) -> str:
        """Give the file on disk of a listing, or a path at which there never is a file."""
        return str(self._ctx.store.state_dir / "content" / (answer.listing or ".nothing"))

    def _note(self, request: web.BaseRequest, peer: Peer, answer: Answer | None, sent: Sent, began: float) -> None:
        status_code = sent.response.status
        self.counters.count(request.method, status_code, sent.size)
        if answer is not None and status_code < 400:
            self.takings.note(answer.place, answer.presented, sent.size)
        why = sent.broken or (answer.message if answer is not None and status_code == 403 else "")
        presented = answer.presented if answer is not None else None
        log_request(
            peer=peer.address,
            method=request.method,
            target=request.raw_path,
            status=status_code,
            sent=sent.size,
            seconds=time.monotonic() - began,
            presented=presented,
            asked_by=sent.asked_by,
            why=why,
        )

    async def _health(self, request: web.BaseRequest, _peer: Peer) -> Sent:
        """Say whether the box can be read; an error becomes 503."""
        await self._current.overview()
        return await sending.send_text(request, 200, "ok")

    async def _metrics(self, request: web.BaseRequest, peer: Peer) -> Sent:
        """Give counters and states to those who may see them."""
        try:
            address = ip_address(peer.address)
        except ValueError:
            address = None
        if address is None or not any(address in each for each in self._settings.metrics_from):
            return await sending.send_text(request, 403, "[web] metrics_from does not name this client")
        with patience(_METRICS_SECONDS):
            found = await asyncio.to_thread(measure, self._ctx)
        text = self.counters.text(found)
        return await sending.send_text(request, 200, text, {"Content-Type": _METRICS_TYPE})


_METRICS_SECONDS: Final = 10.0
"""How long a statement behind them may take; monitoring asks again."""
_METRICS_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def _first_segment(target: str) -> str:
    """Give the first segment of the path of a target; '' for one that is no path."""
    segments = target.partition("?")[0].split("/", 2)
    return segments[1] if len(segments) > 1 and not segments[0] else ""


def _one_line(text: str) -> str:
    """Give text as a header can carry it, in UTF-8."""
    return text.replace("\r", " ").replace("\n", " ")[:4000]
