"""From a receipt to what an increment may start from."""

from dataclasses import replace
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st
from makers.receipts import SOURCE, make_receipt, package_digests, redhat_repository
from makers.stores import sha256

from issbox.bundle.receipt_checks import known_files
from issbox.model import LastImport, Receipt, ReceiptRepository, RepositoryKey
from issbox.rules.bundles.receipts import (
    MAX_MISSING,
    KnownFiles,
    OwnRepository,
    export_base,
    imported_ranges,
    matching_state,
    missing_sequences,
    path_tag,
    recognise,
    state_digest,
)

BASE, EXTRA = RepositoryKey("ACME", "tools", "base"), RepositoryKey("ACME", "tools", "extra")


def own(key: RepositoryKey, **versions: str) -> OwnRepository:
    """Give an own repository; `v3="x"` is version 3 with the digest of x."""
    digests = {int(name[1:]): sha256(text) for name, text in versions.items()}
    return OwnRepository(key, f"custom/{key.product}/{key.label}", f"id-{key.label}", {}, digests)


def held(key: RepositoryKey, text: str, number: int | None = None) -> ReceiptRepository:
    """Give what a receipt says of a repository."""
    return ReceiptRepository(
        product=key.product,
        label=key.label,
        path=f"custom/{key.product}/{key.label}",
        content_id="far",
        repomd_sha256=sha256(text),
        source_box=SOURCE,
        source_version=number,
    )


def receipt(*repositories: ReceiptRepository) -> Receipt:
    """Give a receipt of these."""
    return replace(make_receipt("ab" * 32), repositories=repositories)


def test_the_version_with_the_digest_is_the_base() -> None:
    base = export_base(receipt(held(BASE, "two")), [own(BASE, v1="one", v2="two", v3="three"), own(EXTRA, v1="other")])
    assert base.versions == {BASE: 2, EXTRA: None}
    assert len(base.files) == 0


def test_the_number_of_the_import_counts_only_with_its_digest() -> None:
    versions = own(BASE, v1="one", v4="same", v7="same", v9="new")
    assert export_base(receipt(held(BASE, "same", 7)), [versions]).versions == {BASE: 7}
    assert export_base(receipt(held(BASE, "same", 9)), [versions]).versions == {BASE: 4}
    assert export_base(receipt(held(BASE, "unknown", 9)), [versions]).versions == {BASE: None}


def test_files_count_wherever_they_lie_over_there() -> None:
    base = export_base(receipt(held(EXTRA, "one", 5)), [own(BASE, v1="one", v5="five")])
    assert base.versions == {BASE: 1}


def test_a_compact_receipt_is_filled_in_from_what_is_known() -> None:
    bare = ReceiptRepository(product="", label="", path="", content_id="", repomd_sha256=sha256("two")[:16])
    mine = [own(EXTRA, v1="x"), own(BASE, v1="one", v2="two")]
    tag = path_tag(mine[1].path)
    whole = recognise(bare, tag, mine)
    assert (whole.path, whole.label, whole.repomd_sha256) == (mine[1].path, "base", sha256("two"))
    unknown = recognise(replace(bare, repomd_sha256=sha256("far")[:16]), tag, mine)
    assert (unknown.path, unknown.repomd_sha256) == (mine[1].path, sha256("far")[:16])
    assert recognise(bare, "00000000", mine) == bare
    assert export_base(receipt(unknown), mine).versions == {EXTRA: None, BASE: None}
    assert export_base(receipt(whole), mine).versions == {EXTRA: None, BASE: 2}
    assert export_base(receipt(bare), mine).versions[BASE] == 2


def test_two_organizations_with_the_same_path() -> None:
    there = OwnRepository(RepositoryKey("Other", "tools", "base"), "custom/tools/base", "id", {}, {1: sha256("two")})
    bare = ReceiptRepository(product="", label="", path="", content_id="", repomd_sha256=sha256("two")[:16])
    assert recognise(bare, path_tag(there.path), [own(BASE, v1="one"), there]).repomd_sha256 == sha256("two")


def test_listed_packages_are_known() -> None:
    files = known_files(package_digests(1000))
    assert len(files) == 1000
    assert all(sha256(str(number)) in files for number in range(1000))
    assert not any(sha256(str(number)) in files for number in range(1000, 1100))
    assert sha256("0") not in KnownFiles()


@given(st.lists(st.dictionaries(st.sampled_from("abcd"), st.sampled_from("xyz"), min_size=1), min_size=1, max_size=6))
def test_the_state_that_exports_left_is_recognised(exports: list[dict[str, str]]) -> None:
    states = list(accumulate(exports, lambda before, after: before | after))
    for state in (states[-1], states[0], exports[-1]):
        assert matching_state(exports, state_digest(state.items())) == state
    assert matching_state(exports, state_digest([("e", "x")])) is None


@given(st.sets(st.integers(1, 60), min_size=1))
def test_missing_and_imported_numbers_are_what_is_left_of_each_other(imported: set[int]) -> None:
    last = LastImport(
        source_box="b", destination="", bundle_id="x", sequence=max(imported), missing=missing_sequences(imported)
    )
    assert {number for number in range(1, 99) if last.has(number)} == imported
    assert {number for first, end in imported_ranges(last) for number in range(first, end + 1)} == imported


def test_with_very_many_gaps_more_is_said_to_be_missing_never_less() -> None:
    imported = set(range(2, 1000, 2))
    missing = missing_sequences(imported)
    assert len(missing) == MAX_MISSING
    assert missing[0][0] == 1
    said = {number for first, end in missing for number in range(first, end + 1)}
    assert said >= set(range(1, 998)) - imported
    assert 998 not in said


def test_long_names_are_told_apart() -> None:
    assert len({path_tag(redhat_repository(number).path) for number in range(500)}) == 500
