"""What changes between two repository versions, told so that nothing is left out or told twice."""

import tracemalloc

from hypothesis import given
from hypothesis import strategies as st

from issbox.model import Advisory, ErratumType, Nevra, Package
from issbox.rules.content.comparing import ContentDifference, compare_content, compare_sorted
from issbox.rules.content.evr import compare_nevra


def package(name: str, version: str, arch: str = "noarch", checksum: str = "") -> Package:
    return Package(name, 0, version, "1", arch, "sha256", checksum or f"{name}-{version}-{arch}")


def nevra(name: str, version: str, arch: str = "noarch") -> Nevra:
    return Nevra(name, 0, version, "1", arch)


def advisory(id_: str, *cves: str) -> Advisory:
    return Advisory(id_, ErratumType.SECURITY, "", "", None, None, cves, ())


packages = st.lists(
    st.builds(
        package,
        st.sampled_from(["a", "b"]),
        st.sampled_from(["1", "1.0", "2", "10", "2~rc"]),
        st.sampled_from(["noarch", "x86_64"]),
        st.sampled_from(["", "other"]),
    ),
    max_size=8,
)


@given(packages)
def test_nothing_changes_from_a_version_to_itself(files: list[Package]) -> None:
    assert compare_content(files, reversed(files)).nothing


@given(packages, packages)
def test_what_was_there_and_the_difference_give_what_is_there(before: list[Package], after: list[Package]) -> None:
    found = compare_content(before, after)
    old, new = {each.identity for each in before}, {each.identity for each in after}
    came = [*found.added, *(pair[1] for pair in found.updated)]
    went = [*found.removed, *(pair[0] for pair in found.updated)]
    assert len(set(came)) == len(came)
    assert len(set(went)) == len(went)
    assert (old | set(came)) - (set(went) - new) == new | (old & new)
    assert set(found.added) <= new - old
    assert set(found.removed) <= old - new
    assert set(found.rebuilt) <= old & new
    for one, other in found.updated:
        assert (one.name, one.arch) == (other.name, other.arch)
        assert compare_nevra(one, other) != 0


@given(packages, packages)
def test_the_way_back_is_the_other_way_round(before: list[Package], after: list[Package]) -> None:
    there, back = compare_content(before, after), compare_content(after, before)
    assert (there.added, there.removed, there.rebuilt) == (back.removed, back.added, back.rebuilt)
    assert sorted(there.updated) == sorted((one, other) for other, one in back.updated)


def test_an_update_is_from_the_newest_to_the_newest() -> None:
    before = [package("kernel", "5.1"), package("kernel", "5.10"), package("gone", "1"), package("same", "1")]
    after = [
        package("kernel", "5.10"),
        package("kernel", "5.11"),
        package("kernel", "5.9"),
        package("new", "1", "x86_64"),
        package("same", "1", checksum="signed again"),
    ]
    assert compare_content(before, after) == ContentDifference(
        added=(nevra("kernel", "5.9"), nevra("new", "1", "x86_64")),
        updated=((nevra("kernel", "5.10"), nevra("kernel", "5.11")),),
        removed=(nevra("gone", "1"), nevra("kernel", "5.1")),
        rebuilt=(nevra("same", "1"),),
    )


def test_a_package_given_twice_is_no_change() -> None:
    both = [package("a", "1"), package("a", "1", checksum="other")]
    assert compare_content(both, both[:1]).nothing


def test_errata_and_cves() -> None:
    before = {each.id: each for each in (advisory("A", "CVE-1"), advisory("B", "CVE-2"))}
    after = {each.id: each for each in (advisory("B", "CVE-2"), advisory("C", "CVE-1", "CVE-3"))}
    found = compare_content([], [], before, after)
    assert (found.errata_gained, found.errata_lost) == ((after["C"],), (before["A"],))
    assert (found.cves_gained, found.cves_lost) == (("CVE-3",), ())


def test_memory_does_not_grow_with_what_is_on_both_sides() -> None:
    def peak(count: int) -> int:
        before, after = ((package(f"bell-{number:06d}", "1") for number in range(count)) for _ in range(2))
        tracemalloc.start()
        try:
            assert compare_sorted(before, after).nothing
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    few, many = peak(500), peak(5_000)
    assert many < 1.5 * few
