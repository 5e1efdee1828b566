"""The private copy of a bundle's file table: checked once, read by several at the same time, gone by itself."""

import io
import os
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
from makers.bundles import make_bundle, trust

from issbox.bundle.check import open_head
from issbox.bundle.checked_table import CheckedTable
from issbox.bundle.signature import SigningKey
from issbox.bundle.table import encode_entry, iter_table
from issbox.bundle.totals import TableTotals
from issbox.errors import BadManifestError, BundleDamagedError, NoSpaceError
from issbox.files import copy_and_digest
from issbox.manifest import TABLE_NAME, BundleKind, EntryKind, FileEntry, Manifest, TableReference


@pytest.fixture
def manifest(tmp_path: Path, key: SigningKey) -> Manifest:
    return open_head(make_bundle(tmp_path, key), trust(key)).manifest


@pytest.fixture
def lines(tmp_path: Path, manifest: Manifest) -> list[FileEntry]:
    assert manifest.files.count > 3
    return list(iter_table(io.BytesIO((tmp_path / "bundle" / TABLE_NAME).read_bytes())))


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    place = tmp_path / "scratch"
    place.mkdir()
    return place


def taken(manifest: Manifest, lines: list[FileEntry], scratch: Path) -> CheckedTable:
    data = b"".join(map(encode_entry, lines))
    found = copy_and_digest(io.BytesIO(data), None)
    reference = TableReference(path=TABLE_NAME, size=found.size, sha256=found.sha256)
    table = CheckedTable(replace(manifest, table=reference), scratch)
    table.take(io.BytesIO(data))
    return table


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_the_copy_has_no_name_and_may_be_read_by_several_at_once(
    manifest: Manifest, lines: list[FileEntry], scratch: Path
) -> None:
    table = taken(manifest, lines, scratch)
    assert not list(scratch.iterdir())
    for _ in range(2):  # checked, then as it stands
        assert list(zip(table.entries(), table.entries(), strict=True)) == list(zip(lines, lines, strict=True))


def test_packages_that_are_only_listed_are_passed_over(
    manifest: Manifest, lines: list[FileEntry], scratch: Path
) -> None:
    package = next(entry for entry in lines if entry.kind is EntryKind.PACKAGE)
    many = [
        replace(package, path=f"{package.path}.{number:05}", volume=1 if number % 7 == 3 else None)
        for number in range(3_000)  # several blocks of lines
    ]
    every = sorted([*lines, *many], key=lambda entry: entry.path)
    totals = TableTotals(replace(manifest, bundle=replace(manifest.bundle, kind=BundleKind.INCREMENTAL)))
    for entry in every:
        totals.add(entry)
    filled = totals.fill()
    (repository,) = filled.repositories
    version = replace(repository.version, packages=sum(entry.kind is EntryKind.PACKAGE for entry in every))
    table = taken(replace(filled, repositories=(replace(repository, version=version),)), every, scratch)
    brought = [entry for entry in every if entry.carried or entry.kind is not EntryKind.PACKAGE]
    assert len(brought) < len(every) // 5
    for _ in range(2):  # checked, then as it stands
        assert list(table.entries(listed=False)) == brought
        assert list(table.entries()) == every


def test_a_look_that_ended_early_checks_nothing_for_the_next_one(
    manifest: Manifest, lines: list[FileEntry], scratch: Path
) -> None:
    table = taken(manifest, lines[:-1], scratch)
    assert len(list(islice(table.entries(), 2))) == 2
    for _ in range(2):
        with pytest.raises(BadManifestError, match="the manifest says"):
            list(table.entries())


def test_the_copy_is_closed_with_the_last_reference(manifest: Manifest, lines: list[FileEntry], scratch: Path) -> None:
    before = open_files()
    table = taken(manifest, lines, scratch)
    assert open_files() == before + 1
    reading = table.entries()
    next(reading)
    del table
    assert list(reading) == lines[1:]
    del reading
    assert open_files() == before


def test_a_disk_without_room_for_the_copy_is_named(
    manifest: Manifest, scratch: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "write", full)
        with pytest.raises(NoSpaceError, match=str(scratch)):
            CheckedTable(manifest, scratch).take(io.BytesIO(b"x"))


def test_a_table_without_an_end_is_copied_no_further_than_it_may_be(manifest: Manifest, scratch: Path) -> None:
    class Endless:
        given = 0

        def readinto(self, buffer: memoryview, /) -> int:
            self.given += len(buffer)
            return len(buffer)

    source = Endless()
    table = CheckedTable(manifest, scratch)
    with pytest.raises(BundleDamagedError, match="not the one that was signed"):
        table.take(source)
    assert source.given < manifest.table.size + (1 << 20)
    assert not table.taken
