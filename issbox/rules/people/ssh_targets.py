"""Boxes that are reached over SSH: their URLs, and the command line of the stock client."""

import ipaddress
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

from issbox.errors import InvalidValueError

_HOST: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}")
"""A host name, an IPv4 address or an alias of ssh_config; never what ssh would take for an option."""
_USER: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@+-]{0,63}")
_OPTION: Final = re.compile(r"([A-Za-z]{2,40})(?: *= *| +)([^\x00-\x1f\x7f]{1,1000})")

HARMLESS_OPTIONS: Final = frozenset(
    {
        "addressfamily",
        "batchmode",
        "compression",
        "connectionattempts",
        "connecttimeout",
        "ipqos",
        "loglevel",
        "serveralivecountmax",
        "serveraliveinterval",
        "tcpkeepalive",
    }
)
"""Options of ssh, in lower case, that run nothing, read no file and trust nobody: a user of the box may give these."""

_OWN_OPTIONS: Final = ("ServerAliveInterval=15", "ServerAliveCountMax=4", "EscapeChar=none", "ForwardX11=no")
"""Given after those of the caller, of which ssh takes the first: a line that is dead is noticed within a minute."""


@dataclass(frozen=True, slots=True)
class SshTarget:
    """Where the SSH server of a box listens."""

    host: str
    """Name, alias or address; an IPv6 address without brackets."""
    user: str | None = None
    port: int | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        user = f"{self.user}@" if self.user is not None else ""
        port = f":{self.port}" if self.port is not None else ""
        return f"ssh://{user}{host}{port}/"


def parse_ssh_target(url: str) -> SshTarget:
    """Read `ssh://[user@]host[:port]/`; raises InvalidValueError saying what is wrong, without showing a password."""
    parts = _split(url)
    if parts is None or parts.scheme != "ssh":
        raise InvalidValueError("the box to push to must be given as ssh://[USER@]HOST[:PORT]/")
    user, at, _ = parts.netloc.rpartition("@")
    if ":" in user:
        raise InvalidValueError(
            "the URL of a box holds no password",
            hint="Use an SSH key; ssh asks for a password itself when it needs one.",
        )
    if parts.path not in {"", "/"} or parts.query or parts.fragment:
        raise InvalidValueError("the URL of a box names a server and nothing on it: ssh://[USER@]HOST[:PORT]/")
    host = parts.hostname or ""
    # `hostname` is in lower case, but an alias of ssh_config is not.
    host = host if ":" in host else parts.netloc.rpartition("@")[2].partition(":")[0]
    if not (_is_ipv6(host) if ":" in host else _HOST.fullmatch(host)):
        raise InvalidValueError(f"{host[:100]!r} cannot be the name or address of a box")
    if at and _USER.fullmatch(user) is None:
        raise InvalidValueError(f"{user[:100]!r} cannot be a user of SSH")
    return SshTarget(host, user if at else None, parts.port)


def check_ssh_option(text: str) -> str:
    """Give an option of ssh as `Name=value`, or raise InvalidValueError."""
    match = _OPTION.fullmatch(text)
    if match is None:
        raise InvalidValueError(f"{text[:100]!r} is not an option of ssh such as BatchMode=yes")
    return f"{match[1]}={match[2]}"


def is_harmless(option: str) -> bool:
    """Tell whether any user of the box may give an option of ssh."""
    return option.partition("=")[0].lower() in HARMLESS_OPTIONS


def ssh_command(target: SshTarget, words: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Give the words that run a command on the far side, quoted so that its shell changes none of them."""
    made = ["ssh", "-T", *(part for option in (*options, *_OWN_OPTIONS) for part in ("-o", option))]
    if target.port is not None:
        made += ["-p", str(target.port)]
    if target.user is not None:
        made += ["-l", target.user]
    return [*made, "--", target.host, shlex.join(words)]


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _split(url: str) -> SplitResult | None:
    if any(not " " < character < "\x7f" for character in url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises ValueError when it is no number
    except ValueError:
        return None
    return parts
