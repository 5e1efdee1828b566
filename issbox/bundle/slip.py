"""Re-request slips as JSON, as a letter for people, and as short text that can be read out and typed."""

import re
from datetime import datetime
from typing import Final, NoReturn

import msgspec

from issbox.bundle.decoding import MAX_NUMBER, check_format, decode
from issbox.errors import BadSlipError, InvalidValueError, MistypedError
from issbox.model import (
    SLIP_FORMAT,
    SLIP_FORMAT_VERSION,
    ShortSlip,
    Slip,
    SlipForm,
    SlipItem,
    SlipReason,
)
from issbox.names import check_label, check_name, format_time, path_problem
from issbox.rules.bundles.slips import MAX_FILES, MAX_ITEMS, MAX_SLIP_NUMBER, bundle_tag, format_ranges, parse_ranges
from issbox.rules.bundles.typed_text import CHECK_CHARACTERS, check_characters, encode, tidy
from issbox.rules.bundles.typed_text import decode as decode_number

MAX_SLIP: Final = 16 << 20
"""Bytes of a slip's JSON."""
SHORT_SLIP_PREFIX: Final = "IS1/"
SLIP_SUFFIX: Final = ".slip.json"
_LETTERS: Final = {SlipForm.VOLUMES: "V", SlipForm.CHUNKS: "C"}
_SHORT: Final = re.compile(r"([0-9A-Z]{5})/([0-9]{1,16})([VC])/([0-9,-]{1,4000})/([0-9A-Z]{5})")
_TAG_BITS: Final = 24
_MAX_DETAIL: Final = 1000
_SLIP = msgspec.json.Decoder(Slip)


def encode_slip(slip: Slip) -> bytes:
    """Give a slip as JSON with two spaces of indent."""
    return msgspec.json.format(msgspec.json.encode(slip), indent=2) + b"\n"


def decode_slip(data: bytes) -> Slip:
    """Read a slip's JSON; raises BadSlipError naming the field. A slip is not signed: it asks, and changes nothing."""
    if len(data) > MAX_SLIP:
        raise BadSlipError(f"the slip has more than {MAX_SLIP} bytes")
    check_format(data, "slip", SLIP_FORMAT, SLIP_FORMAT_VERSION, refusal=BadSlipError, newer=BadSlipError)
    slip = decode(_SLIP, data, "slip", BadSlipError)
    _check_head(slip)
    if not 1 <= len(slip.items) <= MAX_ITEMS:
        _refuse("$.items", f"expected 1 to {MAX_ITEMS}")
    previous = -1 if slip.form is SlipForm.CHUNKS else 0
    for index, item in enumerate(slip.items):
        _check_item(f"$.items[{index}]", item, previous)
        previous = item.number
    return slip


def encode_short_slip(slip: Slip) -> str:
    """Give a slip as short text: bundle, sequence number, volumes or chunks, and a checksum.

    Reasons and files are left out: each volume is asked for as a whole.
    """
    tag = encode(int(bundle_tag(slip.bundle_id), 16), 5)
    text = f"{SHORT_SLIP_PREFIX}{tag}/{slip.sequence}{_LETTERS[slip.form]}/{format_ranges(slip.numbers)}"
    return f"{text}/{check_characters(text)}"


def decode_short_slip(text: str) -> ShortSlip:
    """Read the short text of a slip in any case and with spaces anywhere; raises MistypedError and BadSlipError."""
    body = tidy("".join(text.split())[len(SHORT_SLIP_PREFIX) :])
    match = _SHORT.fullmatch(body)
    if match is None:
        raise MistypedError("the text of the slip does not have the form IS1/TAG/12V/3,7-9/CHECK")
    tag, sequence, letter, ranges, check = match.groups()
    sum_of = check_characters(f"{SHORT_SLIP_PREFIX}{body[: -CHECK_CHARACTERS - 1]}")
    if check != sum_of:
        raise MistypedError("the text does not have its checksum: at least one character is wrong")
    number = decode_number(tag)
    if number >> _TAG_BITS:
        raise BadSlipError("the text of the slip names a bundle as no issbox does")
    form = next(form for form, each in _LETTERS.items() if each == letter)
    numbers = parse_ranges(ranges)
    if form is SlipForm.VOLUMES and numbers[0] == 0:
        raise BadSlipError("volumes are numbered from 1")
    return ShortSlip(f"{number:06x}", int(sequence), form, numbers)


def expand_short_slip(short: ShortSlip, *, bundle_id: str, organization: str, destination: str, at: datetime) -> Slip:
    """Make a whole slip of a short one, once the export it means has been found."""
    return Slip(
        format=SLIP_FORMAT,
        format_version=SLIP_FORMAT_VERSION,
        created_at=at,
        box="",
        bundle_id=bundle_id,
        organization=organization,
        destination=destination,
        sequence=short.sequence,
        form=short.form,
        items=tuple(SlipItem(number=number, reason=SlipReason.UNSTATED) for number in short.numbers),
    )


def letter(slip: Slip) -> str:
    """Give a slip as text for people, which ends with its short text."""
    what = slip.form.value if len(slip.numbers) > 1 else slip.form.value.removesuffix("s")
    lines = [
        f"Please send again: {what} {format_ranges(slip.numbers)}",
        f"of bundle {slip.bundle_id},",
        f"number {slip.sequence or 'unknown'} of {slip.organization} for {slip.destination or 'no destination'}.",
        f"Asked for by {slip.box or 'a box that did not give its name'} on {format_time(slip.created_at)}.",
        "",
    ]
    for item in slip.items:
        lines.append(f"  {item.number}: {item.reason}{f', {item.detail}' if item.detail else ''}")
        lines.extend(f"      {path}" for path in item.files)
    return "\n".join([*lines, "", f"Short text: {encode_short_slip(slip)}", ""])


def _check_head(slip: Slip) -> None:
    if slip.created_at.tzinfo is None:
        _refuse("$.created_at", "the time has no time zone")
    if not 0 <= slip.sequence <= MAX_NUMBER:
        _refuse("$.sequence", f"expected a number from 0 to {MAX_NUMBER}")
    try:
        check_label(slip.bundle_id, "$.bundle_id")
        check_label(slip.organization, "$.organization")
        for place, name in (("$.destination", slip.destination), ("$.box", slip.box)):
            if name:
                check_name(name, place)
    except InvalidValueError as error:
        raise BadSlipError(f"slip: {error}"[:400]) from None


def _check_item(place: str, item: SlipItem, previous: int) -> None:
    if not previous < item.number <= MAX_SLIP_NUMBER:
        _refuse(f"{place}.number", f"expected ascending numbers up to {MAX_SLIP_NUMBER}")
    if len(item.detail) > _MAX_DETAIL or not item.detail.isprintable():
        _refuse(f"{place}.detail", f"expected one line of at most {_MAX_DETAIL} printable characters")
    if len(item.files) > MAX_FILES:
        _refuse(f"{place}.files", f"expected at most {MAX_FILES}")
    for path in item.files:
        problem = path_problem(path)
        if problem is not None:
            _refuse(f"{place}.files", f"the path {path[:200]!r} is not allowed: {problem}")


def _refuse(place: str, why: str) -> NoReturn:
    raise BadSlipError(f"slip: {place}: {why}")
