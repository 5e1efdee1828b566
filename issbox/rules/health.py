"""What can be wrong with a box, as bits that add up to the exit code of `issbox status --code`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntFlag
from types import MappingProxyType
from typing import Final


class Trouble(IntFlag):
    """Kinds of trouble; the numbers never change their meaning."""

    REFUSED = 1
    WAITING = 2
    SPACE = 4
    CERTIFICATE = 8
    SKIPPED = 16
    SERVICE = 32
    DAMAGED = 64


MEANINGS: Final[Mapping[Trouble, str]] = MappingProxyType(
    {
        Trouble.REFUSED: "a bundle was refused and waits for a person",
        Trouble.WAITING: "a bundle has waited too long for volumes, its base or an approval, or could not be finished",
        Trouble.SPACE: "the store has little free space",
        Trouble.CERTIFICATE: "a certificate has expired or soon will",
        Trouble.SKIPPED: "an export of another box never came",
        Trouble.SERVICE: "the service does not run",
        Trouble.DAMAGED: "stored files are damaged or missing, or the audit log does not hold what was signed",
    }
)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong now."""

    trouble: Trouble
    what: str
    """In words, naming the thing."""


def status_code(problems: Iterable[Problem]) -> int:
    """Give the sum of the bits of these problems, each once: 0 when all is well."""
    code = Trouble(0)
    for problem in problems:
        code |= problem.trouble
    return int(code)


def lacks_space(free: int, total: int, least: int) -> bool:
    """Tell whether a file system has less than `least` bytes or less than one in fifty free."""
    return free < least or free * 50 < total
