"""Walking a directory in the order of paths."""

import tempfile
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
