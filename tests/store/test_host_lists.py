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
    EndingFilter,
    HostFilter,
    HostProfile,
    HostSummary,
    IssuedCertificate,
    IssuedKind,
    LifecycleEnvironment,
    Validity,
)

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
        found += [(each.consumer.name, each.consumer.uuid) for each in page]
        after = found[-1]
    assert found == sorted(found)
    assert len(set(found)) == lists.count(ALL) == 30
    assert lists.skip(ALL, None, 10) == found[9]
    assert lists.skip(ALL, found[9], 5) == found[14]
    assert lists.skip(ALL, None, 31) is None


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
    shown = {each.consumer.uuid: each for each in lists.page(replace(ALL, search="web3"), None, 9)}
    facts = {key: (each.entitlements, each.stale, each.missing, each.ends) for key, each in shown.items()}
    assert facts == {
        uuid(3): (1, 1, 0, NOW + timedelta(days=10)),
        uuid(13): (1, 1, 0, NOW + timedelta(days=20)),
        uuid(23): (1, 0, 0, NOW + timedelta(days=30)),
    }
    assert lists.page(replace(ALL, search="web4"), None, 1)[0].missing == 1
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
    assert [each.serial for each in found] == serials[2:]
    assert (found[0].name, found[0].kind, found[0].ends) == ("web2", IssuedKind.ENTITLEMENT, NOW + timedelta(days=1))
    assert [each.serial for each in lists.ending(ENDING, (found[3].ends, found[3].serial), 3)] == serials[6:9]
    assert lists.skip_ending(ENDING, None, 4) == (found[3].ends, found[3].serial)
    assert lists.skip_ending(ENDING, (found[3].ends, found[3].serial), 99) is None
    between = EndingFilter("Example", NOW + timedelta(days=2), NOW + timedelta(days=3))
    assert [each.serial for each in lists.ending(between, None, 100)] == serials[3:6]
    assert lists.count_ending(between) == 3
    assert lists.count_ending(replace(between, search="web3")) == 1
