"""Which requests a certificate lets through, and the reason for every refusal."""

from datetime import datetime, timedelta

import pytest
from makers.certificates import CONSUMER, NOW, YEAR, authority_of, entitle, key_of

from issbox.certs.decode import decode_certificate
from issbox.certs.guard import Reason, decide
from issbox.certs.identity import issue_identity
from issbox.certs.keys import KeyKind
from issbox.errors import InvalidValueError
from issbox.rules.entitlements.paths import request_path

CERTIFICATE = decode_certificate(entitle(["/Acme/dev/tools", "/Acme/dev/$releasever/os"], serial=77))
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("path", "now", "revoked", "reason", "message"),
    [
        ("/Acme/dev/tools/repodata/repomd.xml", NOW, False, Reason.GRANTED, "77 grants /Acme/dev/tools/repodata"),
        ("/Acme/dev/9/os", YEAR.not_before, False, Reason.GRANTED, "grants"),
        ("/Acme/dev/9/os", YEAR.not_after, False, Reason.GRANTED, "grants"),
        ("/Acme/dev/tools", YEAR.not_before - SECOND, False, Reason.NOT_YET_VALID, "on only"),
        ("/Acme/dev/tools", YEAR.not_after + SECOND, False, Reason.EXPIRED, "was valid until"),
        ("/Acme/dev/tools", NOW, True, Reason.REVOKED, "77 was revoked"),
        ("/Acme/qa/tools", NOW, False, Reason.PATH_NOT_GRANTED, "but not /Acme/qa/tools"),
        ("/Acme/dev/toolsx", NOW, False, Reason.PATH_NOT_GRANTED, "but not"),
        ("/", NOW, False, Reason.PATH_NOT_GRANTED, "but not"),
        ("/Acme/dev/listing", NOW, False, Reason.GRANTED, "grants"),
    ],
)
def test_a_request_is_decided_with_a_reason(
    path: str, now: datetime, revoked: bool, reason: Reason, message: str
) -> None:
    verdict = decide(CERTIFICATE, request_path(path), now=now, revoked=revoked)
    assert (verdict.granted, verdict.reason) == (reason is Reason.GRANTED, reason)
    assert message in verdict.message


def test_a_certificate_without_content_and_one_of_another_kind_grant_nothing() -> None:
    empty = decode_certificate(entitle([]))
    assert decide(empty, "/Acme/dev/tools", now=NOW, revoked=False).reason is Reason.NO_CONTENT
    identity = issue_identity(
        authority_of(),
        organization="Acme",
        consumer=CONSUMER,
        name="host",
        public=key_of(KeyKind.EC_P256, 1).public,
        valid=YEAR,
        serial=5,
    )
    for text in (identity, authority_of().root_pem):
        verdict = decide(decode_certificate(text), "/listing", now=NOW, revoked=False)
        assert verdict.reason is Reason.NOT_AN_ENTITLEMENT


def test_a_path_has_to_be_one() -> None:
    with pytest.raises(InvalidValueError):
        decide(CERTIFICATE, "Acme/dev/tools", now=NOW, revoked=False)
