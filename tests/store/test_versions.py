"""Repository versions: every version stays exactly what it was, and a change costs what it changes."""

import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.stores import KEY, NOW, Library, UndoError, metadata, package, repository, sha256

from issbox.errors import BadMetadataError, NotFoundError
from issbox.files import Digest
from issbox.model import LIBRARY, FileKind, Product, RepositoryFile, RepositoryKey, RepositoryVersion, VersionOrigin
from issbox.store import Store, ranges
from issbox.store.repositories import drop_unused_packages


def ordered(files: list[RepositoryFile]) -> list[RepositoryFile]:
    return sorted(files, key=lambda file: file.path)


def test_a_version_says_what_was_committed(library: Library) -> None:
    files = [metadata("one"), package(2), package(1)]
    version = library.publish(files)
    assert version == RepositoryVersion(
        repository=KEY,
        number=1,
        created_at=NOW,
        repomd_sha256=sha256("repomd"),
        packages=2,
        files=3,
        size=3 + 101 + 102,
        origin=VersionOrigin.SYNCHRONIZE,
        source="https://example.com/base",
    )
    assert library.files(1) == ordered(files)
    versions = library.store.versions
    assert list(versions.files(KEY, 1, packages=False)) == [metadata("one")]
    assert versions.list(KEY) == [version]
    assert versions.latest(KEY) == versions.get(KEY, 1) == version
    assert versions.count_packages(KEY, 1) == 2
    assert library.store.repositories.get(KEY).latest == 1
    assert versions.in_use() == versions.shown_anywhere() == {(KEY, 1)}
    assert versions.shown(KEY) == {1}
    assert [(each.key, number) for each, number in versions.promoted("Example", LIBRARY)] == [(KEY, 1)]
    with pytest.raises(NotFoundError, match="version 2"):
        library.files(2)


def test_a_change_costs_what_it_changes(library: Library, count_rows: Callable[[str], int]) -> None:
    many = [package(number) for number in range(1500)]
    library.publish([*many, metadata("one")])
    library.publish([*many[10:], package(2000), replace(package(3000), package=None), metadata("two")])
    assert count_rows("repository_file") == 1501 + 3
    assert count_rows("package") == 1501
    assert len(library.files(2)) == 1493
    assert library.files(1) == ordered([*many, metadata("one")])
    assert [number for _, number in library.store.versions.promoted("Example", LIBRARY)] == [2]


def test_what_only_the_metadata_says_otherwise_is_a_change(library: Library) -> None:
    original = package(1)
    assert original.package is not None
    library.publish([original])
    for changed in (
        replace(original, package=replace(original.package, arch="x86_64")),
        replace(original, package=None),
        original,
    ):
        with library.store.versions.draft(KEY) as draft:
            draft.add([changed])
            assert not draft.same_as_latest()
        number = library.publish([changed]).number
        assert library.files(number) == [changed]


def test_a_draft_knows_whether_it_is_new(library: Library) -> None:
    files = [metadata("one"), package(1), package(2)]
    versions = library.store.versions

    def same(files: list[RepositoryFile]) -> bool:
        with versions.draft(KEY) as draft:
            draft.add(files)
            return draft.same_as_latest()

    assert not same([])
    assert not same(files)
    library.publish(files)
    assert same(files)
    assert same(files[::-1])
    assert not same(files[1:])
    assert not same([*files, package(3)])
    assert not same([metadata("two"), *files[1:]])


def test_a_draft_may_come_before_its_repository(store: Store) -> None:
    store.organizations.create("Example", "Example")
    with store.versions.draft(KEY) as draft:
        draft.add([package(2), package(1)])
        assert (draft.next_number, draft.same_as_latest()) == (1, False)
        assert [file.path for file in draft.files()] == [package(1).path, package(2).path]
        with store.transaction():
            store.products.create(Product("Example", "tools", "Tools"))
            store.repositories.create(repository())
            facts: dict[str, Any] = {"created_at": NOW, "origin": VersionOrigin.IMPORT, "source": "bundle"}
            (version,) = store.versions.commit([draft], repomd={KEY: sha256("r")}, **facts)
    assert (version.number, version.origin, version.files) == (1, VersionOrigin.IMPORT, 2)


def test_several_repositories_become_visible_together_or_not_at_all(library: Library) -> None:
    store = library.store
    second = RepositoryKey("Example", "tools", "second")
    store.repositories.create(repository(second))
    library.publish([package(1)])
    facts: dict[str, Any] = {"created_at": NOW, "origin": VersionOrigin.IMPORT, "source": "bundle"}
    repomd = {KEY: sha256("a"), second: sha256("b")}
    with store.versions.draft(KEY) as one, store.versions.draft(second) as other:
        one.add([package(2)])
        other.add([package(2), package(3)])
        with suppress(UndoError), store.transaction():
            store.versions.commit([one, other], repomd=repomd, **facts)
            raise UndoError
        assert store.versions.in_use() == {(KEY, 1)}
        assert library.files(1) == [package(1)]
        versions = store.versions.commit([one, other], repomd=repomd, **facts)
    assert [(version.repository, version.number) for version in versions] == [(KEY, 2), (second, 1)]
    assert library.files(2) == [package(2)]
    assert library.files(1) == [package(1)]
    assert library.files(1, second) == [package(2), package(3)]


def test_a_draft_leaves_nothing_behind(library: Library, count_rows: Callable[[str], int]) -> None:
    library.publish([package(number) for number in range(1200)])
    with suppress(UndoError), library.store.versions.draft(KEY) as draft:
        draft.add([package(1)])
        raise UndoError
    assert count_rows("draft_file") == count_rows("draft") == 0
    assert list((library.store.state_dir / "tmp").iterdir()) == []


def test_drafts_of_dead_processes_are_deleted_and_living_ones_are_not(
    library: Library, count_rows: Callable[[str], int]
) -> None:
    store = library.store
    dead = store.versions.draft(KEY)
    dead.__enter__()
    dead.add([package(1)])
    with store.versions.draft(KEY) as alive:
        alive.add([package(2), package(3)])
        assert store.clean_drafts() == 0
        dead._lock.release()  # as the end of the process would
        store.clean_staging()
        assert store.clean_drafts() == 1
        assert count_rows("draft_file") == 2


def test_a_path_may_be_given_twice_only_with_the_same_file(library: Library) -> None:
    with library.store.versions.draft(KEY) as draft:
        draft.add([package(1), package(1), metadata("x")])
        draft.add([package(1)])
        assert list(draft.files()) == [package(1), metadata("x")]
        with pytest.raises(BadMetadataError, match=r"p000001\.rpm twice"):
            draft.add([package(5), package(1, release="2")])


def test_files_are_ordered_by_the_bytes_of_their_paths(library: Library) -> None:
    paths = ["Z", "a", "a-b", "a/b", "a0", "A/x", "é", "_", "ü", "zz", "a.b", "\U0001f600", "ﬀ"]
    library.publish([metadata(path, path) for path in paths])
    assert [file.path for file in library.files(1)] == sorted(paths)


def test_a_checksum_of_another_kind_leads_to_the_file_unless_it_is_ambiguous(library: Library) -> None:
    old = package(1, checksum_type="sha1")
    assert old.package is not None
    library.publish([old])
    known = library.store.versions.known_digest
    assert known("sha1", old.package.checksum) == Digest(old.size, old.sha256)
    assert known("md5", old.package.checksum) is None
    assert known("sha1", sha256("other")) is None
    library.publish([old, replace(old, path="Packages/collision.rpm", sha256=sha256("collision"))])
    assert known("sha1", old.package.checksum) is None


def test_pruning_keeps_the_newest_and_what_environments_hold(library: Library) -> None:
    store = library.store
    for number in range(1, 7):
        library.publish([package(number), package(100), metadata(str(number))])
    store.versions.promote(LIBRARY, KEY, 2)
    assert store.versions.prunable(KEY, 2) == [1, 3, 4]
    assert store.versions.prune([KEY], 2) == [(KEY, 1), (KEY, 3), (KEY, 4)]
    assert [version.number for version in store.versions.list(KEY)] == [2, 5, 6]
    for number in (2, 5, 6):
        assert library.files(number) == [package(number), package(100), metadata(str(number))]
    assert store.versions.prune([KEY], 2) == []
    assert store.versions.prune([KEY], 0) == [(KEY, 5)]
    assert store.versions.latest(KEY) == store.versions.get(KEY, 6)


def test_a_pruned_version_needs_no_blobs(library: Library, count_rows: Callable[[str], int]) -> None:
    second = RepositoryKey("Example", "tools", "second")
    library.store.repositories.create(repository(second))
    library.publish([package(1), package(3)], second)
    for number in (1, 2):
        library.publish([package(number), metadata("same")])
    referenced = library.store.versions.referenced_digests
    wanted = {package(1).sha256, package(2).sha256, package(3).sha256, metadata("same").sha256}
    assert list(referenced()) == sorted(wanted)
    library.store.repositories.delete(second)
    library.store.versions.prune([KEY], 1)
    assert list(referenced()) == sorted({package(2).sha256, metadata("same").sha256})
    assert count_rows("package") == 1
    with library.store.versions.draft(KEY) as draft:
        draft.add([package(9)])
        assert package(9).sha256 in set(referenced())


def test_packages_are_looked_through_once_for_all_repositories(
    library: Library, count_rows: Callable[[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    second = RepositoryKey("Example", "tools", "second")
    library.store.repositories.create(repository(second))
    for key, start in ((KEY, 1), (second, 3)):
        for number in (start, start + 1):
            library.publish([package(number)], key)
    looked: list[int] = []

    def look() -> None:
        looked.append(1)
        drop_unused_packages()

    monkeypatch.setattr(ranges, "drop_unused_packages", look)
    assert library.store.versions.prune([KEY, second], 1) == [(KEY, 1), (second, 1)]
    assert len(looked) == 1
    assert count_rows("package") == 2


CONTENTS = st.dictionaries(st.integers(0, 12), st.sampled_from(["1", "2", "no package"]), max_size=9)


def describe(contents: dict[int, str]) -> list[RepositoryFile]:
    files = [package(number, text) for number, text in contents.items()]
    return ordered(
        [
            replace(file, package=None) if text == "no package" else file
            for file, text in zip(files, contents.values(), strict=True)
        ]
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(CONTENTS, min_size=1, max_size=7), keep=st.integers(1, 4), held=st.integers(1, 7))
def test_every_version_is_what_was_committed_also_after_pruning(
    library: Library, count_rows: Callable[[str], int], history: list[dict[int, str]], keep: int, held: int
) -> None:
    store = library.store
    store.repositories.delete(KEY)
    store.repositories.create(repository())
    for contents in history:
        library.publish(describe(contents))

    def check(numbers: list[int]) -> None:
        assert [version.number for version in store.versions.list(KEY)] == numbers
        for number in numbers:
            assert library.files(number) == describe(history[number - 1])
        needed = {file.sha256 for number in numbers for file in describe(history[number - 1])}
        assert list(store.versions.referenced_digests()) == sorted(needed)

    everything = list(range(1, len(history) + 1))
    check(everything)
    held = min(held, len(history))
    store.versions.promote(LIBRARY, KEY, held)
    pruned = [number for _, number in store.versions.prune([KEY], keep)]
    assert pruned == [number for number in everything[:-keep] if number != held]
    check([number for number in everything if number not in pruned])
    library.publish(describe(history[0]))
    assert library.files(len(history) + 1) == describe(history[0])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=st.lists(CONTENTS, min_size=2, max_size=5), spare=st.sets(st.integers(0, 12)))
def test_a_draft_based_on_the_newest_version_makes_the_version_that_a_whole_one_makes(
    library: Library, history: list[dict[int, str]], spare: set[int]
) -> None:
    versions = library.store.versions
    library.store.repositories.delete(KEY)
    library.store.repositories.create(repository())
    library.publish(describe(history[0]))
    for number, contents in enumerate(history[1:], 2):
        held = {file.path: file for file in library.files(number - 1)}
        wanted = {file.path: file for file in describe(contents)}
        told = {package(each).path for each in spare}  # of the same files some may be told, too
        with versions.draft(KEY) as draft:
            draft.base(file for path, file in held.items() if path not in wanted)
            draft.add(file for path, file in wanted.items() if held.get(path) != file or path in told)
            assert list(draft.files()) == describe(contents)
            assert list(draft.digests()) == [(file.path, file.sha256) for file in describe(contents)]
            assert draft.same_as_latest() == (held == wanted)
            for earlier, then in enumerate(history[: number - 1], 1):
                changes = draft.changes_since(earlier)
                assert changes is not None
                led_to = {file.path: file.sha256 for file in describe(then)} | changes
                assert {path: sha for path, sha in led_to.items() if sha} == dict(draft.digests()), earlier
            facts: dict[str, Any] = {"created_at": NOW, "origin": VersionOrigin.IMPORT, "source": "bundle"}
            (version,) = versions.commit([draft], repomd={KEY: sha256("r")}, **facts)
        packages = sum(file.kind is FileKind.PACKAGE for file in wanted.values())
        size = sum(file.size for file in wanted.values())
        assert (version.number, version.files, version.size, version.packages) == (number, len(wanted), size, packages)
        assert list(versions.outline(KEY, number)) == [
            (file.path, file.size, file.sha256, file.kind.value) for file in describe(contents)
        ]
        for earlier, then in enumerate(history[:number], 1):
            assert library.files(earlier) == describe(then)


def test_memory_stays_flat_whatever_the_size(library: Library) -> None:
    def peak(work: Callable[[], object]) -> int:
        tracemalloc.start()
        try:
            work()
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    count = 6000
    with library.store.versions.draft(KEY) as draft:
        assert peak(lambda: draft.add(package(number) for number in range(count))) < 3_000_000
        assert peak(lambda: sum(1 for _ in draft.files())) < 3_000_000
    library.publish(package(number) for number in range(count))
    assert peak(lambda: sum(1 for _ in library.store.versions.files(KEY, 1))) < 3_000_000
    assert peak(lambda: sum(1 for _ in library.store.versions.referenced_digests())) < 3_000_000


def test_reading_a_version_holds_up_no_writer(library: Library) -> None:
    library.publish(package(number) for number in range(2500))
    reading = library.store.versions.files(KEY, 1)
    first = list(islice(reading, 10))
    library.publish([package(1)])
    assert len(first) + sum(1 for _ in reading) == 2500


@pytest.mark.slow
def test_a_big_repository_stays_quick(library: Library, count_rows: Callable[[str], int]) -> None:
    """PostgreSQL, without statistics of new rows, once compared each file with each: that took hours."""
    count, changed = 60_000, 50
    library.publish(package(number) for number in range(count))
    with library.store.versions.draft(KEY) as draft:
        draft.add(package(number) for number in range(count))
        assert draft.same_as_latest()
    began = time.monotonic()
    library.publish(package(number) for number in range(changed, count + changed))
    assert library.store.versions.prune([KEY], 1) == [(KEY, 1)]
    assert time.monotonic() - began < 60
    assert count_rows("repository_file") == count_rows("package") == count
