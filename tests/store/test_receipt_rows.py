"""Rows of receipts on both databases."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from makers.receipts import NOW, make_receipt

from issbox.errors import NotFoundError
from issbox.model import Acknowledgement, ImportState, ReceiptForm, ReceivedReceipt
from issbox.store import Store


def add(store: Store, *ranges: tuple[int, int], fingerprint: str = "f", verified: bool = True) -> ReceivedReceipt:
    """Keep a receipt that acknowledges these exports for the destination plant."""
    return store.receipts.add(
        make_receipt("ab" * 32, packages=3),
        received_at=NOW,
        received_by="anna",
        form=ReceiptForm.FILE,
        verified=verified,
        organization="Example",
        fingerprint=fingerprint,
        acknowledgements=[Acknowledgement("Example", "plant", *each) for each in ranges],
    )


def test_a_receipt_comes_back_whole_and_is_listed_without_packages(store: Store) -> None:
    kept = add(store)
    assert kept.receipt == make_receipt("ab" * 32, packages=3)
    assert store.receipts.get(kept.id) == store.receipts.find("f") == kept
    other = add(store, fingerprint="g")
    assert [each.id for each in store.receipts.list()] == [other.id, kept.id]
    assert store.receipts.list()[1] == replace(kept, receipt=replace(kept.receipt, packages=None))
    assert store.receipts.find("h") is None


def test_what_verified_receipts_acknowledge(store: Store) -> None:
    add(store, (1, 2), (4, 2**53 - 1))
    add(store, (3, 3), fingerprint="g", verified=False)
    known = [n for n in (1, 2, 3, 4, 2**53 - 1) if store.receipts.acknowledged("Example", "plant", n)]
    assert known == [1, 2, 4, 2**53 - 1]
    assert not store.receipts.acknowledged("Example", "", 1)
    assert not store.receipts.acknowledged("Other", "plant", 1)


def test_the_same_text_again_takes_the_place_of_the_first(store: Store, count_rows: Callable[[str], int]) -> None:
    first = add(store, (1, 9), verified=False)
    assert add(store, (1, 2)).id == first.id
    assert store.receipts.acknowledged("Example", "plant", 2)
    assert not store.receipts.acknowledged("Example", "plant", 3)
    assert (count_rows("receipt"), count_rows("acknowledgement")) == (1, 1)
    store.receipts.delete(first.id)
    assert (count_rows("receipt"), count_rows("acknowledgement")) == (0, 0)
    with pytest.raises(NotFoundError):
        store.receipts.delete(first.id)


def test_a_newer_receipt_replaces_those_that_say_no_more(store: Store) -> None:
    less, other = add(store, (1, 2), fingerprint="less"), add(store, (7, 7), fingerprint="other")
    unchecked = add(store, fingerprint="unchecked", verified=False)
    newest = add(store, (1, 4), fingerprint="newest")
    assert sorted(store.receipts.replaced_by(newest)) == [less.id, unchecked.id]
    assert store.receipts.replaced_by(unchecked) == [], "it was not signed by a trusted key"
    assert newest.id not in store.receipts.replaced_by(other)


def test_sequences_are_those_of_imports_that_succeeded(store: Store) -> None:
    def imported(sequence: int, state: ImportState = ImportState.IMPORTED, **changes: object) -> None:
        row = store.imports.add("/inbox/x", inbox=True, first_seen=NOW)
        facts = {"source_box": "a", "organization": "Example", "destination": "", "bundle_id": f"b{sequence}"}
        store.imports.update(row.id, updated_at=NOW, state=state, sequence=sequence, **{**facts, **changes})

    imported(1)
    imported(3)
    imported(2, ImportState.REFUSED)
    imported(5, destination="plant")
    imported(7, organization="Other")
    assert store.imports.sequences("Example") == {("a", ""): {1: "b1", 3: "b3"}, ("a", "plant"): {5: "b5"}}
    assert store.imports.sequences("None") == {}
