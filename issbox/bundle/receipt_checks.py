"""The rules a receipt must keep beyond the types of its fields. Pure: a receipt in, an error or nothing out."""

import base64
import binascii
from collections.abc import Callable, Iterator
from typing import Final, NoReturn

from issbox.bundle.decoding import MAX_NUMBER
from issbox.errors import BadReceiptError, InvalidValueError
from issbox.model import LastImport, PackageDigests, Receipt, ReceiptRepository
from issbox.names import check_label, check_name, is_sha256, path_problem
from issbox.rules.bundles.receipts import MAX_MISSING, KnownFiles

PREFIX_BYTES: Final = 16
"""Bytes of each package's SHA-256 that a receipt written here has."""
_FEWEST_PREFIX_BYTES: Final = 8
_WHOLE_DIGEST: Final = 32
_MAX_VALUE: Final = 255
_MAX_REASON: Final = 300


def check_receipt(receipt: Receipt) -> None:
    """Check every rule of the format; raises BadReceiptError naming the field."""
    if receipt.created_at.tzinfo is None:
        _refuse("$.created_at", "the time has no time zone")
    _check("$.box.id", check_label, receipt.box.id)
    _check("$.box.name", check_name, receipt.box.name)
    _check_sha256("$.box.key_id", receipt.box.key_id)
    _check("$.organization.label", check_label, receipt.organization.label)
    if receipt.organization.name:
        _check("$.organization.name", check_name, receipt.organization.name)
    check_imported(receipt.imported)
    for index, repository in enumerate(receipt.repositories):
        _check_repository(f"$.repositories[{index}]", repository)
    paths = [repository.path for repository in receipt.repositories]
    if len(set(paths)) != len(paths):
        _refuse("$.repositories", "a path is there twice")
    if receipt.packages is not None:
        known_files(receipt.packages)


def check_imported(imported: tuple[LastImport, ...]) -> None:
    """Check how far bundles were imported; raises BadReceiptError naming the field."""
    for index, last in enumerate(imported):
        place = f"$.imported[{index}]"
        _check(f"{place}.source_box", check_label, last.source_box)
        _check(f"{place}.bundle_id", check_label, last.bundle_id)
        if last.destination:
            _check(f"{place}.destination", check_name, last.destination)
        _check_number(f"{place}.sequence", last.sequence)
        _check_missing(f"{place}.missing", last)
    sources = [(last.source_box, last.destination) for last in imported]
    if len(set(sources)) != len(sources):
        _refuse("$.imported", "a source box and destination are there twice")


def known_files(packages: PackageDigests) -> KnownFiles:
    """Give the files that a receipt lists, ready to be asked; raises BadReceiptError for a list that is not sound."""
    width = packages.prefix_bytes
    if not _FEWEST_PREFIX_BYTES <= width <= _WHOLE_DIGEST:
        _refuse("$.packages.prefix_bytes", f"expected a number from {_FEWEST_PREFIX_BYTES} to {_WHOLE_DIGEST}")
    try:
        data = base64.b64decode(packages.prefixes, validate=True)
    except (binascii.Error, ValueError):
        _refuse("$.packages.prefixes", "this is not base64")
    if len(data) != packages.count * width:
        _refuse("$.packages.prefixes", f"expected {packages.count} times {width} bytes, got {len(data)}")
    previous = b""
    for prefix in _cut(data, width):
        if prefix <= previous:
            _refuse("$.packages.prefixes", "they are not sorted, each once")
        previous = prefix
    return KnownFiles(data, width)


def _cut(data: bytes, width: int) -> Iterator[bytes]:
    return (data[start : start + width] for start in range(0, len(data), width))


def _check_missing(place: str, last: LastImport) -> None:
    if len(last.missing) > MAX_MISSING:
        _refuse(place, f"expected at most {MAX_MISSING} ranges")
    previous = 0
    for first, end in last.missing:
        if not previous < first <= end < last.sequence:
            _refuse(place, "expected ascending ranges below the sequence")
        previous = end


def _check_repository(place: str, repository: ReceiptRepository) -> None:
    _check(f"{place}.product", check_label, repository.product)
    _check(f"{place}.label", check_label, repository.label)
    _check(f"{place}.content_id", check_label, repository.content_id)
    problem = path_problem(repository.path)
    if problem is not None:
        _refuse(f"{place}.path", problem)
    _check_sha256(f"{place}.repomd_sha256", repository.repomd_sha256)
    for name, value in repository.variables.items():
        if len(name) > _MAX_VALUE or len(value) > _MAX_VALUE:
            _refuse(f"{place}.variables", f"expected at most {_MAX_VALUE} characters")
    if repository.source_box is not None:
        _check(f"{place}.source_box", check_label, repository.source_box)
    for number, name in ((repository.version, "version"), (repository.source_version, "source_version")):
        if number is not None:
            _check_number(f"{place}.{name}", number)


def _check(place: str, rule: Callable[[str, str], str], text: str) -> None:
    try:
        rule(text, "the value")
    except InvalidValueError as error:
        _refuse(place, str(error))


def _check_sha256(place: str, text: str) -> None:
    if not is_sha256(text):
        _refuse(place, "expected a SHA-256 in 64 lower-case hexadecimal digits")


def _check_number(place: str, number: int) -> None:
    if not 1 <= number <= MAX_NUMBER:
        _refuse(place, f"expected a number from 1 to {MAX_NUMBER}")


def _refuse(place: str, why: str) -> NoReturn:
    raise BadReceiptError(f"receipt: {place}: {why[:_MAX_REASON]}")
