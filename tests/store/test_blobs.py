"""The blob store: staged in one pass, visible when durable, the same after a crash as before."""

import hashlib
import io
import os
import resource
import subprocess
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest
from makers.stores import UndoError

from issbox.errors import (
    BusyError,
    DigestMismatchError,
    InvalidValueError,
    OperatingSystemError,
    StoreDamagedError,
)
from issbox.files import Digest
from issbox.store import Store, create_store

HELLO = b"hello"


def digest(data: bytes) -> Digest:
    return Digest(len(data), hashlib.sha256(data).hexdigest())


@pytest.fixture
def box(tmp_path: Path) -> Store:
    return create_store(tmp_path / "state", None)


def staging(box: Store) -> list[str]:
    return sorted(str(path.relative_to(box.state_dir / "tmp")) for path in (box.state_dir / "tmp").rglob("*"))


def put(box: Store, data: bytes) -> str:
    with box.blobs.batch() as batch:
        added = batch.add(io.BytesIO(data))
        batch.commit()
    return added.sha256


def test_a_blob_is_visible_read_only_and_whole_after_the_commit(box: Store) -> None:
    wanted = digest(HELLO)
    with box.blobs.batch() as batch:
        counts: list[int] = []
        assert not batch.has(wanted.sha256, 5)
        assert batch.add(io.BytesIO(HELLO), sha256=wanted.sha256, size=5, advance=counts.append) == wanted
        assert counts == [5]
        assert batch.has(wanted.sha256, 5)
        assert not box.blobs.has(wanted.sha256)
        assert batch.locate(wanted.sha256).read_bytes() == HELLO
        batch.commit()
        assert batch.has(wanted.sha256, 5)
        assert batch.locate(wanted.sha256) == box.blobs.path(wanted.sha256)
        batch.commit()
    path = box.state_dir / "blobs" / "sha256" / wanted.sha256[:2] / wanted.sha256[2:]
    assert path == box.blobs.path(wanted.sha256)
    assert path.stat().st_mode & 0o777 == 0o444
    with box.blobs.open(wanted.sha256) as source:
        assert source.read() == HELLO
    assert box.blobs.size(wanted.sha256) == 5
    assert staging(box) == []


def test_having_a_blob_means_having_all_of_it(box: Store) -> None:
    sha256 = put(box, HELLO)
    assert box.blobs.has(sha256)
    assert box.blobs.has(sha256, 5)
    assert not box.blobs.has(sha256, 6)
    with box.blobs.batch() as batch:
        assert not batch.has(sha256, 6)
        batch.add(io.BytesIO(b"x"))
        assert not batch.has(digest(b"x").sha256, 2)


def test_leaving_without_commit_leaves_nothing(box: Store) -> None:
    with suppress(UndoError), box.blobs.batch("import-1") as batch:
        batch.add(io.BytesIO(HELLO))
        (batch.temporary("primary.xml.gz")).write_bytes(b"half")
        raise UndoError
    assert staging(box) == []
    assert list(box.blobs.digests()) == []


@pytest.mark.parametrize(
    ("sha256", "size", "words"),
    [
        ("0" * 64, None, "instead of 0000"),
        (None, 4, "more than 4 bytes"),
        (None, 6, "5 instead of 6 bytes"),
        ("0" * 64, 5, "SHA-256"),
    ],
)
def test_bytes_that_were_not_promised_are_removed(box: Store, sha256: str | None, size: int | None, words: str) -> None:
    with box.blobs.batch() as batch:
        with pytest.raises(DigestMismatchError, match=words):
            batch.add(io.BytesIO(HELLO), sha256=sha256, size=size)
        assert not [name for name in staging(box) if "/" in name]
        batch.add(io.BytesIO(HELLO), sha256=digest(HELLO).sha256)
        batch.commit()
    assert list(box.blobs.digests()) == [digest(HELLO).sha256]


class Endless:
    """A source that gives zeros for ever."""

    def __init__(self) -> None:
        self.given = 0

    def readinto(self, buffer: memoryview, /) -> int:
        self.given += len(buffer)
        return len(buffer)


def test_a_source_that_never_ends_is_cut_off(box: Store) -> None:
    source = Endless()
    with box.blobs.batch() as batch, pytest.raises(DigestMismatchError, match="more than"):
        batch.add(source, size=10)
    assert source.given <= 2 << 20


class Broken:
    """A source whose medium is taken away."""

    def readinto(self, _buffer: memoryview, /) -> int:
        raise OSError(5, "Input/output error", "/mnt/disk/file")


def test_what_the_disk_says_comes_out_as_an_error_of_ours(box: Store) -> None:
    with box.blobs.batch() as batch:
        with pytest.raises(OperatingSystemError, match="/mnt/disk/file"):
            batch.add(Broken())
        assert not [name for name in staging(box) if "/" in name]


def test_a_disk_that_takes_no_more_is_named_and_nothing_stays_of_the_file(box: Store) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with box.blobs.batch("import-1") as batch:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(OperatingSystemError, match="import-1"):
                batch.add(io.BytesIO(bytes(200_000)))
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert not [name for name in staging(box) if "/" in name]
        assert batch.add(io.BytesIO(bytes(200_000))).size == 200_000


def test_many_threads_may_add_the_same_and_other_files(box: Store) -> None:
    contents = [f"{number % 40}".encode() * 3000 for number in range(160)]
    with box.blobs.batch() as batch:

        def add(data: bytes) -> None:
            assert batch.add(io.BytesIO(data), sha256=digest(data).sha256, size=len(data)) == digest(data)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(add, contents))
        batch.commit()
    assert list(box.blobs.digests()) == sorted({digest(data).sha256 for data in contents})
    assert staging(box) == []


def test_a_blob_that_is_there_stays_the_same_file(box: Store) -> None:
    sha256 = put(box, HELLO)
    before = box.blobs.path(sha256).stat().st_ino
    assert put(box, HELLO) == sha256
    assert box.blobs.path(sha256).stat().st_ino == before


def test_a_cut_blob_is_replaced(box: Store) -> None:
    sha256 = put(box, HELLO)
    os.truncate(box.blobs.path(sha256), 2)
    put(box, HELLO)
    assert box.blobs.path(sha256).read_bytes() == HELLO


def test_a_replacing_batch_mends_a_damaged_blob(box: Store) -> None:
    sha256 = put(box, HELLO)
    box.blobs.path(sha256).chmod(0o644)
    box.blobs.path(sha256).write_bytes(b"jello")
    with box.blobs.batch(replace=True) as batch:
        assert not batch.has(sha256, 5)
        batch.add(io.BytesIO(HELLO), sha256=sha256)
        batch.commit()
        assert batch.has(sha256, 5)
    assert box.blobs.path(sha256).read_bytes() == HELLO


def test_a_finished_download_is_adopted(box: Store) -> None:
    with box.blobs.batch("synchronize") as batch:
        path = batch.temporary("file.part")
        path.write_bytes(HELLO)
        batch.adopt(path, digest(HELLO))
        assert not path.exists()
        path.write_bytes(b"next")
        batch.adopt(path, digest(b"next"))
        batch.commit()
        with pytest.raises(InvalidValueError):
            batch.adopt(box.state_dir / "issbox.db", digest(HELLO))
    assert list(box.blobs.digests()) == sorted([digest(HELLO).sha256, digest(b"next").sha256])


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "ab" * 32, "nul\0"])
def test_temporary_names_stay_in_staging(box: Store, name: str) -> None:
    with box.blobs.batch() as batch, pytest.raises(InvalidValueError):
        batch.temporary(name)


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "AB" * 32, "ab" * 31])
def test_only_digests_name_blobs(box: Store, text: str) -> None:
    with pytest.raises(InvalidValueError):
        box.blobs.has(text)


def test_a_missing_blob_is_damage(box: Store) -> None:
    for look in (box.blobs.open, box.blobs.size):
        with pytest.raises(StoreDamagedError, match="ab" * 32):
            look("ab" * 32)
    with box.blobs.batch() as batch, pytest.raises(StoreDamagedError):
        batch.locate("ab" * 32)
    sha256 = put(box, HELLO)
    box.blobs.remove(sha256)
    box.blobs.remove(sha256)
    assert not box.blobs.has(sha256)


def test_downloads_of_a_named_batch_can_be_resumed(box: Store) -> None:
    with box.blobs.batch("synchronize") as batch:
        batch.temporary("big.part").write_bytes(b"half")
        batch.temporary("other").write_bytes(b"half")
    assert staging(box) == ["synchronize", "synchronize/big.part"]
    assert box.clean_staging() == 0
    with box.blobs.batch("synchronize") as batch:
        assert batch.temporary("big.part").read_bytes() == b"half"
        batch.temporary("big.part").unlink()
    assert staging(box) == []


def test_two_processes_never_have_the_same_named_batch(box: Store) -> None:
    with box.blobs.batch("import-1"):
        with pytest.raises(BusyError, match="import-1"), box.blobs.batch("import-1"):
            pass
        with box.blobs.batch("import-2"):
            pass
    with box.blobs.batch("import-1"):
        pass


KILLED = """
import io, os, sys
from pathlib import Path
from issbox.store import create_store
box = create_store(Path(sys.argv[1]), None)
batch = box.blobs.batch(sys.argv[2] or None).__enter__()
batch.add(io.BytesIO(b"finished"), sha256=sys.argv[3])
batch.add(io.BytesIO(b"without a promise"))
batch.temporary("cut.part").write_bytes(b"half")
(batch._staging.path / ("cd" * 32)).write_bytes(b"torn")
os.kill(os.getpid(), 9)
"""


def kill_in_a_batch(box: Store, name: str) -> None:
    arguments = [str(box.state_dir), name, digest(b"finished").sha256]
    assert subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False).returncode == -9


def test_what_a_killed_process_finished_is_taken_over_and_nothing_else(box: Store) -> None:
    kill_in_a_batch(box, "import-1")
    with box.blobs.batch("import-1") as batch:
        assert batch.has(digest(b"finished").sha256, 8)
        assert not batch.has("cd" * 32)
        batch.commit()
        assert batch.staged == (0, 0)
        assert batch.temporary("cut.part").read_bytes() == b"half"
    finished = (b"finished", b"without a promise")
    assert list(box.blobs.digests()) == sorted(digest(data).sha256 for data in finished)


def test_what_killed_processes_left_is_swept_away_but_not_the_work_of_living_ones(box: Store) -> None:
    kill_in_a_batch(box, "")
    kill_in_a_batch(box, "import-1")
    finished, nameless = len(b"finished"), len(b"without a promise")
    with box.blobs.batch("alive") as batch:
        batch.add(io.BytesIO(HELLO))
        assert box.clean_staging() == 2 * (finished + nameless + len(b"torn")) + len(b"half")
        assert [name for name in staging(box) if not name.startswith("alive")] == ["import-1", "import-1/cut.part"]
        batch.commit()
    assert box.blobs.has(digest(HELLO).sha256)


def test_memory_does_not_grow_with_the_file(box: Store) -> None:
    class Zeros(Endless):
        def readinto(self, buffer: memoryview, /) -> int:
            return 0 if self.given >= 24 << 20 else super().readinto(buffer)

    tracemalloc.start()
    try:
        with box.blobs.batch() as batch:
            assert batch.add(Zeros()).size == 24 << 20
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
