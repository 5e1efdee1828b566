"""Whose signature a subscription manifest has: with the signer's certificate in it and without, trusted and not."""

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st
from makers.certificates import NOW, authority_of, key_of
from makers.chains import SiteAuthority
from makers.manifests import certificate_text, manifest_authority, rhel

from issbox.certs.keys import KeyKind
from issbox.certs.manifest_signature import check_signature, opens, pair_up, split_entitlement
from issbox.errors import BadCertificateError, NotASubscriptionManifestError
from issbox.model import SignedExport

DATA = b"the whole archive"
ROOT = SiteAuthority("root")
OTHER = SiteAuthority("other")
KEY = key_of(KeyKind.EC_P256, 3)


def signed(signer: SiteAuthority, *, brings: bool = True, data: bytes = DATA) -> SignedExport:
    signature = signer.key.sign(data, ec.ECDSA(SHA256()))
    certificate = signer.certificate.public_bytes(Encoding.DER) if brings else None
    return SignedExport(DATA, signature, certificate, "SHA256withECDSA")


@pytest.mark.parametrize("kind", [KeyKind.RSA_3072, KeyKind.EC_P256])
def test_without_a_certificate_each_authority_is_tried(kind: KeyKind) -> None:
    authority = authority_of(kind)
    export = SignedExport(DATA, authority.sign(DATA))
    found = check_signature(export, trusted=ROOT.pem + authority.root_pem, now=NOW)
    assert (found.signed_by, found.problem) == (f"CN=test root {kind} 0", "")
    assert "none of the authorities known here (CN=root)" in check_signature(export, trusted=ROOT.pem, now=NOW).problem


@pytest.mark.parametrize("brings", [True, False])
def test_an_authority_that_signs_itself(*, brings: bool) -> None:
    assert check_signature(signed(ROOT, brings=brings), trusted=ROOT.pem, now=NOW).signed_by == "CN=root"
    found = check_signature(signed(OTHER, brings=brings), trusted=ROOT.pem, now=NOW)
    assert (found.signed_by, found.forged) == ("", False)


def test_a_signer_below_a_trusted_authority() -> None:
    signer = SiteAuthority("signer", ROOT, is_authority=False)
    assert check_signature(signed(signer), trusted=ROOT.pem, now=NOW).signed_by == "CN=signer"
    assert "not an authority known here" in check_signature(signed(signer), trusted=OTHER.pem, now=NOW).problem
    without = check_signature(signed(signer, brings=False), trusted=ROOT.pem, now=NOW)
    assert without.problem, "nobody can tell who signed it"


def test_a_signer_below_what_is_no_authority_is_not_trusted() -> None:
    leaf = SiteAuthority("leaf", ROOT, is_authority=False)
    signer = SiteAuthority("signer", leaf)
    assert check_signature(signed(signer), trusted=leaf.pem, now=NOW).problem


def test_a_name_is_not_enough() -> None:
    false_root = SiteAuthority("root")
    signer = SiteAuthority("signer", false_root)
    assert check_signature(signed(signer), trusted=ROOT.pem, now=NOW).problem
    assert check_signature(signed(false_root), trusted=ROOT.pem, now=NOW).problem


def test_a_signer_that_is_not_valid_now() -> None:
    found = check_signature(signed(ROOT), trusted=ROOT.pem, now=NOW + timedelta(days=4000))
    assert "is not valid now" in found.problem


def test_the_signature_of_other_bytes_is_forged() -> None:
    found = check_signature(signed(ROOT, data=b"something else"), trusted=ROOT.pem, now=NOW)
    assert found.forged
    assert not found.signed_by


def test_old_digests_are_not_accepted() -> None:
    weak = SignedExport(DATA, ROOT.key.sign(DATA, ec.ECDSA(SHA1())))  # it is to be refused
    assert check_signature(weak, trusted=ROOT.pem, now=NOW).problem


def test_nothing_to_check_by() -> None:
    assert "has no signature" in check_signature(SignedExport(DATA, b""), trusted=ROOT.pem, now=NOW).problem
    assert "no authority" in check_signature(signed(ROOT), trusted="\n", now=NOW).problem
    with pytest.raises(BadCertificateError, match="not PEM"):
        check_signature(signed(ROOT), trusted="nonsense", now=NOW)
    with pytest.raises(BadCertificateError, match="the signer's certificate"):
        check_signature(SignedExport(DATA, b"x", b"nonsense"), trusted=ROOT.pem, now=NOW)


@given(noise=st.binary(max_size=600))
def test_no_noise_is_a_signature(noise: bytes) -> None:
    for brings in (True, False):
        export = SignedExport(DATA, noise, ROOT.certificate.public_bytes(Encoding.DER) if brings else None)
        found = check_signature(export, trusted=ROOT.pem + manifest_authority().root_pem, now=NOW)
        assert found.signed_by == ""
        assert found.problem


def test_an_entitlement_is_split_and_opens_its_paths() -> None:
    made = split_entitlement(certificate_text([rhel()], manifest_authority()), "the certificate 1")
    assert made.paths == 2
    assert "PRIVATE" not in made.certificate
    assert "PRIVATE" not in repr(made)
    assert opens(made.certificate, "/content/dist/rhel9/9.4/x86_64/baseos/os/repodata/repomd.xml")
    assert not opens(made.certificate, "/content/dist/rhel8/8/x86_64/baseos/os")
    assert not opens("nonsense", "/content/dist")


@pytest.mark.parametrize("text", [f"{ROOT.pem}{KEY.pem()}", f"nonsense{KEY.pem()}", ROOT.pem, ""])
def test_what_is_no_entitlement_is_refused_without_showing_the_key(text: str) -> None:
    with pytest.raises(NotASubscriptionManifestError, match="the certificate 1") as refused:
        split_entitlement(text, "the certificate 1")
    assert KEY.pem().splitlines()[1] not in str(refused.value)


def test_an_authority_is_no_entitlement() -> None:
    authority = authority_of(KeyKind.EC_P256)
    with pytest.raises(NotASubscriptionManifestError, match="one of kind authority"):
        split_entitlement(authority.root_pem + key_of(KeyKind.EC_P256).pem(), "the certificate 1")


def test_a_pair_belongs_together() -> None:
    with pytest.raises(NotASubscriptionManifestError, match="do not belong together"):
        pair_up(ROOT.pem, KEY.pem(), "the identity")
