"""What a repository version has beyond versions that the far side holds."""

from collections.abc import Iterator, Sequence
from typing import Final

from issbox.model import RepositoryFile, RepositoryKey
from issbox.store.database import Noun, execute
from issbox.store.drafts import read_file
from issbox.store.repositories import find_repository_id, repository_id
from issbox.store.tables import PACKAGE_COLUMNS

_PAGE: Final = 1000
"""Rows read at once; no cursor stays open between pages."""
_ONE: Final = "(+b.repository_id = ? AND b.added_in <= ? AND (b.removed_in IS NULL OR b.removed_in > ?))"
"""The plus changes nothing but what SQLite looks for first: the digest, which few files have, and not the repository,
which all of them have; else each file would be compared with every other one."""
_FILES: Final = f"""
    SELECT f.path, f.size, f.sha256, f.kind, {", ".join(f"p.{column}" for column in PACKAGE_COLUMNS)}, %s
    FROM repository_file f LEFT JOIN package p ON p.id = f.package_id
    WHERE f.repository_id = ? AND f.path > ? AND f.added_in <= ? AND (f.removed_in IS NULL OR f.removed_in > ?)
    ORDER BY f.path LIMIT ?"""  # noqa: S608  # constants only
_HELD: Final = """CASE WHEN EXISTS (
    SELECT 1 FROM repository_file b WHERE b.sha256 = f.sha256 AND b.size = f.size AND (%s)) THEN 1 ELSE 0 END"""


class Increments(Noun):
    """Files of repository versions beside those that are held elsewhere."""

    def files(
        self, key: RepositoryKey, number: int, held: Sequence[tuple[RepositoryKey, int]]
    ) -> Iterator[tuple[RepositoryFile, bool]]:
        """Give the files of a version ordered by path, each with whether one of the held versions has its bytes.

        A page is in memory at a time. Raises NotFoundError for the repository; held versions of repositories that
        are no more count for nothing.
        """
        known = [(found, held_number) for each, held_number in held if (found := find_repository_id(each)) is not None]
        test = _HELD % " OR ".join([_ONE] * len(known)) if known else "0"
        test_values = [value for found, held_number in known for value in (found, held_number, held_number)]
        repository, path = repository_id(key), ""
        while page := execute(_FILES % test, (*test_values, repository, path, number, number, _PAGE)).fetchall():
            for row in page:
                yield read_file(row[:-1]), bool(row[-1])
            path = page[-1][0]
