"""What the bytes of a terminal become: Esc and the key after it are two keys, sequences one, however they arrive."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.events import Key
from textual.message import Message

from issbox.tui.keyboard import KeyParser

SEQUENCES = {"\x1b[A": "up", "\x1bOP": "f1", "\x1b[15~": "f5", "\x1b[21~": "f10", "\x1b[6~": "pagedown"}
LETTERS = st.characters(categories=("Ll", "Nd"))


def keys(*parts: str) -> list[str]:
    """Give the keys of what arrives in these parts, each before the moment that an Esc is waited for is over."""
    parser, found = KeyParser(), list[Message]()
    for part in parts:
        found += parser.feed(part)
    if parser._timeout_time is not None:
        parser._timeout_time = 0.0
    found += parser.tick()
    return [each.key for each in found if isinstance(each, Key)]


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (("\x1bk",), ["escape", "k"]),
        (("\x1b", "k"), ["escape", "k"]),
        (("\x1bb\x1bf1",), ["escape", "b", "escape", "f", "1"]),
        (("\x1b\r",), ["escape", "enter"]),
        (("\x1b\x1b[A",), ["escape", "up"]),
        (("ab\x1b",), ["a", "b", "escape"]),
        (("\x1b\x1b",), ["escape", "escape"]),
        (("\x1b[Ak",), ["up", "k"]),
    ],
)
def test_an_escape_is_a_key_of_its_own(parts: tuple[str, ...], expected: list[str]) -> None:
    assert keys(*parts) == expected


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_a_sequence_that_arrives_in_pieces_is_one_key(sequence: str) -> None:
    for at in range(1, len(sequence)):
        assert keys(sequence[:at], sequence[at:]) == [SEQUENCES[sequence]]


@given(
    typed=st.lists(st.one_of(LETTERS, st.just("\x1b"), st.sampled_from(sorted(SEQUENCES))), max_size=12),
    cuts=st.sets(st.integers(1, 30)),
)
def test_what_is_typed_is_what_arrives_wherever_the_line_cuts_it(typed: list[str], cuts: set[int]) -> None:
    text = "".join(typed)
    ends = [0, *sorted(cut for cut in cuts if cut < len(text)), len(text)]
    parts = [text[start:end] for start, end in pairwise(ends) if end > start]
    plain = {"\x1b": "escape"} | SEQUENCES
    assert keys(*parts) == [plain.get(each) or keys(each)[0] for each in typed]
