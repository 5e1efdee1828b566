"""Strategies for content paths, and the obvious way to say which of them grant what."""

from collections.abc import Iterable

from hypothesis import strategies as st

_WORDS = ("content", "custom", "dist", "os", "debug", "listing", "rhel9", "a", "b", "ä b", "x%20y", "$releasever")
words = st.sampled_from(_WORDS)
"""Few, so that paths share them; as text, not as a certificate writes them."""
texts = words | st.text(st.characters(exclude_categories=["C"], exclude_characters="/\\$"), min_size=1, max_size=6)
segments = texts.filter(lambda word: word not in {".", ".."})
content_paths = st.lists(segments, min_size=1, max_size=5).map(lambda found: "/" + "/".join(found))


def segments_of(path: str) -> list[str]:
    return [segment for segment in path.split("/") if segment]


def obviously_granted(granted: Iterable[str], path: str) -> bool:
    """Compare the path with every one that is granted, all of them as text."""
    asked = segments_of(path)
    for each in map(segments_of, granted):
        together = list(zip(each, asked, strict=False))
        if len(asked) >= len(each) and all(one[0] == "$" or one == other for one, other in together):
            return True
        above = asked[:-1]
        if (
            asked
            and asked[-1] == "listing"
            and len(above) < len(each)
            and all(one[0] == "$" or one == other for one, other in zip(each, above, strict=False))
        ):
            return True
    return False
