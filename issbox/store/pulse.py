"""Whether anything changed: what a console that shows the store asks again and again."""

from peewee import fn

from issbox.store.database import Noun, first
from issbox.store.tables import AuditRow, ImportRow, JobRow


class Pulse(Noun):
    """A few numbers that are others after every change that people see."""

    def read(self) -> tuple[object, ...]:
        """Give them. Every change is audited, and imports and jobs tell of their progress besides."""
        return (
            *_one(AuditRow.select(fn.MAX(AuditRow.number))),
            *_one(ImportRow.select(fn.COUNT(ImportRow.id), fn.MAX(ImportRow.updated_at))),
            *_one(JobRow.select(fn.COUNT(JobRow.id), fn.MAX(JobRow.updated_at))),
        )


def _one(query: object) -> tuple[object, ...]:
    return first(query) or ()
