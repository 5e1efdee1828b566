"""When each stored file was hashed last and what came of it, so that a scrub goes on where the last one ended."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from issbox.store.database import Noun, execute, execute_many, transaction
from issbox.store.tables.columns import format_stamp

_PAGE: Final = 500


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file that some repository version needs."""

    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class DamagedFile:
    """A file that was missing, or not what its name says, when it was looked at last."""

    sha256: str
    size: int
    repository: str
    """`organization/product/repository` of one that needs it."""
    path: str
    """Where it lies in that repository."""
    checked_at: datetime


class BlobChecks(Noun):
    """Checks of stored files."""

    def due(self, before: datetime) -> Iterator[list[StoredFile]]:
        """Give the needed files that were not looked at since this time, those never looked at first, then the oldest.

        In pages of up to 500: `record` what was found of a page before asking for the next, which goes by it.
        """
        stamp = format_stamp(before)
        after = ""
        while found := execute(_NEVER, (after, _PAGE)).fetchall():
            yield [StoredFile(*row) for row in found]
            after = found[-1][0]
        while found := execute(_OLDEST, (stamp, _PAGE)).fetchall():
            yield [StoredFile(*row) for row in found]

    def record(self, results: Sequence[tuple[str, bool]], at: datetime) -> None:
        """Write down which of these files are sound."""
        with transaction():
            execute_many("DELETE FROM blob_check WHERE sha256 = ?", [(sha256,) for sha256, _ in results])
            rows = [(sha256, format_stamp(at), sound) for sha256, sound in results]
            execute_many("INSERT INTO blob_check (sha256, checked_at, sound) VALUES (?, ?, ?)", rows)

    def forget(self) -> None:
        """Forget files that no repository needs any more."""
        with transaction():
            execute(
                "DELETE FROM blob_check WHERE NOT EXISTS"
                " (SELECT 1 FROM repository_file f WHERE f.sha256 = blob_check.sha256)"
            )

    def damaged(self, limit: int | None = None) -> list[DamagedFile]:
        """Give the damaged files that are still needed, by digest."""
        found = execute(_DAMAGED + (" LIMIT ?" if limit is not None else ""), (False, *([limit] if limit else [])))
        return [
            DamagedFile(sha256, size, f"{organization}/{product}/{label}", path, datetime.fromisoformat(at))
            for sha256, size, organization, product, label, path, at in found.fetchall()
        ]

    def count_damaged(self) -> int:
        """Give the number of damaged files that are still needed."""
        found = execute(
            "SELECT COUNT(*) FROM blob_check c WHERE c.sound = ?"
            " AND EXISTS (SELECT 1 FROM repository_file f WHERE f.sha256 = c.sha256)",
            (False,),
        )
        return int(found.fetchone()[0])

    def needed(self) -> Iterator[StoredFile]:
        """Give every file that a repository version needs, by digest, a page in memory at a time."""
        after = ""
        while found := execute(_ALL, (after, 2 * _PAGE)).fetchall():
            yield from (StoredFile(*row) for row in found)
            after = found[-1][0]

    def is_needed(self, sha256: str) -> bool:
        """Tell whether a repository version needs this file."""
        return execute("SELECT 1 FROM repository_file WHERE sha256 = ? LIMIT 1", (sha256,)).fetchone() is not None


_NEVER: Final = """
    SELECT f.sha256, MAX(f.size) FROM repository_file f LEFT JOIN blob_check c ON c.sha256 = f.sha256
    WHERE f.sha256 > ? AND c.sha256 IS NULL GROUP BY f.sha256 ORDER BY f.sha256 LIMIT ?"""
_OLDEST: Final = """
    SELECT c.sha256, (SELECT MAX(f.size) FROM repository_file f WHERE f.sha256 = c.sha256) FROM blob_check c
    WHERE c.checked_at < ? AND EXISTS (SELECT 1 FROM repository_file f WHERE f.sha256 = c.sha256)
    ORDER BY c.checked_at, c.sha256 LIMIT ?"""
_ALL: Final = """
    SELECT f.sha256, MAX(f.size) FROM repository_file f WHERE f.sha256 > ?
    GROUP BY f.sha256 ORDER BY f.sha256 LIMIT ?"""
_DAMAGED: Final = """
    SELECT c.sha256, f.size, o.label, p.label, r.label, f.path, c.checked_at
    FROM blob_check c
    JOIN repository_file f ON f.id = (SELECT MIN(g.id) FROM repository_file g WHERE g.sha256 = c.sha256)
    JOIN repository r ON r.id = f.repository_id JOIN product p ON p.id = r.product_id
    JOIN organization o ON o.id = r.organization_id
    WHERE c.sound = ? ORDER BY c.sha256"""
