"""Whose signature a subscription manifest has: with the signer's certificate in it and without, trusted and not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from makers.certificates import NOW, authority_of, key_of
from makers.chains import SiteAuthority, pem_of
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


def root_of(key: Any, name: str = "strange") -> x509.Certificate:
    """Give an authority that signed itself with a key of any kind."""
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(5)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, None if isinstance(key, ed25519.Ed25519PrivateKey | _ML_DSA) else SHA256())
    )


_ML_DSA = mldsa.MLDSA44PrivateKey | mldsa.MLDSA65PrivateKey | mldsa.MLDSA87PrivateKey


@pytest.mark.parametrize("brings", [True, False])
@pytest.mark.parametrize("rsa_key", [True, False])
def test_old_digests_are_named_and_not_accepted(*, brings: bool, rsa_key: bool) -> None:
    key: Any = rsa.generate_private_key(65537, 2048) if rsa_key else ROOT.key
    how = (padding.PKCS1v15(), SHA1()) if rsa_key else (ec.ECDSA(SHA1()),)  # it is to be refused
    root = root_of(key)
    shown = root.public_bytes(Encoding.DER) if brings else None
    weak = SignedExport(DATA, key.sign(DATA, *how), shown, "SHA1withRSA" if brings else "")
    found = check_signature(weak, trusted=pem_of(root), now=NOW)
    assert not found.signed_by
    assert "signed by CN=strange with SHA1, which is not accepted" in found.problem
    assert not found.forged


@pytest.mark.parametrize("digest", [SHA256(), SHA384(), SHA512()])
def test_longer_digests_are_as_good(digest: HashAlgorithm) -> None:
    shown = ROOT.certificate.public_bytes(Encoding.DER)
    export = SignedExport(DATA, ROOT.key.sign(DATA, ec.ECDSA(digest)), shown, "SHA512withECDSA")
    assert check_signature(export, trusted=ROOT.pem, now=NOW).signed_by == "CN=root"


@pytest.mark.parametrize("brings", [True, False])
@pytest.mark.parametrize("kind", [mldsa.MLDSA44PrivateKey, mldsa.MLDSA65PrivateKey, mldsa.MLDSA87PrivateKey])
def test_ml_dsa_is_verified(kind: Any, *, brings: bool) -> None:
    key = kind.generate()
    root = root_of(key)
    shown = root.public_bytes(Encoding.DER) if brings else None
    good = SignedExport(DATA, key.sign(DATA), shown, "ML-DSA-65")
    assert check_signature(good, trusted=ROOT.pem + pem_of(root), now=NOW).signed_by == "CN=strange"
    other = check_signature(replace(good, data=b"something else"), trusted=pem_of(root), now=NOW)
    assert (other.signed_by, other.forged) == ("", brings)
    assert check_signature(good, trusted=ROOT.pem, now=NOW).problem


def test_what_cannot_be_checked_is_named() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    root = root_of(key)
    export = SignedExport(DATA, key.sign(DATA), root.public_bytes(Encoding.DER), "Ed25519")
    found = check_signature(export, trusted=pem_of(root), now=NOW)
    assert "is of the kind Ed25519, with a key of kind ed25519: not understood here" in found.problem
    assert not found.forged, "nobody can tell"
    without = check_signature(replace(export, certificate=None), trusted=pem_of(root), now=NOW)
    assert (
        "none of the authorities known here (CN=strange); keys of kind ed25519 cannot be used here" in without.problem
    )
    pss = replace(signed(ROOT, data=b"x"), algorithm="SHA256withRSAandMGF1")
    found = check_signature(pss, trusted=ROOT.pem, now=NOW)
    assert "of the kind SHA256withRSAandMGF1" in found.problem
    assert not found.forged


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
