"""Hosts, their entitlements, certificates, overrides and activation keys: rows in, the same words out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from makers.stores import KEY, NOW, Library, package, repository

from issbox.errors import AlreadyExistsError, ConsumerDeletedError, InUseError, NotFoundError
from issbox.model import (
    LIBRARY,
    ActivationKey,
    CertificateType,
    Claim,
    Consumer,
    ContentOverride,
    Held,
    HostProfile,
    InstalledProduct,
    IssuedCertificate,
    IssuedKind,
    LifecycleEnvironment,
    OverrideHolder,
    OverrideKind,
    Product,
    Purpose,
    RegenerationScope,
    RegenerationState,
    RepositoryKey,
    Validity,
)
from issbox.rules.entitlements.staleness import Holder
from issbox.store.certificates import CertificateBody, Standing

APPS = RepositoryKey("Example", "apps", "apps")
DEV, PROD = HostProfile(("dev",), ("x86_64",)), HostProfile(("prod", "dev"), ("x86_64",))
BOX = Consumer("Example", "4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11", "box", "system", {"a": "b"}, DEV, NOW, "PEM")
HUB = Consumer("Example", "4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a12", "hub", "system", {}, PROD, NOW, "PEM")
YEAR = Validity(NOW, NOW + timedelta(days=365))


@pytest.fixture
def hosts(library: Library) -> Library:
    """Library > dev > prod, tools/base in Library, two hosts: one entitled to tools, one to everything."""
    store = library.store
    store.products.create(Product("Example", "apps", "Apps"))
    store.repositories.create(repository(APPS))
    library.publish([package(1)])
    for label, prior in (("dev", LIBRARY), ("prod", "dev")):
        store.environments.create(LifecycleEnvironment("Example", label, label.title(), prior))
    for consumer in (BOX, HUB):
        store.consumers.create(consumer)
    store.entitlements.create("1" * 32, BOX.uuid, "tools", "Example")
    store.entitlements.create("2" * 32, HUB.uuid, None, "Example")
    return library


def issued(serial: int, consumer: str = BOX.uuid, **changes: object) -> IssuedCertificate:
    facts = IssuedCertificate(serial, IssuedKind.ENTITLEMENT, consumer, "PEM", YEAR, "digest", "1" * 32)
    return replace(facts, **changes)  # type: ignore[arg-type]  # the tests give fields by name


def test_hosts_come_and_go(hosts: Library) -> None:
    store = hosts.store
    assert store.consumers.get(BOX.uuid) == BOX
    assert store.consumers.list("Example") == [BOX, HUB]
    assert store.consumers.list("Example", environment="prod") == store.consumers.list("Example", name="hub") == [HUB]
    assert store.consumers.count("Example", environment="dev") == 2
    changed = store.consumers.update(BOX.uuid, name="new", facts={"c": "d"}, profile=PROD, at=NOW)
    assert changed == replace(BOX, name="new", facts={"c": "d"}, profile=PROD)
    assert (store.consumers.get(HUB.uuid).updated_at, changed.updated_at) == (None, NOW)
    wanted = [("Example", {}), ("Example", {"name": "new"}), ("Example", {"environment": "prod", "name": "hub"})]
    assert [store.consumers.count(owner, **more) for owner, more in wanted] == [2, 1, 1]
    store.consumers.seen(BOX.uuid, NOW)
    assert store.consumers.get(BOX.uuid).seen_at == NOW
    store.consumers.delete(BOX.uuid, NOW)
    with pytest.raises(ConsumerDeletedError):
        store.consumers.get(BOX.uuid)
    with pytest.raises(AlreadyExistsError):
        store.consumers.create(BOX)
    with pytest.raises(NotFoundError):
        store.consumers.get(BOX.uuid.replace("4", "5"))
    with pytest.raises(NotFoundError):
        store.entitlements.get("1" * 32)


def test_what_hosts_tell_is_kept_until_they_tell_something_else(hosts: Library) -> None:
    store = hosts.store
    told = Consumer(
        *("Example", "4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a13", "nic", "system", {}, DEV, NOW, "PEM"),
        release="9.4",
        purpose=Purpose("Premium", "web", "Production", ("a", "b")),
        installed=(InstalledProduct("69", "Server", "9", "x86_64"), InstalledProduct("70")),
    )
    assert store.consumers.create(told) == store.consumers.get(told.uuid) == told
    store.consumers.update(told.uuid, name="nick", at=NOW)
    assert store.consumers.get(told.uuid) == replace(told, name="nick")
    store.consumers.update(told.uuid, release="", purpose=Purpose(), installed=(), at=NOW)
    assert store.consumers.get(told.uuid) == replace(told, name="nick", release="", purpose=Purpose(), installed=())
    pages = [[each.name for each in store.consumers.list("Example", limit=2, skip=skip)] for skip in (0, 2, 4)]
    assert pages == [["box", "hub"], ["nick"], []]


def test_since_when_contents_are_told_apart_is_kept_with_the_entitlement(hosts: Library) -> None:
    entitlements = hosts.store.entitlements
    assert entitlements.listed("1" * 32) is None
    entitlements.list_contents("1" * 32, "a", NOW)
    entitlements.list_contents("1" * 32, "b", NOW + timedelta(seconds=1))
    assert entitlements.listed("1" * 32) == ("b", NOW + timedelta(seconds=1))
    assert entitlements.listed("2" * 32) is None


def test_hosts_leave_an_environment_that_goes(hosts: Library) -> None:
    store = hosts.store
    with pytest.raises(InUseError):
        store.environments.delete("Example", "dev")
    changed = store.consumers.leave_environment("Example", "dev")
    orphaned, left = replace(DEV, environments=(), orphaned=True), replace(PROD, environments=("prod",))
    assert changed == {DEV: orphaned, PROD: left}
    assert [each.profile for each in store.consumers.list("Example")] == [orphaned, left]
    store.environments.delete("Example", "dev")
    assert store.consumers.get(HUB.uuid).environments == ("prod",)


def test_what_goes_stale_is_marked_once(hosts: Library) -> None:
    store = hosts.store
    box, hub = Holder.staying(DEV, "tools"), Holder.staying(PROD, None)
    assert {box, hub} <= set(store.entitlements.holders("Example"))
    assert store.entitlements.mark_stale("Example", [box, hub]) == 0, "without a certificate nothing is stale"
    for uid, consumer, serial in (("1" * 32, BOX.uuid, 7), ("2" * 32, HUB.uuid, 8)):
        store.certificates.add(issued(serial, consumer, entitlement=uid))
        store.entitlements.certified({uid: serial})
    assert store.entitlements.mark_stale("Example", [box, Holder.staying(PROD, "tools")]) == 1
    assert store.entitlements.mark_stale("Example", [box]) == 0
    assert [each.stale for each in store.entitlements.of(BOX.uuid)] == [True]
    assert [each.stale for each in store.entitlements.of(HUB.uuid)] == [False]
    counted, certificates = store.entitlements.count_held("Example", [box, hub])
    assert (counted.number, counted.names, certificates) == (2, ("box", "hub"), 2)
    assert store.entitlements.mark_stale("Example", [hub], BOX.uuid) == 0
    assert store.entitlements.mark_all_stale() == 1
    assert store.entitlements.count_stale("Example") == 2
    store.entitlements.certified({"1" * 32: 9})
    assert store.entitlements.get("1" * 32).serial == 9
    assert store.entitlements.count_stale("Example") == 1


@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (RegenerationScope("Example"), "12"),
        (RegenerationScope("Example", consumer=HUB.uuid), "2"),
        (RegenerationScope("Example", environment="prod"), "2"),
        (RegenerationScope("Example", environment="dev"), "12"),
        (RegenerationScope("Example", product="tools"), "12"),
        (RegenerationScope("Example", product="apps"), "2"),
    ],
)
def test_regenerations_look_at_what_they_are_about(hosts: Library, scope: RegenerationScope, found: str) -> None:
    store = hosts.store
    page = store.entitlements.page(scope, 0, 10)
    assert "".join(each.claim.entitlement.id[0] for each in page) == found
    assert store.entitlements.count(scope) == len(found)
    for each in page:
        owner = store.consumers.get(each.claim.entitlement.consumer)
        assert each.claim == Claim.of(owner, store.entitlements.get(each.claim.entitlement.id))
    assert store.entitlements.page(scope, page[0].position, 10) == page[1:]
    for uid in ("1" * 32, "2" * 32):
        store.entitlements.certified({uid: 5})
    assert store.entitlements.page(scope, 0, 10) == []
    assert len(store.entitlements.page(replace(scope, unchanged=True), 0, 10)) == len(found)


def test_certificates_are_never_forgotten(hosts: Library) -> None:
    store = hosts.store
    body = CertificateBody("abc", b"\x00\xff", "REST")
    store.certificates.keep_body(body)
    store.certificates.keep_body(body)
    assert store.certificates.body("abc") == body
    whole = issued(2**62, pem="PEMREST")
    store.certificates.add_with_bodies([(whole, "abc")])
    assert store.certificates.get(2**62) == whole
    assert store.certificates.known([1, 2**62]) == {2**62}
    assert store.certificates.bodies(["abc", "def"]) == {"abc"}
    assert store.certificates.standings([1, 2**62]) == {2**62: Standing(whole.digest, whole.valid, revoked=False)}
    assert store.certificates.of(BOX.uuid) == [whole]
    assert store.certificates.of(BOX.uuid, IssuedKind.IDENTITY) == []
    assert store.certificates.drop_unused_bodies() == 0
    assert store.certificates.revoke([2**62, 5], NOW) == 1
    assert store.certificates.revoke([2**62], NOW) == 0
    assert store.certificates.is_revoked(2**62)
    assert store.certificates.standings([2**62])[2**62].revoked
    assert store.certificates.revoked(NOW) == {2**62: NOW}
    assert store.certificates.revoked(NOW + timedelta(days=366)) == {}, "it has expired by itself"
    assert store.certificates.of(BOX.uuid) == []
    assert store.certificates.drop_unused_bodies() == 1
    assert store.certificates.known([2**62]) == {2**62}
    store.certificates.add(issued(6))
    assert store.certificates.revoke_all_of([BOX.uuid], NOW) == 1
    first = store.certificates.next_list(NOW, NOW)
    assert store.certificates.next_list(NOW, NOW) > first
    with pytest.raises(NotFoundError):
        store.certificates.get(1)
    with pytest.raises(NotFoundError, match="no certificate body def"):
        store.certificates.add_with_bodies([(issued(7), "def")])
    store.certificates.add_with_bodies([])


@pytest.mark.parametrize("kind", OverrideKind)
def test_overrides(hosts: Library, kind: OverrideKind) -> None:
    overrides = hosts.store.overrides
    one, two = ContentOverride("c", "enabled", "1"), ContentOverride("c", "priority", "5")
    hosts.store.activation_keys.create(ActivationKey("Example", "web"))
    hosts.store.activation_keys.create(ActivationKey("Example", "db"))
    named, others = {
        OverrideKind.CONSUMER: (BOX.uuid, HUB.uuid),
        OverrideKind.ENVIRONMENT: ("dev", "prod"),
        OverrideKind.ACTIVATION_KEY: ("web", "db"),
    }[kind]
    holder, other = (OverrideHolder(kind, name, "Example") for name in (named, others))
    overrides.put(holder, [two, one])
    overrides.put(holder, [replace(one, value="0")])
    overrides.put(other, [one])
    assert overrides.of(holder) == [replace(one, value="0"), two]
    assert overrides.drop(holder, "c", "ENABLED") == 1
    assert overrides.drop(holder, "other") == 0
    assert overrides.drop(holder) == 1
    assert (overrides.of(holder), overrides.of(other)) == ([], [one])
    absent = OverrideHolder(kind, "absent", "Example")
    for deed in (overrides.of, overrides.drop, lambda holder: overrides.put(holder, [])):
        with pytest.raises(NotFoundError):
            deed(absent)


def test_one_certificate_of_each_content_is_a_sample(hosts: Library) -> None:
    certificates = hosts.store.certificates
    for digest in "ab":
        certificates.keep_body(CertificateBody(digest, b"DER", f"DATA {digest}"))
    certificates.add(replace(issued(5), pem="CERT5"))
    for serial, digest in ((1, "a"), (2, "a"), (3, "b"), (4, "b")):
        certificates.add_with_bodies([(replace(issued(serial), pem=f"CERT{serial}DATA {digest}"), digest)])
    certificates.revoke([4], NOW)
    assert [(each.serial, each.pem) for each in certificates.samples(9)] == [(2, "CERT2DATA a"), (3, "CERT3DATA b")]
    assert [each.serial for each in certificates.samples(1)] == [3], "the newest contents"
    certificates.revoke([2, 3], NOW)
    assert [each.serial for each in certificates.samples(9)] == [1]


def test_overrides_of_activation_keys_go_with_them(hosts: Library) -> None:
    store, holder = hosts.store, OverrideHolder(OverrideKind.ACTIVATION_KEY, "web", "Example")
    key = store.activation_keys.create(ActivationKey("Example", "web"))
    store.overrides.put(holder, [ContentOverride("c", "enabled", "1")])
    store.activation_keys.update(replace(key, description="x"))
    assert store.overrides.of(holder)
    store.activation_keys.delete("Example", "web")
    store.activation_keys.create(key)
    assert store.overrides.of(holder) == []


def test_activation_keys(hosts: Library) -> None:
    store = hosts.store
    key = ActivationKey("Example", "web", "Web servers", ("prod", "dev"), ("tools",), 5)
    assert store.activation_keys.create(key) == key
    assert store.activation_keys.list("Example") == [key]
    with pytest.raises(AlreadyExistsError):
        store.activation_keys.create(key)
    changed = replace(key, environments=("dev",), products=(), max_hosts=None)
    store.activation_keys.update(changed)
    assert store.activation_keys.get("Example", "web") == changed
    store.activation_keys.delete("Example", "web")
    with pytest.raises(NotFoundError):
        store.activation_keys.get("Example", "web")


def test_regenerations(hosts: Library) -> None:
    store = hosts.store
    scope = RegenerationScope("Example", product="tools", unchanged=True)
    job = store.regenerations.create(scope, 5, NOW)
    assert store.regenerations.unfinished() == [job]
    assert (job.scope, job.state, job.total) == (scope, RegenerationState.WAITING, 5)
    store.regenerations.advance(job.id, position=9, done=3, kept=1, failed=1, error="x")
    store.regenerations.advance(job.id, position=11, done=1)
    assert store.regenerations.position(job.id) == 11
    after = store.regenerations.set_state(job.id, RegenerationState.PAUSED)
    assert (after.done, after.kept, after.failed, after.last_error) == (4, 1, 1, "x")
    assert store.regenerations.list("Example") == [after]
    assert store.regenerations.unfinished() == []


def test_the_catalogue_has_snapshots_and_what_there_is_now(hosts: Library) -> None:
    store = hosts.store
    store.promotions.change("Example", "dev", hold_=[Held(KEY, 1)], drop=[])
    store.promotions.enable("Example", "dev", f"id-{KEY}", enabled=False)
    present = store.repositories.get(KEY)
    store.repositories.update(KEY, content=replace(present.content, path="/custom/new", required_tags=("rhel-9",)))
    known = store.catalogues.get("Example")
    assert (known.prefix, known.access) == ("/$org/$env", CertificateType.BASIC)
    held = known.stages["dev"].content[f"id-{KEY}"]
    assert (held.snapshot.path, held.snapshot.required_tags, held.enabled) == ("/custom/tools/base", (), False)
    now = known.products["tools"].content[f"id-{KEY}"]
    assert (now.path, now.required_tags) == ("/custom/new", ("rhel-9",))
    assert known.stages[LIBRARY].content[f"id-{KEY}"].snapshot == now, "Library is what there is now"
    assert known.stages["prod"].content == {}
    assert set(known.products) == {"tools", "apps"}
    assert store.catalogues.instances("Example") == {f"id-{KEY}": ["custom/tools/base"]}
    store.promotions.change("Example", "dev", hold_=[Held(KEY, 1)], drop=[])
    assert store.catalogues.get("Example").stages["dev"].content[f"id-{KEY}"].snapshot == now


def test_what_a_manifest_took_away_stays_promoted(hosts: Library) -> None:
    store = hosts.store
    store.promotions.change("Example", "dev", hold_=[Held(KEY, 1)], drop=[])
    store.repositories.withdraw("Example", f"id-{KEY}")
    known = store.catalogues.get("Example")
    assert f"id-{KEY}" not in known.products["tools"].content
    assert known.products["tools"].withdrawn == {f"id-{KEY}"}
    assert f"id-{KEY}" in known.stages["dev"].content
    store.repositories.withdraw("Example", f"id-{KEY}", withdrawn=False)
    assert store.catalogues.get("Example").products["tools"].withdrawn == frozenset()
    store.repositories.update(KEY, content=replace(store.repositories.get(KEY).content, id="other"))
    known = store.catalogues.get("Example")
    assert known.products["tools"].withdrawn == {f"id-{KEY}"}, "another content took its place"
    assert set(known.products["tools"].content) == {"other"}


def test_environments_have_ids_types_and_prefixes(hosts: Library) -> None:
    store = hosts.store
    given = LifecycleEnvironment("Example", "test", "Test", "dev", id="given", type="template", content_prefix="base")
    made = store.environments.create(given)
    assert (made.id, made.type, made.content_prefix) == ("given", "template", "base")
    assert store.environments.find("given") == made
    assert store.environments.find("none") is None
    assert len(store.environments.get("Example", "dev").id) == 32
    with pytest.raises(AlreadyExistsError):
        store.environments.create(replace(given, label="test2"))
    changed = store.environments.update("Example", "test", type_="", content_prefix="other", at=NOW)
    assert (changed.type, changed.content_prefix) == ("", "other")
    later = NOW + timedelta(days=1)
    timed = store.environments.create(replace(given, label="timed", id="timed", created_at=NOW))
    assert (timed.created_at, timed.updated_at) == (NOW, NOW)
    changed = store.environments.update("Example", "timed", name="Timed", at=later)
    assert (changed.created_at, changed.updated_at) == (NOW, later)


def test_products_and_organizations_with_hosts_stay(hosts: Library) -> None:
    store = hosts.store
    store.repositories.delete(KEY)
    store.repositories.delete(APPS)
    with pytest.raises(InUseError, match="has 1 entitled host"):
        store.products.delete("Example", "tools")
    with pytest.raises(InUseError, match="has 2 hosts"):
        store.organizations.delete("Example")
    store.activation_keys.create(ActivationKey("Example", "web", "", ("dev",), ("apps",)))
    holder = OverrideHolder(OverrideKind.ACTIVATION_KEY, "web", "Example")
    store.overrides.put(holder, [ContentOverride("c", "enabled", "1")])
    for consumer in (BOX, HUB):
        store.consumers.delete(consumer.uuid, NOW)
    store.products.delete("Example", "tools")
    store.products.delete("Example", "apps")
    store.organizations.delete("Example")
    with pytest.raises(NotFoundError):
        store.consumers.list("Example")
