"""The additive exit code."""

from hypothesis import given
from hypothesis import strategies as st

from issbox.rules.health import MEANINGS, Problem, Trouble, lacks_space, status_code


@given(st.lists(st.sampled_from(list(Trouble)), max_size=20))
def test_each_kind_counts_once_and_can_be_read_back(kinds: list[Trouble]) -> None:
    code = status_code(Problem(kind, "x") for kind in kinds)
    assert {kind for kind in Trouble if code & kind} == set(kinds)
    assert code < 128  # 128 and more are signals to a shell


def test_every_kind_is_told_in_words() -> None:
    assert set(MEANINGS) == set(Trouble)
    assert [int(kind) for kind in Trouble] == [1, 2, 4, 8, 16, 32, 64]


def test_little_space_is_few_bytes_or_a_small_part() -> None:
    assert lacks_space(4, 100, 5)
    assert lacks_space(10, 1000, 5)
    assert not lacks_space(50, 1000, 5)
