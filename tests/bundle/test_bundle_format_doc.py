"""docs/bundle-format.md: its commands work, and what it says about names and limits is what the code does."""

import os
import re
import shutil
import subprocess
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from makers.bundles import (
    SampleBundle,
    SampleRepository,
    flip_byte,
    make_bundle,
    new_key,
    sample_content,
    write_volumes,
)
from makers.hostile import CASES, Case, a_package

from issbox import errors
from issbox.bundle.check import MAX_MANIFEST
from issbox.bundle.foreign import FOREIGN_NAMES, FOREIGN_PREFIXES
from issbox.bundle.head import Layout
from issbox.bundle.signature import SIGNATURE_SIZE, SigningKey
from issbox.bundle.table import MAX_LINE
from issbox.errors import BundleError
from issbox.manifest import EntryKind, FileEntry, Manifest
from issbox.names import LABEL_RULE, MAX_PATH_BYTES, MAX_SEGMENT_BYTES
from issbox.rules.bundles.volumes import DirectoryMeter

DOC = (Path(__file__).parents[2] / "docs" / "bundle-format.md").read_text()
SHELL = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
TOOLS = ("openssl", "jq", "sha256sum", "find")
needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="openssl, jq or coreutils are not installed"
)
UNSEEN = {
    # What the shell cannot tell: these bundles are whole and signed by the right key, only not as the format says.
    *("newer_format", "manifest_with_a_wrong_type", "counts_that_do_not_add_up", "repository_that_climbs_out"),
    *("file_outside_its_repository", "directories_that_differ_only_in_case"),
    "paths_that_differ_only_in_case",
}


def run_block(index: int, bundle: Path, public_pem: str) -> subprocess.CompletedProcess[str]:
    key = bundle.parent / "box.pem"
    key.write_text(public_pem)
    environment = os.environ | {"BUNDLE": str(bundle), "KEY": str(key)}
    return subprocess.run(["sh", "-c", SHELL[index]], env=environment, capture_output=True, text=True, check=False)


@needs_tools
def test_the_documented_commands_accept_a_good_bundle(tmp_path: Path, key: SigningKey) -> None:
    done = run_block(0, make_bundle(tmp_path, key), key.public_pem)
    assert done.returncode == 0, done.stderr


@needs_tools
@pytest.mark.parametrize("case", [case for case in CASES if case.name not in UNSEEN], ids=lambda case: case.name)
def test_the_documented_commands_refuse_a_wrong_bundle(tmp_path: Path, key: SigningKey, case: Case) -> None:
    bundle = make_bundle(tmp_path, key)
    case.change(bundle, key)
    assert run_block(0, bundle, key.public_pem).returncode != 0


@needs_tools
def test_the_documented_commands_refuse_a_changed_file_and_a_strangers_key(tmp_path: Path, key: SigningKey) -> None:
    bundle = make_bundle(tmp_path, key)
    assert run_block(0, bundle, new_key().public_pem).returncode != 0
    package = a_package(bundle)
    package.write_bytes(package.read_bytes()[::-1])
    done = run_block(0, bundle, key.public_pem)
    assert done.returncode != 0
    assert package.name in done.stdout + done.stderr


@needs_tools
def test_the_documented_commands_check_each_volume_and_its_parts_alone(tmp_path: Path, key: SigningKey) -> None:
    packages = {"huge-1-1.noarch.rpm": os.urandom(100_000), "small-1-1.noarch.rpm": b"small"}
    content = sample_content(SampleBundle((SampleRepository(packages=packages),)))
    layout = Layout(new_meter=partial(DirectoryMeter, 64 << 10), bounded=True)
    volumes = write_volumes(tmp_path / "media", "bundle", content, key, layout)
    parts = [part for volume in volumes for part in volume.glob("issbox-parts/*")]
    assert len(parts) >= 2
    for volume in volumes:
        done = run_block(0, volume, key.public_pem)
        assert done.returncode == 0, done.stderr
    flip_byte(parts[0], 7)
    assert run_block(0, parts[0].parent.parent, key.public_pem).returncode != 0


@needs_tools
def test_the_documented_commands_show_the_key_id_of_the_manifest(tmp_path: Path, key: SigningKey) -> None:
    done = run_block(1, make_bundle(tmp_path, key), key.public_pem)
    assert done.stdout.split() == [key.key_id, "-", key.key_id]


def test_every_field_is_described() -> None:
    for name in sorted(_field_names(Manifest) | _field_names(FileEntry)):
        described = re.search(rf"`[a-z_.\[\]]*\b{name}(\[\]|\.[a-z_]+)?`", DOC)
        assert described, f"docs/bundle-format.md does not describe {name}"


def _field_names(kind: type) -> set[str]:
    assert is_dataclass(kind)
    found = {field.name for field in fields(kind)}
    for hint in get_type_hints(kind).values():
        for inner in (hint, *get_args(hint)):
            if is_dataclass(inner):
                found |= _field_names(inner)  # type: ignore[arg-type]  # is_dataclass does not tell a class from its instance
    return found


def test_the_numbers_of_the_document_are_those_of_the_code() -> None:
    assert f"at most {MAX_MANIFEST >> 20} MiB" in DOC
    assert f"at most {MAX_LINE} bytes" in DOC
    assert f"exactly {SIGNATURE_SIZE} bytes" in DOC
    assert f"at most {MAX_SEGMENT_BYTES} bytes for a segment and fewer than {MAX_PATH_BYTES} for the whole" in DOC
    assert "1 to 128" in LABEL_RULE
    assert "{1,128}" in DOC


def test_the_tolerated_names_are_those_of_the_code() -> None:
    section = DOC.split("### Tolerated names")[1].split("\n## ")[0]
    assert set(re.findall(r"`([^`]+)`", section)) == {*FOREIGN_NAMES, *FOREIGN_PREFIXES}


def test_the_kinds_and_codes_of_the_document_exist() -> None:
    for kind in EntryKind:
        assert f"`{kind}`" in DOC
    table = DOC.split("## What a reader checks")[1].split("Before step 2")[0]
    codes = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BundleError)}
    mentioned = set(
        re.findall(r"`([a-z-]+)`", "".join(line.rsplit("|", 2)[1] for line in table.splitlines() if "|" in line))
    )
    of_katello = {"unsigned-katello", "unsupported-export"}
    assert mentioned == codes - {"bundle-refused", "untrusted", "older-bundle"} - of_katello


def test_the_cases_the_shell_cannot_tell_exist() -> None:
    assert {case.name for case in CASES} >= UNSEEN
