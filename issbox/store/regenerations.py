"""Rows of jobs that issue certificates anew."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from peewee import fn

from issbox.errors import NotFoundError
from issbox.model import Regeneration, RegenerationScope, RegenerationState
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.tables import RegenerationRow


class Regenerations(Noun):
    """Regenerations: what stands in a row survives every crash."""

    def create(self, scope: RegenerationScope, total: int, at: datetime) -> Regeneration:
        """Write down that certificates are to be issued anew."""
        identity = RegenerationRow.insert(
            organization=scope.organization,
            consumer=scope.consumer,
            environment=scope.environment,
            product=scope.product,
            unchanged=scope.unchanged,
            state=RegenerationState.WAITING.value,
            total=total,
            done=0,
            kept=0,
            failed=0,
            position=0,
            created_at=at,
            last_error="",
        ).execute()
        return self.get(int(identity))

    def get(self, job_id: int) -> Regeneration:
        """Give one job; raises NotFoundError."""
        found = _read(RegenerationRow.id == job_id)
        if not found:
            raise NotFoundError(f"there is no regeneration {job_id}", listed="certificate regenerations")
        return found[0]

    def unfinished(self) -> list[Regeneration]:
        """Give the jobs that wait or were running, the oldest first."""
        states = [RegenerationState.WAITING.value, RegenerationState.RUNNING.value]
        return _read(RegenerationRow.state.in_(states))[::-1]

    def state(self, job_id: int) -> RegenerationState:
        """Give the state of a job, which another process may have changed; raises NotFoundError."""
        row = first(RegenerationRow.select(RegenerationRow.state).where(RegenerationRow.id == job_id))
        if row is None:
            raise NotFoundError(f"there is no regeneration {job_id}", listed="certificate regenerations")
        return RegenerationState(row[0])

    def position(self, job_id: int) -> int:
        """Give the position of the entitlement looked at last."""
        row = first(RegenerationRow.select(RegenerationRow.position).where(RegenerationRow.id == job_id))
        return 0 if row is None else int(row[0])

    def set_state(self, job_id: int, state: RegenerationState) -> Regeneration:
        """Change the state of a job; raises NotFoundError."""
        RegenerationRow.update(state=state.value).where(RegenerationRow.id == job_id).execute()
        return self.get(job_id)

    def advance(
        self, job_id: int, *, position: int, done: int, kept: int = 0, failed: int = 0, error: str | None = None
    ) -> None:
        """Write down that so many more have been done; call it in the transaction that did them."""
        changes: dict[str, Any] = {
            "position": position,
            "done": RegenerationRow.done + done,
            "kept": RegenerationRow.kept + kept,
            "failed": RegenerationRow.failed + failed,
        }
        if error is not None:
            changes["last_error"] = error
        RegenerationRow.update(**changes).where(RegenerationRow.id == job_id).execute()

    def forget_ended(self, before: datetime, spared: Collection[int]) -> Sequence[int]:
        """Delete those that ended and were asked for before a time, but not the spared ones, and give their numbers.

        The newest stays: SQLite would give its number to the next one, and a number never means two things.
        """
        ended = [RegenerationState.DONE.value, RegenerationState.CANCELLED.value]
        with transaction():
            newest = RegenerationRow.select(fn.MAX(RegenerationRow.id)).scalar()
            old = RegenerationRow.state.in_(ended) & (RegenerationRow.created_at < before)
            found = [int(number) for (number,) in rows(RegenerationRow.select(RegenerationRow.id).where(old))]
            gone = sorted(set(found).difference(spared, [newest]))
            for number in gone:
                RegenerationRow.delete().where(RegenerationRow.id == number).execute()
        return gone

    def list(self, organization: str | None = None) -> list[Regeneration]:
        """Give jobs, the newest first."""
        return _read(None if organization is None else RegenerationRow.organization == organization)


def _read(condition: Any) -> list[Regeneration]:
    query: Any = RegenerationRow.select()
    if condition is not None:
        query = query.where(condition)
    return [
        Regeneration(
            id=row["id"],
            scope=RegenerationScope(
                row["organization"], row["consumer"], row["environment"], row["product"], bool(row["unchanged"])
            ),
            state=RegenerationState(row["state"]),
            total=row["total"],
            done=row["done"],
            kept=row["kept"],
            failed=row["failed"],
            created_at=row["created_at"],
            last_error=row["last_error"],
        )
        for row in query.order_by(RegenerationRow.id.desc()).dicts()
    ]
