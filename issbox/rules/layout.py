"""Where things lie: listing files above repositories, names of bundles."""

import re
from collections.abc import Iterable
from datetime import datetime

from issbox.names import clash_key

_UNUSUAL = re.compile(r"[^A-Za-z0-9_-]+")
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


def first_clash(paths: Iterable[str]) -> tuple[str, str] | None:
    """Give two paths that are the same or that a file system ignoring case cannot keep apart, or None."""
    seen: dict[str, str] = {}
    for path in paths:
        key = clash_key(path)
        if key in seen:
            return seen[key], path
        seen[key] = path
    return None


def bundle_name(organization: str, scope: str, destination: str, sequence: int, at: datetime) -> str:
    """Give the directory name of a bundle: it sorts by sequence and says what it is without being opened.

    The parts are cut, so that the name fits every file system; the manifest has them whole.
    """
    words = [organization, scope, *([_UNUSUAL.sub("_", destination)] if destination else [])]
    head = "-".join(word[:_LONGEST_WORD] for word in words)
    return f"{head}-{sequence:04d}-{at.strftime('%Y%m%dT%H%M%SZ')}"
