"""Which bundle is next, and what happens when importing it fails for other reasons than the bundle."""

from collections.abc import Hashable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.bundles import SampleBundle, make_bundle, new_key
from makers.inboxes import make_context

from issbox.bundle.signature import SigningKey
from issbox.errors import InterruptedByUserError
from issbox.files import FileLock
from issbox.model import ContentImport, ImportState
from issbox.progress import Silent
from issbox.workflows.context import Context
from issbox.workflows.inbox import inbox
from issbox.workflows.inbox.import_order import in_order, in_their_order
from issbox.workflows.inbox.inbox import Sighting
from issbox.workflows.inbox.intake import Attempts, import_settled, is_left_behind, next_settled
from issbox.workflows.inbox.peeking import Hint, peek

START = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


def drop(ctx: Context, key: SigningKey, name: str, sample: SampleBundle, *, settled: bool = True) -> Path:
    """Put a bundle into the inbox and write down that it has settled, or is arriving."""
    path = make_bundle(ctx.settings.inbox.path, key, sample, name=name)
    rows = [row for row in inbox.list_inbox(ctx) if row.state is not ImportState.REFUSED]
    known = [Sighting(row.path, None, row.fingerprint, row.state == "settled", row.reason, 0, 0) for row in rows]
    inbox.record(ctx, [*known, Sighting(str(path), None, name, settled, "", 0, 0)])
    return path


def next_name(ctx: Context) -> str | None:
    row = next_settled(ctx, lambda _: True)
    return None if row is None else Path(row.path).name


class TestOrder:
    @pytest.fixture
    def ctx(self, tmp_path: Path) -> Context:
        return make_context(tmp_path / "box")

    def test_nothing_settled_is_nothing_to_do(self, ctx: Context) -> None:
        assert next_name(ctx) is None

    def test_bundles_of_one_source_go_by_their_number(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "third", SampleBundle(bundle_id="3", sequence=3))
        drop(ctx, key, "second", SampleBundle(bundle_id="2", sequence=2))
        assert next_name(ctx) == "second"

    def test_others_go_by_the_time_they_were_seen(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "first seen", SampleBundle(bundle_id="1", sequence=9))
        drop(ctx, key, "other box", SampleBundle(bundle_id="2", sequence=1, box_id="other"))
        drop(ctx, key, "other destination", SampleBundle(bundle_id="3", sequence=1, destination="other"))
        assert next_name(ctx) == "first seen"

    def test_one_waits_for_its_predecessor_that_is_still_arriving(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "second", SampleBundle(bundle_id="2", sequence=2))
        drop(ctx, key, "first", SampleBundle(bundle_id="1", sequence=1), settled=False)
        assert next_name(ctx) is None
        drop(ctx, key, "from elsewhere", SampleBundle(bundle_id="3", sequence=7, box_id="other"))
        assert next_name(ctx) == "from elsewhere"

    def test_a_successor_still_arriving_is_not_waited_for(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "first", SampleBundle(bundle_id="1", sequence=1))
        drop(ctx, key, "second", SampleBundle(bundle_id="2", sequence=2), settled=False)
        assert next_name(ctx) == "first"

    def test_imports_by_hand_are_not_in_the_queue(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        with ctx.store.session():
            ctx.store.imports.add(str(path), inbox=False, first_seen=START)
        assert next_name(ctx) is None

    @given(st.permutations(range(6)))
    def test_one_source_always_goes_in_order(self, seen: list[int]) -> None:
        settled: list[tuple[ContentImport, Hint | None]] = []
        for minute, sequence in enumerate(seen):
            at = START + timedelta(minutes=minute)
            hint = Hint()
            hint.bundle.sequence = sequence
            settled.append((ContentImport(minute, "", ImportState.SETTLED, at, at, inbox=True), hint))
        assert [seen[row.id] for row in in_their_order(settled)] == sorted(seen)

    @given(st.lists(st.none() | st.tuples(st.sampled_from("ab"), st.integers(0, 3)), max_size=8))
    def test_every_thing_is_given_once_and_waits_only_for_its_line(
        self, places: list[tuple[Hashable, int] | None]
    ) -> None:
        given_ = list(in_order(list(enumerate(places))))
        assert sorted(given_) == list(range(len(places)))
        left = dict(enumerate(places))
        while left:
            first, line = next(iter(left.items()))
            same = [(each[1], place) for place, each in left.items() if each and line and each[0] == line[0]]
            wanted = min(same)[1] if same else first
            assert given_.pop(0) == wanted
            del left[wanted]


class TestAttempts:
    def test_the_wait_doubles_up_to_the_longest(self) -> None:
        attempts = Attempts(60.0, 200.0)
        at = 1000.0
        assert attempts.may_try(1, at)
        for wait in (60.0, 120.0, 200.0, 200.0):
            attempts.failed(1, at)
            assert not attempts.may_try(1, at + wait - 1)
            assert attempts.may_try(2, at)
            at += wait
            assert attempts.may_try(1, at)

    def test_success_forgets(self) -> None:
        attempts = Attempts(60.0)
        attempts.failed(1, 0.0)
        attempts.ended(1)
        assert attempts.may_try(1, 0.0)


class Stopping(Silent):
    """A progress that stops the work at the first file."""

    def advance(self, *, files: int = 0, size: int = 0) -> None:
        raise InterruptedByUserError("stop")


class TestImporting:
    @pytest.fixture
    def ctx(self, tmp_path: Path, key: SigningKey) -> Context:
        return make_context(tmp_path / "box", trusted=key)

    def test_everything_settled_is_imported_in_order_and_archived(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "b", SampleBundle(bundle_id="0d5cbe8e-52b1-4a0a-9f5c-000000000002", sequence=2))
        drop(ctx, key, "a", SampleBundle(sequence=1))
        ended = import_settled(ctx, Attempts(60.0))
        assert [(row.state, row.sequence, Path(row.path).parent) for row in ended] == [
            ("imported", 1, ctx.settings.inbox.archive_path),
            ("imported", 2, ctx.settings.inbox.archive_path),
        ]
        assert list(ctx.settings.inbox.path.iterdir()) == []

    def test_a_refused_one_goes_to_quarantine_and_the_next_one_is_imported(self, ctx: Context, key: SigningKey) -> None:
        bad = drop(ctx, key, "bad", SampleBundle(bundle_id="bad", sequence=1))
        (bad / "issbox-bundle.json.sig").write_bytes(bytes(64))
        drop(ctx, key, "good", SampleBundle(sequence=2))
        refused, imported = import_settled(ctx, Attempts(60.0))
        assert (refused.state, refused.error_code) == ("refused", "bad-signature")
        assert Path(refused.path).parent == ctx.settings.inbox.quarantine_path
        assert imported.state is ImportState.IMPORTED

    def test_while_another_import_runs_it_stays_settled_and_is_tried_later(self, ctx: Context, key: SigningKey) -> None:
        path = drop(ctx, key, "bundle", SampleBundle())
        attempts, at = Attempts(60.0), 0.0
        with FileLock(ctx.store.locks / "import.lock"):
            (row,) = import_settled(ctx, attempts, clock=lambda: at)
        assert (row.state, row.path) == (ImportState.SETTLED, str(path))
        assert row.reason == ""  # the row belongs to whoever holds the lock
        assert import_settled(ctx, attempts, clock=lambda: at) == []
        at = 60.0
        (row,) = import_settled(ctx, attempts, clock=lambda: at)
        assert row.state is ImportState.IMPORTED

    def test_stopped_in_the_middle_it_is_settled_again(self, ctx: Context, key: SigningKey) -> None:
        path = drop(ctx, key, "bundle", SampleBundle())
        with pytest.raises(InterruptedByUserError):
            import_settled(replace(ctx, progress=Stopping()), Attempts(60.0))
        (row,) = inbox.list_inbox(ctx)
        assert (row.state, row.path) == (ImportState.SETTLED, str(path))
        (row,) = import_settled(ctx, Attempts(60.0))
        assert row.state is ImportState.IMPORTED

    def test_told_to_stop_it_begins_nothing(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "bundle", SampleBundle())
        assert import_settled(ctx, Attempts(60.0), stopped=lambda: True) == []

    def test_a_row_left_behind_is_noticed_only_while_nothing_runs(self, ctx: Context, key: SigningKey) -> None:
        drop(ctx, key, "bundle", SampleBundle())
        (row,) = inbox.list_inbox(ctx)
        assert not is_left_behind(ctx)
        with ctx.store.session():
            ctx.store.imports.update(row.id, updated_at=START, state=ImportState.IMPORTING)
        with FileLock(ctx.store.locks / "import.lock"):
            assert not is_left_behind(ctx)
        assert is_left_behind(ctx)


def test_the_hint_is_what_the_manifest_says(tmp_path: Path, key: SigningKey) -> None:
    hint = peek(make_bundle(tmp_path, key, SampleBundle(sequence=4)))
    assert hint is not None
    assert (hint.bundle.sequence, hint.bundle.id) == (4, SampleBundle().bundle_id)
    assert hint.line == (SampleBundle().box_id, "acme", "ship")
    assert hint.files.carried_count > 0
    assert hint.table.size > 0
    assert peek(tmp_path / "nothing") is None
