"""Slips, pruning and the doctor in the console, without a screen."""

from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.bundles import new_key
from makers.consoles import export_library, session_of
from makers.operators import do, lines, told

from issbox.console.registry import find_action
from issbox.console.session import Session
from issbox.console.words import Target
from issbox.errors import BadSlipError, InvalidValueError, MistypedError, NotFoundError
from issbox.job_running import work_through
from issbox.manifest import ScopeKind
from issbox.model import BundleForm, ContentExport, ExportState, JobState
from issbox.workflows import exports
from issbox.workflows.appliance import boxes
from issbox.workflows.inbox import inbox, intake

pytestmark = pytest.mark.usefixtures("_without_workers")


@pytest.fixture
def session(gap: Gap) -> Session:
    return session_of(gap.outside)


def export_volumes(gap: Gap) -> ContentExport:
    """Export Library in volumes."""
    ctx = gap.outside.context()
    request = exports.ExportRequest(
        organization="acme", scope=ScopeKind.LIBRARY, destination="inside", form=BundleForm.ISO, volume_size=400 << 10
    )
    return exports.export(ctx, exports.plan_export(ctx, request), gap.media)


def arrive_without_the_last(gap: Gap, made: ContentExport) -> list[Path]:
    """Import all volumes but the last one; gives all of them."""
    ctx = gap.inside.context()
    ctx.settings.inbox.path.mkdir(parents=True, exist_ok=True)
    images = sorted(Path(made.path).rglob("*.iso"))
    places = [str(image.rename(ctx.settings.inbox.path / image.name)) for image in images[:-1]]
    seen = [inbox.Sighting(each, None, each, settled=True, words="", files=1, size=1) for each in places]
    inbox.record(ctx, seen)
    intake.import_settled(ctx, intake.Attempts(1))
    return images


def test_a_lost_volume_is_asked_for_and_written_again(gap: Gap, session: Session, tmp_path: Path) -> None:
    made = export_volumes(gap)
    images = arrive_without_the_last(gap, made)
    lost = images[-1].read_bytes()
    inside = session_of(gap.inside, ascii_only=True)
    (line,) = lines(inside, "inbox")
    text = do(inside, "inbox.slip", Target(None, line.thing)).text
    assert text is not None
    short, path = dict(text.values)["short text"], dict(text.values)["file"]
    assert any("#" in each for each in text.lines)
    for given in (short, path):
        shown = told(session, "exports.recut", Target(), {"slip": given})
        assert any(f"volumes {len(images)} of export {made.id}" in each for each in shown.lines)
    do(session, "exports.recut", slip=short, output=str(tmp_path / "again"))
    (job,) = work_through(session.ctx)
    assert job.state is JobState.FINISHED, job.reason
    (again,) = Path(str(job.result["path"])).rglob("*.iso")
    assert again.read_bytes() == lost


def test_slips_that_are_none_are_refused(gap: Gap, session: Session, tmp_path: Path) -> None:
    export_library(gap)
    (tmp_path / "slip.json").write_text("{}")
    for given in ("-", str(tmp_path / "slip.json"), "IS1/AAAAA/1V/1/AAAAA"):
        with pytest.raises((BadSlipError, InvalidValueError, MistypedError)):
            told(session, "exports.recut", Target(), {"slip": given})
    with pytest.raises(NotFoundError):
        told(session, "exports.recut", Target(), {"slip": str(tmp_path / "nowhere")})
    assert not (tmp_path / "again").exists()


def test_only_the_bundles_that_were_shown_are_deleted(gap: Gap, session: Session) -> None:
    old = [export_library(gap), export_library(gap)]
    assert told(session, "exports.prune", Target(), {}).refusals
    kept = replace(session.ctx.settings.export, keep=1, keep_until_acknowledged=False)
    session.ctx = replace(session.ctx, settings=replace(session.ctx.settings, export=kept))
    shown = told(session, "exports.prune", Target(), {})
    assert shown.final
    newest = export_library(gap)
    find_action("exports.prune").run(session, Target(), shown.extra)
    assert [path.exists() for path in (*old, newest)] == [False, True, True]
    states = [each.thing.state for each in lines(session, "exports")]
    assert states == [ExportState.WRITTEN, ExportState.WRITTEN, ExportState.PRUNED]


def test_the_doctor_finds_nothing_wrong_with_what_an_export_leaves(gap: Gap, session: Session) -> None:
    export_library(gap)
    found = do(session, "settings.doctor").text
    assert found is not None
    assert [each for each in found.lines if each.startswith("! modes:")] == []


def test_the_doctor_finds_and_puts_right(session: Session) -> None:
    key = session.ctx.store.state_dir / boxes.SIGNING_KEY
    key.chmod(0o644)
    found = do(session, "settings.doctor").text
    assert found is not None
    assert any(each.startswith("! modes:") for each in found.lines)
    assert key.stat().st_mode & 0o777 == 0o644
    assert any(each.startswith("! modes:") for each in told(session, "settings.mend", Target(), {}).lines)
    mended = do(session, "settings.mend").text
    assert mended is not None
    assert any(each.endswith("(put right)") for each in mended.lines)
    assert key.stat().st_mode & 0o777 == 0o600


def test_only_the_key_that_was_shown_is_trusted(gap: Gap, tmp_path: Path) -> None:
    session = session_of(gap.inside)
    shown, other = new_key(), new_key()
    place = tmp_path / "key.pem"
    place.write_text(shown.public_pem)
    seen = told(session, "keys.add", Target(), {"key": str(place)})
    place.write_text(other.public_pem)
    answers = {"key": str(place), "name": "x", **seen.extra}
    with pytest.raises(InvalidValueError, match="another key than the one shown"):
        find_action("keys.add").run(session, Target(), answers)
    place.write_text(shown.public_pem)
    do(session, "keys.add", key=str(place), name="x")
    assert "x" in [each.cells[0] for each in lines(session, "keys")]
