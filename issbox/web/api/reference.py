"""Writes docs/openapi.json and docs/api-calls.md from the routes themselves.

`python -m issbox.web.api.reference docs` writes them, `python -m issbox.web.api.reference --check docs` only compares.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from issbox.web.api.openapi import openapi_document, openapi_text
from issbox.web.api.table import TABLE

_HEAD = """# Calls of the API

This page is made from the routes themselves by `python -m issbox.web.api.reference docs`; [openapi.json](openapi.json),
which the box also serves at `/candlepin/openapi.json`, has the same with every member of bodies and answers. How to use
the API is in [api.md](api.md).

Paths are below `/candlepin` and `/rhsm`. `{consumer_uuid}` is the UUID of a host. Errors are JSON with
`displayMessage`, `requestUuid`, `code` ([exit-codes.md](exit-codes.md)) and `hint`.
"""


def pages() -> Mapping[str, str]:
    """Give the text of each page by file name."""
    return {"openapi.json": f"{openapi_text(TABLE.routes)}\n", "api-calls.md": _calls(openapi_document(TABLE.routes))}


def _calls(document: Mapping[str, Any]) -> str:
    by_tag: dict[str, list[str]] = {}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            by_tag.setdefault(operation["tags"][0], []).append(_row(method, path, operation))
    parts = [_HEAD]
    for tag in sorted(by_tag):
        parts.append(f"\n## {tag}\n\n| call | what it does | who may | body | answer |\n|---|---|---|---|---|\n")
        parts.extend(by_tag[tag])
    return "".join(parts)


def _row(method: str, path: str, operation: Mapping[str, Any]) -> str:
    about, _, who = operation["description"].rpartition("Who may: ")
    query = "&".join(f"{each['name']}=" for each in operation["parameters"] if each["in"] == "query")
    call = f"`{method.upper()} {path}{f'?{query}' if query else ''}`"
    body = _schema(operation.get("requestBody", {}).get("content", {}))
    status, good = next(iter(operation["responses"].items()))
    answer = f"{status} {_schema(good.get('content', {}))}".strip()
    words = " ".join(f"{operation['summary']}. {about}".split())
    return f"| {call} | {words} | {who.rstrip('.')} | {body} | {answer} |\n"


def _schema(content: Mapping[str, Any]) -> str:
    schema = content.get("application/json", {}).get("schema")
    if schema is None:
        return ""
    if schema.get("type") == "array":
        return f"list of {_name(schema.get('items', {}))}"
    return _name(schema)


def _name(schema: Mapping[str, Any]) -> str:
    name = str(schema.get("$ref", "")).rpartition("/")[2] or str(schema.get("type", "object"))
    return f"`{name}`"


def main(directory: Path, *, check: bool) -> list[Path]:
    """Write the pages, or give those that differ."""
    different = []
    for name, text in pages().items():
        path = directory / name
        if check:
            if not path.is_file() or path.read_text() != text:
                different.append(path)
        else:
            path.write_text(text)
    return different


if __name__ == "__main__":
    *options, place = sys.argv[1:]
    wrong = main(Path(place), check="--check" in options)
    if wrong:
        sys.exit(f"not up to date: {', '.join(map(str, wrong))}")
