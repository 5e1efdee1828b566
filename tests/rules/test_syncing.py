"""Having bytes on the medium."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from issbox import syncing
from issbox.syncing import DurableFile, Writeback, sync_filesystem


def test_sync_filesystem_works_and_reports(tmp_path: Path) -> None:
    sync_filesystem(tmp_path)
    with pytest.raises(FileNotFoundError):
        sync_filesystem(tmp_path / "missing")


def open_files() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def follow(behind: Writeback, path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT)
    try:
        os.write(descriptor, data)
        behind.follow(descriptor, len(data), str(path))
    finally:
        os.close(descriptor)


def test_writing_behind_leaves_files_as_they_were_written_and_nothing_open(tmp_path: Path) -> None:
    before = open_files()
    paths = [tmp_path / str(number) for number in range(8)]
    with Writeback(window=1 << 20) as behind:
        for number, path in enumerate(paths):
            follow(behind, path, bytes([number]) * (512 << 10))
        assert len(open_files()) == len(before) + 2, "no more is open than the window has room for"
    assert open_files() == before
    assert all(path.read_bytes() == bytes([number]) * (512 << 10) for number, path in enumerate(paths))


@pytest.mark.skipif(shutil.which("fincore") is None, reason="fincore of util-linux is not here")
def test_writing_behind_gives_back_the_memory_of_what_is_on_the_disk(tmp_path: Path) -> None:
    def in_memory(path: Path) -> int:
        return int(subprocess.check_output(["fincore", "--bytes", "--noheadings", "--output", "RES", path]))

    if subprocess.check_output(["stat", "--file-system", "--format=%T", tmp_path]) == b"tmpfs\n":
        pytest.skip("what lies on a tmpfs is never anywhere else than in memory")
    first, second = tmp_path / "first", tmp_path / "second"
    with Writeback(window=1 << 20) as behind:
        follow(behind, first, bytes(1 << 20))
        assert in_memory(first) > 0
        follow(behind, second, bytes(1 << 20))
        assert in_memory(first) == 0


def created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)


@pytest.mark.parametrize("size", [0, 1, 16 << 20, (40 << 20) + 5])
def test_a_durable_file_is_synced_once_when_all_of_it_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    synced = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        found = os.fstat(descriptor)
        assert stat.S_ISREG(found.st_mode)
        synced.append((found.st_ino, found.st_size))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    before = open_files()
    block = os.urandom(1 << 20)
    with Writeback() as behind:
        with DurableFile(created(tmp_path / "file"), "file", behind) as out:
            for start in range(0, size, len(block)):
                out.write(memoryview(block)[: size - start])
            assert out.size == size
            assert synced == []
        behind.finish()
    assert synced == [((tmp_path / "file").stat().st_ino, size)]
    assert (tmp_path / "file").read_bytes() == (block * (size // len(block) + 1))[:size]
    assert open_files() == before


def test_what_is_written_to_again_is_not_sent_to_the_disk_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = []
    monkeypatch.setattr(syncing, "start_writeback", lambda _, size, offset: sent.append((offset, size)))
    with Writeback() as behind:
        with DurableFile(created(tmp_path / "file"), "file", behind) as out:
            for _ in range(100):
                out.write(memoryview(bytes(999_999)))
        behind.finish()
    ends = [offset + size for offset, size in sent]
    assert [offset for offset, _ in sent] == [0, *ends[:-1]]
    assert len(ends) > 3
    assert all(end % (1 << 20) == 0 for end in ends[:-1])
    assert ends[-1] == 99_999_900


def test_a_durable_file_is_closed_and_not_synced_after_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: pytest.fail("synced all the same"))
    before = open_files()

    def fail() -> None:
        with Writeback() as behind, DurableFile(created(tmp_path / "file"), "file", behind) as out:
            out.write(memoryview(bytes(20 << 20)))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert open_files() == before


def test_a_sync_that_fails_names_the_file_and_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    before = open_files()
    with Writeback() as behind:
        for name in ("first", "second"):
            with DurableFile(created(tmp_path / name), name, behind) as out:
                out.write(memoryview(b"x"))
        with pytest.raises(OSError, match="first"):
            behind.finish()
    assert open_files() == before
