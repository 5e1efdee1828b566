"""What commands show of a thing: one declaration gives the JSON document, the table, the details and the reference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Generic, TypeVar

from issbox.names import format_size, format_time

T = TypeVar("T")


# Without slots: a frozen generic class with slots cannot be made as `Shape[Box](...)` in Python 3.11.
@dataclass(frozen=True)
class Field(Generic[T]):
    """One fact about a thing."""

    name: str
    """Key of the JSON object; details show it with spaces."""
    meaning: str
    get: Callable[[T], object]
    column: bool = False
    """Whether tables have a column for it."""
    show: Callable[[object], str] | None = None
    """How people see it; by default as `for_people` writes it."""


@dataclass(frozen=True)
class Shape(Generic[T]):
    """All that is shown of one kind of thing."""

    name: str
    fields: tuple[Field[T], ...]

    def document(self, thing: T) -> dict[str, object]:
        """Give the JSON object: times as ISO 8601 in UTC, sizes in bytes."""
        return {field.name: for_json(field.get(thing)) for field in self.fields}

    def headings(self) -> list[str]:
        """Give the headings of a table."""
        return [field.name.replace("_", " ").upper() for field in self.fields if field.column]

    def row(self, thing: T) -> list[str]:
        """Give the cells of a table's row."""
        return [_cell(field, thing) for field in self.fields if field.column]

    def details(self, thing: T) -> list[tuple[str, str]]:
        """Give name and value of every field for people."""
        return [(field.name.replace("_", " "), _cell(field, thing)) for field in self.fields]


def _cell(field: Field[T], thing: T) -> str:
    value = field.get(thing)
    return field.show(value) if field.show is not None and value is not None else for_people(value)


def for_json(value: object) -> object:
    """Give a value as JSON has it."""
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return {str(key): for_json(each) for key, each in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [for_json(each) for each in value]
    if isinstance(value, Path):
        return str(value)
    return value


def for_people(value: object) -> str:
    """Give a value as people read it; nothing at all is empty text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return format_time(value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {for_people(each)}" for key, each in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(for_people(each) for each in value)
    return str(value)


def size(value: object) -> str:
    """Show bytes as MiB or GiB."""
    return format_size(value) if isinstance(value, int) else str(value)


def sizes(value: object) -> str:
    """Show several sizes, those that are the same and follow each other together: `3 x 4.4 GiB, 1.2 GiB`."""
    runs = [(shown, len(list(same))) for shown, same in groupby(value if isinstance(value, list | tuple) else (), size)]
    return ", ".join(shown if count == 1 else f"{count} x {shown}" for shown, count in runs)


def fingerprint(value: object) -> str:
    """Show a key id in groups, so that two people can compare it aloud."""
    from issbox.bundle.signature import format_fingerprint

    return format_fingerprint(str(value))
