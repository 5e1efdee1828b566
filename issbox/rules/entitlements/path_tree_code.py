"""The bytes of a path tree: a dictionary of segments, a number of nodes, and the nodes in bits.

The dictionary is a zlib stream of UTF-8 words, each ended by a zero byte. The number of nodes is one byte, or one byte
128 + k and k bytes. Then every node names, bit by bit, each segment's word and the node it leads to, and ends with
the word after the last. Words and nodes are numbered, and the larger number has the shorter code
(`rules.huffman`); the first node is the root, to which nothing leads, and it has no code.
"""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from issbox.errors import BadCertificateError, CertificateTooLargeError
from issbox.rules.entitlements.huffman import codes
from issbox.rules.entitlements.path_tree import EMPTY, PathTree, count_paths

MOST_BYTES: Final = 256 << 10
"""Encoded: the largest certificate of a vendor seen has 1,415."""
MOST_WORD_BYTES: Final = 1 << 20
MOST_NODES: Final = 20_000
"""Nodes of a tree, and words in its dictionary."""


def encode(tree: PathTree) -> bytes:
    """Write a tree in the fewest bits that the format allows; without paths there are no bytes at all.

    Raises CertificateTooLargeError for a tree that `decode` would not read.
    """
    if not tree.nodes or not tree.nodes[0]:
        return b""
    uses: dict[str, int] = {}
    for node in tree.nodes:
        for word in node:
            uses[word] = uses.get(word, 0) + 1
    _require_room(max(len(uses), len(tree.nodes)), MOST_NODES, "branches and different segments")
    _require_room(sum(len(word.encode()) + 1 for word in uses), MOST_WORD_BYTES, "bytes of different segments")
    words = sorted(uses, key=lambda word: (uses[word], word))
    word_codes = codes(len(words) + 1)
    code_of_word = dict(zip(words, word_codes, strict=False))
    end = word_codes[-1]
    order = _node_order(tree)
    nodes: list[Mapping[str, int]] = [tree.nodes[number] for number in order]
    if len(nodes) == 2:
        nodes.append({})  # one leaf alone would have an empty code, which older readers cannot follow
    code_of_node = dict(zip(order[1:], codes(len(nodes) - 1), strict=False))
    bits = "".join(
        "".join(code_of_word[word] + code_of_node[child] for word, child in sorted(node.items())) + end
        for node in nodes
    )
    dictionary = zlib.compress(b"".join(word.encode() + b"\0" for word in words), 9)
    data = dictionary + _count(len(nodes)) + _packed(bits)
    _require_room(len(data), MOST_BYTES, "bytes of path tree")
    return data


def _require_room(number: int, most: int, what: str) -> None:
    if number > most:
        raise CertificateTooLargeError(
            f"the content paths make {number} {what}; a certificate holds {most}",
            hint="Promote fewer contents to the environments of this host.",
        )


def _node_order(tree: PathTree) -> list[int]:
    """Give the nodes with the root first and those last that need short codes.

    A node's code is written once for each segment that leads there. Where the length of the code does not depend on it,
    the node with fewer parents comes first, then the one nearer to the end: the order of the stock server.
    """
    written = [0] * len(tree.nodes)
    parents = [0] * len(tree.nodes)
    for node in tree.nodes:
        for child in node.values():
            written[child] += 1
        for child in set(node.values()):
            parents[child] += 1

    def rank(number: int) -> tuple[int, bool, int]:
        return parents[number], not tree.nodes[number], -number  # a child has a larger number than its parents

    by_cost = sorted(range(1, len(tree.nodes)), key=lambda number: (written[number], *rank(number)))
    lengths = dict(zip(by_cost, map(len, codes(len(by_cost))), strict=True))
    by_cost.sort(key=lambda number: (-lengths[number], *rank(number)))
    return [0, *by_cost]


def _count(number: int) -> bytes:
    if number < 128:
        return bytes([number])
    size = (number.bit_length() + 7) // 8
    return bytes([128 + size]) + number.to_bytes(size, "big")


def _packed(bits: str) -> bytes:
    size = (len(bits) + 7) // 8
    return int(bits.ljust(size * 8, "0"), 2).to_bytes(size, "big")


def decode(data: bytes) -> PathTree:
    """Read a tree, also one that another server wrote.

    Raises BadCertificateError when the bytes end early, name a node or word that is not there, lead in a circle, or
    would grow beyond the limits of this module.
    """
    if not data:
        return EMPTY
    if len(data) > MOST_BYTES:
        raise BadCertificateError(f"the path tree has {len(data)} bytes; more than {MOST_BYTES} are not read")
    words, rest = _read_words(data)
    count, rest = _read_count(rest)
    nodes = tuple(_read_nodes(words, count, rest))
    tree = PathTree(nodes)
    count_paths(tree)  # refuses circles
    return tree


def _read_words(data: bytes) -> tuple[list[str], bytes]:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, MOST_WORD_BYTES + 1)
    except zlib.error as error:
        raise BadCertificateError(f"the words of the path tree cannot be unpacked: {error}") from None
    if len(text) > MOST_WORD_BYTES:
        raise BadCertificateError(f"the words of the path tree grow beyond {MOST_WORD_BYTES} bytes")
    if not inflater.eof:
        raise BadCertificateError("the words of the path tree are cut off")
    if text and not text.endswith(b"\0"):
        raise BadCertificateError("the last word of the path tree has no end")
    try:
        words = text[:-1].decode().split("\0") if text else []
    except UnicodeError:
        raise BadCertificateError("the words of the path tree are not UTF-8") from None
    if len(words) > MOST_NODES:
        raise BadCertificateError(f"the path tree has {len(words)} words; more than {MOST_NODES} are not read")
    if any(not word or "/" in word for word in words):
        raise BadCertificateError("the path tree has a word that is no path segment")
    return words, inflater.unused_data


def _read_count(data: bytes) -> tuple[int, bytes]:
    size = max(data[0] - 128, 0) if data else 0
    number = int.from_bytes(data[1 : 1 + size], "big") if data and data[0] >= 128 else sum(data[:1])
    if len(data) < 1 + size or not 1 <= number <= MOST_NODES:
        raise BadCertificateError(f"the path tree has no usable number of nodes (1 to {MOST_NODES})")
    return number, data[1 + size :]


def _read_nodes(words: Sequence[str], count: int, data: bytes) -> Iterator[Mapping[str, int]]:
    bits = _Bits(data)
    word_codes = {code: index for index, code in enumerate(codes(len(words) + 1))}
    node_codes = {code: index for index, code in enumerate(codes(count - 1), start=1)}
    for _ in range(count):
        node: dict[str, int] = {}
        # The end's word is the only one whose code may be empty, so every turn of this loop takes bits.
        while (word := bits.symbol(word_codes)) < len(words):
            if words[word] in node:
                raise BadCertificateError("a node of the path tree names the same segment twice")
            if not node_codes:
                raise BadCertificateError("the path tree leads to a node that is not there")
            node[words[word]] = bits.symbol(node_codes)
        yield node
    if bits.left().strip("0"):
        raise BadCertificateError("the path tree goes on after its last node")


class _Bits:
    """Reads prefix codes, the highest bit of a byte first."""

    def __init__(self, data: bytes) -> None:
        self._text = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""
        self._at = 0

    def symbol(self, symbols: Mapping[str, int]) -> int:
        """Take one code and give its symbol."""
        if "" in symbols:
            return symbols[""]
        for end in range(self._at + 1, len(self._text) + 1):
            found = symbols.get(self._text[self._at : end])
            if found is not None:
                self._at = end
                return found
        raise BadCertificateError("the path tree ends within a node")

    def left(self) -> str:
        """Give the bits that nobody took."""
        return self._text[self._at :]
