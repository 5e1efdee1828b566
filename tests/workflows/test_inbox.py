"""Rows of the inbox, and where bundles go afterwards: a real store and real directories."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from makers.bundles import SampleBundle, make_bundle, new_key
from makers.inboxes import make_context, now

from issbox.bundle.signature import SigningKey
from issbox.errors import BusyError, NotFoundError, WrongStateError
from issbox.files import FileLock
from issbox.model import ContentImport, ImportState
from issbox.workflows.context import Context
from issbox.workflows.inbox import inbox
from issbox.workflows.inbox.inbox import Sighting


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    return make_context(tmp_path / "box")


def see(ctx: Context, name: str = "bundle", **changes: Any) -> Sighting:
    path = ctx.settings.inbox.path / name
    seen = Sighting(str(path), None, "1:1:a", settled=False, words="1 of 2 files", files=1, size=5)
    return replace(seen, **changes)


def put(ctx: Context, name: str = "bundle") -> Path:
    path = ctx.settings.inbox.path / name
    path.mkdir(parents=True)
    (path / "file").write_bytes(b"12345")
    return path


def rows(ctx: Context) -> list[ContentImport]:
    with ctx.store.session():
        return ctx.store.imports.list()


def only(ctx: Context) -> ContentImport:
    (row,) = rows(ctx)
    return row


def change(ctx: Context, row: ContentImport, **changes: object) -> ContentImport:
    with ctx.store.session():
        return ctx.store.imports.update(row.id, updated_at=ctx.clock(), **changes)


def actions(ctx: Context) -> list[str]:
    with ctx.store.session():
        ctx.store.audit.verify()
        return [entry.action for entry in ctx.store.audit.list()]


def end(ctx: Context, path: Path, state: ImportState, **changes: object) -> ContentImport:
    """Make the row of an import that has just ended; the bundle still lies where it arrived."""
    inbox.record(ctx, [see(ctx, str(path.relative_to(ctx.settings.inbox.path)), settled=True)])
    row = next(row for row in rows(ctx) if row.path == str(path))
    if state is ImportState.REFUSED:
        changes = {"error_code": "not-a-bundle", "reason": "bundle holds no manifest. Drop a bundle.", **changes}
    return change(ctx, row, state=state, **changes)


class TestRecord:
    def test_something_new_arrives_settles_and_is_written_down_once(self, ctx: Context) -> None:
        put(ctx)
        (row,) = inbox.record(ctx, [see(ctx)])
        assert (row.state, row.reason, row.inbox, row.files, row.size) == ("arriving", "1 of 2 files", True, 1, 5)
        assert inbox.record(ctx, [see(ctx)]) == []
        (row,) = inbox.record(ctx, [see(ctx, fingerprint="2:2:b", words="2 of 2 files")])
        assert (row.state, row.reason) == ("arriving", "2 of 2 files")
        (row,) = inbox.record(ctx, [see(ctx, fingerprint="2:2:b", settled=True)])
        assert (row.state, row.reason) == ("settled", "")
        assert inbox.record(ctx, [see(ctx, fingerprint="2:2:b", settled=True)]) == []
        assert only(ctx) == row

    def test_a_change_after_settling_starts_over(self, ctx: Context) -> None:
        put(ctx)
        inbox.record(ctx, [see(ctx, settled=True)])
        (row,) = inbox.record(ctx, [see(ctx, fingerprint="2:2:b")])
        assert row.state is ImportState.ARRIVING
        assert only(ctx) == row

    def test_after_a_restart_a_settled_bundle_stays_settled(self, ctx: Context) -> None:
        put(ctx)
        (row,) = inbox.record(ctx, [see(ctx, settled=True)])
        # The new process's tracker has not seen it stand still yet.
        assert inbox.record(ctx, [see(ctx, settled=False)]) == []
        assert only(ctx) == row

    def test_what_was_on_its_way_and_is_gone_is_discarded(self, ctx: Context) -> None:
        put(ctx, "one"), put(ctx, "two")
        inbox.record(ctx, [see(ctx, "one"), see(ctx, "two", settled=True)])
        changed = inbox.record(ctx, [])
        assert {(row.state, row.reason, row.path) for row in changed} == {("discarded", "taken away", "")}
        assert len(changed) == 2
        assert inbox.record(ctx, []) == []

    def test_it_may_come_back(self, ctx: Context) -> None:
        put(ctx)
        inbox.record(ctx, [see(ctx)])
        inbox.record(ctx, [])
        (row,) = inbox.record(ctx, [see(ctx)])
        assert row.state is ImportState.ARRIVING
        assert [row.state for row in rows(ctx)] == ["arriving", "discarded"]

    def test_what_moves_on_while_it_is_looked_at_is_left_alone(self, ctx: Context) -> None:
        put(ctx)
        (row,) = inbox.record(ctx, [see(ctx)])

        class Meanwhile(list[Sighting]):
            """Sightings during whose look an import begins; the rows have been read by then."""

            def __iter__(self) -> Iterator[Sighting]:
                change(ctx, row, state=ImportState.CHECKING)
                return super().__iter__()

        assert inbox.record(ctx, Meanwhile([see(ctx, settled=True)])) == []
        assert only(ctx).state is ImportState.CHECKING

    @pytest.mark.parametrize("state", [ImportState.CHECKING, ImportState.IMPORTING])
    def test_what_is_being_imported_is_left_alone(self, ctx: Context, state: ImportState) -> None:
        put(ctx)
        inbox.record(ctx, [see(ctx, settled=True)])
        change(ctx, only(ctx), state=state)
        assert inbox.record(ctx, [see(ctx, fingerprint="other")]) == []
        assert inbox.record(ctx, []) == []
        assert only(ctx).state is state

    @pytest.mark.parametrize("state", [ImportState.IMPORTED, ImportState.REFUSED])
    def test_what_ended_and_stays_in_place_is_not_new(self, ctx: Context, state: ImportState) -> None:
        end(ctx, put(ctx), state)
        assert inbox.record(ctx, [see(ctx, settled=True)]) == []
        assert only(ctx).state is state

    def test_what_was_refused_and_repaired_in_place_is_new(self, ctx: Context) -> None:
        end(ctx, put(ctx), ImportState.REFUSED)
        (row,) = inbox.record(ctx, [see(ctx, fingerprint="repaired")])
        assert row.state is ImportState.ARRIVING
        assert len(rows(ctx)) == 2

    def test_an_imported_bundle_touched_in_place_is_still_the_same(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        end(ctx, path, ImportState.IMPORTED, bundle_id=SampleBundle().bundle_id)
        assert inbox.record(ctx, [see(ctx, fingerprint="touched", settled=True)]) == []
        assert only(ctx).fingerprint == "touched"

    def test_another_bundle_in_the_same_place_is_new(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        end(ctx, path, ImportState.IMPORTED, bundle_id="another")
        (row,) = inbox.record(ctx, [see(ctx, fingerprint="another")])
        assert row.state is ImportState.ARRIVING

    def test_what_has_left_since_the_scan_is_not_taken_for_new(self, ctx: Context) -> None:
        assert inbox.record(ctx, [see(ctx, "already archived")]) == []
        assert rows(ctx) == []

    def test_the_reason_of_a_postponed_import_stays_to_be_seen(self, ctx: Context) -> None:
        put(ctx)
        inbox.record(ctx, [see(ctx, settled=True)])
        row = change(ctx, only(ctx), reason="the disk is full", error_code="no-space")
        assert inbox.record(ctx, [see(ctx, settled=True)]) == []
        assert only(ctx) == row

    def test_the_folder_says_into_which_organization(self, ctx: Context) -> None:
        put(ctx, "acme/bundle")
        (row,) = inbox.record(ctx, [see(ctx, "acme/bundle", organization="acme")])
        assert row.organization == "acme"

    def test_imports_by_hand_of_the_same_path_are_none_of_its_business(self, ctx: Context) -> None:
        path = put(ctx)
        with ctx.store.session():
            by_hand = ctx.store.imports.add(str(path), inbox=False, first_seen=now())
        inbox.record(ctx, [see(ctx)])
        inbox.record(ctx, [])
        assert rows(ctx)[-1] == by_hand


class TestQuarantine:
    def test_it_lies_there_with_the_reason_beside_it(self, ctx: Context) -> None:
        path = put(ctx)
        row = inbox.quarantine(ctx, end(ctx, path, ImportState.REFUSED))
        there = ctx.settings.inbox.quarantine_path / "bundle"
        assert (row.path, row.state) == (str(there), ImportState.REFUSED)
        assert (there / "file").read_bytes() == b"12345"
        assert not path.exists()
        text = there.with_name("bundle.reason.txt").read_text()
        for words in ("not-a-bundle", "holds no manifest", f"issbox content-import retry {row.id}"):
            assert words in text
        assert actions(ctx)[-1] == "content-import.quarantine"
        assert inbox.quarantine(ctx, row) == row
        assert inbox.heal(ctx) == []

    def test_the_next_of_the_same_name_gets_a_name_of_its_own(self, ctx: Context) -> None:
        first = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        second = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        assert Path(second.path).name == f"bundle.{second.id}"
        assert Path(first.path).exists()
        assert Path(f"{second.path}.reason.txt").exists()

    @pytest.mark.parametrize("kind", ["link", "pipe", "file"])
    def test_junk_goes_there_too(self, ctx: Context, kind: str, tmp_path: Path) -> None:
        path = ctx.settings.inbox.path / "junk"
        victim = tmp_path / "victim"
        victim.write_bytes(b"precious")
        if kind == "link":
            path.symlink_to(victim)
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.write_bytes(b"junk")
        row = inbox.quarantine(ctx, end(ctx, path, ImportState.REFUSED))
        assert os.path.lexists(row.path)
        inbox.discard(ctx, row.id)
        assert not os.path.lexists(row.path)
        assert victim.read_bytes() == b"precious"

    def test_a_reason_that_cannot_be_written_ends_nothing(self, ctx: Context) -> None:
        row = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        reason = Path(f"{row.path}.reason.txt")
        reason.unlink()
        reason.mkdir()
        assert inbox.quarantine(ctx, row) == row

    def test_what_was_imported_by_hand_stays_where_it_is(self, ctx: Context) -> None:
        path = put(ctx)
        row = change(ctx, end(ctx, path, ImportState.REFUSED), inbox=False)
        assert inbox.quarantine(ctx, row) == row
        assert path.exists()

    def test_what_cannot_be_moved_stays_and_says_so_once(self, ctx: Context, tmp_path: Path) -> None:
        path = put(ctx)
        row = end(ctx, path, ImportState.REFUSED)
        ctx.settings.inbox.quarantine_path.write_text("in the way")
        after = inbox.quarantine(ctx, row)
        assert after.reason.startswith(row.reason)
        assert "It stays where it is" in after.reason
        assert after.path == str(path)
        assert inbox.heal(ctx) == []
        assert inbox.record(ctx, [see(ctx, settled=True)]) == []
        ctx.settings.inbox.quarantine_path.unlink()
        (healed,) = inbox.heal(ctx)
        assert healed.reason == row.reason
        assert not path.exists()

    def test_a_lock_held_by_another_process_only_postpones(self, ctx: Context) -> None:
        from issbox.files import FileLock

        row = end(ctx, put(ctx), ImportState.REFUSED)
        with FileLock(ctx.store.locks / "inbox-moves.lock"):
            assert inbox.quarantine(ctx, row) == row
        assert len(inbox.heal(ctx)) == 1


class TestDispose:
    def end(self, ctx: Context, key: SigningKey, name: str = "bundle") -> ContentImport:
        path = make_bundle(ctx.settings.inbox.path, key, name=name)
        return end(ctx, path, ImportState.IMPORTED, bundle_id=SampleBundle().bundle_id)

    def test_archive(self, ctx: Context, key: SigningKey) -> None:
        row = inbox.dispose(ctx, self.end(ctx, key))
        assert row.path == str(ctx.settings.inbox.archive_path / "bundle")
        assert Path(row.path, "issbox-bundle.json").is_file()
        assert list(ctx.settings.inbox.path.iterdir()) == []
        assert actions(ctx)[-1] == "content-import.archive"
        assert inbox.dispose(ctx, row) == row

    def test_the_same_bundle_again_is_archived_beside_the_first(self, ctx: Context, key: SigningKey) -> None:
        first = inbox.dispose(ctx, self.end(ctx, key))
        second = inbox.dispose(ctx, self.end(ctx, key))
        assert first.path != second.path
        assert Path(first.path).exists()
        assert Path(second.path).exists()
        assert list(ctx.settings.inbox.path.iterdir()) == []

    def test_delete(self, tmp_path: Path, key: SigningKey) -> None:
        ctx = make_context(tmp_path / "box", after_import="delete")
        row = inbox.dispose(ctx, self.end(ctx, key))
        assert row.path == ""
        assert list(ctx.settings.inbox.path.iterdir()) == []
        assert not ctx.settings.inbox.archive_path.exists()
        assert actions(ctx)[-1] == "content-import.delete"

    def test_keep(self, tmp_path: Path, key: SigningKey) -> None:
        ctx = make_context(tmp_path / "box", after_import="keep")
        row = self.end(ctx, key)
        assert inbox.dispose(ctx, row) == row
        assert Path(row.path).exists()
        assert inbox.heal(ctx) == []

    def test_retried_from_quarantine_it_goes_where_imported_ones_go(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        row = inbox.quarantine(ctx, end(ctx, path, ImportState.REFUSED))
        row = change(ctx, row, state=ImportState.IMPORTED, bundle_id=SampleBundle().bundle_id)
        row = inbox.dispose(ctx, row)
        assert row.path == str(ctx.settings.inbox.archive_path / "bundle")
        assert list(ctx.settings.inbox.quarantine_path.iterdir()) == []

    def test_deleting_leaves_alone_what_was_dropped_in_its_place(self, tmp_path: Path, key: SigningKey) -> None:
        ctx = make_context(tmp_path / "box", after_import="delete")
        row = self.end(ctx, key)
        shutil.rmtree(row.path)  # a kill after the removal, before the row was written
        new = make_bundle(ctx.settings.inbox.path, key, SampleBundle(bundle_id="new"))
        assert inbox.dispose(ctx, row).path == ""
        assert new.exists()


KILLED = """
import os, signal, sys
from issbox.wiring import open_context
from issbox.workflows.inbox import disposal, inbox

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

setattr(disposal, sys.argv[2], die)
ctx = open_context()
with ctx.store.session():
    inbox.finish(ctx, ctx.store.imports.get(int(sys.argv[1])))
"""


class TestKilled:
    """A kill between the move and the row: no bundle is lost, none is imported or moved twice."""

    def kill(self, ctx: Context, row: ContentImport, where: str) -> None:
        environment = {"ISSBOX_STATE_DIR": str(ctx.store.state_dir), "ISSBOX_CONFIG": str(ctx.settings.source)}
        killed = subprocess.run(
            [sys.executable, "-c", KILLED, str(row.id), where], env={**os.environ, **environment}, check=False
        )
        assert killed.returncode == -9

    @pytest.mark.parametrize("where", ["_write_reason", "_note_moved"])
    def test_on_the_way_to_quarantine(self, ctx: Context, where: str) -> None:
        path = put(ctx)
        row = end(ctx, path, ImportState.REFUSED)
        self.kill(ctx, row, where)
        assert not path.exists()
        assert only(ctx) == row
        assert inbox.record(ctx, []) == []  # a scan before the healing does no harm
        (healed,) = inbox.heal(ctx)
        assert (Path(healed.path) / "file").read_bytes() == b"12345"
        assert Path(f"{healed.path}.reason.txt").exists()
        assert inbox.heal(ctx) == []
        assert only(ctx) == healed

    @pytest.mark.parametrize("after", ["archive", "delete"])
    def test_after_an_import(self, tmp_path: Path, key: SigningKey, after: str) -> None:
        ctx = make_context(tmp_path / "box", after_import=after)
        path = make_bundle(ctx.settings.inbox.path, key)
        row = end(ctx, path, ImportState.IMPORTED, bundle_id=SampleBundle().bundle_id)
        self.kill(ctx, row, "_note_moved")
        assert not path.exists()
        (healed,) = inbox.heal(ctx)
        assert healed.path == (str(ctx.settings.inbox.archive_path / "bundle") if after == "archive" else "")
        assert inbox.heal(ctx) == []
        assert len(rows(ctx)) == 1

    def test_between_the_import_and_the_move(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        end(ctx, path, ImportState.IMPORTED, bundle_id=SampleBundle().bundle_id)
        (healed,) = inbox.heal(ctx)
        assert healed.path == str(ctx.settings.inbox.archive_path / "bundle")
        assert not path.exists()

    def test_a_new_bundle_dropped_meanwhile_is_neither_moved_nor_deleted(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        row = end(ctx, path, ImportState.IMPORTED, bundle_id=SampleBundle().bundle_id)
        self.kill(ctx, row, "_note_moved")
        new = make_bundle(ctx.settings.inbox.path, key, SampleBundle(bundle_id="new"))
        (healed,) = inbox.heal(ctx)
        assert healed.path == str(ctx.settings.inbox.archive_path / "bundle")
        assert new.exists()
        (arrived,) = inbox.record(ctx, [see(ctx, fingerprint="new")])
        assert arrived.state is ImportState.ARRIVING

    def test_an_inbox_that_is_not_mounted_says_nothing(self, ctx: Context) -> None:
        path = put(ctx)
        row = end(ctx, path, ImportState.REFUSED)
        ctx.settings.inbox.path.rename(ctx.settings.inbox.path.with_name("unmounted"))
        assert inbox.heal(ctx) == []
        assert only(ctx) == row


class TestRetry:
    def test_it_is_settled_as_it_lies(self, ctx: Context) -> None:
        refused = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        row = inbox.retry(ctx, refused.id)
        assert (row.state, row.error_code, row.reason, row.path) == ("settled", None, "", refused.path)
        assert actions(ctx)[-1] == "content-import.retry"
        # It lies in quarantine: a scan of the inbox does not see it, and does not take it for gone.
        assert inbox.record(ctx, []) == []

    def test_it_may_be_allowed_to_be_older(self, ctx: Context) -> None:
        row = end(ctx, put(ctx), ImportState.REFUSED)
        assert inbox.retry(ctx, row.id, allow_older=True).allow_older

    def test_refused_again_it_stays_in_quarantine_with_the_new_reason(self, ctx: Context) -> None:
        refused = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        inbox.retry(ctx, refused.id)
        again = change(ctx, refused, state=ImportState.REFUSED, error_code="unsigned", reason="no signature")
        assert inbox.finish(ctx, again).path == refused.path
        assert "no signature" in Path(f"{refused.path}.reason.txt").read_text()

    def test_what_is_gone_cannot_be_retried(self, ctx: Context) -> None:
        row = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        shutil.rmtree(row.path)
        with pytest.raises(NotFoundError, match="no longer"):
            inbox.retry(ctx, row.id)

    @pytest.mark.parametrize("state", [ImportState.IMPORTED, ImportState.ARRIVING, ImportState.SETTLED])
    def test_only_what_was_refused_can_be(self, ctx: Context, state: ImportState) -> None:
        row = end(ctx, put(ctx), state)
        with pytest.raises(WrongStateError, match=str(state)):
            inbox.retry(ctx, row.id)
        with pytest.raises(WrongStateError, match=str(state)):
            inbox.discard(ctx, row.id)

    def test_not_while_it_is_being_imported(self, ctx: Context) -> None:
        row = end(ctx, put(ctx), ImportState.IMPORTING)
        with pytest.raises(BusyError):
            inbox.retry(ctx, row.id)

    def test_an_unknown_number(self, ctx: Context) -> None:
        with pytest.raises(NotFoundError):
            inbox.retry(ctx, 99)


class TestDiscard:
    def test_it_is_deleted_with_its_reason(self, ctx: Context) -> None:
        row = inbox.quarantine(ctx, end(ctx, put(ctx), ImportState.REFUSED))
        after = inbox.discard(ctx, row.id)
        assert (after.state, after.path) == (ImportState.DISCARDED, "")
        assert list(ctx.settings.inbox.quarantine_path.iterdir()) == []
        assert actions(ctx)[-1] == "content-import.discard"

    def test_nothing_outside_of_inbox_and_quarantine_is_deleted(self, ctx: Context, tmp_path: Path) -> None:
        row = end(ctx, put(ctx), ImportState.REFUSED)
        elsewhere = tmp_path / "elsewhere"
        elsewhere.mkdir()
        for path in (elsewhere, ctx.settings.inbox.path, ctx.settings.inbox.quarantine_path):
            path.mkdir(exist_ok=True)
            inbox.discard(ctx, change(ctx, row, state=ImportState.REFUSED, path=str(path)).id)
            assert path.exists()

    def test_one_imported_by_hand_keeps_its_files(self, ctx: Context) -> None:
        path = put(ctx)
        row = change(ctx, end(ctx, path, ImportState.REFUSED), inbox=False)
        assert inbox.discard(ctx, row.id).path == str(path)
        assert path.exists()

    def test_one_whose_files_are_gone_can_be_closed(self, ctx: Context) -> None:
        path = put(ctx)
        row = end(ctx, path, ImportState.REFUSED)
        shutil.rmtree(path)
        assert inbox.discard(ctx, row.id).state is ImportState.DISCARDED


def test_the_list_shows_what_is_not_done_with(ctx: Context) -> None:
    with ctx.store.session():
        for state in ImportState:
            ctx.store.imports.add(f"/inbox/{state}", inbox=True, first_seen=now(), state=state)
        ctx.store.imports.add("/by/hand", inbox=False, first_seen=now(), state=ImportState.REFUSED)
    shown = [row.state for row in inbox.list_inbox(ctx)]
    assert shown == ["refused", "importing", "waiting", "checking", "settled", "arriving"]


def test_a_bundle_that_is_retried_is_not_moved_away_by_who_still_takes_it_for_refused(ctx: Context) -> None:
    path = put(ctx)
    inbox.record(ctx, [see(ctx, settled=True)])
    refused = change(ctx, only(ctx), state=ImportState.REFUSED, error_code="bad-manifest", reason="bad")
    assert inbox.retry(ctx, refused.id).state is ImportState.SETTLED
    assert inbox.quarantine(ctx, refused).state is ImportState.SETTLED
    assert path.is_dir()
    assert only(ctx).path == str(path)


def test_nobody_decides_on_a_bundle_while_it_is_moved(ctx: Context) -> None:
    path = put(ctx)
    inbox.record(ctx, [see(ctx, settled=True)])
    refused = change(ctx, only(ctx), state=ImportState.REFUSED, error_code="bad-manifest", reason="bad")
    with FileLock(ctx.store.locks / "inbox-moves.lock"):
        for decide in (inbox.discard, inbox.retry):
            with pytest.raises(BusyError, match="moving bundles"):
                decide(ctx, refused.id)
    assert only(ctx) == refused
    moved = inbox.quarantine(ctx, refused)
    assert inbox.discard(ctx, refused.id).path == ""
    assert not path.exists()
    assert not Path(moved.path).exists()
