"""Nothing comes in before the people who have to have approved it, and they can turn it away."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from makers.crossings import Crossing, make_crossing
from makers.inboxes import make_context
from makers.katello import REAL
from watcher.test_service import serving, wait_for

from issbox.errors import ApprovalError, BusyError, InvalidValueError, NotFoundError, NotPermittedError, WrongStateError
from issbox.files import FileLock
from issbox.model import Actor, BundleForm, ContentImport, ImportState, Role, WaitsFor
from issbox.workflows.appliance.box_status import status
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.imports.previewing import preview_import
from issbox.workflows.inbox import approving, inbox
from issbox.workflows.inbox.approving import approve, approved_with, refuse_import
from issbox.workflows.people.users import create_user, grant_role


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path, approvals=2)


def person(ctx: Context, name: str) -> Context:
    return replace(ctx, actor=Actor(name, "local"))


def bring(crossing: Crossing) -> ContentImport:
    """Drop a bundle; it waits for approval."""
    (bundle,) = crossing.export()
    row = crossing.drop(shutil.copytree(bundle, crossing.receiver.settings.inbox.path / bundle.name))
    assert (row.state, row.waits_for) == (ImportState.WAITING, WaitsFor.APPROVAL)
    assert crossing.seen() == {}
    return row


def actions(ctx: Context) -> list[str]:
    with ctx.store.session():
        return [entry.action for entry in ctx.store.audit.list()]


def test_two_people_have_to_and_neither_is_the_one_who_exported(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = bring(crossing)
    assert status(ctx).needs_approval == (row.id,)
    assert "2 people" in row.reason
    with pytest.raises(ApprovalError, match="tester exported"):
        approve(ctx, row.id)
    after = approve(person(ctx, "ann"), row.id)
    assert (after.state, after.approvals) == (ImportState.WAITING, ("ann",))
    assert preview_import(ctx, row.id).waits[0].reason == "the approval of one person"
    with pytest.raises(ApprovalError, match="approved import 1 already"):
        approve(person(ctx, "ann"), row.id)
    after = approve(person(ctx, "bob"), row.id)
    assert after.state is ImportState.SETTLED
    done = inbox.finish_bundle(ctx, import_bundle(ctx, row.id))
    assert (done.state, done.approvals) == (ImportState.IMPORTED, ("ann", "bob"))
    assert crossing.seen() != {}
    assert actions(ctx).count("content-import.approve") == 2
    with pytest.raises(WrongStateError, match="imported"):
        approve(person(ctx, "cid"), row.id)


def test_an_approval_counts_for_nothing_when_the_bundle_is_turned_away_meanwhile(
    crossing: Crossing, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx = crossing.receiver
    row = bring(crossing)

    def turned_away(*_: object) -> int:
        refuse_import(person(ctx, "bob"), row.id, "not announced")
        return 0

    monkeypatch.setattr(approving, "approvals_missing", turned_away)
    with pytest.raises(WrongStateError, match="refused"):
        approve(person(ctx, "ann"), row.id)
    with ctx.store.session():
        after = ctx.store.imports.get(row.id)
    assert (after.state, after.approvals) == (ImportState.REFUSED, ())


def test_the_running_service_imports_it_with_the_last_approval(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, approvals=1, quiet_for_seconds=0.1)
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    with serving(ctx):
        shutil.copytree(bundle, ctx.settings.inbox.path / bundle.name)
        wait_for(ctx, "waiting")
        with ctx.store.session():
            (row,) = ctx.store.imports.list()
        approve(person(ctx, "ann"), row.id)
        wait_for(ctx, "imported", until=lambda _: not list(ctx.settings.inbox.path.iterdir()))
    assert crossing.seen() != {}


def test_by_hand_it_waits_as_well(crossing: Crossing) -> None:
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    (row,) = run_import(ctx, bundle)
    assert row.waits_for is WaitsFor.APPROVAL
    for name in ("ann", "bob"):
        approve(person(ctx, name), row.id)
    assert import_bundle(ctx, row.id).state is ImportState.IMPORTED


def test_one_approval_is_for_all_volumes(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, approvals=1)
    crossing.publish([0, 1], ballast=1_500_000)
    ctx = crossing.receiver
    rows = [run_import(ctx, volume)[0] for volume in crossing.export(BundleForm.ISO, volume_size=600 << 10)]
    assert {row.waits_for for row in rows} == {WaitsFor.APPROVAL}
    after = approve(person(ctx, "ann"), rows[1].id)
    others = approved_with(ctx, after)
    assert [row.id for row in others] == [row.id for row in rows if row.id != rows[1].id]
    for row in (*others, after):
        last = import_bundle(ctx, row.id)
    assert last.state is ImportState.IMPORTED
    assert crossing.seen() != {}


def test_an_export_of_a_katello_needs_one_person_at_least(tmp_path: Path) -> None:
    ctx = make_context(tmp_path / "box", accept_unsigned_katello="approve")
    with ctx.store.session():
        place = shutil.copytree(REAL / "complete", ctx.settings.inbox.path / "export")
        row = ctx.store.imports.add(str(place), inbox=True, first_seen=ctx.clock())
    assert import_bundle(ctx, row.id).waits_for is WaitsFor.APPROVAL
    assert approve(person(ctx, "ann"), row.id).state is ImportState.SETTLED
    assert import_bundle(ctx, row.id).state is ImportState.IMPORTED


def test_a_refused_one_goes_to_quarantine_with_the_reason_and_may_be_decided_on_again(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = bring(crossing)
    approve(person(ctx, "ann"), row.id)
    refused = refuse_import(person(ctx, "bob"), row.id, "not announced")
    assert (refused.state, refused.error_code) == (ImportState.REFUSED, "refused-by-person")
    assert Path(refused.path).parent == ctx.settings.inbox.quarantine_path
    text = Path(f"{refused.path}.reason.txt").read_text()
    assert "bob refused it: not announced" in text
    with ctx.store.session():
        entries = [entry for entry in ctx.store.audit.list() if entry.action == "content-import.refuse"]
    assert [(entry.actor.name, entry.details["code"]) for entry in entries] == [("bob", "refused-by-person")]
    assert crossing.seen() == {}
    assert preview_import(ctx, row.id).organization == "acme"
    inbox.retry(ctx, row.id)
    again = import_bundle(ctx, row.id)
    assert (again.waits_for, again.approvals) == (WaitsFor.APPROVAL, ())
    for name in ("ann", "cid"):
        approve(person(ctx, name), row.id)
    assert inbox.finish_bundle(ctx, import_bundle(ctx, row.id)).state is ImportState.IMPORTED


def test_all_volumes_are_refused_together_and_what_they_brought_goes(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path)
    crossing.publish([0, 1], ballast=1_500_000)
    ctx = crossing.receiver
    volumes = crossing.export(BundleForm.ISO, volume_size=600 << 10)
    rows = [crossing.drop(Path(shutil.copy(each, ctx.settings.inbox.path))) for each in volumes[:-1]]
    assert all(row.taken for row in rows)
    refuse_import(ctx, rows[0].id, "wrong discs")
    with ctx.store.session():
        after = ctx.store.imports.list()
    assert {(row.state, row.taken) for row in after} == {(ImportState.REFUSED, False)}
    assert {Path(row.path).parent for row in after} == {ctx.settings.inbox.quarantine_path}
    assert list(ctx.store.incoming.iterdir()) == []


def test_what_does_not_wait_is_not_refused(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = bring(crossing)
    for reason in ("", "  ", "two\nlines", "x" * 501):
        with pytest.raises(InvalidValueError):
            refuse_import(ctx, row.id, reason)
    with FileLock(ctx.store.locks / "import.lock"), pytest.raises(BusyError):
        refuse_import(ctx, row.id, "no")
    with pytest.raises(NotFoundError):
        refuse_import(ctx, 99, "no")
    refuse_import(ctx, row.id, "no")
    with pytest.raises(WrongStateError, match="refused"):
        refuse_import(ctx, row.id, "no")


def test_it_takes_the_role(crossing: Crossing) -> None:
    ctx = crossing.receiver
    row = bring(crossing)
    for name, role in (("vic", Role.VIEWER), ("ida", Role.IMPORTER)):
        create_user(ctx, name=name)
        grant_role(ctx, name=name, role=role, organization="acme")
    vic, ida = (ctx.acting_as(name, "test") for name in ("vic", "ida"))
    with pytest.raises(NotPermittedError):
        approve(vic, row.id)
    with pytest.raises(NotPermittedError):
        refuse_import(vic, row.id, "no")
    assert approve(ida, row.id).approvals == ("ida",)
    assert refuse_import(ida, row.id, "no").state is ImportState.REFUSED
