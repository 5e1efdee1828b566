"""The object identifiers of Red Hat's certificates, below one arc, and how issbox numbers what has no number."""

import re
from typing import Final
from uuid import UUID

from issbox.errors import InvalidValueError

ARC: Final = "1.3.6.1.4.1.2312.9"
PRODUCT: Final = f"{ARC}.1"
CONTENT: Final = f"{ARC}.2"
ORDER: Final = f"{ARC}.4"
CONSUMER: Final = f"{ARC}.5.1"
VERSION: Final = f"{ARC}.6"
PATH_TREE: Final = f"{ARC}.7"
TYPE: Final = f"{ARC}.8"
NAMESPACE: Final = f"{ARC}.9"

CONTENT_TYPES: Final = {"yum": "1", "file": "2", "kickstart": "3"}
"""The types of content that version 1 knows; others are in no such certificate."""

_NUMBER = re.compile(r"0|[1-9][0-9]{0,38}")
_LARGEST: Final = 2**128 - 1


def arc_of(identifier: str, what: str) -> str:
    """Give the number that stands for a product or content in an object identifier.

    Red Hat's ids are numbers already; a UUID becomes its 128-bit number, as ITU-T X.667 does. Raises InvalidValueError,
    naming `what`, for any other id.
    """
    if _NUMBER.fullmatch(identifier) and int(identifier) <= _LARGEST:
        return identifier
    try:
        return str(UUID(identifier).int)
    except ValueError:
        raise InvalidValueError(
            f"{what} has the id {identifier!r}, which is neither a number nor a UUID",
            hint="A certificate of version 1 needs such an id; one of version 3 takes any.",
        ) from None
