"""Columns that both databases keep alike, and the base of all tables."""

from datetime import UTC, datetime
from typing import TypeVar

import msgspec
from peewee import Model, TextField

from issbox.errors import InvalidValueError
from issbox.store.database import SESSION

T = TypeVar("T")


class Text(TextField):
    """Text that both databases can keep: no NUL and no bytes that are not UTF-8."""

    def db_value(self, value: object) -> object:
        """Check the text; raises InvalidValueError."""
        if isinstance(value, str):
            check_text(value)
        return value


class Time(TextField):
    """A time, kept as ISO 8601 in UTC with microseconds: the same in both databases, and it sorts by time."""

    def db_value(self, value: object) -> object:
        """Write the time; a time without a zone is refused with InvalidValueError."""
        if not isinstance(value, datetime):
            return value
        return format_stamp(value)

    def python_value(self, value: str | None) -> datetime | None:
        """Read the time."""
        return None if value is None else datetime.fromisoformat(value)


def check_text(value: str) -> None:
    """Raise InvalidValueError for text that a database cannot keep."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InvalidValueError(f"{value!r} cannot be stored: it is not valid UTF-8") from None
    if "\0" in value:
        raise InvalidValueError(f"{value!r} cannot be stored: it has a NUL character")


def format_stamp(time: datetime) -> str:
    """Write an aware time in the form that the tables and the audit chain keep."""
    if time.tzinfo is None:
        raise InvalidValueError(f"the time {time} has no time zone")
    return time.astimezone(UTC).isoformat(timespec="microseconds")


def to_json(value: object) -> str:
    """Write what a column keeps as JSON: words of issbox.model, in tuples."""
    return msgspec.json.encode(value).decode()


def from_json(text: str, kind: type[T]) -> T:
    """Read what `to_json` wrote."""
    return msgspec.json.decode(text, type=kind)


class Row(Model):
    """Base of all tables: they live in the database of the thread's session."""

    class Meta:
        """Shared settings."""

        database = SESSION
        legacy_table_names = False
