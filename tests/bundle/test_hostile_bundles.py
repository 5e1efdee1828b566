"""Every way to make a bundle wrong meets its own refusal, and nothing but that."""

import os
from pathlib import Path

import pytest
from makers.bundles import flip_byte, make_bundle, trust
from makers.hostile import CASES, Case, a_package

from issbox.bundle.check import Limits, open_bundle
from issbox.bundle.signature import SigningKey
from issbox.bundle.verifying import verify
from issbox.errors import OversizedError, UnsafeFileError
from issbox.manifest import MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME
from issbox.progress import Silent


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_wrong_bundle_is_refused_for_its_own_reason(tmp_path: Path, key: SigningKey, case: Case) -> None:
    bundle = make_bundle(tmp_path, key)
    case.change(bundle, key)
    if case.needs_reading:
        open_bundle(bundle, trust(key))
        with pytest.raises(case.error) as refused:
            verify(bundle, trust(key), Limits(), Silent())
    else:
        with pytest.raises(case.error) as refused:
            open_bundle(bundle, trust(key))
    assert type(refused.value) is case.error
    assert len(str(refused.value)) < 1500


def test_the_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device nodes")
def test_a_device_is_refused(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    package = a_package(bundle)
    package.unlink()
    os.mknod(package, 0o20644, os.makedev(1, 5))  # /dev/zero, which never ends
    with pytest.raises(UnsafeFileError, match="character device"):
        open_bundle(bundle, trust(key))


def test_a_bundle_larger_than_allowed_is_refused_before_its_files_are_looked_at(
    tmp_path: Path, key: SigningKey
) -> None:
    bundle = make_bundle(tmp_path, key)
    a_package(bundle).unlink()
    with pytest.raises(OversizedError, match="allowed"):
        open_bundle(bundle, trust(key), Limits(max_bundle_size=100))
    with pytest.raises(OversizedError, match="files"):
        open_bundle(bundle, trust(key), Limits(max_files=3))


@pytest.mark.parametrize("name", [MANIFEST_NAME, SIGNATURE_NAME, TABLE_NAME])
def test_a_flip_of_any_byte_of_a_head_file_is_refused(tmp_path: Path, key: SigningKey, name: str) -> None:
    # A manifest whose changed byte is in the key id names an unknown key, one that is no JSON names none.
    codes = {
        MANIFEST_NAME: {"bad-signature", "unknown-key", "bad-manifest"},
        SIGNATURE_NAME: {"bad-signature"},
        TABLE_NAME: {"bundle-damaged"},
    }
    bundle = make_bundle(tmp_path, key)
    for offset in range((bundle / name).stat().st_size):
        flip_byte(bundle / name, offset)
        with pytest.raises(Exception) as refused:  # noqa: PT011  the code is checked below
            open_bundle(bundle, trust(key))
        assert getattr(refused.value, "code", repr(refused.value)) in codes[name]
        flip_byte(bundle / name, offset)
    open_bundle(bundle, trust(key))


def test_names_that_media_bring_along_are_tolerated_at_the_root_only(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    (bundle / "lost+found").mkdir()
    (bundle / "System Volume Information").mkdir()
    (bundle / "System Volume Information/IndexerVolumeGuid").write_bytes(b"x")
    (bundle / "._issbox-bundle.json").write_bytes(b"x")
    (bundle / ".DS_Store").write_bytes(b"x")
    (bundle / "custom/empty/empty").mkdir(parents=True)
    open_bundle(bundle, trust(key))
    (bundle / "custom/.DS_Store").write_bytes(b"x")
    with pytest.raises(Exception, match=r"1 file is not in the signed file table: 'custom/\.DS_Store'"):
        open_bundle(bundle, trust(key))


def test_what_systems_keep_at_the_root_of_a_disk_is_not_looked_into(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    (bundle / ".Trash-1000/files").mkdir(parents=True)
    (bundle / ".Trash-1000/files/thrown-away").symlink_to("/nowhere")
    os.mkfifo(bundle / ".Trash-1000/pipe")
    open_bundle(bundle, trust(key))


def test_a_bundle_behind_a_link_is_refused(tmp_path: Path, key: SigningKey) -> None:
    make_bundle(tmp_path, key)
    (tmp_path / "link").symlink_to("bundle")
    with pytest.raises(Exception, match="is a link"):
        open_bundle(tmp_path / "link", trust(key))


def test_a_message_lists_ten_names_and_counts_the_rest(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    for number in range(12):
        (bundle / f"extra-{number:02d}").write_bytes(b"")
    with pytest.raises(Exception, match=r"12 files are .*'extra-00', .*'extra-09', \.\.\.$"):
        open_bundle(bundle, trust(key))
