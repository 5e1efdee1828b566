"""Sending files and texts in bounded blocks: memory stays flat, and a client that takes nothing is let go."""

import asyncio
import errno
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from aiohttp import web

from issbox.rules.content.media_types import TEXT
from issbox.store import OpenFile
from issbox.web.conditions import Part, choose, http_time

BLOCK: Final = 256 << 10
"""Bytes read and encrypted at once; what a slow client makes the server keep is about twice that."""
_SHORT: Final = 32 << 10
"""Bytes that a connection keeps for a client without anybody waiting."""
_PATIENCE: Final = 60.0
"""Seconds that a client may take for what is no file."""
SERVER: Final = "issbox"
_NOT_NOW: Final = {errno.EAGAIN, errno.EOPNOTSUPP}
"""What is not in memory yet, or a file system that cannot tell."""
_LOG: Final = logging.getLogger("issbox.web")


@dataclass(frozen=True, slots=True)
class Sent:
    """What went out."""

    response: web.StreamResponse
    size: int = 0
    """Bytes of the body, as far as it is known that they went."""
    broken: str = ""
    """Why the connection ended before everything was sent."""
    asked_by: str = ""
    """Who asked, when it proved to be somebody."""


async def send_text(request: web.BaseRequest, status: int, text: str, headers: Mapping[str, str] | None = None) -> Sent:
    """Send a short text."""
    return await send_data(request, status, f"{text}\n".encode(), {"Content-Type": TEXT} | dict(headers or {}))


async def send_data(request: web.BaseRequest, status: int, data: bytes, headers: Mapping[str, str]) -> Sent:
    """Send what is in memory as it is, with these headers."""
    return await _send(request, status, headers, data, len(data))


async def send_nothing(request: web.BaseRequest, status: int, headers: Mapping[str, str]) -> Sent:
    """Send only headers."""
    return await _send(request, status, headers, b"", 0)


async def send_bytes(request: web.BaseRequest, data: bytes, kind: str) -> Sent:
    """Send something that is in memory, with regard to conditions."""
    tag = sha256(data).hexdigest()[:32]
    part = choose(request.headers, tag=tag, modified=0, size=len(data), partial=request.method == "GET")
    body = data[part.start : part.start + part.length]
    return await _send(request, part.status, _headers(part, tag, len(data), kind), body, part.length)


async def _send(
    request: web.BaseRequest,
    status: int,
    headers: Mapping[str, str],
    body: bytes | bytearray,
    length: int,
    *,
    patience: float = _PATIENCE,
) -> Sent:
    """Send headers and body at once; `length` is told, and for HEAD nothing else is."""
    if request.method == "HEAD":
        body = b""
    response = web.Response(status=status, headers=_every(headers, length), body=body or None)
    try:
        await response.prepare(request)
        if len(body) > _SHORT or _are_answers_left(request):
            async with asyncio.timeout(patience):
                await response.write_eof()
        else:  # it goes on its way, whether it is taken or not
            await response.write_eof()
    except TimeoutError:
        return _let_go(request, Sent(response, 0, "slow"))
    except ConnectionError:
        return Sent(response, 0, "left")
    return Sent(response, len(body))


def _are_answers_left(request: web.BaseRequest) -> bool:
    """Tell whether the client has not taken all of the answers before this one."""
    return request.transport is not None and request.transport.get_write_buffer_size() > 0


def _let_go(request: web.BaseRequest, sent: Sent) -> Sent:
    """End the connection, whatever is still to be sent."""
    if request.transport is not None:
        request.transport.abort()
    return sent


async def send_file(request: web.BaseRequest, file: OpenFile, kind: str, *, patience: float) -> Sent:
    """Send an open file or a part of it, with regard to conditions.

    A client that takes longer than `patience` seconds for one block is let go. Raises OSError when the disk gives
    nothing at all.
    """
    part = choose(
        request.headers, tag=file.tag, modified=file.modified, size=file.size, partial=request.method == "GET"
    )
    headers = _headers(part, file.tag, file.size, kind) | {"Last-Modified": http_time(int(file.modified))}
    if request.method == "HEAD" or not part.length:
        return await _send(request, part.status, headers, b"", part.length)
    first = await _read(file.descriptor, min(BLOCK, part.length), part.start)
    if len(first) == part.length:
        return await _send(request, part.status, headers, first, part.length, patience=patience)
    return await _stream(request, file.descriptor, part, headers, first, patience=patience)


async def _stream(
    request: web.BaseRequest,
    descriptor: int,
    part: Part,
    headers: Mapping[str, str],
    block: bytearray,
    *,
    patience: float,
) -> Sent:
    """Send block after block, of which the first has been read."""
    response = web.StreamResponse(status=part.status, headers=_every(headers, part.length))
    at, end = part.start, part.start + part.length
    broken = ""
    try:
        await response.prepare(request)
        while block:
            at += len(block)
            async with asyncio.timeout(patience):
                await response.write(block)
            if at >= end:
                break
            block = await _read(descriptor, min(BLOCK, end - at), at)
        broken = "" if block else "cut"  # somebody cut the file while it was sent
    except TimeoutError:
        broken = "slow"
    except ConnectionError:
        broken = "left"
    except OSError as error:  # of the disk: what has gone out cannot be taken back
        _LOG.error("a file cannot be read to its end: %s", error)
        broken = "unread"
    sent = Sent(response, at - part.start, broken)
    return _let_go(request, sent) if broken else sent


async def _read(descriptor: int, length: int, offset: int) -> bytearray:
    """Read without waiting for the disk; what is not in memory is read by another thread meanwhile."""
    buffer = bytearray(length)
    try:
        count = os.preadv(descriptor, [buffer], offset, os.RWF_NOWAIT)
    except OSError as error:
        if error.errno not in _NOT_NOW:
            raise
        count = await asyncio.to_thread(os.preadv, descriptor, [buffer], offset)
    del buffer[count:]
    return buffer


def _headers(part: Part, tag: str, size: int, kind: str) -> dict[str, str]:
    headers = {"ETag": f'"{tag}"', "Accept-Ranges": "bytes", "Content-Type": kind}
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.start + part.length - 1}/{size}"
    elif part.status == 416:
        headers["Content-Range"] = f"bytes */{size}"
    return headers


def _every(headers: Mapping[str, str], length: int) -> dict[str, str]:
    """Give these headers and those of every answer."""
    return {**headers, "Server": SERVER, "X-Content-Type-Options": "nosniff", "Content-Length": str(length)}
