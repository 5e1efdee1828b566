"""Small real ISO images, and what a program reads out of them."""

import hashlib
import random
import shutil
import subprocess
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import pytest

from issbox.bundle.iso.label import IsoLabel
from issbox.bundle.iso.reading import IsoImage
from issbox.bundle.iso.writing import write_iso
from issbox.bundle.members import Member
from issbox.files import Digest

LABEL = IsoLabel("WEEKLY_02", "0d7c1f8e-set", 2, 3, datetime(2026, 11, 1, 12, 30, tzinfo=UTC))
DEEP = "content/dist/rhel9/9.2/x86_64/baseos/os/Packages/z"
LONG = "l" * 251 + ".rpm"


def sample_files(*, longest: int = 255) -> dict[str, bytes]:
    """Give files that show what is difficult: empty, deep, many in a directory, long names, other scripts."""
    random_bytes = random.Random(7).randbytes
    files = {
        "issbox-bundle.json": b"{}",
        f"{DEEP}/zlib-1.2.11-40.el9.x86_64.rpm": random_bytes(5000),
        f"{DEEP}/{'a' * 64}-primary.xml.gz": random_bytes(2048),
        f"{DEEP}/{LONG[-longest:]}": b"a long name",
        f"{'d' * min(200, longest)}/e/f": b"below a long name",
        "empty": b"",
        "straße/naïve-ü.rpm": random_bytes(2049),
        "漢字/" + "字" * (min(longest, 240) // 3): b"three bytes for each character",
    }
    for number in range(60):
        files[f"many/{'n' * (number * 2)}{number}"] = random_bytes(number * 100)
    return files


def member(path: str, data: bytes) -> Member:
    """Give a member of a volume."""
    return Member(path, Digest(len(data), hashlib.sha256(data).hexdigest()), lambda: closing(BytesIO(data)))


def members(files: Mapping[str, bytes]) -> list[Member]:
    """Give members of a volume."""
    return [member(path, data) for path, data in files.items()]


def write_image(path: Path, files: Mapping[str, bytes], *, udf: bool = False, label: IsoLabel = LABEL) -> Path:
    """Write an image as an export does."""
    with path.open("wb") as out:
        write_iso(members(files), out, label=replace(label), udf=udf)
    return path


def read_image(path: Path) -> dict[str, bytes]:
    """Read every file of an image as an import does."""
    with IsoImage(path) as image:
        return {file.path: image.open(file).readall() for file in image.walk()}


def read_tree(root: Path) -> dict[str, bytes]:
    """Read every file below a directory."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def write_tree(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a directory."""
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def needs(program: str, package: str) -> pytest.MarkDecorator:
    """Skip a test that calls a program which is not there."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"{program} (Debian package {package}) is missing")


def run(*command: str | Path) -> str:
    """Run a program that must succeed and give what it prints."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, f"{command[0]}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
    return done.stdout
