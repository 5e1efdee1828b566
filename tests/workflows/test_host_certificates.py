"""Hosts and their certificates on a real box: what they get, what goes stale, what is revoked, and what stays."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from makers.boxes import KEY
from makers.certificates import NOW
from makers.chains import SiteAuthority
from makers.fleets import APPS, FACTS, Fleet, make_fleet
from makers.serving import issue

from issbox.certs.certificates import read_certificates
from issbox.certs.decode import CertificateKind, decode_certificate
from issbox.certs.keys import KeyKind, PrivateKey
from issbox.certs.revocation import read_revocation_list
from issbox.certs.site_authority import accept_answer, request_certificate
from issbox.errors import (
    AlreadyExistsError,
    ConsumerDeletedError,
    InUseError,
    InvalidValueError,
    NotFoundError,
    PromotionRefusedError,
    UntrustedCertificateError,
    WrongStateError,
)
from issbox.model import (
    LIBRARY,
    ActivationKey,
    Catalogue,
    CertificateType,
    RegenerationScope,
    RegenerationState,
)
from issbox.store.catalogues import Catalogues
from issbox.workflows.appliance.serving import read_overview
from issbox.workflows.appliance.upkeep import collect_garbage
from issbox.workflows.certificates import authority, certificates, regenerating, revocation_lists
from issbox.workflows.certificates.issuing import Issuer
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.environments import environments, promoting
from issbox.workflows.hosts import consumers, host_keys, registering

BASE = "/acme/dev/custom/tools/base"


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


def test_a_host_registers_and_proves_who_it_is(fleet: Fleet) -> None:
    host = fleet.host("web1", "dev")
    identity = decode_certificate(consumers.identity_of(fleet.ctx, host.uuid).pem)
    assert (identity.kind, identity.common_name, identity.system_name) == (CertificateKind.IDENTITY, host.uuid, "web1")
    key = PrivateKey.from_pem(consumers.read_key(fleet.ctx, host.uuid))
    assert key.public.pem == host.public_key
    assert host_keys.key_path(fleet.ctx, host.uuid).stat().st_mode & 0o777 == 0o600
    (root,) = read_certificates(authority.show_authority(fleet.ctx).chain_pem, "test")
    identity.certificate.verify_directly_issued_by(root)
    again = consumers.identity_of(fleet.ctx, host.uuid, renew=True).pem
    assert decode_certificate(again).serial != identity.serial
    assert revocation_lists.revoked_serials(fleet.ctx) == [identity.serial]


def test_certificates_hold_what_is_promoted_and_nothing_else(fleet: Fleet) -> None:
    dev, nowhere = fleet.host("dev1", "dev"), fleet.host("out1")
    assert fleet.paths(dev) == [], "nothing is promoted: an empty certificate"
    assert fleet.paths(nowhere) == ["/acme/Library/custom/tools/apps", "/acme/Library/custom/tools/base"]
    fleet.promote(KEY, "dev")
    assert fleet.stale(dev, nowhere) == {"dev1"}
    assert fleet.paths(dev) == [BASE]
    assert fleet.stale(dev) == set()
    assert (fleet.gap.outside.state / "content" / BASE[1:]).is_dir()


def test_what_a_certificate_said_is_revoked_with_the_next_one(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    first = fleet.certificate(host).serial
    assert fleet.certificate(host).serial == first, "nothing has changed"
    fleet.promote(KEY, "dev")
    assert fleet.certificate(host).serial != first
    assert revocation_lists.revoked_serials(fleet.ctx) == [first]
    listed = read_revocation_list(
        revocation_lists.revocation_list(fleet.ctx),
        read_certificates(authority.show_authority(fleet.ctx).chain_pem, "test")[0],
    )
    assert listed.serials == {first}
    verdict = certificates.check_path(fleet.ctx, certificates.get_issued(fleet.ctx, first).pem, BASE)
    assert verdict.reason == "revoked"


def test_cleanup_forgets_what_only_revoked_certificates_said(fleet: Fleet) -> None:
    host, other = fleet.host("web1", "dev"), fleet.host("web2", "prod")
    fleet.promote(KEY, "dev")
    first, kept = fleet.certificate(host), fleet.certificate(other)
    fleet.promote(APPS, "dev")
    second = fleet.certificate(host)
    get = partial(certificates.get_issued, fleet.ctx)
    long = get(first.serial).pem, get(second.serial).pem, get(kept.serial).pem
    collect_garbage(fleet.ctx, dry_run=True)
    assert get(first.serial).pem == long[0]
    collect_garbage(fleet.ctx, dry_run=False)
    short = get(first.serial).pem
    assert long[0].startswith(short)
    assert len(short) < len(long[0])
    assert decode_certificate(short).serial == first.serial
    assert not certificates.check_path(fleet.ctx, long[0], BASE).granted
    assert (get(second.serial).pem, get(kept.serial).pem) == long[1:]
    assert (fleet.certificate(host).serial, fleet.certificate(other).serial) == (second.serial, kept.serial)
    fleet.demote(APPS, "dev")
    assert fleet.paths(host) == list(first.paths), "what was forgotten is made again"


def test_what_turns_out_the_same_keeps_its_certificate(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    serial = fleet.certificate(host).serial
    number = fleet.promote(KEY, "dev")
    assert number is not None
    promoting.promote(fleet.ctx, promoting.plan_undo(fleet.ctx, number))
    assert fleet.stale(host) == {"dev1"}
    assert fleet.certificate(host).serial == serial
    assert fleet.stale(host) == set()


def test_another_version_of_the_same_content_makes_nothing_stale(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    serial = fleet.certificate(host).serial
    fleet.gap.change_upstream(3)
    synchronize(fleet.ctx, KEY)
    plan = promoting.plan_repository_promotion(fleet.ctx, KEY, 2, "dev")
    assert (plan.effect.hosts.number, plan.effect.certificates) == (0, 0)
    promoting.promote(fleet.ctx, plan)
    assert fleet.stale(host) == set()
    assert fleet.certificate(host).serial == serial


def test_a_plan_names_the_hosts_whose_certificates_change(fleet: Fleet) -> None:
    hosts = [fleet.host("dev1", "dev"), fleet.host("both", "prod", "dev"), fleet.host("prod1", "prod")]
    for host in hosts:
        fleet.certificate(host)
    plan = promoting.plan_repository_promotion(fleet.ctx, KEY, 1, "dev")
    assert (plan.effect.hosts.names, plan.effect.hosts.number, plan.effect.certificates) == (("both", "dev1"), 2, 2)
    assert (plan.effect.missing_paths, plan.effect.broken_arches) == ((), ())
    promoting.promote(fleet.ctx, plan)
    assert fleet.stale(*hosts) == {"dev1", "both"}


def test_a_changed_content_reaches_hosts_when_it_is_promoted_again(fleet: Fleet) -> None:
    dev, library, nowhere = fleet.host("dev1", "dev"), fleet.host("lib1", LIBRARY), fleet.host("out1")
    fleet.promote(KEY, "dev")
    for host in (dev, library, nowhere):
        fleet.certificate(host)
    repositories.update_repository(fleet.ctx, KEY, arches=["aarch64"])
    assert fleet.stale(dev, library, nowhere) == {"lib1", "out1"}
    assert fleet.paths(dev) == [BASE]
    plan = promoting.plan_repository_promotion(fleet.ctx, KEY, 1, "dev")
    assert [change.kind for change in plan.changes] == ["kept"]
    promoting.promote(fleet.ctx, plan)
    assert fleet.stale(dev) == {"dev1"}
    assert fleet.paths(dev) == [], "it is for another processor now"
    (record, *_) = promoting.list_promotions(fleet.ctx, "acme")
    promoting.promote(fleet.ctx, promoting.plan_undo(fleet.ctx, record.id))
    assert fleet.paths(dev) == [BASE], "taken back, it is described as it was"


def test_hosts_move_and_only_what_differs_goes_stale(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    host, other = fleet.host("web1", "dev"), fleet.host("web2", "dev")
    fleet.promote(KEY, "dev")
    fleet.promote(KEY, "prod")
    fleet.certificate(host)
    fleet.certificate(other)
    assert consumers.move_consumers(fleet.ctx, "acme", [host.uuid], ["dev", "prod"]) == 0
    assert consumers.move_consumers(fleet.ctx, "acme", [host.uuid], ["prod", "dev"]) == 1
    assert fleet.stale(host, other) == {"web1"}
    assert fleet.paths(host) == ["/acme/prod/custom/tools/base"]
    read: list[str] = []
    original = Catalogues.get

    def get(self: Catalogues, organization: str) -> Catalogue:
        read.append(organization)
        return original(self, organization)

    with monkeypatch.context() as patch:
        patch.setattr(Catalogues, "get", get)
        assert consumers.move_consumers(fleet.ctx, "acme", [host.uuid, other.uuid], ["dev"]) == 1
        assert read == ["acme"], "once for however many hosts"
    consumers.move_consumers(fleet.ctx, "acme", [host.uuid], ["prod", "dev"])
    with pytest.raises(NotFoundError):
        consumers.move_consumers(fleet.ctx, "acme", [host.uuid, other.uuid], ["none"])
    with pytest.raises(InvalidValueError, match="twice"):
        consumers.move_consumers(fleet.ctx, "acme", [host.uuid], ["dev", "dev"])
    catalog.create_organization(fleet.ctx, label="other", name="Other")
    with pytest.raises(NotFoundError, match="there is no host"):
        consumers.move_consumers(fleet.ctx, "other", [host.uuid], [LIBRARY])
    assert consumers.get_consumer(fleet.ctx, host.uuid).environments == ("prod", "dev")


def test_facts_decide_the_form_of_certificates(fleet: Fleet) -> None:
    host = fleet.host("old1", "dev", version="1.0")
    fleet.promote(KEY, "dev")
    assert fleet.certificate(host).version == "1.0"
    consumers.update_consumer(fleet.ctx, host.uuid, facts=FACTS, name="new1")
    host = consumers.get_consumer(fleet.ctx, host.uuid)
    assert (fleet.stale(host), host.name) == ({"new1"}, "new1")
    assert fleet.certificate(host).version.startswith("3.")


def test_a_deleted_host_is_told_so_and_its_certificates_are_revoked(fleet: Fleet) -> None:
    host = fleet.host("web1", "dev")
    serials = {
        fleet.certificate(host).serial,
        decode_certificate(consumers.identity_of(fleet.ctx, host.uuid).pem).serial,
    }
    consumers.delete_consumer(fleet.ctx, host.uuid)
    with pytest.raises(ConsumerDeletedError):
        consumers.get_consumer(fleet.ctx, host.uuid)
    assert set(revocation_lists.revoked_serials(fleet.ctx)) == serials
    assert not host_keys.key_path(fleet.ctx, host.uuid).exists()


def test_activation_keys_say_where_a_host_goes(fleet: Fleet) -> None:
    with fleet.ctx.store.session():
        fleet.ctx.store.activation_keys.create(ActivationKey("acme", "web", "", ("prod", "dev"), ("tools",), 1))
    host = registering.register_with_keys(fleet.ctx, organization="acme", keys=["web"], name="web1", facts=FACTS)
    assert host.environments == ("prod", "dev")
    with fleet.ctx.store.session():
        assert [each.product for each in fleet.ctx.store.entitlements.of(host.uuid)] == ["tools"]
    with pytest.raises(InUseError, match="has let in 1"):
        registering.register_with_keys(fleet.ctx, organization="acme", keys=["web"], name="web2", facts=FACTS)
    assert len(list(fleet.ctx.store.consumer_keys.iterdir())) == 1, "the key of the refused host is gone"
    with pytest.raises(NotFoundError):
        registering.register_with_keys(fleet.ctx, organization="acme", keys=["none"], name="web2", facts=FACTS)


def test_a_key_that_may_let_in_so_many_hosts_is_the_first_one(fleet: Fleet) -> None:
    with fleet.ctx.store.session():
        for label, most in (("limited", 1), ("open", None)):
            key = ActivationKey("acme", label, "", ("dev",), ("tools",), most)
            fleet.ctx.store.activation_keys.create(key)

    def register(*keys: str) -> str | None:
        return registering.register_with_keys(
            fleet.ctx, organization="acme", keys=keys, name="web", facts=FACTS
        ).activation_key

    with pytest.raises(InvalidValueError, match="limited, which may let in 1 host, is not the first"):
        register("open", "limited")
    assert register("limited", "open", "limited") == "limited"
    with pytest.raises(InUseError, match="has let in 1"):
        register("limited", "open")


def test_deleting_an_environment_takes_content_away_and_gives_none(fleet: Fleet) -> None:
    only, both, other = fleet.host("only", "dev"), fleet.host("both", "dev", "prod"), fleet.host("other", "prod")
    fleet.promote(KEY, "dev")
    fleet.promote(APPS, "dev")
    fleet.promote(KEY, "prod")
    for host in (only, both, other):
        fleet.certificate(host)
    plan = environments.plan_deletion(fleet.ctx, "acme", "dev")
    assert (plan.hosts.names, plan.stranded) == (("both", "only"), 1)
    with pytest.raises(InUseError, match="has 2 hosts, 1 of which"):
        environments.delete_environment(fleet.ctx, "acme", "dev")
    environments.delete_environment(fleet.ctx, "acme", "dev", force=True)
    assert fleet.stale(only, both, other) == {"only", "both"}
    assert fleet.paths(only) == [], "never more than before"
    assert fleet.paths(both) == ["/acme/prod/custom/tools/base"]
    consumers.move_consumers(fleet.ctx, "acme", [only.uuid], ["prod"])
    assert fleet.paths(only) == ["/acme/prod/custom/tools/base"]


def test_hosts_are_deleted_with_their_environment_only_when_that_is_asked(fleet: Fleet) -> None:
    only, both = fleet.host("only", "dev"), fleet.host("both", "dev", "prod")
    fleet.promote(KEY, "dev")
    fleet.certificate(only)
    environments.delete_environment(fleet.ctx, "acme", "dev", force=True, delete_hosts=True)
    with pytest.raises(ConsumerDeletedError):
        consumers.get_consumer(fleet.ctx, only.uuid)
    assert consumers.get_consumer(fleet.ctx, both.uuid).environments == ("prod",)


def test_a_host_keeps_its_key_until_its_deletion_is_certain(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    host = fleet.host("only", "dev")
    with monkeypatch.context() as patch:
        patch.setattr(type(fleet.ctx.store.environments), "delete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            environments.delete_environment(fleet.ctx, "acme", "dev", force=True, delete_hosts=True)
    assert PrivateKey.from_pem(consumers.read_key(fleet.ctx, host.uuid)).public.pem == host.public_key
    environments.delete_environment(fleet.ctx, "acme", "dev", force=True, delete_hosts=True)
    assert not host_keys.key_path(fleet.ctx, host.uuid).exists()


def test_prefixes_and_access_make_stale_what_they_change(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    fleet.promote(KEY, "dev")
    fleet.certificate(host)
    environments.update_environment(fleet.ctx, "acme", "dev", name="Another name")
    assert fleet.stale(host) == set(), "paths have the label"
    environments.update_environment(fleet.ctx, "acme", "dev", content_prefix="mirror")
    assert fleet.stale(host) == {"dev1"}
    assert fleet.paths(host) == ["/acme/dev/mirror/custom/tools/base"]
    environments.update_environment(fleet.ctx, "acme", "dev", content_prefix="")
    catalog.update_organization(fleet.ctx, "acme", access=CertificateType.ORG_LEVEL)
    assert (fleet.stale(host), fleet.paths(host)) == ({"dev1"}, ["/acme/dev"])
    assert fleet.certificate(host).type is CertificateType.ORG_LEVEL
    fleet.promote(APPS, "dev")
    assert fleet.stale(host) == set()
    with pytest.raises(InvalidValueError):
        environments.update_environment(fleet.ctx, "acme", "dev", content_prefix="../x")


def test_a_processor_that_is_left_out_refuses_the_promotion(fleet: Fleet) -> None:
    ctx = fleet.ctx
    with ctx.store.session():
        present = ctx.store.repositories.get(KEY)
        content = replace(present.content, path="/custom/tools/$basearch/base")
        ctx.store.repositories.update(KEY, content=content, variables={"basearch": "aarch64"})
    fleet.host("dev1", "dev")
    plan = promoting.plan_repository_promotion(ctx, KEY, 1, "dev")
    assert plan.effect.broken_arches == (f"{content.label} for x86_64",)
    with pytest.raises(PromotionRefusedError, match="not there for them"):
        promoting.promote(ctx, plan)
    forced = promoting.plan_repository_promotion(ctx, KEY, 1, "dev", force=True, reason="they are being replaced")
    assert promoting.promote(ctx, forced) is not None


def test_eager_regeneration_goes_on_where_it_was(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(regenerating, "BATCH", 2)
    ctx = fleet.ctx
    hosts = [fleet.host(f"h{each}", "dev") for each in range(5)]
    job = regenerating.start_regeneration(ctx, RegenerationScope("acme"))
    assert job.total == 5
    with ctx.store.session():
        assert regenerating._batch(ctx, job, Issuer(ctx), 2) == 0, "it was not begun"
    regenerating.pause_regeneration(ctx, job.id)
    assert regenerating.run_regeneration(ctx, job.id).state is RegenerationState.PAUSED
    regenerating.resume_regeneration(ctx, job.id)
    with ctx.store.session():
        ctx.store.regenerations.set_state(job.id, RegenerationState.RUNNING)
        assert regenerating._batch(ctx, job, Issuer(ctx), 2) == 2
    done = regenerating.run_regeneration(ctx, job.id)
    assert (done.state, done.done, done.kept, done.failed) == (RegenerationState.DONE, 5, 0, 0)
    with pytest.raises(WrongStateError):
        regenerating.cancel_regeneration(ctx, job.id)
    serials = {fleet.certificate(host).serial for host in hosts}
    assert len(serials) == 5
    fleet.promote(KEY, "dev")
    again = regenerating.start_regeneration(ctx, RegenerationScope("acme", consumer=hosts[0].uuid))
    assert regenerating.run_regeneration(ctx, again.id).done == 1
    assert fleet.stale(*hosts) == {"h1", "h2", "h3", "h4"}
    everything = regenerating.start_regeneration(ctx, RegenerationScope("acme", environment="dev", unchanged=True))
    assert regenerating.run_regeneration(ctx, everything.id).done == 5
    assert not serials & {fleet.certificate(host).serial for host in hosts}
    cancelled = regenerating.start_regeneration(ctx, RegenerationScope("acme", product="tools"))
    assert regenerating.cancel_regeneration(ctx, cancelled.id).ended
    assert next(each.id for each in regenerating.list_regenerations(ctx, "acme")) == cancelled.id


def test_certificates_near_their_end_are_replaced(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    serial = fleet.certificate(host).serial
    later = fleet.ctx.clock() + timedelta(days=350)
    aged = replace(fleet, ctx=replace(fleet.ctx, clock=lambda: later))
    assert aged.certificate(host).serial != serial


def test_the_authority_is_made_at_first_use_and_renewed_with_its_key(fleet: Fleet) -> None:
    ctx = fleet.ctx
    with pytest.raises(NotFoundError):
        authority.show_authority(ctx)
    made = authority.create_authority(ctx, name="Acme box")
    assert made.is_root
    with pytest.raises(AlreadyExistsError):
        authority.create_authority(ctx)
    host = fleet.host("dev1", "dev")
    serial = fleet.certificate(host).serial
    renewed = authority.renew_authority(ctx)
    assert (renewed.name, renewed.serial != made.serial) == (made.name, True)
    assert fleet.certificate(host).serial == serial
    for path in ctx.store.authority.rglob("key.pem"):
        assert path.stat().st_mode & 0o777 == 0o600
        assert b"ENCRYPTED" in path.read_bytes()


def test_an_authority_of_the_site_takes_over(fleet: Fleet) -> None:
    host = fleet.host("dev1", "dev")
    old = fleet.certificate(host)
    request = authority.request_authority(fleet.ctx, name="Acme box")
    assert authority.show_authority(fleet.ctx).request_pending
    site = SiteAuthority("Site")
    answer = site.answer(request, path_length=0, end=NOW + timedelta(days=300))
    installed = authority.install_authority(fleet.ctx, answer, above=site.pem)
    assert (installed.is_root, installed.request_pending) == (False, False)
    assert fleet.stale(host) == {"dev1"}
    assert fleet.certificate(host).serial != old.serial
    assert [each.count("BEGIN CERTIFICATE") for each in authority.own_chains(fleet.ctx)] == [2, 1]
    own = read_overview(fleet.ctx).trust.own
    assert own is not None
    for each in (fleet.certificate(host), old):
        assert own.chain(each.certificate, fleet.ctx.clock())
    key = PrivateKey.generate(KeyKind.EC_P256)
    neighbour = accept_answer(key, site.answer(request_certificate(key, name="Box")), now=NOW, above=site.pem)
    with pytest.raises(UntrustedCertificateError):  # another box of the site speaks for its own hosts only
        own.chain(decode_certificate(issue(neighbour, ["/acme/dev"])).certificate, fleet.ctx.clock())
