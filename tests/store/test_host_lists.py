"""Long lists of hosts and certificates, page by page."""

from dataclasses import replace
from datetime import timedelta

import pytest
from makers.stores import NOW as LONG_NOW
from makers.stores import Library

from issbox.errors import NotFoundError
from issbox.model import (
    LIBRARY,
    Consumer,
    EndingCertificate,
    EndingFilter,
    HostFilter,
    HostOrder,
    HostProfile,
    HostSummary,
    IssuedCertificate,
    IssuedKind,
    LifecycleEnvironment,
    Validity,
)
from issbox.store.keysets import Key

NOW = LONG_NOW.replace(microsecond=0)  # as certificates have it
ALL = HostFilter("Example")
ENDING = EndingFilter("Example")
PLACES = ((), ("dev",), ("prod", "dev"))


def uuid(number: int) -> str:
    return f"4e6c5cf3-6c8b-4b62-9c5e-{number:012}"


@pytest.fixture
def hosts(library: Library) -> Library:
    """Thirty hosts of ten names, a third of them in no environment, in dev, and in prod and dev."""
    store = library.store
    for label, prior in (("dev", LIBRARY), ("prod", "dev")):
        store.environments.create(LifecycleEnvironment("Example", label, label.title(), prior))
    for number in range(30):
        profile = HostProfile(PLACES[number % 3])
        store.consumers.create(
            Consumer("Example", uuid(number), f"web{number % 10}", "system", {}, profile, NOW, "PEM")
        )
        store.entitlements.create(f"{number:032x}", uuid(number), None, "Example")
    return library


def certify(hosts: Library, number: int, *, days: int, kind: IssuedKind = IssuedKind.ENTITLEMENT) -> int:
    valid = Validity(NOW, NOW + timedelta(days=days))
    serial = 2**40 + number
    entitlement = f"{number:032x}"
    hosts.store.certificates.add(IssuedCertificate(serial, kind, uuid(number), "PEM", valid, "digest", entitlement))
    hosts.store.entitlements.certified({entitlement: serial})
    return serial


def test_pages_hold_every_host_once_in_order_of_names(hosts: Library) -> None:
    lists, found, after = hosts.store.host_lists, [], None
    while page := lists.page(ALL, after, 7):
        found += page
        after = page[-1][0]
    names = [(each.consumer.name, each.consumer.uuid) for _, each in found]
    assert names == sorted(names)
    assert len(set(names)) == lists.count(ALL) == 30
    assert lists.skip(ALL, None, 10) == found[9][0]
    assert lists.skip(ALL, found[9][0], 5) == found[14][0]
    assert lists.skip(ALL, None, 31) is None


def pages(hosts: Library, wanted: HostFilter, size: int) -> list[tuple[Key, str]]:
    """Give key and UUID of all wanted hosts, read in pages of a size."""
    lists, found, after = hosts.store.host_lists, list[tuple[Key, str]](), None
    while page := lists.page(wanted, after, size):
        found += [(key, each.consumer.uuid) for key, each in page]
        after = page[-1][0]
    return found


@pytest.mark.parametrize("order", HostOrder)
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("size", [1, 7, 10, 30, 31])
def test_pages_of_any_size_hold_every_host_once_in_the_wanted_order(
    hosts: Library, order: HostOrder, descending: bool, size: int
) -> None:
    seen = {uuid(number): NOW + timedelta(days=number % 4) for number in range(5, 20)}
    for each, at in seen.items():
        hosts.store.consumers.seen(each, at)
    never = NOW - timedelta(days=9)
    ordered = sorted(
        (uuid(number) for number in range(30)),
        key=lambda each: (f"web{int(each[-2:]) % 10}" if order is HostOrder.NAME else str(seen.get(each, never)), each),
        reverse=descending,
    )
    found = pages(hosts, replace(ALL, order=order, descending=descending), size)
    assert [each for _, each in found] == ordered
    wanted = replace(ALL, order=order, descending=descending)
    for start in (0, 4, 14, 15, 29):
        for skipped in (1, 11, 15, 16, 30):
            place = start + skipped
            expected = found[place][0] if place < 30 else None
            assert hosts.store.host_lists.skip(wanted, found[start][0], skipped) == expected


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (replace(ALL, environment="dev"), 20),
        (replace(ALL, environment="prod"), 10),
        (replace(ALL, environment=""), 10),
        (replace(ALL, environment="nowhere"), 0),
        (replace(ALL, search="web3"), 3),
        (replace(ALL, search=f"web3 {uuid(13)}"), 1),
        (replace(ALL, search="web3 0013"), 0),
        (replace(ALL, search="web3 %"), 0),
        (replace(ALL, search="web3", environment="prod"), 1),
    ],
)
def test_hosts_are_found_by_environment_and_words(hosts: Library, wanted: HostFilter, number: int) -> None:
    assert hosts.store.host_lists.count(wanted) == number
    assert len(hosts.store.host_lists.page(wanted, None, 100)) == number


def test_a_line_tells_how_the_certificates_are(hosts: Library) -> None:
    lists, store = hosts.store.host_lists, hosts.store
    certify(hosts, 3, days=10)
    certify(hosts, 13, days=20)
    store.entitlements.mark_all_stale()
    certify(hosts, 23, days=30)
    shown = {each.consumer.uuid: each for _, each in lists.page(replace(ALL, search="web3"), None, 9)}
    facts = {key: (each.entitlements, each.stale, each.missing, each.ends) for key, each in shown.items()}
    assert facts == {
        uuid(3): (1, 1, 0, NOW + timedelta(days=10)),
        uuid(13): (1, 1, 0, NOW + timedelta(days=20)),
        uuid(23): (1, 0, 0, NOW + timedelta(days=30)),
    }
    assert lists.page(replace(ALL, search="web4"), None, 1)[0][1].missing == 1
    assert lists.count(replace(ALL, waiting=True)) == 29
    assert lists.count(replace(ALL, waiting=True, search="web3")) == 2


def test_hosts_are_counted_by_environment(hosts: Library) -> None:
    certify(hosts, 1, days=10)
    hosts.store.entitlements.mark_all_stale()
    expected = HostSummary({"dev": 20, "prod": 10}, outside=10, total=30, stale=1)
    assert hosts.store.host_lists.summary("Example") == expected
    with pytest.raises(NotFoundError):
        hosts.store.host_lists.summary("nobody")


def test_certificates_in_use_are_found_by_their_end(hosts: Library) -> None:
    lists = hosts.store.host_lists
    serials = [certify(hosts, number, days=number // 3 + 1) for number in range(12)]
    hosts.store.certificates.revoke(serials[:2], NOW)
    found = lists.ending(ENDING, None, 100)
    assert [each.serial for _, each in found] == serials[2:]
    _, one = found[0]
    assert (one.name, one.kind, one.ends) == ("web2", IssuedKind.ENTITLEMENT, NOW + timedelta(days=1))
    key = found[3][0]
    assert [each.serial for _, each in lists.ending(ENDING, key, 3)] == serials[6:9]
    assert lists.skip_ending(ENDING, None, 4) == key
    assert lists.skip_ending(ENDING, key, 99) is None
    between = EndingFilter("Example", NOW + timedelta(days=2), NOW + timedelta(days=3))
    assert [each.serial for _, each in lists.ending(between, None, 100)] == serials[3:6]
    assert lists.count_ending(between) == 3
    assert lists.count_ending(replace(between, search="web3")) == 1


@pytest.mark.parametrize("descending", [False, True])
def test_certificates_are_read_from_either_end(hosts: Library, descending: bool) -> None:
    for number in range(12):
        certify(hosts, number, days=number // 3 + 1)
    lists, found, after = hosts.store.host_lists, list[EndingCertificate](), None
    wanted = replace(ENDING, descending=descending)
    while page := lists.ending(wanted, after, 5):
        found += [each for _, each in page]
        after = page[-1][0]
    keys = [(each.ends, each.serial) for each in found]
    assert len(keys) == 12
    assert keys == sorted(keys, reverse=descending)
