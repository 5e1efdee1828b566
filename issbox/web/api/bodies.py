"""Reading what a client sent: bodies bounded in size and time, and queries, checked against the types of the route."""

import asyncio
import re
from typing import Any, Final, get_args, get_origin
from urllib.parse import parse_qsl

import msgspec
from aiohttp import web

from issbox.web.api.failures import Refusal
from issbox.web.api.routes import Route

LARGEST: Final = 4 << 20
"""Bytes of a body; facts and package lists of a host have some hundred KiB."""
LARGEST_OF_ANYONE: Final = 1 << 20
"""Bytes of the body of somebody who has not proved who it is."""
_SECONDS: Final = 60.0
_MOST_PARAMETERS: Final = 1100
"""Parameters in a query; more than 1000 serial numbers nobody asks for."""
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


async def read_body(request: web.BaseRequest, route: Route, *, largest: int = LARGEST) -> bytes:
    """Give the bytes of a body. Raises Refusal with 408, 413 or 415."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Refusal(415, "the body must not be compressed", {"Connection": "close"})
    if request.headers.get("Expect", "").lower() == "100-continue":
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    data = bytearray()
    try:
        async with asyncio.timeout(_SECONDS):
            async for block in request.content.iter_any():
                data += block
                if len(data) > largest:
                    raise Refusal(413, f"the body is larger than {largest} bytes", {"Connection": "close"})
    except TimeoutError:
        raise Refusal(408, "the body did not arrive in time", {"Connection": "close"}) from None
    except (web.RequestPayloadError, ConnectionError) as error:
        raise Refusal(400, f"the body cannot be read: {error}", {"Connection": "close"}) from None
    if route.body is not None and data and request.content_type.rpartition("+")[2] not in {"application/json", "json"}:
        raise Refusal(415, f"the body has to be JSON (Content-Type: application/json), not {request.content_type}")
    return bytes(data)


def decode_body(route: Route, data: bytes) -> Any:
    """Give the body as its type says; None when the route has none. Raises Refusal with 400 that says where and why."""
    if route.body is None:
        return None
    if data.strip() in (b"", b"null"):  # clients with nothing to say send either
        if route.body_optional:
            return None
        raise Refusal(400, "there is no body, and this call needs one")
    if _NUL.search(data):
        raise Refusal(400, "the body holds a NUL character, which no value may have")
    try:
        return msgspec.json.decode(data, type=route.body)
    except msgspec.ValidationError as error:
        raise Refusal(400, f"the body is not as it has to be: {error}", code="bad-body") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(400, f"the body is not JSON: {error}", code="bad-body") from None


def decode_query(route: Route, text: str) -> Any:
    """Give the query as its type says: what it does not name is passed over. Raises Refusal with 400."""
    try:
        given = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_PARAMETERS)
    except ValueError:
        raise Refusal(400, f"the query has more than {_MOST_PARAMETERS} parameters") from None
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(route.query):
        values = [value for name, value in given if name == field.encode_name]
        if any(not value.isprintable() for value in values):
            raise Refusal(400, f"the query parameter {field.encode_name} holds a control character")
        if values:
            found[field.encode_name] = values if is_list(field.type) else values[-1]
    try:
        return msgspec.convert(found, route.query, strict=False)
    except msgspec.ValidationError as error:
        raise Refusal(400, f"the query is not as it has to be: {error}", code="bad-query") from None


def is_list(type_: Any) -> bool:
    """Tell whether a parameter may be given several times."""
    origin = get_origin(type_)
    return origin is tuple or origin is list or any(is_list(each) for each in get_args(type_) if origin is not None)


def encode(answer: object) -> bytes:
    """Give an answer as JSON, integers of any size exactly."""
    return msgspec.json.encode(answer)
