"""Signatures made before the transaction: used when they are right by then, and never when they are not."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.boxes import KEY
from makers.certificates import NOW
from makers.chains import SiteAuthority
from makers.fleets import APPS, Fleet, make_fleet

from issbox.certs.authority import Authority
from issbox.errors import AuthorityExpiredError
from issbox.model import Claim, Consumer, Regeneration, RegenerationScope, Validity
from issbox.workflows.certificates import authority, certificates, issuing, regenerating
from issbox.workflows.certificates.issuing import Issuer
from issbox.workflows.certificates.signing import Signed, Unsigned, sign_all
from issbox.workflows.environments import environments
from issbox.workflows.hosts import consumers


@pytest.fixture
def fleet(tmp_path: Path) -> Fleet:
    return make_fleet(tmp_path)


@pytest.fixture
def hosts(fleet: Fleet) -> list[Consumer]:
    """Five hosts that have never asked, in dev, where tools/base is promoted."""
    fleet.promote(KEY, "dev")
    return [fleet.host(f"h{each}", "dev") for each in range(5)]


def regenerate(fleet: Fleet) -> Regeneration:
    job = regenerating.start_regeneration(fleet.ctx, RegenerationScope("acme"))
    return regenerating.run_regeneration(fleet.ctx, job.id)


def between(monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Let something happen once, after signatures were made and before the transaction."""
    real = Issuer.sign_ahead
    done: list[object] = []

    def sign_ahead(self: Issuer, claims: Sequence[Claim], *, unchanged: bool = False) -> None:
        real(self, claims, unchanged=unchanged)
        if not done:
            done.append(deed())

    monkeypatch.setattr(Issuer, "sign_ahead", sign_ahead)


def current(fleet: Fleet, host: Consumer) -> tuple[str, ...]:
    """Give what the certificate that a host has grants, without issuing any."""
    (found,) = certificates.current_certificates(fleet.ctx, host.uuid)
    return certificates.decode(fleet.ctx, found.certificate.pem).paths


def test_nothing_is_signed_inside_the_transaction(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = []

    def sign(signer: Authority, unsigned: Sequence[Unsigned], serials: Sequence[int], valid: Validity) -> list[Signed]:
        inside.extend([fleet.ctx.store.database.in_transaction()] * len(unsigned))
        return sign_all(signer, unsigned, serials, valid)

    monkeypatch.setattr(issuing, "sign_all", sign)
    assert regenerate(fleet).done == len(hosts)
    assert inside == [False] * len(hosts)
    assert {current(fleet, host) for host in hosts} == {("/acme/dev/custom/tools/base",)}


def test_a_promotion_between_is_in_the_certificates(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    between(monkeypatch, lambda: fleet.promote(APPS, "dev"))
    assert regenerate(fleet).done == len(hosts)
    wanted = ("/acme/dev/custom/tools/apps", "/acme/dev/custom/tools/base")
    assert {current(fleet, host) for host in hosts} == {wanted}
    assert fleet.stale(*hosts) == set()


def test_a_host_that_moves_between_gets_what_its_new_place_holds(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    between(monkeypatch, lambda: consumers.move_consumers(fleet.ctx, "acme", [hosts[1].uuid], ["prod"]))
    regenerate(fleet)
    assert [len(current(fleet, host)) for host in hosts] == [1, 0, 1, 1, 1]


def test_a_host_that_asks_or_goes_between_is_left_alone(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    serials = []

    def ask_and_go() -> None:
        serials.append(fleet.certificate(hosts[0]).serial)
        consumers.delete_consumer(fleet.ctx, hosts[4].uuid)

    between(monkeypatch, ask_and_go)
    done = regenerate(fleet)
    assert (done.done, done.kept) == (3, 0)
    assert [fleet.certificate(hosts[0]).serial] == serials, "it had its certificate by then"


def test_a_new_authority_between_signs_them_all(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    request, site = authority.request_authority(fleet.ctx, name="Acme box"), SiteAuthority("Site")
    answer = site.answer(request, path_length=0, end=NOW + timedelta(days=300))
    between(monkeypatch, lambda: authority.install_authority(fleet.ctx, answer, above=site.pem))
    regenerate(fleet)
    signers = {fleet.certificate(host).issuer for host in hosts}
    assert signers == {authority.show_authority(fleet.ctx).name}
    assert fleet.stale(*hosts) == set()


def test_what_an_old_authority_signs_at_the_last_moment_is_stale(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    request, site = authority.request_authority(fleet.ctx, name="Acme box"), SiteAuthority("Site")
    answer = site.answer(request, path_length=0, end=NOW + timedelta(days=300))
    asked: list[str] = []

    def after_the_marks(step: str, subject: str = "") -> None:
        if step == "switch-authority":
            asked.append(fleet.certificate(hosts[0]).issuer)

    monkeypatch.setattr(type(fleet.ctx.progress), "step", lambda _, *words: after_the_marks(*words))
    authority.install_authority(fleet.ctx, answer, above=site.pem)
    assert asked != [authority.show_authority(fleet.ctx).name], "the old one signed"
    assert fleet.stale(hosts[0]) == {"h0"}


def test_what_certificates_have_in_common_may_be_dropped_between(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    def drop() -> None:
        with fleet.ctx.store.session(), fleet.ctx.store.transaction():
            assert fleet.ctx.store.certificates.drop_unused_bodies() > 0

    between(monkeypatch, drop)
    regenerate(fleet)
    assert {current(fleet, host) for host in hosts} == {("/acme/dev/custom/tools/base",)}


def test_a_serial_that_was_used_between_is_not_used_again(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = iter([*range(1000, 1004), 1000, *range(2000, 2100)])
    fleet.certificate(hosts[0])
    monkeypatch.setattr(issuing, "new_serial", lambda: next(numbers))

    def use() -> None:
        assert certificates.reissue(fleet.ctx, hosts[0].uuid)[0].certificate.serial == 1000

    between(monkeypatch, use)
    regenerate(fleet)
    found = [certificates.current_certificates(fleet.ctx, host.uuid)[0].certificate.serial for host in hosts]
    assert len({*found}) == len(hosts)
    assert found[0] == 1000


def test_an_environment_that_goes_between_takes_its_content_along(
    fleet: Fleet, hosts: list[Consumer], monkeypatch: pytest.MonkeyPatch
) -> None:
    between(monkeypatch, lambda: environments.delete_environment(fleet.ctx, "acme", "prod"))
    assert regenerate(fleet).done == len(hosts)


def test_an_authority_that_has_expired_signs_nothing_and_says_so(fleet: Fleet, hosts: list[Consumer]) -> None:
    end = authority.show_authority(fleet.ctx).valid.not_after
    late = replace(fleet, ctx=replace(fleet.ctx, clock=lambda: end + timedelta(minutes=5)))
    with pytest.raises(AuthorityExpiredError, match="was valid until"):
        late.certificate(hosts[0])
    with pytest.raises(AuthorityExpiredError, match="was valid until"):
        regenerate(late)


@given(st.integers(1, 2000), st.floats(0, 100))
def test_batches_last_as_long_as_they_may(number: int, seconds: float) -> None:
    size = regenerating.next_size(number, seconds)
    assert regenerating.BATCH <= size <= max(regenerating.BATCH, min(2 * number, 1000))
    if regenerating.BATCH < size < min(2 * number, 1000):
        assert 0.9 < size * seconds / number / regenerating._SECONDS <= 1
