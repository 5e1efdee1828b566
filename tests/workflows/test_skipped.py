"""An export that never came: told as long as something of it may be missing, and no longer."""

from pathlib import Path

import pytest
from makers.crossings import Crossing, make_crossing
from makers.exports import KEY, add_repository

from issbox.bundle import report
from issbox.manifest import ScopeKind
from issbox.model import ContentImport, ImportReport, ImportState, RepositoryKey
from issbox.rules.health import Trouble
from issbox.workflows.appliance.health import problems
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.rolling_back import roll_back


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    """The first export has come, the second one has been left out."""
    crossing = make_crossing(tmp_path)
    take(crossing, crossing.export()[0])
    crossing.publish([0, 1, 2])
    (left_out,) = crossing.export(incremental=True)
    left_out.rename(tmp_path / "left out")
    crossing.publish([0])
    return crossing


def take(crossing: Crossing, bundle: Path) -> ContentImport:
    (row,) = run_import(crossing.receiver, bundle)
    assert row.state is ImportState.IMPORTED
    return row


def told(crossing: Crossing) -> list[str]:
    return [each.what for each in problems(crossing.receiver) if each.trouble is Trouble.SKIPPED]


def test_it_is_told_until_it_comes(crossing: Crossing, tmp_path: Path) -> None:
    row = take(crossing, crossing.export(incremental=True)[0])
    (problem,) = told(crossing)
    assert f"import {row.id}: skipped: bundle 2 of" in problem
    run_import(crossing.receiver, tmp_path / "left out", allow_older=True)
    assert told(crossing) == []


def test_what_was_rolled_back_is_not_left_out(crossing: Crossing, tmp_path: Path) -> None:
    wrong = take(crossing, tmp_path / "left out")
    roll_back(crossing.receiver, wrong.id)
    (lost,) = crossing.export(incremental=True)
    lost.rename(tmp_path / "lost")
    right = take(crossing, crossing.export(incremental=True)[0])
    assert right.reason.startswith("skipped: bundle 3 of")
    run_import(crossing.receiver, tmp_path / "lost", allow_older=True)
    assert told(crossing) == []


def test_no_report_is_read_that_cannot_settle_it(crossing: Crossing, monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = [], report.decode_report

    def decode(data: bytes) -> ImportReport:
        read.append(data)
        return real(data)

    monkeypatch.setattr(report, "decode_report", decode)
    take(crossing, crossing.export(incremental=True)[0])
    assert told(crossing)
    assert read == [], "of one destination numbers say which bundle is older"
    take(crossing, crossing.export()[0])
    assert told(crossing) == []
    assert len(read) == 1


def test_a_complete_bundle_made_later_covers_it(crossing: Crossing) -> None:
    take(crossing, crossing.export(incremental=True)[0])
    assert told(crossing)
    take(crossing, crossing.export()[0])
    assert told(crossing) == []


def test_a_complete_bundle_leaves_nothing_out_whatever_came_before(crossing: Crossing) -> None:
    row = take(crossing, crossing.export()[0])
    assert row.reason.startswith("skipped: bundle 2 of"), "it stays in the history"
    assert told(crossing) == []


def test_a_complete_bundle_of_something_else_does_not_cover_it(crossing: Crossing) -> None:
    more = RepositoryKey("acme", "tools", "more")
    add_repository(crossing.sender, crossing.root / "more", "more")
    take(crossing, crossing.export(incremental=True)[0])
    take(crossing, crossing.export(scope=ScopeKind.REPOSITORY, repositories=(more,))[0])
    assert told(crossing)
    take(crossing, crossing.export(scope=ScopeKind.REPOSITORY, repositories=(KEY,))[0])
    assert told(crossing) == [], "both together hold all that ever came from there"


def test_a_gap_of_another_destination_is_not_that_of_this_one(crossing: Crossing) -> None:
    take(crossing, crossing.export(incremental=True)[0])
    (problem,) = told(crossing)
    assert "for ship" in problem
    with crossing.receiver.store.session(), crossing.receiver.store.transaction():
        (first, *_) = reversed(crossing.receiver.store.imports.list())
        crossing.receiver.store.imports.update(first.id, updated_at=first.updated_at, destination="elsewhere")
    assert told(crossing) == [], "nothing of that destination came before"
