"""JSON from outside becomes frozen dataclasses here, and a document that does not fit says where."""

import re
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from issbox.errors import BadManifestError, IssboxError, NewerFormatError

T = TypeVar("T")

MAX_NUMBER = 2**53 - 1
"""Largest whole number of a bundle: every JSON reader keeps integers exactly up to here."""


@dataclass(frozen=True, slots=True)
class _Head:
    format: str
    format_version: int


_HEAD = msgspec.json.Decoder(_Head)
_PLACE = re.compile(r"(?P<what>.*) - at `(?P<place>.*)`", re.DOTALL)
_MAX_MESSAGE = 300


def decode(
    decoder: msgspec.json.Decoder[T], data: bytes, where: str, refusal: type[IssboxError] = BadManifestError
) -> T:
    """Decode one JSON document; raises the refusal, such as `WHERE: $.bundle.id: expected str, got int`."""
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        raise refusal(f"{where}: {_in_words(str(error))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise refusal(f"{where}: this is not JSON in UTF-8: {error}"[:_MAX_MESSAGE]) from None
    except RecursionError:
        raise refusal(f"{where}: the JSON is nested too deeply") from None


def check_format(
    data: bytes,
    where: str,
    name: str,
    newest: int,
    *,
    called: str = "",
    refusal: type[IssboxError] = BadManifestError,
    newer: type[IssboxError] = NewerFormatError,
) -> None:
    """Check what every version of every format has in the same place: its name, and a version that is known here.

    `called` is what a message about a newer version calls the document. Raises `newer`, and the refusal.
    """
    head = decode(_HEAD, data, where, refusal)
    if head.format != name:
        raise refusal(f"{where}: $.format: expected {name}, got {head.format[:100]!r}")
    if head.format_version > newest:
        raise newer(f"{called or where} has format version {head.format_version}, this issbox reads up to {newest}")
    if head.format_version < 1:
        raise refusal(f"{where}: $.format_version: expected 1 or more, got {head.format_version}")


def _in_words(message: str) -> str:
    match = _PLACE.fullmatch(message)
    what, place = (match["what"], match["place"]) if match else (message, "$")
    what = what.replace("`", "")
    return f"{place}: {what[:1].lower()}{what[1:]}"[:_MAX_MESSAGE]
