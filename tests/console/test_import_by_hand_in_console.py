"""Importing what lies at a path from the console, and the orders of packages, without a screen."""

from pathlib import Path

import pytest
from makers.boxes import KEY, Gap
from makers.consoles import export_library, session_of
from makers.operators import do, lines, told

from issbox.console.registry import find_place
from issbox.console.session import Session
from issbox.console.words import Target, Wanted
from issbox.errors import InvalidValueError, NotABundleError, NotFoundError
from issbox.job_running import work_through
from issbox.model import ImportState, JobState
from issbox.workflows import history
from issbox.workflows.content import repositories

pytestmark = pytest.mark.usefixtures("_without_workers")


@pytest.fixture
def session(gap: Gap) -> Session:
    return session_of(gap.inside)


@pytest.fixture
def bundle(gap: Gap) -> Path:
    return export_library(gap)


def test_a_bundle_is_previewed_and_imported_where_it_lies(session: Session, bundle: Path) -> None:
    before = sorted(bundle.rglob("*"))
    shown = told(session, "inbox.path", Target(), {"path": f" {bundle} "})
    assert any("+ tools/base" in line for line in shown.lines)
    assert do(session, "inbox.path", path=str(bundle)).job is not None
    (job,) = work_through(session.ctx)
    assert job.state is JobState.FINISHED, job.reason
    (row,) = history.list_imports(session.ctx)
    assert (job.result["imports"], row.state, row.inbox) == ([row.id], ImportState.IMPORTED, False)
    assert sorted(bundle.rglob("*")) == before
    assert len(repositories.list_versions(session.ctx, KEY)) == 1


def test_all_bundles_of_a_folder_are_imported(session: Session, gap: Gap, bundle: Path) -> None:
    again = export_library(gap)
    assert again.parent == bundle.parent
    assert "all of them" in told(session, "inbox.path", Target(), {"path": str(bundle.parent)}).lines[0]
    do(session, "inbox.path", path=str(bundle.parent))
    (job,) = work_through(session.ctx)
    assert job.state is JobState.FINISHED, job.reason
    assert len(history.list_imports(session.ctx)) == 2


def test_what_is_no_bundle_says_so(session: Session, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path, error in (
        ("media/usb", InvalidValueError),
        ("", InvalidValueError),
        (f"{bundle}\0", InvalidValueError),
        (str(tmp_path / "nothing"), NotFoundError),
        (str(tmp_path / "empty"), NotABundleError),
    ):
        with pytest.raises(error):
            told(session, "inbox.path", Target(), {"path": path})
    package = next(bundle.rglob("*.rpm"))
    package.write_bytes(bytes(package.stat().st_size))
    do(session, "inbox.path", path=str(bundle))
    (job,) = work_through(session.ctx)
    assert (job.state, len(repositories.list_repositories(session.ctx, "acme"))) == (JobState.FAILED, 0)
    assert job.reason
    assert [line.cells[1] for line in lines(session, "inbox")] == ["refused"]


def test_what_a_killed_attempt_left_is_let_go(session: Session, gap: Gap, bundle: Path) -> None:
    gap.inside.run("import", bundle, kill="stage-files")
    gap.inside.restart()
    assert [row.state for row in history.list_imports(session.ctx)] == [ImportState.SETTLED]
    do(session, "inbox.path", path=str(bundle))
    (job,) = work_through(session.ctx)
    assert job.state is JobState.FINISHED, job.reason
    assert {row.state for row in history.list_imports(session.ctx)} == {ImportState.IMPORTED, ImportState.DISCARDED}


def test_packages_are_sorted_by_what_columns_show(gap: Gap) -> None:
    session = session_of(gap.outside)
    version = repositories.list_versions(session.ctx, KEY)[-1]
    place = find_place("packages")

    def names(**wanted: int | bool) -> list[tuple[str, ...]]:
        view = place.show(session, version, Wanted(**wanted))  # type: ignore[arg-type]  # by name
        assert dict(view.sort_choices()) == {"0": "Package", "2": "Arch", "3": "Size"}
        return [line.cells for line in view.lines.fetch(0, 99)]

    assert len(names()) > 1
    assert [each[0] for each in names(sort=0)] == sorted(each[0] for each in names())
    assert names(sort=3, descending=True) == names(sort=3)[::-1]
