"""JSON from outside becomes frozen dataclasses here, and a document that does not fit says where."""

import re
from typing import TypeVar

import msgspec

from issbox.errors import BadManifestError, IssboxError

T = TypeVar("T")

MAX_NUMBER = 2**53 - 1
"""Largest whole number of a bundle: every JSON reader keeps integers exactly up to here."""

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


def _in_words(message: str) -> str:
    match = _PLACE.fullmatch(message)
    what, place = (match["what"], match["place"]) if match else (message, "$")
    what = what.replace("`", "")
    return f"{place}: {what[:1].lower()}{what[1:]}"[:_MAX_MESSAGE]
