"""Whose authority may let a host read what."""

from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from makers.certificates import NOW, YEAR, authority_of, key_of
from makers.chains import SiteAuthority
from makers.serving import issue

from issbox.certs.authority import Authority
from issbox.certs.clients import Authorities, HostTrust, Presented, Request, Wallet, judge
from issbox.certs.guard import Reason, Verdict
from issbox.certs.keys import KeyKind
from issbox.certs.site_authority import accept_answer, request_certificate
from issbox.errors import BadCertificateError
from issbox.model import Validity

OWN, SITE, REDHAT, STRANGER = (authority_of(KeyKind.EC_P256, number) for number in (0, 1, 2, 3))
TRUST = HostTrust(
    Authorities.from_pem(OWN.root_pem, "own"),
    {"acme": Authorities.from_pem(SITE.root_pem, "site")},
    Authorities.from_pem(REDHAT.root_pem, "Red Hat"),
)
PLAIN = Request("acme", "/acme/dev/content/dist/os/x")
AS_CDN = Request("acme", "/acme/dev/content/dist/os/x", "/content/dist/os/x")
ELSEWHERE = Request("other", "/other/dev/content/dist/os/x", "/content/dist/os/x")
FULL, BARE = "/acme/dev/content/dist/os", "/content/dist/os"


def show(text: str) -> Presented:
    der = x509.load_pem_x509_certificate(text.encode()).public_bytes(Encoding.DER)
    return Wallet().open(der)


def ask(text: str, request: Request, revoked: frozenset[int] = frozenset(), trust: HostTrust = TRUST) -> Verdict:
    return judge(trust, show(text), request, now=NOW, revoked=revoked)


@pytest.mark.parametrize(
    ("authority", "path", "organization", "request_", "reason"),
    [
        (OWN, FULL, "acme", PLAIN, Reason.GRANTED),
        (OWN, FULL, "acme", AS_CDN, Reason.GRANTED),
        (OWN, BARE, "acme", PLAIN, Reason.PATH_NOT_GRANTED),
        (OWN, BARE, "acme", AS_CDN, Reason.GRANTED),
        (OWN, FULL, "other", PLAIN, Reason.OTHER_ORGANIZATION),
        (OWN, BARE, "other", AS_CDN, Reason.OTHER_ORGANIZATION),
        (OWN, FULL, "acme", ELSEWHERE, Reason.OTHER_ORGANIZATION),
        (SITE, FULL, "whoever", PLAIN, Reason.GRANTED),
        (SITE, BARE, "whoever", AS_CDN, Reason.GRANTED),
        (SITE, BARE, "other", ELSEWHERE, Reason.NOT_TRUSTED),
        (REDHAT, BARE, "1234567", AS_CDN, Reason.GRANTED),
        (REDHAT, BARE, "1234567", ELSEWHERE, Reason.GRANTED),
        (REDHAT, BARE, "1234567", PLAIN, Reason.PATH_NOT_GRANTED),
        (REDHAT, FULL, "acme", PLAIN, Reason.PATH_NOT_GRANTED),
        (REDHAT, FULL, "acme", AS_CDN, Reason.PATH_NOT_GRANTED),
        (STRANGER, FULL, "acme", PLAIN, Reason.NOT_TRUSTED),
        (STRANGER, BARE, "acme", AS_CDN, Reason.NOT_TRUSTED),
    ],
)
def test_each_authority_speaks_for_its_own(
    authority: Authority, path: str, organization: str, request_: Request, reason: Reason
) -> None:
    verdict = ask(issue(authority, [path], organization=organization), request_)
    assert (verdict.reason, verdict.granted) == (reason, reason is Reason.GRANTED), verdict.message
    for version in (1, 3):
        assert ask(issue(authority, [path], organization=organization, version=version), request_).reason is reason


def test_only_serials_of_the_own_authority_are_revoked_here() -> None:
    own, site = (issue(each, [FULL], serial=77) for each in (OWN, SITE))
    assert ask(own, PLAIN, frozenset({77})).reason is Reason.REVOKED
    assert ask(site, PLAIN, frozenset({77})).reason is Reason.GRANTED


def test_dates_count_at_every_request() -> None:
    hour = timedelta(hours=1)
    presented = show(issue(OWN, [FULL], valid=Validity(NOW - hour, NOW + hour)))
    asked = [judge(TRUST, presented, PLAIN, now=at, revoked=()) for at in (NOW, NOW + 2 * hour, NOW - 2 * hour, NOW)]
    assert [each.reason for each in asked] == [
        Reason.GRANTED,
        Reason.EXPIRED,
        Reason.NOT_YET_VALID,
        Reason.GRANTED,
    ]


def test_without_authorities_nobody_is_let_in() -> None:
    assert ask(issue(OWN, [FULL]), PLAIN, trust=HostTrust()).reason is Reason.NOT_TRUSTED


def chain_of(length: int) -> tuple[Authority, str]:
    """Give an authority below so many others, and the certificates from its own to the root."""
    site = SiteAuthority("root")
    every = [site]
    for number in range(length - 1):
        every.append(SiteAuthority(f"middle {number}", every[-1]))
    key = key_of(KeyKind.EC_P256, 5)
    answer = every[-1].answer(request_certificate(key, name="lowest"))
    above = "".join(each.pem for each in reversed(every))
    return accept_answer(key, answer, now=NOW, above=above), answer + above


@pytest.mark.parametrize(("above", "depth", "granted"), [(1, 3, True), (2, 3, True), (3, 3, True), (4, 3, False)])
def test_so_many_authorities_may_stand_between(above: int, depth: int, granted: bool) -> None:
    authority, chain = chain_of(above)
    trust = HostTrust(None, {"acme": Authorities.from_pem(chain, "chain", depth=depth)})
    assert ask(issue(authority, [FULL]), PLAIN, trust=trust).granted is granted


def test_an_intermediate_alone_is_trusted_when_no_root_is_given() -> None:
    authority, chain = chain_of(1)
    lowest = chain.split("-----END CERTIFICATE-----\n")[0] + "-----END CERTIFICATE-----\n"
    trust = HostTrust(None, {"acme": Authorities.from_pem(lowest, "lowest")})
    assert ask(issue(authority, [FULL]), PLAIN, trust=trust).granted


def test_the_wallet_keeps_what_was_read_and_no_more_than_it_may() -> None:
    wallet = Wallet(most=2)
    ders = [x509.load_pem_x509_certificate(issue(OWN, [FULL]).encode()).public_bytes(Encoding.DER) for _ in range(3)]
    first = wallet.open(ders[0])
    assert wallet.open(ders[0]) is first
    wallet.open(ders[1])
    assert wallet.open(ders[0]) is first
    wallet.open(ders[2])
    assert wallet.open(ders[0]) is first
    for _ in range(2):
        with pytest.raises(BadCertificateError):
            wallet.open(b"rubbish")


def test_a_certificate_that_is_refused_again_and_again_takes_no_more_memory() -> None:
    wallet, depths = Wallet(), []
    for _ in range(3):
        with pytest.raises(BadCertificateError) as refused:
            wallet.open(b"rubbish")
        depths.append(len(refused.traceback))
    assert len(set(depths)) == 1


def test_all_authorities_are_handed_to_tls_once() -> None:
    both = HostTrust(TRUST.own, {"acme": Authorities.from_pem(OWN.root_pem + SITE.root_pem, "two")}, TRUST.redhat)
    assert both.pem().count("BEGIN CERTIFICATE") == 3
    assert YEAR.holds(NOW)
