"""Rules for labels, paths, digests, times and sizes: what is valid, and one way to write each."""

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from issbox.errors import InvalidValueError, UnsafePathError

LABEL_RULE = "1 to 128 letters, digits, '-' or '_'"
_LONGEST_DESCRIPTION = 2000
_LABEL = re.compile(r"[A-Za-z0-9_-]{1,128}")
USER_NAME_RULE = "1 to 64 of a-z, 0-9, '.', '_', '@' and '-', beginning with a letter or digit"
RESERVED_USER_NAMES = frozenset({"inbox", "issbox", "root", "unknown"})
"""Names that stand for accounts of the system, for the service or for nobody in the audit log."""
_USER_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")
_VIEW_VERSION = re.compile(r"(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8})")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SIZE = re.compile(r"(\d{1,18}(?:\.\d{1,18})?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB")

MAX_PATH_BYTES = 1024
"""Longest relative path, in bytes of UTF-8; leaves room for a root directory below PATH_MAX (4096)."""
MAX_SEGMENT_BYTES = 255
"""NAME_MAX of the usual Linux file systems."""
_PLAIN_PATH = re.compile(
    r"[A-Za-z0-9_+~^%@=-][A-Za-z0-9_+~^%@=.-]{0,99}(?:/[A-Za-z0-9_+~^%@=-][A-Za-z0-9_+~^%@=.-]{0,99}){0,9}"
)
"""What nearly all paths look like, and none of these is unsafe: one match instead of many questions."""
_FORBIDDEN_SEGMENTS = frozenset({"", ".", ".."})


def is_label(text: str) -> bool:
    """Tell whether text may stand as a label in paths and metadata."""
    return _LABEL.fullmatch(text) is not None


def check_label(text: str, what: str = "label") -> str:
    """Give the label back, or raise InvalidValueError saying what a label is."""
    if not is_label(text):
        raise InvalidValueError(f"{what} {text[:200]!r} is not valid: it must be {LABEL_RULE}")
    return text


def make_label(name: str) -> str:
    """Derive a label from a name for people; raises InvalidValueError when nothing usable is left."""
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    label = re.sub(r"[^A-Za-z0-9_-]+", "_", folded).strip("_")[:128]
    return check_label(label, f"label made from the name {name[:200]!r}")


def check_name(text: str, what: str = "name") -> str:
    """Give the name for people back; it is one line of at most 255 characters without control characters."""
    if not text.strip() or len(text) > 255 or has_control_codes(text):
        raise InvalidValueError(
            f"{what} {text[:200]!r} is not valid: it must be one line of 1 to 255 printable characters"
        )
    return text


def check_description(text: str, what: str) -> str:
    """Give a description back: up to 2000 characters, lines and tabs among them, and no other control characters."""
    if len(text) > _LONGEST_DESCRIPTION:
        raise InvalidValueError(f"a {what} description may have {_LONGEST_DESCRIPTION} characters, not {len(text)}")
    if has_control_codes(text.replace("\n", "").replace("\t", "")):
        raise InvalidValueError(f"a {what} description may not have control characters")
    return text


def is_user_name(text: str) -> bool:
    """Tell whether text may be the name of a user."""
    return _USER_NAME.fullmatch(text) is not None and text not in RESERVED_USER_NAMES


def check_user_name(text: str) -> str:
    """Give the name of a user back, or raise InvalidValueError saying what one is.

    Lower case only, so that no two users look alike but for it; no character that a shell, an authorized_keys file or
    HTTP's `name:password` takes for something else.
    """
    if text in RESERVED_USER_NAMES:
        raise InvalidValueError(f"the user name {text} is taken by the system itself")
    if not is_user_name(text):
        raise InvalidValueError(f"user name {text[:200]!r} is not valid: it must be {USER_NAME_RULE}")
    return text


def check_view_version(text: str, what: str = "content view version") -> str:
    """Give the number of a content view version back, for example `3.0`, or raise InvalidValueError."""
    if _VIEW_VERSION.fullmatch(text) is None:
        raise InvalidValueError(f"{what} {text!r} is not valid: it must be MAJOR.MINOR, such as 3.0")
    return text


def has_control_codes(text: str) -> bool:
    """Tell whether text has what a terminal may act on, what turns it around, or what nobody can encode."""
    # Printable text has none of them; asking that first keeps issuing certificates to a hundred thousand hosts quick.
    return not text.isprintable() and any(unicodedata.category(c) in {"Cc", "Cf", "Cs"} for c in text)


def is_sha256(text: str) -> bool:
    """Tell whether text is a SHA-256 digest in lower-case hexadecimal."""
    return _SHA256.fullmatch(text) is not None


def path_problem(path: str) -> str | None:
    """Say why a relative path is unsafe, or None when it is safe.

    Safe is: relative, normalized, `/` between segments, no `.` or `..`, no control characters, no backslash,
    encodable, and short enough for the usual file systems.
    """
    if _PLAIN_PATH.fullmatch(path):
        return None
    segments = path.split("/")
    reason: str | None = None
    try:
        encoded = [segment.encode() for segment in segments]
    except UnicodeEncodeError:
        return "it is not valid UTF-8"
    if path.startswith("/"):
        reason = "it is absolute"
    elif ".." in segments:
        reason = "it has a '..' segment"
    elif _FORBIDDEN_SEGMENTS.intersection(segments):
        reason = "it is not normalized"
    elif "\\" in path or _has_control_character(path):
        reason = "it has a backslash or a control character"
    elif sum(map(len, encoded)) + len(encoded) > MAX_PATH_BYTES or max(map(len, encoded)) > MAX_SEGMENT_BYTES:
        reason = "it is too long"
    return reason


def _has_control_character(text: str) -> bool:
    # Control characters are never printable; asking that first keeps a table of a million paths quick.
    return not text.isprintable() and any(unicodedata.category(c) == "Cc" for c in text)


def check_relative_path(path: str) -> str:
    """Give a safe relative path back, or raise UnsafePathError saying why it is not."""
    reason = path_problem(path)
    if reason is not None:
        raise UnsafePathError(f"the path {path[:200]!r} is not allowed: {reason}")
    return path


def clash_key(path: str) -> str:
    """Give the form in which two paths collide on a file system that ignores case or Unicode form."""
    if path.isascii():
        return path.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def parse_time(text: str) -> datetime:
    """Read an ISO 8601 time; a time without a zone is refused, since two sides of a gap may be in two zones."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValueError(f"{text!r} is not an ISO 8601 time such as 2026-11-01T00:00:00Z") from None
    if time.tzinfo is None:
        raise InvalidValueError(f"the time {text!r} has no time zone: write 2026-11-01T00:00:00Z or +01:00")
    return time.astimezone(UTC)


def format_time(time: datetime) -> str:
    """Write a time as ISO 8601 in UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plural(number: int, noun: str) -> str:
    """Give `1 package`, `3 packages`, `2 days` or `2 advisories`."""
    if number == 1:
        return f"1 {noun}"
    ends_in_ies = noun.endswith("y") and noun[-2:-1] not in "aeiou"
    return f"{number} {noun[:-1]}ies" if ends_in_ies else f"{number} {noun}s"


def first_of(names: Sequence[str], most: int) -> str:
    """Give the first names, and how many more there are: `a, b and 3 more`."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


def parse_size(text: str) -> int:
    """Read a size such as `4380MiB`, `4G` or `1500` and give bytes; K, M, G and T are powers of 1024."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise InvalidValueError(f"{text!r} is not a size such as 4380MiB, 25GiB or 1500000")
    return int(float(match[1]) * 1024 ** " KMGT".index(match[2].upper() or " "))


def format_size(size: float) -> str:
    """Write bytes for people, for example 1.5 GiB."""
    unit = 0
    while abs(size) >= 1024 and unit < len(_UNITS) - 1:
        size /= 1024
        unit += 1
    return f"{size:.0f} B" if unit == 0 else f"{size:.1f} {_UNITS[unit]}"
