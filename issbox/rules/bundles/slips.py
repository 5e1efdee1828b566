"""What a re-request slip asks for: numbers as ranges, and how much of a volume's damage it lists."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Final

from issbox.errors import BadSlipError
from issbox.model import SlipItem, SlipReason

MAX_SLIP_NUMBER: Final = 999_999
"""Highest number of a volume or chunk."""
MAX_ITEMS: Final = 100_000
"""Volumes or chunks in one slip."""
MAX_FILES: Final = 100
"""Files listed of one volume; with more the whole volume is asked for."""
_RANGE: Final = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?")


def format_ranges(numbers: Iterable[int]) -> str:
    """Write numbers as ranges, for example `3,7-9`."""
    ordered = sorted(set(numbers))
    ends = [place for place, (one, other) in enumerate(pairwise(ordered), start=1) if other != one + 1]
    runs = [ordered[start:end] for start, end in zip([0, *ends], [*ends, len(ordered)], strict=True)]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs if run)


def parse_ranges(text: str) -> tuple[int, ...]:
    """Read ranges such as `3,7-9`, ascending and each number once; raises BadSlipError."""
    numbers: list[int] = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part)
        if match is None:
            raise BadSlipError(f"{text[:60]!r} is not a list of numbers such as 3,7-9")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first or (numbers and first <= numbers[-1]):
            raise BadSlipError(f"the numbers {text[:60]!r} do not ascend")
        if len(numbers) + last - first >= MAX_ITEMS:
            raise BadSlipError(f"the slip asks for more than {MAX_ITEMS} volumes")
        numbers.extend(range(first, last + 1))
    return tuple(numbers)


def bundle_tag(bundle_id: str) -> str:
    """Give the 6 digits that stand for a bundle in the short text of a slip."""
    return hashlib.sha256(bundle_id.encode()).hexdigest()[:6]


def slip_items(
    missing: Iterable[int], damaged: Mapping[int, Sequence[str]], details: Mapping[int, str] | None = None
) -> tuple[SlipItem, ...]:
    """Make the items of a slip from the numbers of missing volumes and the damaged files of others.

    A damaged volume without files, or with more than 100 of them, is asked for as a whole; so is one that is missing.
    """
    said = details or {}
    items = {
        number: SlipItem(number=number, reason=SlipReason.MISSING, detail=said.get(number, "")) for number in missing
    }
    for number, files in damaged.items():
        listed = tuple(sorted(set(files))) if len(set(files)) <= MAX_FILES else ()
        damage = SlipItem(number=number, reason=SlipReason.DAMAGED, detail=said.get(number, ""), files=listed)
        items.setdefault(number, damage)
    return tuple(items[number] for number in sorted(items))
