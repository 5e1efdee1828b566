"""Events that hooks were told of, so that each is told once."""

from datetime import datetime, timedelta
from typing import Final

from issbox.store.database import Noun, transaction
from issbox.store.tables import NoticeRow

_KEPT: Final = timedelta(days=400)


class Notices(Noun):
    """Events that were told."""

    def add(self, subject: str, at: datetime) -> bool:
        """Write an event down; False when it was there already. Those of long ago are forgotten."""
        with transaction():
            if NoticeRow.select().where(NoticeRow.subject == subject).exists():
                return False
            NoticeRow.delete().where(NoticeRow.told_at < at - _KEPT).execute()
            NoticeRow.insert(subject=subject, told_at=at).execute()
            return True
