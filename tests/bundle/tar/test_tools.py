"""Stock tools and issbox read what the other wrote."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from dataclasses import fields
from io import BufferedReader
from pathlib import Path

import pytest
from makers.bundles import flip_byte
from makers.exports import files_below
from makers.needs import needs_openssl
from makers.tar_streams import FILES, NOW, chunked, read_members, write_set

from issbox.bundle.signature import SigningKey
from issbox.bundle.tar.headers import MAX_EXTENSION
from issbox.bundle.tar.reading import reading_chunks, reading_pipe
from issbox.bundle.tar.toc_checks import MAX_CHUNKS, Chunk, Compression, Toc
from issbox.bundle.tar.toc_reader import MAX_TOC

TARS = [
    pytest.param(name, marks=pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed"))
    for name in ("tar", "bsdtar")
]
COMPRESSIONS = list(Compression)


def shell(command: str, *words: str | Path, cwd: Path) -> subprocess.CompletedProcess[bytes]:
    """Run a line of the shell, in which a failing part of a pipe is no success."""
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", command, "sh", *words], cwd=cwd, capture_output=True, check=True
    )


@pytest.mark.parametrize("tar", TARS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("size", [None, 21, 512, 1000, 1 << 20])
def test_a_tar_opens_what_was_written(
    tmp_path: Path, key: SigningKey, tar: str, compression: Compression, size: int | None
) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "out").mkdir()
    write_set(tmp_path / "set", key, compression, size)
    option = "z" if compression is Compression.GZIP else ""
    line = f'cat ../set/set.{compression.suffix}* | "$1" x{option}f -'
    done = shell(line, tar, cwd=tmp_path / "out")
    assert done.stderr == b""
    assert files_below(tmp_path / "out") == FILES
    assert {int(path.stat().st_mtime) for path in (tmp_path / "out").rglob("*") if path.is_file()} == {
        int(NOW.timestamp())
    }


def test_gzip_finds_it_whole(tmp_path: Path, key: SigningKey) -> None:
    write_set(tmp_path, key, chunk_size=700)
    assert shell("cat set.tgz.* | gzip -t", cwd=tmp_path).stderr == b""


def test_python_opens_a_file_in_one_piece(tmp_path: Path, key: SigningKey) -> None:
    write_set(tmp_path, key, chunk_size=None)
    with tarfile.open(tmp_path / "set.tgz") as tar:
        assert tar.getnames() == list(FILES)


DOC = (Path(__file__).parents[3] / "docs" / "bundle-format.md").read_text()


@pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("openssl", "jq", "sha256sum")), reason="openssl or jq is not installed"
)
@pytest.mark.parametrize("spoiled", ["nothing", "set.tgz.002", "set.toc.json", "set.toc.json.sig"])
def test_the_documented_commands_check_chunks(tmp_path: Path, key: SigningKey, spoiled: str) -> None:
    block = next(block for block in re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL) if "toc.json" in block)
    write_set(tmp_path, key)
    (tmp_path / "box.pem").write_text(key.public_pem)
    if spoiled != "nothing":
        flip_byte(tmp_path / spoiled, 10)
    words = os.environ | {"NAME": "set", "KEY": str(tmp_path / "box.pem")}
    done = subprocess.run(["sh", "-c", block], cwd=tmp_path, env=words, capture_output=True, check=False)
    assert (done.returncode == 0) == (spoiled == "nothing"), done.stderr


def test_the_document_says_what_the_code_does() -> None:
    section = DOC.split("\n## Archives\n")[1].split("\n## ")[0]
    for field in fields(Toc):
        assert f"| `{field.name}` |" in section
    for field in fields(Chunk):
        assert f"| `chunks[].{field.name}` |" in section
    assert f"at most {MAX_TOC >> 20} MiB" in section
    assert f"1 to {MAX_CHUNKS} chunks" in section
    assert f"headers larger than {MAX_EXTENSION >> 10} KiB" in section
    assert all(f"`{compression}`" in section and f"`{compression.suffix}`" in section for compression in Compression)


@needs_openssl
def test_openssl_finds_the_signature_good(tmp_path: Path, key: SigningKey) -> None:
    write_set(tmp_path, key)
    (tmp_path / "box.pem").write_text(key.public_pem)
    line = "openssl pkeyutl -verify -pubin -inkey box.pem -rawin -in set.toc.json -sigfile set.toc.json.sig"
    assert b"Verified" in shell(line, cwd=tmp_path).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for path, data in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    return root


def read_from(command: str, tree: Path, *words: str) -> Mapping[str, bytes]:
    """Read from the other end of a real pipe."""
    with subprocess.Popen(
        ["bash", "-o", "pipefail", "-c", command, "sh", *words], cwd=tree, stdout=subprocess.PIPE
    ) as process:
        assert isinstance(process.stdout, BufferedReader)
        found = dict(read_members(reading_pipe(process.stdout)))
    assert process.returncode == 0
    return found


@pytest.mark.skipif(shutil.which("tar") is None, reason="tar is not installed")
@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("behind", ["cat", "gzip -1", "gzip -9", "gzip -9 | cat - <(printf '' | gzip)"])
def test_what_gnu_tar_wrote_is_read_from_a_pipe(tree: Path, form: str, behind: str) -> None:
    assert read_from(f'tar --format="$1" -cf - . | {behind}', tree, form) == FILES
    assert read_from(f'tar --format="$1" -cf - * | {behind}', tree, form) == FILES


@pytest.mark.skipif(shutil.which("bsdtar") is None, reason="bsdtar is not installed")
@pytest.mark.parametrize("form", ["pax", "gnutar"])
@pytest.mark.parametrize("option", ["", "z"])
def test_what_bsdtar_wrote_is_read_from_a_pipe(tree: Path, form: str, option: str) -> None:
    assert read_from(f'bsdtar --format="$1" -c{option}f - *', tree, form) == FILES


def test_what_was_compressed_again_is_read(tmp_path: Path, key: SigningKey) -> None:
    write_set(tmp_path, key, chunk_size=1000)
    assert read_from("cat set.tgz.* | gunzip | gzip -9", tmp_path) == FILES


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_a_stream_goes_through_a_pipe(tmp_path: Path, compression: Compression) -> None:
    program = (
        "import sys; from makers.tar_streams import *; from issbox.bundle.tar.toc_checks import Compression\n"
        "with tar_stream(sys.stdout.buffer, Compression(sys.argv[1]), NOW) as tar:\n"
        "    [tar.add(member(path, data)) for path, data in FILES.items()]"
    )
    command = [sys.executable, "-c", program, str(compression)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=root, env={"PYTHONPATH": f"{root}:{root / 'tests'}"}
    ) as process:
        assert isinstance(process.stdout, BufferedReader)
        assert dict(read_members(reading_pipe(process.stdout))) == FILES
    assert process.returncode == 0


def test_chunks_cut_by_split_are_what_issbox_writes(tmp_path: Path, key: SigningKey) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "cut").mkdir()
    write_set(tmp_path / "whole", key, chunk_size=None)
    toc = write_set(tmp_path / "cut", key, chunk_size=333)
    shell("split -a 3 -b 333 --numeric-suffixes=1 whole/set.tgz whole/set.tgz.", cwd=tmp_path)
    with reading_chunks(chunked(toc, tmp_path / "whole")) as tar:
        assert read_members(tar) == list(FILES.items())
