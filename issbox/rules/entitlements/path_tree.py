"""The path tree of a version 3 certificate: which paths below a content server a host may read.

A tree is a graph from the root along path segments to an end, in which equal subtrees are one. A node without
children ends a granted path: whatever lies below it is granted too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final
from urllib.parse import unquote

from issbox.errors import BadCertificateError, InvalidValueError

LISTING: Final = "listing"
"""File in every directory above a repository that names its subdirectories: readable on the way down."""
MOST_PATHS: Final = 20_000
"""Paths that `paths` writes out; a small graph can stand for more than fit into memory."""


@dataclass(frozen=True)
class PathTree:
    """A graph of path segments without cycles."""

    nodes: tuple[Mapping[str, int], ...]
    """Each node's segments and where they lead, the root first; segments are written as in the certificate, that is
    percent-encoded, and those that begin with `$` stand for any one. Without nodes, nothing is granted."""

    @cached_property
    def steps(self) -> tuple[tuple[Mapping[str, int], tuple[int, ...]], ...]:
        """Each node's decoded segments and where they lead, and where any segment leads."""
        return tuple(
            (
                {unquote(word): child for word, child in node.items() if not word.startswith("$")},
                tuple(child for word, child in node.items() if word.startswith("$")),
            )
            for node in self.nodes
        )

    @cached_property
    def ends(self) -> frozenset[int]:
        """The nodes without children: whatever lies below is granted."""
        return frozenset(number for number, node in enumerate(self.nodes) if not node)


EMPTY: Final = PathTree(())


def build(paths: Iterable[str]) -> PathTree:
    """Build the smallest tree that grants these full paths, such as those of `rules.paths.content_path`.

    A path below another one adds nothing. Raises InvalidValueError for a path without a leading slash or a segment.
    """
    trie: dict[str, dict] = {}  # type: ignore[type-arg] # a dictionary of such dictionaries, to any depth
    kept: list[str] = []
    for segments in sorted(_split(path) for path in set(paths)):
        if kept and segments[: len(kept)] == kept:
            continue  # sorted, a path stands right before those below it
        kept = segments
        node = trie
        for segment in segments:
            node = node.setdefault(segment, {})
    return PathTree(_merged(trie)) if trie else EMPTY


def _split(path: str) -> list[str]:
    segments = [segment for segment in path.split("/") if segment]
    if not path.startswith("/") or not segments:
        raise InvalidValueError(f"the content path {path[:200]!r} is not a full path such as /content/dist")
    return segments


def _merged(trie: dict[str, dict]) -> tuple[Mapping[str, int], ...]:  # type: ignore[type-arg] # as above
    """Give the nodes with equal subtrees made one, root first; every child stands after its parents, the end last."""
    numbers: dict[tuple[tuple[str, int], ...], int] = {}
    waiting = [(iter(trie.items()), dict[str, int]())]
    while True:
        left, children = waiting[-1]
        if (step := next(left, None)) is not None:
            word, child = step
            children[word] = -1  # known when the child is done
            waiting.append((iter(child.items()), {}))
            continue
        number = numbers.setdefault(tuple(children.items()), len(numbers))
        waiting.pop()
        if not waiting:
            break
        above = waiting[-1][1]
        above[next(reversed(above))] = number
    last = len(numbers) - 1
    return tuple({word: last - child for word, child in node} for node in reversed(numbers))


def grants(tree: PathTree, path: str) -> bool:
    """Tell whether the tree grants a decoded, normalized path, such as `rules.paths.request_path` gives.

    Whole segments count: `/content/c` does not grant `/content/cx`. A file named `listing` is granted in every
    directory on the way down. Raises InvalidValueError for a path without a leading slash.
    """
    if not path.startswith("/"):
        raise InvalidValueError(f"the path {path[:200]!r} does not begin with a slash")
    segments = [segment for segment in path.split("/") if segment]
    here = {0} if tree.nodes and tree.nodes[0] else set()
    for position, segment in enumerate(segments):
        if segment == LISTING and position == len(segments) - 1:
            return bool(here)
        reached: set[int] = set()
        for node in here:
            words, others = tree.steps[node]
            reached.update(others)
            if segment in words:
                reached.add(words[segment])
        if not reached.isdisjoint(tree.ends):
            return True
        here = reached
    return False


def count_paths(tree: PathTree) -> int:
    """Give the number of paths from the root to an end; raises BadCertificateError when the graph has a cycle."""
    order = _children_first(tree)
    counts = [0] * len(tree.nodes)
    for number in order:
        node = tree.nodes[number]
        counts[number] = sum(counts[child] for child in node.values()) if node else 1
    return counts[0] if tree.nodes and tree.nodes[0] else 0


def paths(tree: PathTree, most: int = MOST_PATHS) -> tuple[str, ...]:
    """Write out the paths of the tree, sorted by segment; raises BadCertificateError when there are more than `most`.

    The end is the only node without children that a path may lead to: a tree of one node grants nothing.
    """
    number = count_paths(tree)
    if number > most:
        raise BadCertificateError(f"the path tree stands for {number} paths; more than {most} are not written out")
    found: list[str] = []
    waiting = [("", 0)] if number else []
    while waiting:
        path, here = waiting.pop()
        children = tree.nodes[here]
        if not children:
            found.append(path)
        waiting.extend((f"{path}/{word}", children[word]) for word in sorted(children, reverse=True))
    return tuple(found)


def _children_first(tree: PathTree) -> list[int]:
    """Give the nodes that can be reached, each after its children."""
    parents = [0] * len(tree.nodes)
    for node in tree.nodes:
        for child in node.values():
            parents[child] += 1
    free = [number for number, count in enumerate(parents) if count == 0]
    order: list[int] = []
    while free:
        number = free.pop()
        order.append(number)
        for child in tree.nodes[number].values():
            parents[child] -= 1
            if parents[child] == 0:
                free.append(child)
    if len(order) != len(tree.nodes):
        raise BadCertificateError("the path tree leads in a circle")
    order.reverse()
    return order
