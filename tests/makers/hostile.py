"""Bundles made wrong in named ways, each with the refusal that it must meet.

Most are signed by the trusted key: then nothing but the check in question stands between them and the store.
"""

import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from issbox.bundle.signature import SigningKey
from issbox.errors import (
    BadManifestError,
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    BundleSignatureError,
    NameClashError,
    NewerFormatError,
    NotABundleError,
    OversizedError,
    UnknownKeyError,
    UnlistedFileError,
    UnsafeFileError,
    UnsafePathError,
    UnsignedBundleError,
)
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME
from makers.bundles import Document, flip_byte, new_key, read_lines, read_manifest, sign_again, sign_table

Change = Callable[[Path, SigningKey], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One way to make a good bundle wrong."""

    name: str
    error: type[BundleError]
    change: Change
    """Is given the directory of a bundle from `make_bundle`, and the key that signed it."""
    needs_reading: bool = False
    """Whether it only shows when the carried files are read."""


CASES: list[Case] = []


def case(error: type[BundleError], *, needs_reading: bool = False) -> Callable[[Change], Change]:
    """Add the function to the cases, by its name."""

    def add(change: Change) -> Change:
        CASES.append(Case(change.__name__.strip("_"), error, change, needs_reading))
        return change

    return add


def a_package(bundle: Path) -> Path:
    """Give a package of the bundle."""
    return min(bundle.glob("custom/*/*/Packages/*.rpm"))


def _with_path(bundle: Path, key: SigningKey, path: str) -> None:
    lines = read_lines(bundle)
    lines[0]["path"] = path
    sign_table(bundle, key, sorted(lines, key=_path))


def _path(line: Document) -> str:
    path: str = line["path"]
    return path


@case(UnsafePathError)
def absolute_path(bundle: Path, key: SigningKey) -> None:
    _with_path(bundle, key, "/etc/passwd")


@case(UnsafePathError)
def path_that_climbs_out(bundle: Path, key: SigningKey) -> None:
    _with_path(bundle, key, "custom/../../escape")


@case(UnsafePathError)
def path_with_a_backslash(bundle: Path, key: SigningKey) -> None:
    _with_path(bundle, key, "custom\\escape")


@case(UnsafePathError)
def path_that_is_not_normalized(bundle: Path, key: SigningKey) -> None:
    _with_path(bundle, key, "custom//escape")


@case(UnsafePathError)
def path_with_a_zero_byte(bundle: Path, key: SigningKey) -> None:
    _with_path(bundle, key, "custom/a\0b")


@case(UnsafePathError)
def repository_that_climbs_out(bundle: Path, key: SigningKey) -> None:
    manifest = read_manifest(bundle)
    manifest["repositories"][0]["path"] = "custom/../.."
    sign_again(bundle, key, manifest)


@case(UnsafeFileError)
def link_instead_of_a_file(bundle: Path, key: SigningKey) -> None:
    package = a_package(bundle)
    elsewhere = bundle.parent / "elsewhere"
    package.rename(elsewhere)
    package.symlink_to(elsewhere)


@case(UnsafeFileError)
def link_instead_of_a_directory(bundle: Path, key: SigningKey) -> None:
    packages = a_package(bundle).parent
    elsewhere = bundle.parent / "elsewhere"
    packages.rename(elsewhere)
    packages.symlink_to(elsewhere)


@case(UnsafeFileError)
def unlisted_link(bundle: Path, key: SigningKey) -> None:
    (bundle / "custom/shadow").symlink_to("/etc/shadow")


@case(UnsafeFileError)
def link_with_a_tolerated_name(bundle: Path, key: SigningKey) -> None:
    (bundle / "lost+found").symlink_to("/")


@case(UnsafeFileError)
def manifest_that_is_a_link(bundle: Path, key: SigningKey) -> None:
    elsewhere = bundle.parent / "manifest"
    (bundle / MANIFEST_NAME).rename(elsewhere)
    (bundle / MANIFEST_NAME).symlink_to(elsewhere)


@case(UnsafeFileError)
def pipe_instead_of_a_file(bundle: Path, key: SigningKey) -> None:
    package = a_package(bundle)
    package.unlink()
    os.mkfifo(package)


@case(UnsafeFileError)
def pipe_instead_of_the_table(bundle: Path, key: SigningKey) -> None:
    (bundle / TABLE_NAME).unlink()
    os.mkfifo(bundle / TABLE_NAME)


@case(UnsafeFileError)
def unlisted_socket(bundle: Path, key: SigningKey) -> None:
    # The name of a socket may only be short, so it is made by its name in an open directory.
    descriptor = os.open(bundle, os.O_RDONLY)
    try:
        with socket.socket(socket.AF_UNIX) as unix:
            unix.bind(f"/proc/self/fd/{descriptor}/socket")
    finally:
        os.close(descriptor)


@case(NameClashError)
def duplicate_path(bundle: Path, key: SigningKey) -> None:
    lines = read_lines(bundle)
    sign_table(bundle, key, [lines[0], *lines])


@case(NameClashError)
def paths_that_differ_only_in_case(bundle: Path, key: SigningKey) -> None:
    package = a_package(bundle)
    shutil.copy(package, package.with_name(package.name.upper()))
    lines = read_lines(bundle)
    other = next(line for line in lines if line["path"].endswith(package.name))
    folded = other | {"path": str(package.with_name(package.name.upper()).relative_to(bundle))}
    sign_table(bundle, key, sorted([folded, *lines], key=_path))


@case(NameClashError)
def directories_that_differ_only_in_case(bundle: Path, key: SigningKey) -> None:
    package = a_package(bundle)
    moved = package.parent.with_name("PACKAGES") / package.name
    moved.parent.mkdir()
    package.rename(moved)
    lines = read_lines(bundle)
    for line in lines:
        if line["path"].endswith(package.name):
            line["path"] = str(moved.relative_to(bundle))
    sign_table(bundle, key, sorted(lines, key=_path))


@case(NameClashError)
def path_of_a_head_file(bundle: Path, key: SigningKey) -> None:
    lines = read_lines(bundle)
    for line in lines:
        if line["path"] == "metadata.json":
            line["path"] = MANIFEST_NAME.upper()
    sign_table(bundle, key, sorted(lines, key=_path))


@case(UnlistedFileError)
def unlisted_file(bundle: Path, key: SigningKey) -> None:
    a_package(bundle).with_name("extra-1.0-1.noarch.rpm").write_bytes(b"extra")


@case(UnlistedFileError)
def unlisted_file_in_a_directory_of_its_own(bundle: Path, key: SigningKey) -> None:
    (bundle / "custom/other").mkdir()
    (bundle / "custom/other/setup.sh").write_bytes(b"extra")


@case(UnlistedFileError)
def unlisted_file_with_a_name_that_is_not_utf8(bundle: Path, key: SigningKey) -> None:
    Path(os.fsdecode(os.fsencode(bundle) + b"/\xff\xfe")).write_bytes(b"extra")


@case(BundleDamagedError, needs_reading=True)
def file_with_another_digest(bundle: Path, key: SigningKey) -> None:
    flip_byte(a_package(bundle), 5)


@case(BundleDamagedError)
def file_cut_short(bundle: Path, key: SigningKey) -> None:
    os.truncate(a_package(bundle), 3)


@case(BundleIncompleteError)
def file_missing(bundle: Path, key: SigningKey) -> None:
    a_package(bundle).unlink()


@case(BundleIncompleteError)
def copy_cut(bundle: Path, key: SigningKey) -> None:
    first, second, *_ = sorted(bundle.glob("custom/*/*/Packages/*.rpm"))
    os.truncate(first, 3)
    second.unlink()


@case(BundleIncompleteError)
def table_missing(bundle: Path, key: SigningKey) -> None:
    (bundle / TABLE_NAME).unlink()


@case(BundleIncompleteError)
def manifest_missing(bundle: Path, key: SigningKey) -> None:
    (bundle / MANIFEST_NAME).unlink()


@case(BundleDamagedError)
def table_cut(bundle: Path, key: SigningKey) -> None:
    table = bundle / TABLE_NAME
    os.truncate(table, table.stat().st_size - 20)


@case(BundleDamagedError)
def table_changed(bundle: Path, key: SigningKey) -> None:
    flip_byte(bundle / TABLE_NAME, -5)


@case(OversizedError)
def file_too_long(bundle: Path, key: SigningKey) -> None:
    with a_package(bundle).open("ab") as out:
        out.write(b"more")


@case(OversizedError)
def manifest_too_large(bundle: Path, key: SigningKey) -> None:
    os.truncate(bundle / MANIFEST_NAME, (64 << 20) + 1)


@case(UnsignedBundleError)
def unsigned(bundle: Path, key: SigningKey) -> None:
    (bundle / SIGNATURE_NAME).unlink()


@case(UnknownKeyError)
def unknown_key(bundle: Path, key: SigningKey) -> None:
    stranger = new_key()
    manifest = read_manifest(bundle)
    manifest["source"]["key_id"] = stranger.key_id
    sign_again(bundle, stranger, manifest)


@case(BundleSignatureError)
def signed_by_a_stranger_under_a_trusted_name(bundle: Path, key: SigningKey) -> None:
    sign_again(bundle, new_key(), read_manifest(bundle))


@case(BundleSignatureError)
def manifest_changed(bundle: Path, key: SigningKey) -> None:
    manifest = bundle / MANIFEST_NAME
    manifest.write_bytes(manifest.read_bytes().replace(b"Acme Shipping", b"Acme Shopping"))


@case(BundleSignatureError)
def signature_cut(bundle: Path, key: SigningKey) -> None:
    os.truncate(bundle / SIGNATURE_NAME, 63)


@case(NewerFormatError)
def newer_format(bundle: Path, key: SigningKey) -> None:
    manifest = read_manifest(bundle)
    sign_again(bundle, key, manifest | {"format_version": 2, "repositories": "elsewhere", "bundle": 7})


@case(BadManifestError)
def manifest_with_a_wrong_type(bundle: Path, key: SigningKey) -> None:
    manifest = read_manifest(bundle)
    manifest["repositories"][0]["content"]["path"] = 5
    sign_again(bundle, key, manifest)


@case(BadManifestError)
def counts_that_do_not_add_up(bundle: Path, key: SigningKey) -> None:
    manifest = read_manifest(bundle)
    manifest["repositories"][0]["files"] += 1
    sign_again(bundle, key, manifest)


@case(BadManifestError)
def file_outside_its_repository(bundle: Path, key: SigningKey) -> None:
    lines = read_lines(bundle)
    for line in lines:
        line["path"] = line["path"].replace("custom/tools/base/Packages", "custom/tools/other")
    sign_table(bundle, key, sorted(lines, key=_path))


@case(NotABundleError)
def not_a_directory(bundle: Path, key: SigningKey) -> None:
    shutil.rmtree(bundle)
    bundle.write_bytes(b"not a bundle")


@case(NotABundleError)
def directory_without_a_bundle(bundle: Path, key: SigningKey) -> None:
    shutil.rmtree(bundle)
    bundle.mkdir()
    (bundle / "holiday.jpg").write_bytes(b"sun")
