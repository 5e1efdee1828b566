"""The packages of a version page by page, in every order: what sorting all of them would give."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from makers.stores import KEY, Library, metadata, package

from issbox.model import PackageOrder, PackageSearch, RepositoryFile

ARCHES = ("noarch", "x86_64", "aarch64")
KEYS: dict[PackageOrder, Callable[[RepositoryFile], Any]] = {
    PackageOrder.PATH: lambda each: (),
    PackageOrder.NAME: lambda each: described(each).name,
    PackageOrder.ARCH: lambda each: described(each).arch,
    PackageOrder.SIZE: lambda each: each.size,
}


def described(file: RepositoryFile) -> Any:
    assert file.package is not None
    return file.package


def variety(number: int) -> RepositoryFile:
    """Give one of many packages, some of one name, of one size, or of one architecture."""
    made = package(number)
    one = replace(described(made), name=f"n{number % 5}", arch=ARCHES[number % 3])
    return replace(made, size=100 + number % 4, package=one)


@pytest.fixture
def files(library: Library) -> list[RepositoryFile]:
    files = [variety(each) for each in range(23)]
    library.publish([*files, metadata("repomd")])
    return files


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("order", PackageOrder)
def test_pages_are_what_sorting_gives(
    library: Library, files: list[RepositoryFile], order: PackageOrder, descending: bool
) -> None:
    browsing, wanted = library.store.browsing, PackageSearch(order=order, descending=descending)
    expected = sorted(files, key=lambda each: (KEYS[order](each), each.path), reverse=descending)
    for size in (1, 4, 23, 100):
        found, after = [], None
        while page := browsing.packages(KEY, 1, wanted, after, size):
            found += [file for _, file in page]
            after = page[-1][0]
        assert found == expected
    at = browsing.skip_packages(KEY, 1, wanted, None, 7)
    assert [file for _, file in browsing.packages(KEY, 1, wanted, at, 3)] == expected[7:10]
    assert browsing.skip_packages(KEY, 1, wanted, at, 100) is None
    assert browsing.count_packages(KEY, 1, wanted) == len(files)


def test_a_text_narrows_every_order(library: Library, files: list[RepositoryFile]) -> None:
    for order in PackageOrder:
        wanted = PackageSearch("p00000", order)
        found = [file.path for _, file in library.store.browsing.packages(KEY, 1, wanted, None, 100)]
        assert sorted(found) == [each.path for each in files[:10]]
        assert library.store.browsing.count_packages(KEY, 1, wanted) == 10
