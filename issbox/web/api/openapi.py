"""The description of the API in the form of OpenAPI 3.1, made from the routes and the types of bodies and answers."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from issbox import VERSION
from issbox.web.api.answers import Document
from issbox.web.api.bodies import is_list
from issbox.web.api.failures import Problem
from issbox.web.api.routes import CONSUMER, Call, NoQuery, Route, Routes, Who

_REF: Final = "#/components/schemas/{name}"
_ABOUT: Final = """\
The API that subscription-manager and programs made for Candlepin speak, below /candlepin and below /rhsm.

Users prove themselves by name and password (HTTP Basic) or by a token made with `issbox user token create`; hosts by
their identity certificate, and reach nothing but themselves. What belongs to an organization in which a user has no
role is answered as if it did not exist. Members of bodies that are not named here are passed over.
"""
_SCHEMES: Final = {
    "basic": {"type": "http", "scheme": "basic"},
    "token": {"type": "http", "scheme": "bearer"},
    "identity": {"type": "mutualTLS", "description": "The identity certificate of a host."},
}
_MEANINGS: Final = {
    400: "The body, the query or a value in them is not as it has to be.",
    401: "Nobody proved to be anyone who may.",
    403: "The user has no role that allows this.",
    404: "There is no such thing, or the caller has no part in its organization.",
    409: "It is in conflict with what there is; nothing was changed.",
    410: "The host was deleted.",
    413: "The body is too large.",
    415: "The body is no JSON.",
    429: "There were too many attempts, or the box is busy with the same; Retry-After says how long to wait.",
}


def described(routes: Sequence[Route]) -> list[Route]:
    """Give routes together with the one that gives their description."""
    own = Routes("root")
    every = [*routes]

    @own.add("GET", "/openapi.json", who=Who.ANYONE, answer=dict[str, Any])
    def openapi(_call: Call[None, NoQuery]) -> Document:
        """Give the description of this API in the form of OpenAPI 3.1."""
        return Document(openapi_text(every).encode())

    every += own.all
    return every


def openapi_text(routes: Sequence[Route]) -> str:
    """Give the description as JSON."""
    return msgspec.json.format(msgspec.json.encode(openapi_document(routes)), indent=1).decode()


def openapi_document(routes: Sequence[Route]) -> dict[str, Any]:
    """Give the description."""
    types = [Problem]
    for route in routes:
        types += [each for each in (route.body, route.answer) if each is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    schema_of = _lookup(types, schemas)
    paths: dict[str, dict[str, Any]] = {}
    for route in sorted(routes, key=lambda each: (each.path, each.method)):
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "issbox", "version": VERSION, "description": _ABOUT, "license": {"name": "MIT"}},
        "servers": [{"url": "/candlepin"}, {"url": "/rhsm"}],
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": _SCHEMES},
    }


def _lookup(types: Sequence[Any], schemas: Sequence[dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    known = {repr(one): schema for one, schema in zip(types, schemas, strict=True)}
    return lambda wanted: known[repr(wanted)]


def _operation(route: Route, schema_of: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    summary, _, rest = route.description.partition(". ")
    operation: dict[str, Any] = {
        "operationId": route.name,
        "tags": [route.tag],
        "summary": summary.rstrip("."),
        "description": f"{rest}\n\nWho may: {route.who.value}.".strip(),
        "parameters": [*map(_path_parameter, route.parameters), *_query_parameters(route)],
        "security": _security(route.who),
        "responses": _responses(route, schema_of),
    }
    if route.body is not None:
        content = {"application/json": {"schema": schema_of(route.body)}}
        operation["requestBody"] = {"required": not route.body_optional, "content": content}
    return operation


def _path_parameter(name: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string", "minLength": 1}
    if name == CONSUMER:
        schema["format"] = "uuid"
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(route: Route) -> list[dict[str, Any]]:
    fields = msgspec.structs.fields(route.query)
    schemas, _ = msgspec.json.schema_components([each.type for each in fields], ref_template=_REF)
    return [
        {
            "name": field.encode_name,
            "in": "query",
            "required": field.required,
            "schema": schema,
            **({"style": "form", "explode": True} if is_list(field.type) else {}),
        }
        for field, schema in zip(fields, schemas, strict=True)
    ]


def _security(who: Who) -> list[dict[str, list[str]]]:
    schemes = (["basic", "token"] if who.users else []) + (["identity"] if who.hosts else [])
    open_too: list[dict[str, list[str]]] = [{}] if who in {Who.ANYONE, Who.ANYONE_OR_USER} else []
    return open_too + [{each: []} for each in schemes]


def _responses(route: Route, schema_of: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "Done."}
    content: dict[str, Any] = {each: {} for each in route.other_answers}
    if route.answer is not None:
        content["application/json"] = {"schema": schema_of(route.answer)}
    if content:
        good["content"] = content
    problem = {"application/json": {"schema": schema_of(Problem)}}
    bad = {str(code): {"description": _MEANINGS[code], "content": problem} for code in _codes(route)}
    rest = {"default": {"description": "Something is wrong with the request or with the box.", "content": problem}}
    return {str(route.status): good, **bad, **rest}


def _codes(route: Route) -> list[int]:
    codes: Mapping[int, bool] = {
        400: route.body is not None or route.query is not NoQuery,
        401: route.who is not Who.ANYONE,
        403: route.who.users,
        404: bool(route.parameters),
        409: route.method != "GET",
        410: CONSUMER in route.parameters,
        413: route.body is not None,
        415: route.body is not None,
        429: route.who.users,
    }
    return [code for code, possible in codes.items() if possible]
