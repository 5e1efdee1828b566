"""The SQL that keeps files as ranges of versions: set by set, never row by row."""

from collections.abc import Iterable
from typing import Final

from issbox.store.database import execute, whole_sets
from issbox.store.drafts import GONE, SAME
from issbox.store.repositories import drop_unused_packages
from issbox.store.tables import PACKAGE_COLUMNS

_PACKAGE: Final = ", ".join(PACKAGE_COLUMNS)
_DRAFT_PACKAGE: Final = ", ".join(f"d.{column}" for column in PACKAGE_COLUMNS)
_SAME_PACKAGE: Final = " AND ".join(f"p.{column} = d.{column}" for column in PACKAGE_COLUMNS)
_NOT_LIVE: Final = """NOT EXISTS (
    SELECT 1 FROM repository_file f WHERE f.repository_id = ? AND f.path = d.path AND f.removed_in IS NULL)"""

_CLOSE: Final = f"""
    UPDATE repository_file AS f SET removed_in = ?
    WHERE f.repository_id = ? AND f.removed_in IS NULL AND NOT EXISTS (
        SELECT 1 FROM draft_file d WHERE d.draft_id = ? AND d.path = f.path AND {SAME})
"""  # noqa: S608  # constants only
_CLOSE_CHANGED: Final = f"""
    UPDATE repository_file AS f SET removed_in = ?
    WHERE f.repository_id = ? AND f.removed_in IS NULL
    AND f.path IN (SELECT path FROM draft_file WHERE draft_id = ?) AND NOT EXISTS (
        SELECT 1 FROM draft_file d WHERE d.draft_id = ? AND d.path = f.path AND {SAME})
"""  # noqa: S608  # constants only
_ADD_PACKAGES: Final = f"""
    INSERT INTO package ({_PACKAGE}) SELECT DISTINCT {_DRAFT_PACKAGE} FROM draft_file d
    WHERE d.draft_id = ? AND d.checksum IS NOT NULL AND {_NOT_LIVE}
    ON CONFLICT DO NOTHING
"""  # noqa: S608  # constants only
_OPEN: Final = f"""
    INSERT INTO repository_file (repository_id, path, size, sha256, kind, package_id, added_in, removed_in)
    SELECT ?, d.path, d.size, d.sha256, d.kind, p.id, ?, NULL
    FROM draft_file d LEFT JOIN package p ON {_SAME_PACKAGE}
    WHERE d.draft_id = ? AND d.kind <> '{GONE}' AND {_NOT_LIVE}
"""  # noqa: S608  # constants only
_DROP: Final = """
    DELETE FROM repository_file WHERE repository_id = ? AND removed_in IS NOT NULL AND NOT EXISTS (
        SELECT 1 FROM repository_version v WHERE v.repository_id = repository_file.repository_id
        AND v.number >= repository_file.added_in AND v.number < repository_file.removed_in)
"""


def close_and_open(repository: int, draft: int, number: int, *, based: bool = False) -> None:
    """Make the files of the draft those of version `number`, which is to be the newest.

    What is not in the draft, or differs there, ends before this version; what is new begins with it; what is the same
    is not touched. A draft based on the version before says what goes, and only its files are looked at. Call it in a
    transaction.
    """
    with whole_sets():
        if based:
            execute(_CLOSE_CHANGED, (number, repository, draft, draft))
        else:
            execute(_CLOSE, (number, repository, draft))
        execute(_ADD_PACKAGES, (draft, repository))
        execute(_OPEN, (repository, number, draft, repository))


def drop_unneeded(repositories: Iterable[int]) -> None:
    """Delete the ranges of repositories that no version lies in, and packages that nothing refers to any more."""
    with whole_sets():
        if sum(execute(_DROP, (repository,)).rowcount for repository in repositories):
            drop_unused_packages()
