"""Advisories: read as createrepo_c wrote them, and nothing of hostile ones reaches far."""

import gzip
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import createrepo_c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from makers.rpms import EPOCH, Recipe, updateinfo

from issbox.errors import BadMetadataError
from issbox.model import Advisory, ErratumType, Nevra
from issbox.yum.updateinfo import merge_advisories, read_updateinfo

LIMIT = 64 << 20
NO_FIXTURE_CHECK = [HealthCheck.function_scoped_fixture]


def read(tmp_path: Path, data: bytes, limit: int = LIMIT) -> list[Advisory]:
    path = tmp_path / "updateinfo"
    path.write_bytes(data)
    return list(read_updateinfo(path, limit, name="repodata/updateinfo.xml"))


def document(*updates: str) -> bytes:
    return f"<?xml version='1.0' encoding='UTF-8'?>\n<updates>{''.join(updates)}</updates>".encode()


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=20)
cves = st.from_regex(r"CVE-20[0-9]{2}-[0-9]{4,7}", fullmatch=True)
nevras = st.builds(Nevra, texts, st.integers(0, 99), texts, texts, st.sampled_from(["noarch", "x86_64"]))
advisories = st.builds(
    Advisory,
    texts,
    st.sampled_from([ErratumType.SECURITY, ErratumType.BUGFIX, ErratumType.ENHANCEMENT]),
    texts,
    texts,
    st.datetimes(datetime(1990, 1, 1), datetime(2037, 1, 1), timezones=st.just(UTC)).map(  # noqa: DTZ001 - bounds are naive
        lambda time: time.replace(microsecond=0)
    ),
    st.just(datetime(2026, 1, 1, tzinfo=UTC)),
    st.lists(cves, max_size=3, unique=True).map(lambda found: tuple(sorted(found))),
    st.lists(nevras, max_size=3, unique=True).map(tuple),
)


def written(found: list[Advisory]) -> bytes:
    """Write advisories as createrepo_c does."""
    result = createrepo_c.UpdateInfo()
    for each in found:
        record: Any = createrepo_c.UpdateRecord()
        record.id, record.type, record.title, record.severity = each.id, each.type.value, each.title, each.severity
        record.fromstr, record.status, record.version = "x@example.com", "final", "1"
        assert each.issued is not None
        assert each.updated is not None
        record.issued_date, record.updated_date = int(each.issued.timestamp()), int(each.updated.timestamp())
        for cve in each.cves:
            reference = createrepo_c.UpdateReference()
            reference.type, reference.id, reference.href, reference.title = "cve", cve, "https://example.com", cve
            record.append_reference(reference)
        collection = createrepo_c.UpdateCollection()
        for one in each.packages:
            package: Any = createrepo_c.UpdateCollectionPackage()
            package.name, package.epoch, package.version, package.release = (
                one.name,
                str(one.epoch),
                one.version,
                one.release,
            )
            package.arch, package.filename = one.arch, "x.rpm"
            collection.append(package)
        record.append_collection(collection)
        result.append(record)
    return bytes(result.xml_dump(), "utf-8")


@settings(suppress_health_check=NO_FIXTURE_CHECK)
@given(st.lists(advisories, max_size=4))
def test_advisories_are_read_as_createrepo_c_wrote_them(tmp_path: Path, found: list[Advisory]) -> None:
    assert read(tmp_path, gzip.compress(written(found))) == found


def test_the_samples_of_the_other_tests(tmp_path: Path) -> None:
    first, second = read(tmp_path, updateinfo([Recipe(0, 1), Recipe(5, 1)]))
    assert first == Advisory(
        "SAMPLE-2023:000000",
        ErratumType.SECURITY,
        "An update of sample1-000000",
        "Moderate",
        datetime.fromtimestamp(EPOCH, UTC),
        datetime.fromtimestamp(EPOCH, UTC),
        ("CVE-2023-000000",),
        (Nevra("sample1-000000", 0, "1.0", "1.el9", "noarch"),),
    )
    assert second.type is ErratumType.ENHANCEMENT


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-01 12:30:00", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-01T12:30:00Z", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        ("2026-11-01 12:30:00 UTC", datetime(2026, 11, 1, 12, 30, tzinfo=UTC)),
        (" 2026-11-01 ", datetime(2026, 11, 1, tzinfo=UTC)),
        ("1700000000", datetime.fromtimestamp(1700000000, UTC)),
        ("2026-13-01", None),
        ("99999999999", datetime(5138, 11, 16, 9, 46, 39, tzinfo=UTC)),
        ("", None),
        ("yesterday", None),
        ("¹", None),
    ],
)
def test_dates_of_all_upstreams(tmp_path: Path, text: str, expected: datetime | None) -> None:
    (found,) = read(tmp_path, document(f"<update><id>A</id><issued date='{text}'/></update>"))
    assert found.issued == expected
    assert found.updated is None


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("security", "security"),
        ("Recommended", "bugfix"),
        ("newpackage", "enhancement"),
        ("unspecified", "other"),
        ("", "other"),
    ],
)
def test_types_of_all_upstreams(tmp_path: Path, word: str, expected: str) -> None:
    (found,) = read(tmp_path, document(f"<update type='{word}'><id>A</id></update>"))
    assert found.type == expected


def test_what_one_advisory_says_badly_is_left_out_of_it(tmp_path: Path) -> None:
    packages = "".join(
        f"<package name='{name}' version='1' release='1' arch='noarch' {epoch}/>"
        for name, epoch in (("a", ""), ("b", "epoch='x'"), ("", ""), ("c", "epoch='7'"), ("d" * 600, ""))
    )
    references = "<reference type='cve' id='see CVE-2026-12345.'/><reference type='cve' id='?'/>"
    references += "<reference type='bugzilla' id='CVE-2026-1111'/>"
    (found,) = read(
        tmp_path,
        document(
            f"<update><title>\n two\n  lines </title><references>{references}</references>"
            f"<pkglist><collection>{packages}</collection></pkglist></update>"
        ),
    )
    assert (found.id, found.title, found.cves) == ("", "two lines", ("CVE-2026-12345",))
    assert found.packages == (Nevra("a", 0, "1", "1", "noarch"), Nevra("c", 7, "1", "1", "noarch"))


def test_an_advisory_in_several_parts_becomes_one(tmp_path: Path) -> None:
    def update(id_: str, name: str, cve: str) -> str:
        package = f"<package name='{name}' version='1' release='1' arch='noarch'/>"
        return (
            f"<update><id>{id_}</id><references><reference type='cve' id='{cve}'/></references>"
            f"<pkglist><collection>{package}</collection></pkglist></update>"
        )

    data = document(update("A", "x", "CVE-2026-0002"), update("", "z", ""), update("A", "y", "CVE-2026-0001"))
    merged = merge_advisories(read(tmp_path, data))
    assert list(merged) == ["A"]
    assert [each.name for each in merged["A"].packages] == ["x", "y"]
    assert merged["A"].cves == ("CVE-2026-0001", "CVE-2026-0002")


@settings(suppress_health_check=NO_FIXTURE_CHECK)
@given(st.data())
def test_damaged_bytes_give_values_or_our_error(tmp_path: Path, data: st.DataObject) -> None:
    whole = updateinfo([Recipe(0, 1)])
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = whole[:place] + data.draw(st.binary(max_size=4)) + whole[place + data.draw(st.integers(0, 4)) :]
    try:
        found = read(tmp_path, changed)
    except BadMetadataError:
        return
    assert all(len(each.id) <= 512 for each in found)


def many(part: str, times: int) -> bytes:
    return document("<update><id>A</id><pkglist><collection>" + part * times + "</collection></pkglist></update>")


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "not well-formed"),
        (b"<metadata/>", "instead of <updates>"),
        (b'<!DOCTYPE u [<!ENTITY a "aaaa">]><updates>&a;</updates>', "DOCTYPE"),
        (b"<updates><update>", "not well-formed"),
        (document("<update><title>" + "x" * (2 << 20) + "</title></update>"), "without any tag"),
        (document("<update>" + "<a/>" * (5 << 20) + "</update>"), "an element of more"),
        (many("<package name='a' version='1' release='1' arch='b'/>", 100_001), "more than 100000 packages"),
        (many("<reference type='cve' id='CVE-2026-1111'/>", 20_001), "more than 20000 references"),
        (gzip.compress(document("<update/>" * 5_000_000)), "larger than 4.0 MiB"),
    ],
    ids=["empty", "other", "entities", "cut", "long-text", "large-element", "packages", "references", "bomb"],
)
def test_hostile_metadata_is_refused_by_name(tmp_path: Path, data: bytes, says: str) -> None:
    limit = 4 << 20 if says.startswith("larger") else LIMIT
    with pytest.raises(BadMetadataError, match=says) as caught:
        read(tmp_path, data, limit)
    assert "repodata/updateinfo.xml" in str(caught.value)


def test_many_advisories_need_little_memory(tmp_path: Path) -> None:
    """They are given one by one, so that it costs only what the caller keeps."""
    path = tmp_path / "updateinfo.gz"
    update = f"<update><id>A</id><description>{'words ' * 200}</description></update>"
    path.write_bytes(gzip.compress(document(update * 20_000), 1))
    tracemalloc.start()
    assert sum(1 for _ in read_updateinfo(path, LIMIT)) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20
