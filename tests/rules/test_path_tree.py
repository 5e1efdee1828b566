"""The path tree: worked examples to the byte, and every other one against the obvious way to decide."""

import heapq
import random
import zlib
from itertools import count, product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.path_strategies import content_paths, obviously_granted, segments, segments_of

from issbox.errors import BadCertificateError, CertificateTooLargeError, InvalidValueError
from issbox.rules.entitlements.huffman import codes
from issbox.rules.entitlements.path_tree import PathTree, build, count_paths, grants, paths
from issbox.rules.entitlements.path_tree_code import MOST_NODES, MOST_WORD_BYTES, decode, encode
from issbox.rules.entitlements.paths import content_path

EXAMPLES = [
    (["/a"], b"a\0", "0338"),
    (["/content/a/os", "/content/b/os", "/content/c"], b"a\0b\0c\0content\0os\0", "04395d7d94"),
]


def certified(path: str) -> str:
    return content_path(path, organization="Acme")


@pytest.mark.parametrize(("given_paths", "words", "rest"), EXAMPLES)
def test_the_worked_examples_are_written_to_the_byte(given_paths: list[str], words: bytes, rest: str) -> None:
    encoded = encode(build(given_paths))
    inflater = zlib.decompressobj()
    assert inflater.decompress(encoded) == words
    assert inflater.unused_data.hex() == rest
    assert encoded[:2] == bytes.fromhex("78da")
    assert list(paths(decode(encoded))) == given_paths


def test_the_code_tables_of_the_format() -> None:
    assert [" ".join(codes(number)) for number in range(7)] == [
        "",
        "",
        "0 1",
        "10 11 0",
        "110 111 10 0",
        "010 011 00 10 11",
        "1110 1111 110 00 01 10",
    ]


def slow_codes(number: int) -> tuple[str, ...]:
    """The same by the words of the format: one queue, the lightest first, of equals the one that is there longer."""
    age = count()
    queue: list[tuple[int, int, tuple[int, ...]]] = [(each, next(age), (each,)) for each in range(1, number + 1)]
    found = dict.fromkeys(range(1, number + 1), "")
    heapq.heapify(queue)
    while len(queue) > 1:
        left, right = heapq.heappop(queue), heapq.heappop(queue)
        for bit, side in (("0", left), ("1", right)):
            for each in side[2]:
                found[each] = bit + found[each]
        heapq.heappush(queue, (left[0] + right[0], next(age), (*left[2], *right[2])))
    return tuple(found.values())


@pytest.mark.parametrize("number", [*range(70), 257, 1000])
def test_codes_are_those_of_the_slow_way_and_never_longer_for_heavier_symbols(number: int) -> None:
    found = codes(number)
    assert found == slow_codes(number)
    lengths = [len(code) for code in found]
    assert lengths == sorted(lengths, reverse=True)
    if number > 1:
        assert sum(2.0**-length for length in lengths) == 1


@given(st.lists(content_paths, max_size=12))
def test_what_is_written_is_read_again(given_paths: list[str]) -> None:
    tree = build(map(certified, given_paths))
    again = decode(encode(tree))
    kept = {certified(path) for path in given_paths}
    kept = {path for path in kept if not any(path.startswith(f"{other}/") for other in kept)}
    assert set(paths(tree)) == set(paths(again)) == kept
    assert count_paths(again) == len(kept)
    assert encode(again) == encode(tree) or len(encode(again)) <= len(encode(tree))


@given(st.lists(content_paths, max_size=10), st.lists(segments, max_size=6), st.booleans(), st.data())
def test_what_is_granted_is_what_the_obvious_way_grants(
    given_paths: list[str], asked: list[str], near: bool, data: st.DataObject
) -> None:
    tree = decode(encode(build(map(certified, given_paths))))
    if near and given_paths:  # something that lies at, above, beside or below a granted path
        base = segments_of(data.draw(st.sampled_from(given_paths)))
        asked = base[: data.draw(st.integers(0, len(base)))] + asked[: data.draw(st.integers(0, 2))]
    path = "/" + "/".join(asked)
    assert grants(tree, path) == obviously_granted(given_paths, path)


@given(st.lists(content_paths, min_size=1, max_size=8))
def test_the_nodes_are_as_few_and_the_bits_as_short_as_can_be(given_paths: list[str]) -> None:
    tree = build(map(certified, given_paths))
    assert len({tuple(sorted(node.items())) for node in tree.nodes}) == len(tree.nodes)
    encoded = encode(tree)
    for seed in range(3):  # the same graph with its nodes numbered in another order
        order = list(range(1, len(tree.nodes)))
        random.Random(seed).shuffle(order)
        place = {0: 0, **{number: index for index, number in enumerate(order, start=1)}}
        shuffled = PathTree(
            tuple({word: place[child] for word, child in tree.nodes[number].items()} for number in [0, *order])
        )
        assert len(encode(shuffled)) == len(encoded)
        assert paths(decode(encode(shuffled))) == paths(tree)


@pytest.mark.parametrize(
    ("path", "granted"),
    [
        ("/content/c", True),
        ("/content/c/os/repodata/repomd.xml", True),
        ("/content/cx", False),
        ("/content", False),
        ("/", False),
        ("/content/a/osx", False),
        ("/content/a", False),
        ("/content/listing", True),
        ("/listing", True),
        ("/content/a/listing", True),
        ("/content/x/listing", False),
        ("/content/listing/x", False),
        ("/v/9/x86_64/os/Packages/a.rpm", True),
        ("/v/9/x86_64", False),
        ("/v/9/x86_64/oss", False),
        ("/v/9/8/7/os", False),
    ],
)
def test_whole_segments_variables_and_listings(path: str, granted: bool) -> None:
    tree = build(["/content/a/os", "/content/b/os", "/content/c", "/v/$releasever/$basearch/os"])
    assert grants(tree, path) is granted


def test_a_shorter_path_wins_wherever_it_stands_among_the_longer_ones() -> None:
    assert paths(build(["/x/a", "/x", "/x/b", "/xy/z"])) == ("/x", "/xy/z")


def test_equal_subtrees_are_written_once() -> None:
    wide = [f"/{a}/{b}/os" for a, b in product("abcdefgh", "ijklmnop")]
    assert len(build(wide).nodes) == 4


@pytest.mark.parametrize("path", ["", "/", "a", "a/b", "//"])
def test_what_is_no_full_path_is_refused(path: str) -> None:
    with pytest.raises(InvalidValueError, match="full path"):
        build([path])


def test_without_paths_nothing_is_granted() -> None:
    assert encode(build([])) == b""
    for empty in (
        decode(b""),
        build([]),
        decode(zlib.compress(b"") + b"\x01"),
        decode(zlib.compress(b"a\0") + b"\x01\x80"),
    ):
        assert paths(empty) == ()
        for path in ("/", "/a", "/listing"):
            assert not grants(empty, path)


def test_a_tree_with_one_leaf_has_an_empty_code_and_is_read() -> None:
    # Root and end only, without the node that fills up: the end's code has no bits, so the root is word 0, then END.
    tree = decode(zlib.compress(b"a\0") + b"\x02" + bytes([0b01100000]))
    assert paths(tree) == ("/a",)


def test_the_number_of_nodes_takes_more_bytes_when_it_has_to() -> None:
    tree = build(f"/{'/'.join(f'{number}-{place}' for place in range(4))}" for number in range(100))
    encoded = encode(tree)
    inflater = zlib.decompressobj()
    inflater.decompress(encoded)
    assert inflater.unused_data[:3] == bytes([0x82, len(tree.nodes) >> 8, len(tree.nodes) & 255])
    assert paths(decode(encoded)) == paths(tree)


def words_of(text: bytes) -> bytes:
    return zlib.compress(text)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"xx", "unpacked"),
        (words_of(b"a\0")[:-3], "cut off"),
        (words_of(b"a"), "no end"),
        (words_of(b"\xff\0"), "not UTF-8"),
        (words_of(b"\0"), "no path segment"),
        (words_of(b"a/b\0"), "no path segment"),
        (words_of(b"a\0\0"), "no path segment"),
        (words_of(b"a\0"), "number of nodes"),
        (words_of(b"a\0") + b"\x00", "number of nodes"),
        (words_of(b"a\0") + b"\x80", "number of nodes"),
        (words_of(b"a\0") + b"\x82\x01", "number of nodes"),
        (words_of(b"a\0") + b"\xff" + b"\xff" * 127, "number of nodes"),
        (words_of(b"a\0") + b"\x03", "within a node"),
        (words_of(b"a\0") + b"\x06\x1f", "within a node"),
        (words_of(b"a\0") + b"\x01\x00", "a node that is not there"),
        (words_of(b"a\0") + b"\x03\x38\x01", "goes on"),
        (words_of(b"a\0") + b"\x03\x01", "within a node|twice"),
        # three nodes, node 1 (code 0) leads to itself: root 0 0 1, node 1: 0 0 1, node 2: 1
        (words_of(b"a\0") + b"\x03" + bytes([0b00100110]), "circle"),
        # node 1 leads to node 2 and back
        (words_of(b"a\0") + b"\x03" + bytes([0b00101100, 0b10000000]), "circle"),
        (words_of(b"a\0") + b"\x03" + bytes([0b00001000]), "twice"),
        (words_of(b"a" * (MOST_WORD_BYTES + 10) + b"\0"), "grow beyond"),
        (words_of(b"a\0" * (MOST_NODES + 1)), "words"),
        (bytes(1 << 20), "are not read"),
    ],
)
def test_hostile_bytes_are_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BadCertificateError, match=reason):
        decode(data)


@given(st.binary(max_size=60), st.sampled_from([b"", b"a\0", b"a\0b\0c\0", b"$x\0a\0"]))
def test_any_bytes_are_a_tree_or_refused(data: bytes, words: bytes) -> None:
    for each in (data, words_of(words) + data):
        try:
            tree = decode(each)
        except BadCertificateError:
            continue
        assert grants(tree, "/a/b/listing") in {True, False}
        assert decode(encode(tree)) is not None


@given(st.lists(content_paths, min_size=1, max_size=6), st.data())
def test_a_tree_cut_short_or_with_a_flipped_bit_never_runs_away(given_paths: list[str], data: st.DataObject) -> None:
    encoded = bytearray(encode(build(map(certified, given_paths))))
    if data.draw(st.booleans()):
        del encoded[data.draw(st.integers(0, len(encoded) - 1)) :]
    else:
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        tree = decode(bytes(encoded))
    except BadCertificateError:
        return
    assert count_paths(tree) >= 0


def test_a_small_graph_with_more_paths_than_memory_is_counted_and_matched_but_not_written_out() -> None:
    depth = 200
    bomb = PathTree((*({"a": place + 1, "b": place + 1} for place in range(depth)), {}))
    tree = decode(encode(bomb))
    assert count_paths(tree) == 2**depth
    assert grants(tree, "/a" * depth)
    assert not grants(tree, "/a" * (depth - 1))
    with pytest.raises(BadCertificateError, match="not written out"):
        paths(tree)
    variables = PathTree((*({"$a": place + 1, "$b": place + 1} for place in range(depth)), {}))
    assert grants(variables, "/x" * depth)


def test_more_than_a_certificate_holds_is_refused_with_advice() -> None:
    tree = build(f"/{number}" for number in range(MOST_NODES + 1))
    with pytest.raises(CertificateTooLargeError, match="20001") as refused:
        encode(tree)
    assert "fewer contents" in refused.value.hint


def test_the_words_of_another_server_are_compared_decoded() -> None:
    tree = build(["/a%7Eb/c+d/$basearch"])
    assert grants(tree, "/a~b/c+d/x")
    assert not grants(tree, "/a%7Eb/c+d/x")
