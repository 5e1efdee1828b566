"""Walking a directory in the order of paths."""

import tempfile
import tracemalloc
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from makers.bundle_strategies import paths

from issbox.bundle.tree import FoundFile, walk


@given(st.lists(paths | st.sampled_from(["a/b", "a-b", "a.b", "a b/c", "a0"]), max_size=8))
@settings(max_examples=50)
def test_files_come_in_the_order_of_their_paths(made: list[str]) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        written = []
        for path in made:
            if not (root / path).exists() and all(not parent.is_file() for parent in (root / path).parents):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_bytes(path.encode())
                written.append(FoundFile(path, len(path.encode())))
        assert list(walk(root)) == sorted(written, key=lambda file: file.path)


def peak(root: Path) -> int:
    tracemalloc.start()
    try:
        for _ in walk(root):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_directory_may_hold_any_number_of_files(tmp_path: Path) -> None:
    peaks = []
    for count in (3_000, 7_000):
        root = tmp_path / str(count)
        root.mkdir()
        for number in range(count):
            (root / f"bell-{number * 7919 % count}.rpm").touch()
        assert [file.path for file in walk(root)] == sorted(each.name for each in root.iterdir())
        peaks.append(peak(root))
    assert peaks[1] < 1.5 * peaks[0]
