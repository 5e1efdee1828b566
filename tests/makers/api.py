"""Clients of the API: one that speaks JSON as a user, and one as a host."""

import base64
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from issbox.errors import every_error
from makers.serving import Answer, Client, Service

PASSWORD = "correct horse battery"


@cache
def documented_codes() -> frozenset[str]:
    """Give the codes that an answer may have: those of errors, and those that the page of the API lists."""
    page = (Path(__file__).parents[2] / "docs/api.md").read_text()
    return frozenset(each.code for each in every_error()) | frozenset(re.findall(r"^\| `([a-z-]+)` \|", page, re.M))


@dataclass
class Reply:
    """What the API answered."""

    answer: Answer

    @property
    def status(self) -> int:
        return self.answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self.answer.headers

    @property
    def json(self) -> Any:
        return json.loads(self.answer.body)

    def good(self) -> Any:
        """Give the answer, which has to be a good one."""
        assert 200 <= self.status < 300, (self.status, self.answer.text)
        return self.json if self.answer.body else None

    def bad(self, status: int) -> str:
        """Give the message of an answer, which has to have this status."""
        assert self.status == status, (self.status, self.answer.text)
        found = self.json
        assert found["requestUuid"] == self.headers["X-Candlepin-Request-Uuid"]
        assert found["displayMessage"]
        assert found["code"] in documented_codes()
        return str(found["displayMessage"])


@dataclass
class ApiClient:
    """Somebody who uses the API."""

    client: Client
    authorization: str = ""
    prefix: str = "/candlepin"
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, /, **query: Any) -> Reply:
        """Ask once; a body that is bytes goes out as it is."""
        headers = {"Content-Type": "application/json", **self.headers}
        if self.authorization:
            headers["Authorization"] = self.authorization
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        target = f"{self.prefix}{path}" + (f"?{urlencode(query, doseq=True)}" if query else "")
        return Reply(self.client.ask(method, target, headers, data))

    def get(self, path: str, **query: Any) -> Reply:
        return self.call("GET", path, None, **query)

    def post(self, path: str, body: object = None, /, **query: Any) -> Reply:
        return self.call("POST", path, body, **query)

    def put(self, path: str, body: object = None, /, **query: Any) -> Reply:
        return self.call("PUT", path, body, **query)

    def delete(self, path: str, body: object = None, /, **query: Any) -> Reply:
        return self.call("DELETE", path, body, **query)


def basic(name: str, password: str = PASSWORD) -> str:
    """Give the header of HTTP Basic."""
    return f"Basic {base64.b64encode(f'{name}:{password}'.encode()).decode()}"


def nobody(service: Service) -> ApiClient:
    """Give a client that proves to be nobody."""
    return ApiClient(service.client())


def user(service: Service, name: str, password: str = PASSWORD) -> ApiClient:
    """Give a client that is a user by password."""
    return ApiClient(service.client(), basic(name, password))


def holder(service: Service, token: str) -> ApiClient:
    """Give a client that is a user by token, which costs no password hash."""
    return ApiClient(service.client(), f"Bearer {token}")
