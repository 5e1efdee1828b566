"""Routes: what can be asked, by whom, with which body, and what the answer looks like.

A resource is a module with `ROUTES`; its functions are added with `Routes.add`. Such a function takes a `Call`, may
block, since it runs in a thread, and gives the answer as a `Shape`, a list of them, None, or one of
`issbox.web.api.answers`. Its docstring is the description in the OpenAPI document; errors of issbox become answers by
themselves (`issbox.web.api.failures`).
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, Generic, TypeVar
from urllib.parse import unquote

import msgspec

from issbox.workflows.context import Context

B = TypeVar("B")
Q = TypeVar("Q")
F = TypeVar("F", bound=Callable[..., object])

CONSUMER: Final = "consumer_uuid"
"""The path parameter that names a host. A host may use only routes that have it, and only with its own UUID."""
_PARAMETER: Final = re.compile(r"\{([a-z_]+)\}")


class Shape(msgspec.Struct, rename="camel", kw_only=True):
    """A JSON object of the API: attributes in snake_case are members in camelCase. Unknown members are passed over."""


class Query(msgspec.Struct, kw_only=True):
    """A query: attributes are called as its parameters. Other parameters are passed over."""


class NoQuery(Query):
    """A query in which nothing is looked at."""


class Who(Enum):
    """Who may use a route, before its own function asks what exactly is allowed."""

    ANYONE = "anyone"
    """Credentials are not even looked at."""
    ANYONE_OR_USER = "anyone or a user"
    """Credentials are checked when there are any."""
    USER = "a user"
    HOST = "the host itself"
    USER_OR_HOST = "a user or the host itself"

    @property
    def users(self) -> bool:
        """Whether users may."""
        return self in {Who.ANYONE_OR_USER, Who.USER, Who.USER_OR_HOST}

    @property
    def hosts(self) -> bool:
        """Whether a host may, for itself."""
        return self in {Who.HOST, Who.USER_OR_HOST}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    ctx: Context
    """Surroundings that act for who asks: limited to the roles of a user; nobody's when nobody proved to be anyone."""
    user: str | None = None
    host: str | None = None
    """UUID of the host that asks about itself."""


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One request, checked as far as its route says."""

    caller: Caller
    path: Mapping[str, str]
    """Parameters of the path."""
    body: B
    """None when the route has none."""
    query: Q
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def ctx(self) -> Context:
        """The surroundings of who asks."""
        return self.caller.ctx


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One line of the table."""

    method: str
    path: str
    """Template such as `/consumers/{consumer_uuid}`, below /candlepin and /rhsm."""
    who: Who
    deed: Callable[[Call[Any, Any]], object]
    body: Any = None
    """Type of the body as msgspec understands it; None when there is none."""
    body_optional: bool = False
    query: type[Query] = NoQuery
    answer: Any = None
    """Type of the answer; None for an empty one."""
    other_answers: tuple[str, ...] = ()
    """Media types that are answered besides JSON."""
    status: int = 200
    tag: str = ""

    def __post_init__(self) -> None:
        if self.who.hosts and f"{{{CONSUMER}}}" not in self.path:
            raise ValueError(f"{self.path} is open to hosts and does not say which one")

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the parameters in the path."""
        return tuple(_PARAMETER.findall(self.path))

    @property
    def name(self) -> str:
        """What the operation is called in the OpenAPI document."""
        return getattr(self.deed, "__name__", self.path)

    @property
    def description(self) -> str:
        """What the route does, for people."""
        text = (self.deed.__doc__ or "").strip()
        return re.sub(r"\s*\n\s+", " ", text)


class Routes:
    """The routes of one resource."""

    def __init__(self, tag: str) -> None:
        """Begin without any; the tag groups them in the documentation."""
        self._tag = tag
        self.all: list[Route] = []

    def add(
        self,
        method: str,
        path: str,
        *,
        who: Who,
        body: Any = None,
        body_optional: bool = False,
        query: type[Query] = NoQuery,
        answer: Any = None,
        other_answers: tuple[str, ...] = (),
    ) -> Callable[[F], F]:
        """Add a function; without the type of an answer it answers 204."""

        def decorate(deed: F) -> F:
            self.all.append(
                Route(
                    method=method,
                    path=path,
                    who=who,
                    deed=deed,
                    body=body,
                    body_optional=body_optional,
                    query=query,
                    answer=answer,
                    other_answers=other_answers,
                    status=204 if answer is None and not other_answers else 200,
                    tag=self._tag,
                )
            )
            return deed

        return decorate


@dataclass(frozen=True, slots=True)
class Found:
    """What a path leads to."""

    routes: Mapping[str, Route]
    """By method; empty when there is no such path."""
    parameters: Mapping[str, str]


class Table:
    """All routes, looked up by path: a word in a path goes before a parameter at its place."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Take the routes; ValueError for two with the same method and path."""
        self.routes = tuple(routes)
        self._by_length: dict[int, dict[tuple[str | None, ...], dict[str, Route]]] = {}
        for route in self.routes:
            words = _template(route.path.split("/"))
            there = self._by_length.setdefault(len(words), {}).setdefault(words, {})
            if route.method in there:
                raise ValueError(f"{route.method} {route.path} is there twice")
            there[route.method] = route

    def find(self, path: str) -> Found:
        """Give what a path leads to, as it stands in the request; a slash at its end means nothing."""
        words = (path.rstrip("/") or "/").split("/")
        known = self._by_length.get(len(words), {})
        fitting = [each for each in known if all(_fits(*pair) for pair in zip(each, words, strict=True))]
        if not fitting:
            return Found({}, {})
        routes = known[max(fitting, key=lambda template: [word is not None for word in template])]
        names = next(iter(routes.values())).path.split("/")
        parameters = {
            name[1:-1]: unquote(word) for name, word in zip(names, words, strict=True) if _PARAMETER.fullmatch(name)
        }
        return Found(routes, parameters)


def _template(words: Sequence[str]) -> tuple[str | None, ...]:
    return tuple(None if _PARAMETER.fullmatch(word) else word for word in words)


def _fits(template: str | None, word: str) -> bool:
    return bool(word) if template is None else template == word
