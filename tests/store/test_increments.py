"""What a version has beyond others, found by digest and never by comparing all files with all."""

from typing import Any

import pytest
from makers.stores import KEY, Library, metadata, package

from issbox.store import Store, increments
from issbox.store.database import execute, is_sqlite


def test_files_of_a_held_version_are_marked(library: Library) -> None:
    library.publish([metadata("one"), package(1), package(2)])
    library.publish([metadata("two"), package(1), package(2, "2"), package(3)])
    found = library.store.increments.files(KEY, 2, [(KEY, 1)])
    assert [(file.path, held) for file, held in found] == [
        ("Packages/p000001.rpm", True),
        ("Packages/p000002.rpm", False),
        ("Packages/p000003.rpm", False),
        ("repodata/repomd.xml", False),
    ]
    assert [held for _, held in library.store.increments.files(KEY, 2, [])] == [False] * 4


@pytest.mark.parametrize("held", [1, 3])
def test_held_files_are_looked_up_by_digest(
    library: Library, store: Store, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not is_sqlite(store.database):
        pytest.skip("PostgreSQL chooses by statistics")
    library.publish([package(1)])
    asked: list[tuple[str, Any]] = []

    def watched(sql: str, values: Any) -> Any:
        asked.append((sql, values))
        return execute(sql, values)

    monkeypatch.setattr(increments, "execute", watched)
    assert list(store.increments.files(KEY, 1, [(KEY, 1)] * held))
    plan = [row[3] for row in execute(f"EXPLAIN QUERY PLAN {asked[0][0]}", asked[0][1]).fetchall()]
    assert [step for step in plan if step.startswith("SEARCH b ")] == [
        "SEARCH b USING INDEX filerow_sha256 (sha256=?)"
    ], plan
