"""Published trees and what environments show of them."""

import io
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from issbox.errors import BadMetadataError, InvalidValueError, StoreDamagedError, UnsafePathError
from issbox.model import RepositoryKey
from issbox.store import Store, create_store

KEY = RepositoryKey("Example", "tools", "base")
OTHER = RepositoryKey("Example", "tools", "other")
FILES = {"repodata/repomd.xml": b"<repomd/>", "Packages/a.rpm": b"a", "Packages/copy of a.rpm": b"a", "treeinfo": b""}


@pytest.fixture
def box(tmp_path: Path) -> Store:
    return create_store(tmp_path / "state", None)


def stored(box: Store, files: dict[str, bytes]) -> list[tuple[str, str]]:
    with box.blobs.batch() as batch:
        listed = [(path, batch.add(io.BytesIO(data)).sha256) for path, data in files.items()]
        batch.commit()
    return listed


def read(tree: Path) -> dict[str, bytes]:
    return {str(path.relative_to(tree)): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def everything(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*"))


def test_a_tree_shares_the_bytes_of_the_blobs(box: Store) -> None:
    listed = stored(box, FILES)
    box.trees.build(KEY, 1, listed)
    tree = box.trees.path(KEY, 1)
    assert tree == box.state_dir / "published/Example/tools/base/1"
    assert read(tree) == FILES
    for path, sha256 in listed:
        assert (tree / path).samefile(box.blobs.path(sha256))
    assert {path.stat().st_mode & 0o777 for path in [tree, *tree.rglob("*")] if path.is_dir()} == {0o755}
    assert list((box.state_dir / "tmp").iterdir()) == []


def test_directories_can_be_read_by_everybody_whatever_the_umask(box: Store) -> None:
    before = os.umask(0o077)
    try:
        box.trees.build(KEY, 1, stored(box, FILES))
        box.trees.point("Example", "Library", "custom/tools/base", KEY, 1)
        box.trees.write_listings("Example", "Library", ["custom/tools/base"])
    finally:
        os.umask(before)
    for root in ("published", "content", "blobs"):
        for path in [box.state_dir / root, *(box.state_dir / root).rglob("*")]:
            assert path.stat().st_mode & 0o444 == 0o444, path
            assert path.is_file() or path.stat().st_mode & 0o111 == 0o111, path


def test_a_tree_that_is_there_stays_unless_it_is_to_be_replaced(box: Store) -> None:
    box.trees.build(KEY, 1, stored(box, FILES))
    box.trees.build(KEY, 1, stored(box, {"x": b"x"}))
    assert read(box.trees.path(KEY, 1)) == FILES
    box.trees.build(KEY, 1, stored(box, {"x": b"x"}), replace=True)
    assert read(box.trees.path(KEY, 1)) == {"x": b"x"}
    assert list((box.state_dir / "tmp").iterdir()) == []


OLD_FILES = {"a": b"a", "b/c": b"c", "b/d": b"d", "e/f/g": b"g", "h/i": b"i", "same/x": b"x", "same/y": b"y"}
NEW_FILES = {"a/deep": b"a", "b": b"c", "e/f/g": b"other", "h/j/k": b"i", "same/x": b"x", "same/y": b"y", "z": b"z"}


@pytest.mark.parametrize("turn", [1, -1])
def test_a_tree_made_of_a_worn_one_is_the_one_that_is_built(box: Store, turn: int) -> None:
    worn, wanted = (OLD_FILES, NEW_FILES)[::turn]
    listed = dict(stored(box, wanted))
    box.trees.build(KEY, 1, stored(box, worn))
    box.trees.build(KEY, 3, stored(box, {"left": b"by a killed run"}))
    gone = {path: None for path in worn if path not in wanted}
    box.trees.renew(KEY, 1, 3, gone | {path: listed[path] for path, data in wanted.items() if worn.get(path) != data})
    box.trees.build(OTHER, 1, listed.items())
    assert read(box.trees.path(KEY, 3)) == wanted
    assert everything(box.trees.path(KEY, 3)) == everything(box.trees.path(OTHER, 1))
    for path, sha256 in listed.items():
        assert (box.trees.path(KEY, 3) / path).samefile(box.blobs.path(sha256))
    assert not box.trees.exists(KEY, 1)
    assert list((box.state_dir / "tmp").iterdir()) == []


def test_a_tree_that_cannot_be_made_of_a_worn_one_is_not_there(box: Store) -> None:
    box.trees.build(KEY, 1, stored(box, FILES))
    with pytest.raises(StoreDamagedError, match="new of the repository"):
        box.trees.renew(KEY, 1, 3, {"new": "0" * 64})
    box.trees.build(KEY, 1, stored(box, FILES))
    with pytest.raises(UnsafePathError):
        box.trees.renew(KEY, 1, 3, {"../new": None})
    assert everything(box.state_dir / "published/Example/tools/base") == []
    assert list((box.state_dir / "tmp").iterdir()) == []


def test_a_tree_appears_whole_or_not_at_all(box: Store) -> None:
    listed = stored(box, FILES)
    box.blobs.remove(listed[1][1])
    with pytest.raises(StoreDamagedError, match=r"Packages/a\.rpm of the repository Example/tools/base"):
        box.trees.build(KEY, 1, listed)
    assert not box.trees.exists(KEY, 1)
    assert everything(box.state_dir / "published") == []
    assert list((box.state_dir / "tmp").iterdir()) == []


@pytest.mark.parametrize("path", ["../escape", "/etc/passwd", "a/../../b", "a//b", ""])
def test_unsafe_paths_are_refused(box: Store, path: str) -> None:
    ((_, sha256),) = stored(box, {"x": b"x"})
    with pytest.raises(UnsafePathError):
        box.trees.build(KEY, 1, [(path, sha256)])
    assert everything(box.state_dir / "published") == []


@pytest.mark.parametrize("paths", [["a", "a"], ["a", "a/b"], ["a/b", "a"]])
def test_paths_that_exclude_each_other_are_refused(box: Store, paths: list[str]) -> None:
    ((_, sha256),) = stored(box, {"x": b"x"})
    with pytest.raises(BadMetadataError, match="Example/tools/base"):
        box.trees.build(KEY, 1, [(path, sha256) for path in paths])


def test_labels_cannot_lead_out_of_the_directory(box: Store) -> None:
    with pytest.raises(InvalidValueError):
        box.trees.path(RepositoryKey("..", "tools", "base"), 1)
    with pytest.raises(InvalidValueError):
        box.trees.pointed("Example", "../..")


def test_where_no_link_can_be_made_the_file_is_copied(box: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file has at most 65,000 links on ext4; a test cannot make so many quickly, so the system call refuses."""

    def refuse(source: object, place: object) -> None:
        raise OSError(31, "Too many links")

    monkeypatch.setattr(os, "link", refuse)
    box.trees.build(KEY, 1, stored(box, FILES))
    tree = box.trees.path(KEY, 1)
    assert read(tree) == FILES
    assert (tree / "treeinfo").stat().st_mode & 0o777 == 0o444
    assert (tree / "treeinfo").stat().st_nlink == 1


def test_trees_are_listed_and_removed(box: Store) -> None:
    listed = stored(box, FILES)
    for key, number in ((KEY, 1), (KEY, 12), (OTHER, 1)):
        box.trees.build(key, number, listed)
    assert set(box.trees.list()) == {(KEY, 1), (KEY, 12), (OTHER, 1)}
    box.trees.remove(KEY, 1)
    box.trees.remove(KEY, 1)
    box.trees.remove(OTHER, 1)
    assert list(box.trees.list()) == [(KEY, 12)]
    assert everything(box.state_dir / "published")[:3] == ["Example", "Example/tools", "Example/tools/base"]
    assert not (box.state_dir / "published/Example/tools/other").exists()
    assert all(box.blobs.has(sha256) for _, sha256 in listed)


def show(box: Store, paths: dict[str, RepositoryKey]) -> None:
    for path, key in paths.items():
        box.trees.point("Example", "Library", path, key, 1)
    box.trees.write_listings("Example", "Library", paths)


def test_an_environment_shows_trees_and_lists_what_lies_below(box: Store) -> None:
    for key in (KEY, OTHER):
        box.trees.build(key, 1, stored(box, FILES))
    show(box, {"custom/tools/base": KEY, "content/dist/rhel9/9/x86_64/os": OTHER})
    root = box.state_dir / "content/Example/Library"
    assert (root / "custom/tools/base/Packages/a.rpm").read_bytes() == b"a"
    assert not (root / "custom/tools/base").readlink().is_absolute()
    texts = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("listing")}
    assert texts == {
        "listing": b"content\ncustom",
        "custom/listing": b"tools",
        "custom/tools/listing": b"base",
        "content/listing": b"dist",
        "content/dist/listing": b"rhel9",
        "content/dist/rhel9/listing": b"9",
        "content/dist/rhel9/9/listing": b"x86_64",
        "content/dist/rhel9/9/x86_64/listing": b"os",
    }
    assert box.trees.pointed("Example", "Library") == {
        "custom/tools/base": box.trees.path(KEY, 1),
        "content/dist/rhel9/9/x86_64/os": box.trees.path(OTHER, 1),
    }
    moved = box.state_dir.rename(box.state_dir.with_name("moved"))
    assert (moved / "content/Example/Library/custom/tools/base/treeinfo").is_file()


def test_taking_a_repository_out_leaves_no_trace_of_it(box: Store) -> None:
    show(box, {"custom/tools/base": KEY, "custom/more/x": OTHER})
    box.trees.unpoint("Example", "Library", "custom/tools/base")
    box.trees.unpoint("Example", "Library", "custom/tools/base")
    box.trees.write_listings("Example", "Library", ["custom/more/x"])
    root = box.state_dir / "content/Example/Library"
    assert everything(root) == [
        "custom",
        "custom/listing",
        "custom/more",
        "custom/more/listing",
        "custom/more/x",
        "listing",
    ]
    box.trees.unpoint("Example", "Library", "custom/more/x")
    box.trees.write_listings("Example", "Library", [])
    assert everything(box.state_dir / "content") == []
    assert box.trees.pointed("Example", "Library") == {}


def test_a_link_is_swapped_without_a_moment_in_which_it_is_gone(box: Store) -> None:
    for number in (1, 2):
        box.trees.build(KEY, number, stored(box, {"number": str(number).encode()}))
    show(box, {"custom/tools/base": KEY})
    file = box.state_dir / "content/Example/Library/custom/tools/base/number"
    seen, stop = set(), threading.Event()

    def read_on() -> None:
        while not stop.is_set():
            seen.add(file.read_bytes())

    with ThreadPoolExecutor(1) as threads:
        reader = threads.submit(read_on)
        try:
            for turn in range(200):
                box.trees.point("Example", "Library", "custom/tools/base", KEY, 1 + turn % 2)
        finally:
            stop.set()
        reader.result()
    assert seen
    assert seen <= {b"1", b"2"}
    assert box.trees.pointed("Example", "Library") == {"custom/tools/base": box.trees.path(KEY, 2)}


def test_what_stands_in_the_way_of_a_link_is_removed_and_trees_are_never_written_into(box: Store) -> None:
    for key in (KEY, OTHER):
        box.trees.build(key, 1, stored(box, FILES))
    show(box, {"custom/tools": KEY})
    box.trees.point("Example", "Library", "custom/tools/base", OTHER, 1)
    assert read(box.trees.path(KEY, 1)) == FILES
    assert box.trees.pointed("Example", "Library") == {"custom/tools/base": box.trees.path(OTHER, 1)}
    box.trees.point("Example", "Library", "custom/tools", KEY, 1)
    assert box.trees.pointed("Example", "Library") == {"custom/tools": box.trees.path(KEY, 1)}


def test_links_that_a_killed_process_did_not_rename_are_swept_away(box: Store) -> None:
    show(box, {"custom/tools/base": KEY})
    left = box.state_dir / "content/Example/Library/custom/tools/.0123456789abcdef.tmp"
    left.symlink_to("nowhere")
    assert box.trees.pointed("Example", "Library") == {"custom/tools/base": box.trees.path(KEY, 1)}
    box.trees.write_listings("Example", "Library", ["custom/tools/base"])
    assert not left.is_symlink()
