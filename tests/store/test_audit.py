"""The audit log: whatever is done to its past is noticed."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from makers.stores import NOW, UndoError

from issbox.errors import StoreDamagedError
from issbox.model import Actor, AuditEntry, AuditFilter, AuditHead, AuditOrder, AuditSearch
from issbox.store import Store

ACTOR = Actor("root (sudo by ann)", "192.0.2.7")


@pytest.fixture
def log(store: Store) -> Store:
    """A store with five entries, of two organizations."""
    for number in range(1, 6):
        with store.transaction():
            store.audit.append(
                at=NOW + timedelta(seconds=number),
                actor=ACTOR,
                action="repository.create",
                subject=f"Example/tools/r{number}",
                organization="Example" if number % 2 else None,
                details={"é": [1, 2.5, None, True], "after": {"n": number}},
            )
    return store


@pytest.mark.parametrize("order", AuditOrder)
@pytest.mark.parametrize("descending", [False, True])
def test_entries_are_looked_through_page_by_page_in_the_wanted_order(
    log: Store, order: AuditOrder, descending: bool
) -> None:
    for number, (who, what) in enumerate([("zoe", "user.create"), ("ann", "user.create"), ("zoe", "job.create")]):
        with log.transaction():
            log.audit.append(
                at=NOW, actor=Actor(who, "local"), action=what, subject=str(number), organization=None, details={}
            )
    wanted = AuditSearch(order=order, descending=descending)
    found, after = list[AuditEntry](), None
    while page := log.browsing.audit(wanted, after, 3):
        found += [entry for _, entry in page]
        assert log.browsing.skip_audit(wanted, after, len(page)) == page[-1][0]
        after = page[-1][0]
    first = {AuditOrder.ACTOR: "actor", AuditOrder.ACTION: "action"}.get(order)
    keys = [(str(getattr(each, first)) if first else "", each.number) for each in found]
    assert len(keys) == log.browsing.count_audit(wanted) == 8
    assert keys == sorted(keys, reverse=descending)


def alter(store: Store, sql: str) -> None:
    database: Any = store.database
    database.execute_sql(sql)


def test_entries_come_back_as_they_were_given(log: Store) -> None:
    entries = log.audit.list()
    assert [entry.number for entry in entries] == [1, 2, 3, 4, 5]
    assert entries[0].actor == ACTOR
    assert entries[0].at == NOW + timedelta(seconds=1)
    assert entries[0].details == {"é": [1, 2.5, None, True], "after": {"n": 1}}
    assert log.audit.verify() == 5


def test_entries_are_read_from_the_end_or_from_where_one_stopped(log: Store) -> None:
    assert [entry.number for entry in log.audit.list(limit=2)] == [4, 5]
    assert [entry.number for entry in log.audit.list(limit=2, after=1)] == [2, 3]
    assert [entry.number for entry in log.audit.list(organization="Example")] == [1, 3, 5]


def test_an_empty_log_is_sound(store: Store) -> None:
    assert store.audit.verify() == 0


def test_an_entry_of_an_undone_transaction_leaves_no_gap(log: Store) -> None:
    with suppress(UndoError), log.transaction():
        log.audit.append(at=NOW, actor=ACTOR, action="a.b", subject="x")
        raise UndoError
    log.audit.append(at=NOW, actor=ACTOR, action="a.b", subject="y")
    assert log.audit.verify() == 6


@pytest.mark.parametrize(
    "change",
    [
        "subject = 'Example/tools/other'",
        "at = '2026-11-01T12:30:18.123457+00:00'",
        "actor = 'ann'",
        "origin = 'local'",
        "action = 'repository.delete'",
        "organization = NULL",
        "details = '{}'",
        "digest = 'ab'",
    ],
)
def test_a_changed_entry_is_named(log: Store, change: str) -> None:
    alter(log, f"UPDATE audit_entry SET {change} WHERE number = 3")
    with pytest.raises(StoreDamagedError, match="audit entry 3"):
        log.audit.verify()


def test_a_removed_entry_is_named(log: Store) -> None:
    alter(log, "DELETE FROM audit_entry WHERE number = 2")
    with pytest.raises(StoreDamagedError, match="audit entry 2 is missing"):
        log.audit.verify()


def test_a_removed_entry_with_the_gap_closed_is_named(log: Store) -> None:
    alter(log, "DELETE FROM audit_entry WHERE number = 2")
    for number in (3, 4, 5):
        alter(log, f"UPDATE audit_entry SET number = {number - 1} WHERE number = {number}")
    with pytest.raises(StoreDamagedError, match="audit entry 2"):
        log.audit.verify()


def test_exchanged_entries_are_named(log: Store) -> None:
    for old, new in ((3, 99), (4, 3), (99, 4)):
        alter(log, f"UPDATE audit_entry SET number = {new} WHERE number = {old}")
    with pytest.raises(StoreDamagedError, match="audit entry 3"):
        log.audit.verify()


def test_pages_go_backwards_by_number_and_filters_narrow_them(log: Store) -> None:
    with log.transaction():
        log.audit.append(at=NOW + timedelta(days=1), actor=Actor("ann", "local"), action="user.grant", subject="bob")
        log.audit.append(at=NOW + timedelta(days=1), actor=Actor("ann", "local"), action="user2.x", subject="bob")

    def numbers(**given: Any) -> list[int]:
        return [entry.number for entry in log.audit.list(only=AuditFilter(**given))]

    assert [entry.number for entry in log.audit.list(limit=2, before=4)] == [2, 3]
    assert numbers(user="ann") == [6, 7]
    assert numbers(action="user") == numbers(action="user.grant") == [6]
    assert numbers(action="repository") == [1, 2, 3, 4, 5]
    assert numbers(action="user.gran") == []
    assert numbers(organizations=("Example",)) == [1, 3, 5]
    assert numbers(organizations=("Example", None), user="ann") == [6, 7]
    assert numbers(organizations=()) == []
    assert numbers(since=NOW + timedelta(seconds=2), until=NOW + timedelta(seconds=4)) == [2, 3]
    assert [entry.number for entry in log.audit.entries(AuditFilter(user="ann"))] == [6, 7]


def head(log: Store, number: int, digest: str | None = None) -> AuditHead:
    entry = log.audit.list(limit=1, after=number - 1)[0]
    return AuditHead(number, digest or entry.digest, NOW, "ab" * 32, "cd" * 64)


def test_the_chain_leads_through_signed_heads(log: Store) -> None:
    heads = [head(log, 2), head(log, 5)]
    assert log.audit.verify(heads) == 5
    assert log.audit.verify(heads, start=heads[0]) == 5
    for each in heads:
        log.audit.add_head(each)
        log.audit.add_head(each)
    assert log.audit.heads() == heads


def test_a_log_that_was_cut_off_or_written_anew_is_not_what_was_signed(log: Store) -> None:
    signed = [head(log, 5)]
    alter(log, "DELETE FROM audit_entry WHERE number > 3")
    assert log.audit.verify() == 3
    with pytest.raises(StoreDamagedError, match="cut off: it ends with entry 3, but entry 5"):
        log.audit.verify(signed)
    with log.transaction():
        for _ in range(3):
            log.audit.append(at=NOW, actor=ACTOR, action="a.b", subject="anew")
    assert log.audit.verify() == 6
    with pytest.raises(StoreDamagedError, match="entry 5, or one before it"):
        log.audit.verify(signed)
    with pytest.raises(StoreDamagedError, match="entry 5, or one before it"):
        log.audit.verify(signed, start=signed[0])
