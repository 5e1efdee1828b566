"""Which contents a host's processor can use."""

from collections.abc import Collection
from typing import Final

_ANY: Final = frozenset({"all", "noarch", "src"})
"""Architectures of contents that every host may have."""
_X86: Final = frozenset({"i386", "i486", "i586", "i686"})


def fits(content: Collection[str], host: Collection[str]) -> bool:
    """Tell whether a content with these architectures is for a host that runs those.

    A content that names none, and a host that did not say, fit each other always. `x86` stands for the 32-bit
    processors from i386 to i686, which run each other's packages.
    """
    if not content or not host:
        return True
    wanted = {each.lower() for each in content}
    return bool(wanted & _ANY) or bool(_widened(wanted) & _widened({each.lower() for each in host}))


def _widened(arches: set[str]) -> set[str]:
    return arches | _X86 if arches & (_X86 | {"x86"}) else arches
