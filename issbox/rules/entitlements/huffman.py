"""The prefix codes of the path tree: symbol i of k, counted from 1, weighs i; nothing else is ever written down."""

from collections import deque
from functools import lru_cache


@lru_cache(maxsize=32)
def codes(count: int) -> tuple[str, ...]:
    """Give the code of each of `count` symbols as text of 0 and 1, the lightest symbol first.

    The two lightest are joined until one is left, the first taken on the 0 side; of equal ones, that which has waited
    longer is taken first. Heavier symbols never have longer codes. A single symbol has the empty code.
    """
    # Joined weights never decrease, so two queues replace a heap: single symbols, and joined ones in order of making.
    symbols = deque((weight, weight) for weight in range(1, count + 1))
    joined: deque[tuple[int, int]] = deque()
    parents: dict[int, tuple[int, str]] = {}
    following = count + 1

    def lightest() -> tuple[int, int]:
        # A symbol of equal weight has been in the queue since the beginning.
        if not joined or (symbols and symbols[0][0] <= joined[0][0]):
            return symbols.popleft()
        return joined.popleft()

    while len(symbols) + len(joined) > 1:
        (left_weight, left), (right_weight, right) = lightest(), lightest()
        parents[left] = (following, "0")
        parents[right] = (following, "1")
        joined.append((left_weight + right_weight, following))
        following += 1

    known: dict[int, str] = {following - 1: ""}
    for node in range(following - 2, 0, -1):  # whoever joins was made later, so its code is known
        parent, bit = parents[node]
        known[node] = known[parent] + bit
    return tuple(known[symbol] for symbol in range(1, count + 1)) if count else ()
