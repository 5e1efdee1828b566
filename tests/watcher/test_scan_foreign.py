"""Exports of a Katello in the inbox: seen as candidates, and known to be whole or not."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from makers.inboxes import make_context
from makers.katello import REAL

from issbox.model import ImportState, WaitsFor
from issbox.watcher.scan import Candidate, look
from issbox.watcher.service import scan_once
from issbox.workflows.foreign import recognition
from issbox.workflows.inbox.peeking import peek


def candidate(inbox: Path) -> Candidate:
    (found,) = look(inbox, {"acme"}, 1000).candidates
    return found


def arrive(export: Path, inbox: Path) -> Iterator[Path]:
    """Copy an export file by file, in the order of the names, and give each file before it is written."""
    for source in sorted(path for path in export.rglob("*") if path.is_file()):
        target = inbox / export.name / source.relative_to(export)
        target.parent.mkdir(parents=True, exist_ok=True)
        yield target
        target.write_bytes(source.read_bytes())


@pytest.mark.parametrize("name", ["complete", "syncable"])
def test_it_is_complete_when_the_last_file_is_there(tmp_path: Path, name: str) -> None:
    for number, target in enumerate(arrive(REAL / name, tmp_path)):
        if number and target.name != "listing":
            assert not candidate(tmp_path).complete, target
    found = candidate(tmp_path)
    assert found.complete, found.words
    assert "a Katello export" in found.words


@pytest.mark.parametrize("name", ["complete", "syncable"])
def test_it_is_complete_only_when_every_file_is_whole(tmp_path: Path, name: str) -> None:
    export = shutil.copytree(REAL / name, tmp_path / name)
    for path in sorted(export.rglob("*")):
        if (path.is_file() and path.suffix in {".rpm", ".gz"}) or ".tar." in path.name:
            data = path.read_bytes()
            os.truncate(path, len(data) // 2)
            assert not candidate(tmp_path).complete, path
            path.write_bytes(data)
    assert candidate(tmp_path).complete


def test_the_end_of_an_archive_in_one_piece_is_seen(tmp_path: Path) -> None:
    export = shutil.copytree(REAL / "incremental", tmp_path / "incremental")
    (tar,) = export.glob("*.tar")
    assert candidate(tmp_path).complete
    data = tar.read_bytes()
    for size in (0, 10_240, len(data) - 10_240, len(data) - 1):
        tar.write_bytes(data[:size])
        assert not candidate(tmp_path).complete
        assert "1 of 1 pieces; the last one is not whole yet" in candidate(tmp_path).words


def test_an_increment_of_trees_is_complete_with_its_metadata(tmp_path: Path) -> None:
    export = shutil.copytree(REAL / "syncable-incremental", tmp_path / "next")
    assert candidate(tmp_path).complete
    primary = next(export.rglob("*primary*"))
    primary.unlink()
    assert not candidate(tmp_path).complete
    assert primary.name in candidate(tmp_path).words


@pytest.mark.parametrize("name", [".gap-1.rpm.Ab3dE9", "gap-1.rpm.part"])
def test_a_transfer_that_goes_on_inside_keeps_it_incomplete(tmp_path: Path, name: str) -> None:
    export = shutil.copytree(REAL / "syncable", tmp_path / "syncable")
    (export / name).touch()
    assert not candidate(tmp_path).complete
    (export / name).unlink()
    assert candidate(tmp_path).complete


def test_a_large_export_is_looked_at_in_several_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(REAL / "syncable", tmp_path / "syncable")
    times = iter([0.0, 100.0])
    monkeypatch.setattr(recognition, "monotonic", lambda: next(times, 100.0))
    first = candidate(tmp_path)
    assert not first.complete
    assert "what they list is being read" in first.words
    assert candidate(tmp_path).complete


def test_what_cannot_be_read_goes_to_the_import_which_says_why(tmp_path: Path) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "export/metadata.json").write_bytes(b"no JSON")
    assert candidate(tmp_path).complete
    assert peek(tmp_path / "export") is None


def test_a_folder_of_an_organization_may_hold_some(tmp_path: Path) -> None:
    shutil.copytree(REAL / "complete", tmp_path / "acme/one")
    assert candidate(tmp_path).organization == "acme"
    shutil.rmtree(tmp_path / "acme")
    shutil.copytree(REAL / "complete", tmp_path / "acme")
    assert candidate(tmp_path).organization is None


def test_hints_order_the_versions_of_a_view() -> None:
    first, second = peek(REAL / "complete"), peek(REAL / "incremental")
    assert first is not None
    assert second is not None
    assert first.line == second.line
    assert first.bundle.sequence < second.bundle.sequence
    assert first.bundle.id != second.bundle.id


def test_the_service_takes_exports_in_the_order_of_their_versions(tmp_path: Path) -> None:
    ctx = make_context(tmp_path / "box", accept_unsigned_katello="accept")
    for name in ("incremental", "complete"):
        shutil.copytree(REAL / name, ctx.settings.inbox.path / name)
    done = scan_once(ctx)
    assert [(Path(row.path).name.partition("-")[0], row.state) for row in done][-2:] == [
        ("complete", ImportState.IMPORTED),
        ("incremental", ImportState.IMPORTED),
    ]
    assert all(Path(row.path).is_relative_to(ctx.settings.inbox.archive_path) for row in done)


def test_the_service_lets_them_wait_for_a_person(tmp_path: Path) -> None:
    ctx = make_context(tmp_path / "box")
    shutil.copytree(REAL / "syncable", ctx.settings.inbox.path / "export")
    (row,) = scan_once(ctx)
    assert (row.state, row.waits_for) == (ImportState.WAITING, WaitsFor.APPROVAL)
    assert Path(row.path).is_dir()
    assert scan_once(ctx) == []
