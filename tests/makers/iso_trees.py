"""Files of images to be laid out: paths and sizes, hostile to whoever counts sectors."""

from collections.abc import Iterable

from hypothesis import strategies as st

from issbox.bundle.iso.layout import MAX_EXTENT
from makers.bundle_strategies import paths

_SIZES = st.sampled_from([0, 1, 2047, 2048, 2049, 100_000, MAX_EXTENT, MAX_EXTENT + 1, 3 * MAX_EXTENT]) | st.integers(
    0, 30_000
)
_LONG = st.builds(
    lambda path, name, times: f"{path}/{name * times}", paths, st.sampled_from("aé字"), st.integers(1, 80)
)
FILES = st.dictionaries(paths | _LONG, _SIZES, max_size=60)
"""Sizes by path."""


def without_clashes(files: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Leave out files that are directories of others."""
    kept: list[tuple[str, int]] = []
    for path, size in files:
        if not any(other.startswith(f"{path}/") or path.startswith(f"{other}/") for other, _ in kept):
            kept.append((path, size))
    return kept
