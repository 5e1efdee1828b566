"""The rows of the files of a repository version, a page in memory at a time: no cursor stays open between pages."""

from collections.abc import Iterator
from typing import Any, Final

from issbox.store.database import execute
from issbox.store.tables import PACKAGE_COLUMNS

Row = tuple[Any, ...]

_PAGE: Final = 1000
_WHERE: Final = """
    WHERE f.repository_id = ? AND f.path > ? AND f.added_in <= ? AND (f.removed_in IS NULL OR f.removed_in > ?)"""
_ORDER: Final = " ORDER BY f.path LIMIT ?"
_OUTLINE: Final = f"SELECT f.path, f.size, f.sha256, f.kind FROM repository_file f {_WHERE} {_ORDER}"  # noqa: S608
_WITH_PACKAGES: Final = f"""
    SELECT f.path, f.size, f.sha256, f.kind, {", ".join(f"p.{column}" for column in PACKAGE_COLUMNS)}
    FROM repository_file f LEFT JOIN package p ON p.id = f.package_id {_WHERE}"""  # noqa: S608  # constants only
_FILES: Final = _WITH_PACKAGES + _ORDER
_OTHER_FILES: Final = f"{_WITH_PACKAGES} AND f.package_id IS NULL {_ORDER}"
_SINCE: Final = """
    SELECT path, sha256, removed_in FROM repository_file WHERE repository_id = ?
    AND ((added_in <= ? AND removed_in > ?) OR (added_in > ? AND removed_in IS NULL)) LIMIT ?"""


def outline_rows(repository: int, number: int) -> Iterator[Row]:
    """Give path, size, SHA-256 and kind of the files of a version, ordered by path."""
    return _pages(_OUTLINE, repository, number)


def file_rows(repository: int, number: int, *, packages: bool = True) -> Iterator[Row]:
    """Give the same, followed by the columns of the package; without `packages` those are left out."""
    return _pages(_FILES if packages else _OTHER_FILES, repository, number)


def changes_since(repository: int, number: int, most: int) -> dict[str, str | None] | None:
    """Give the SHA-256 of each path that the newest version has and another one has not, or otherwise.

    None stands for a path that only the other one has. Gives None when there are more than `most`.
    """
    found = execute(_SINCE, (repository, number, number, number, most + 1)).fetchall()
    if len(found) > most:
        return None
    gone = {path: None for path, _, removed_in in found if removed_in is not None}
    return gone | {path: sha256 for path, sha256, removed_in in found if removed_in is None}


def _pages(sql: str, repository: int, number: int) -> Iterator[Row]:
    path = ""
    while page := execute(sql, (repository, path, number, number, _PAGE)).fetchall():
        yield from page
        path = page[-1][0]
