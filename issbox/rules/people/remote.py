"""What a person who comes in over SSH may ask for: words of one issbox command, and no file of the box.

The text is what sshd puts into SSH_ORIGINAL_COMMAND (sshd(8)). No shell ever sees it: it is split into words as a
shell would, and whatever a shell would do beyond that is text.
"""

import re
import shlex
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from issbox.errors import RemoteRefusedError

LONGEST: Final = 16 << 10
"""Characters of a command."""
_PROGRAM: Final = "issbox"

NEVER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "init": "it makes a box",
        "serve": "it runs the service",
        "ssh": "it is what lets users in",
        "backup": "it reads the keys of the box",
        "restore": "it replaces the box",
        "doctor": "it looks at the files of the box",
        "notify": "it runs programs of the box",
    }
)
"""Commands of the first level that are for the account that owns the box, and why."""

_PLAIN: Final = frozenset(
    {
        "ARCH", "BOOLEAN", "CODE", "CONTENT", "CONTENT-PATH", "CVE", "DATE", "DAYS", "FINGERPRINT", "HOST", "ID", "KEY",
        "LABEL", "NAME", "NAME=VALUE", "NUMBER", "PATTERN", "PREFIX", "PRODUCT/LABEL", "RELEASE", "SECONDS", "SERIAL",
        "SIZE", "SSH-URL", "TEXT", "TIME", "TYPE", "USER", "UUID", "VERSION", "WORD",
    }
)  # fmt: skip
"""Metavars of values that name no file; every other one is taken for a file."""

_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_WEB: Final = ("http://", "https://")


def split_command(text: str) -> list[str]:
    """Give the words of a command, without a leading `issbox`; raises RemoteRefusedError for what is none."""
    if len(text) > LONGEST:
        raise RemoteRefusedError(f"the command has {len(text)} characters; {LONGEST} are accepted")
    if not text.isprintable():
        raise RemoteRefusedError("the command has characters that cannot be printed")
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise RemoteRefusedError(f"the command cannot be split into words: {error}") from None
    return words[1:] if words[:1] == [_PROGRAM] else words


def value_problem(metavar: str, value: str) -> str | None:
    """Say why somebody who comes in over SSH may not give this value, or None when it is harmless.

    A file is `-`, standard input or output, which come and go through SSH; an address must be one of the web, since
    `file://` would read the box's own files.
    """
    kinds = set(metavar.strip("[].").split("|"))
    if value == "-" or kinds <= _PLAIN:
        return None
    if kinds == {"URL"}:
        web = value == "" or value.lower().startswith(_WEB)
        return None if web else f"{value[:200]!r} is not an address that begins with http:// or https://"
    if "ID" in kinds and _NUMBER.fullmatch(value):
        return None
    return f"{value[:200]!r} may be a file of the box"
