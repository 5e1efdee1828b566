"""Where things lie: listing files above repositories, names of bundles."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from string import Formatter
from typing import Final

from issbox.names import path_problem

LAYOUT_FIELDS: Final = ("organization", "scope", "version", "destination", "date", "sequence")
"""What a template of directories below the export path may name, in braces."""
_UNUSUAL = re.compile(r"[^A-Za-z0-9_-]+")
_UNUSUAL_IN_DIRECTORIES = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_WORD = 48


def custom_path(product: str, repository: str) -> str:
    """Give the content path of a custom repository, relative: `custom/<product>/<repository>`, as in Katello."""
    return f"custom/{product}/{repository}"


def listings(paths: Iterable[str]) -> dict[str, str]:
    """Give the text of the `listing` file of every directory above the repositories at these relative paths.

    The key is the directory, '' for the root; the text is the sorted names of its subdirectories, one a line without
    a final newline, as Red Hat's CDN and Katello write it. Nothing is listed inside a repository.
    """
    children: dict[str, set[str]] = {}
    for path in paths:
        parent = ""
        for segment in path.split("/"):
            children.setdefault(parent, set()).add(segment)
            parent = f"{parent}/{segment}" if parent else segment
    return {directory: "\n".join(sorted(names)) for directory, names in children.items()}


def bundle_name(organization: str, scope: str, destination: str, sequence: int, at: datetime) -> str:
    """Give the directory name of a bundle: it sorts by sequence and says what it is without being opened.

    The parts are cut, so that the name fits every file system; the manifest has them whole.
    """
    words = [organization, scope, *([_UNUSUAL.sub("_", destination)] if destination else [])]
    head = "-".join(word[:_LONGEST_WORD] for word in words)
    return f"{head}-{sequence:04d}-{at.strftime('%Y%m%dT%H%M%SZ')}"


def layout_problem(template: str) -> str | None:
    """Say why a template of directories cannot be used, or None when it can; an empty one means no directories."""
    if not template:
        return None
    try:
        parts = list(Formatter().parse(template))
    except ValueError:
        return "a brace is not closed"
    for _, field, format_spec, conversion in parts:
        if field is not None and field not in LAYOUT_FIELDS:
            return f"{{{field}}} is not one of {', '.join(f'{{{name}}}' for name in LAYOUT_FIELDS)}"
        if format_spec or conversion:
            return f"{{{field}}} stands alone, without ':' or '!'"
    literal = "".join(text + ("x" if field is not None else "") for text, field, _, _ in parts)
    if any(segment.startswith(".") for segment in literal.split("/")):
        return "a directory must not begin with a dot"
    return path_problem(literal)


def export_directory(template: str, values: Mapping[str, str]) -> str:
    """Fill in a template that `layout_problem` allows; gives a safe relative path, empty for the export path itself.

    Unusual characters of a value become `_`, long ones are cut, and a directory that comes out empty is left out.
    """
    safe = {
        name: _UNUSUAL_IN_DIRECTORIES.sub("_", values.get(name, "")).strip(".")[:_LONGEST_WORD].rstrip(".")
        for name in LAYOUT_FIELDS
    }
    filled = (segment.format_map(safe).strip(".") for segment in template.split("/"))
    return "/".join(segment for segment in filled if segment)
