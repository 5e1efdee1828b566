"""Which bundles stay, and which repository versions they keep alive."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from issbox.model import ContentExport, ExportedVersion, ExportState, RepositoryKey
from issbox.rules.bundles.retention import Retention, plan_retention, spared_versions

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
KEY = RepositoryKey("acme", "tools", "base")
FILTERED = replace(KEY, view="servers")
OTHER = RepositoryKey("acme", "tools", "other")


def export(number: int, *, destination: str = "ship", days: float = 0, **changes: object) -> ContentExport:
    made = ContentExport(
        id=number,
        bundle_id=f"bundle-{number}",
        organization="acme",
        repositories=("tools/base",),
        destination=destination,
        sequence=number,
        path=f"/exports/{number}",
        created_at=NOW - timedelta(days=days),
        files=1,
        size=1,
    )
    return replace(made, **changes)  # type: ignore[arg-type] # fields of the row


def going(exports: Sequence[ContentExport], rules: Retention, acknowledged: Sequence[int] = ()) -> list[int]:
    planned = plan_retention(exports, rules, NOW, lambda each: each.id in acknowledged)
    return [each.export.id for each in planned if each.goes]


def test_without_rules_everything_stays() -> None:
    assert plan_retention([export(1, days=9999)], Retention(until_acknowledged=True), NOW, lambda _: True) == ()


def test_count_is_by_organization_and_destination() -> None:
    exports = [export(number, destination=destination) for number, destination in enumerate("aabab", start=1)]
    assert going([*exports, export(6, destination="a", organization="other")], Retention(keep=1)) == [1, 2, 3]
    assert going(exports, Retention(keep=2)) == [1]


def test_age_alone_lets_even_the_newest_go() -> None:
    exports = [export(1, days=31), export(2, days=30), export(3, days=29.9)]
    assert going(exports, Retention(keep_days=30)) == [1, 2]


def test_what_either_rule_keeps_stays() -> None:
    exports = [export(1, days=90), export(2, days=80), export(3, days=5), export(4, days=1)]
    assert going(exports, Retention(keep=1, keep_days=30)) == [1, 2]
    assert going(exports, Retention(keep=3, keep_days=30)) == [1]


def test_what_is_not_acknowledged_is_shown_and_stays() -> None:
    exports = [export(1), export(2), export(3)]
    planned = plan_retention(exports, Retention(keep=1, until_acknowledged=True), NOW, lambda each: each.id == 2)
    assert [(each.export.id, each.goes, each.reason) for each in planned] == [
        (1, False, "2 newer ones for the destination, but no receipt has acknowledged it"),
        (2, True, "1 newer one for the destination, acknowledged"),
    ]


def test_only_what_lies_somewhere_is_looked_at() -> None:
    exports = [export(number, state=state) for number, state in enumerate(ExportState, start=1)]
    written = [each.id for each in exports if each.state is ExportState.WRITTEN]
    assert going([*exports, export(9)], Retention(keep=1)) == written


@given(
    ages=st.lists(st.integers(0, 100), max_size=12),
    keep=st.integers(0, 5),
    keep_days=st.integers(0, 60),
    until=st.booleans(),
    acknowledged=st.sets(st.integers(1, 12)),
)
def test_laws(ages: list[int], keep: int, keep_days: int, until: bool, acknowledged: set[int]) -> None:
    exports = [export(number, days=age) for number, age in enumerate(sorted(ages, reverse=True), start=1)]
    gone = going(exports, Retention(keep, keep_days, until), sorted(acknowledged))
    assert gone == sorted(gone)
    if keep:
        assert not set(gone) & {each.id for each in exports[-keep:]}
    if keep_days:
        assert not set(gone) & {each.id for each in exports if each.created_at > NOW - timedelta(days=keep_days)}
    if until:
        assert set(gone) <= acknowledged
    assert (keep or keep_days) or not gone


def versions(*held: tuple[RepositoryKey, int]) -> tuple[ExportedVersion, ...]:
    return tuple(ExportedVersion(key, number, "0" * 64) for key, number in held)


def test_the_newest_of_each_destination_spares_its_versions() -> None:
    exports = [
        export(1, versions=versions((KEY, 1), (OTHER, 1))),
        export(2, versions=versions((KEY, 2))),
        export(3, versions=versions((KEY, 3)), destination="plant"),
        export(4, versions=versions((KEY, 4)), destination="plant", state=ExportState.PRUNED),
    ]
    assert spared_versions(exports) == {KEY: {2, 3}, OTHER: {1}}


def test_what_filters_made_stands_for_its_repository() -> None:
    exports = [export(1, versions=versions((KEY, 7))), export(2, versions=versions((FILTERED, 1)))]
    assert spared_versions(exports) == {FILTERED: {1}}
