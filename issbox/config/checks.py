"""Checks of single values of the configuration file."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from ipaddress import ip_network

from issbox.errors import InvalidValueError
from issbox.names import parse_size
from issbox.rules.bundles.layout import LAYOUT_FIELDS, layout_problem
from issbox.rules.serving import parse_listen, parse_site

Check = Callable[[object], object]
"""Gives the checked value, or raises ValueError with what was expected."""


def show_value(value: object) -> str:
    """Say what was found, in the words of TOML and short enough for one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else value[:77] + "...")
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number beyond any sense"
    return str(value)


def _text(value: object, expected: str) -> str:
    if not isinstance(value, str) or any(unicodedata.category(c) in {"Cc", "Cs"} for c in value):
        raise ValueError(expected)
    return value


def path(value: object) -> str:
    """Check a path, which may be relative to the file or empty."""
    expected = "an absolute path or one relative to the file ('~' is not understood), or empty text for the usual place"
    if _text(value, expected).startswith("~"):
        raise ValueError(expected)
    return str(value)


def layout(value: object) -> str:
    """Check a template of directories, such as `{organization}/{destination}`."""
    fields = ", ".join(f"{{{name}}}" for name in LAYOUT_FIELDS)
    text = _text(value, f"directories made of {fields} and text, or empty text")
    problem = layout_problem(text)
    if problem is not None:
        raise ValueError(f"directories made of {fields} and text ({problem})")
    return text


def flag(value: object) -> bool:
    """Check a switch."""
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def whole(least: int, most: int) -> Check:
    """Make the check of a whole number."""

    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def seconds(least: float, most: float) -> Check:
    """Make the check of a number of seconds, whole or not."""

    def check(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        return float(value)

    return check


def size(*, zero: bool) -> Check:
    """Make the check of a size in text such as `500GiB`; it gives bytes, and 0 only when `zero` allows it."""
    expected = "a size such as 500GiB" + (", or 0 for no limit" if zero else ", more than 0")

    def check(value: object) -> int:
        try:
            found = parse_size(_text(value, expected + " (as text)"))
        except (InvalidValueError, OverflowError):
            raise ValueError(expected) from None
        if found == 0 and not zero:
            raise ValueError(expected)
        return found

    return check


def choice(*choices: str) -> Check:
    """Make the check of one of a few words."""

    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value

    return check


def url(*schemes: str) -> Check:
    """Make the check of a URL with one of these schemes, or empty text."""
    expected = "empty text, or a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes)

    def check(value: object) -> str:
        text = _text(value, expected)
        if text and not any(text.startswith(f"{scheme}://") and len(text) > len(scheme) + 3 for scheme in schemes):
            raise ValueError(expected)
        return text

    return check


def word(value: object) -> str:
    """Check a name without spaces, or empty text."""
    expected = "a name without spaces, or empty text"
    text = _text(value, expected)
    if any(character.isspace() for character in text):
        raise ValueError(expected)
    return text


def several(one: Callable[[str], object], expected: str) -> Check:
    """Make the check of a list of texts, each of which `one` reads or refuses; it gives a tuple of what was read."""

    def check(value: object) -> tuple[object, ...]:
        if not isinstance(value, list):
            raise ValueError(f"a list of texts, each {expected}")
        try:
            return tuple(one(_text(each, expected)) for each in value)
        except (InvalidValueError, ValueError):
            raise ValueError(f"a list of texts, each {expected}") from None

    return check


listen = several(parse_listen, 'ADDRESS:PORT such as "0.0.0.0:8443" or "[::]:8443"')
"""Checks the addresses of a server."""
sites = several(parse_site, "HOST=ORGANIZATION/ENVIRONMENT or ADDRESS:PORT=ORGANIZATION/ENVIRONMENT")
"""Checks the hosts at whose root an environment is served."""
networks = several(ip_network, 'an address or network such as "192.0.2.0/24"')
"""Checks IP networks."""


def _host_name(text: str) -> str:
    if not text or len(text) > 253 or any(character.isspace() or character in "/=," for character in text):
        raise ValueError("no host name")
    return text


names = several(_host_name, "a host name or an IP address")
"""Checks the names of a server."""


def words(*choices: str) -> Check:
    """Make the check of a list of texts, each one of the choices if there are any; it gives a tuple."""
    expected = "a list of texts" + (f", each one of {', '.join(choices)}" if choices else "")

    def check(value: object) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise ValueError(expected)
        found = tuple(_text(each, expected) for each in value)
        if any(not each or (choices and each not in choices) for each in found):
            raise ValueError(expected)
        return found

    return check


def mail_address(value: object) -> str:
    """Check an address for mail, such as ops@example.com, or empty text."""
    expected = "empty text, or one mail address such as ops@example.com"
    text = _text(value, expected)
    if text and re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._+-]{0,63}(@[A-Za-z0-9][A-Za-z0-9.-]{0,250})?", text) is None:
        raise ValueError(expected)
    return text
