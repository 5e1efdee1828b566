"""An authority below the site's: the request, and every reason to refuse the answer."""

import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from makers.certificates import NOW, YEAR, entitle, key_of
from makers.chains import SiteAuthority
from makers.needs import needs_openssl

from issbox.certs.decode import decode_certificate
from issbox.certs.keys import KeyKind
from issbox.certs.site_authority import accept_answer, request_certificate
from issbox.certs.verify import TrustedAuthorities
from issbox.errors import AuthorityAnswerError, BadCertificateError, CertificateError

KEY = key_of(KeyKind.EC_P256, 3)
REQUEST = request_certificate(KEY, name="issbox far", organization="Acme")


@pytest.fixture(scope="module")
def site() -> SiteAuthority:
    return SiteAuthority("site issuing", SiteAuthority("site policy", SiteAuthority("site root")))


def chain_above(authority: SiteAuthority) -> str:
    return authority.pem + (chain_above(authority.above) if authority.above else "")


def test_a_request_asks_for_an_authority_that_signs_hosts_only() -> None:
    request = x509.load_pem_x509_csr(REQUEST.encode())
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=issbox far,O=Acme"
    constraints = request.extensions.get_extension_for_class(x509.BasicConstraints).value
    assert constraints == x509.BasicConstraints(ca=True, path_length=0)
    assert request.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign


@pytest.mark.parametrize("together", [True, False])
def test_the_answer_makes_an_authority_three_below_the_root(
    site: SiteAuthority, together: bool, tmp_path: Path
) -> None:
    answer, above = site.answer(REQUEST, path_length=0), chain_above(site)
    authority = (
        accept_answer(KEY, above + answer, now=NOW) if together else accept_answer(KEY, answer, now=NOW, above=above)
    )
    assert not authority.is_root
    assert authority.chain_pem.count("BEGIN CERTIFICATE") == 4
    assert authority.root_pem == site.above.above.pem  # type: ignore[union-attr] # both are there
    certificate = decode_certificate(entitle(["/a"], authority)).certificate
    below = x509.load_pem_x509_certificates(authority.chain_pem.encode())[:-1]
    assert len(TrustedAuthorities.from_pem(authority.root_pem).verify_client(certificate, below, at=NOW)) == 5
    with pytest.raises(CertificateError, match="only that one can renew it"):
        authority.renewed(valid=YEAR, serial=1)


def signed_by_openssl(directory: Path, digest: str) -> tuple[bytes, bytes]:
    """Give the answer to the request and the root that signed it."""

    def run(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=directory, capture_output=True, text=True, check=True)

    extensions = "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
    (directory / "ext").write_text(extensions)
    (directory / "box.csr").write_text(REQUEST)
    run("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "root.key", "-out", "root.pem", "-subj", "/CN=Site")
    run(
        *("x509", "-req", "-in", "box.csr", "-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial"),
        *("-days", "900", "-extfile", "ext", "-out", "box.pem", f"-{digest}"),
    )
    return (directory / "box.pem").read_bytes(), (directory / "root.pem").read_bytes()


@needs_openssl
def test_openssl_signs_the_request_and_verifies_what_comes_of_it(tmp_path: Path) -> None:
    answer, root = signed_by_openssl(tmp_path, "sha256")
    authority = accept_answer(KEY, answer, now=NOW + timedelta(minutes=10), above=root)
    (tmp_path / "host.pem").write_text(entitle(["/a"], authority))
    command = ["openssl", "verify", "-CAfile", "root.pem", "-untrusted", "box.pem", "host.pem"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "host.pem: OK\n", done.stderr


@needs_openssl
def test_an_answer_signed_with_sha1_is_refused(tmp_path: Path) -> None:
    answer, root = signed_by_openssl(tmp_path, "sha1")
    with pytest.raises(AuthorityAnswerError, match="the signature of CN=issbox far,O=Acme uses sha1"):
        accept_answer(KEY, answer, now=NOW + timedelta(minutes=10), above=root)


def test_an_answer_for_another_key_is_refused(site: SiteAuthority) -> None:
    other = request_certificate(key_of(KeyKind.EC_P256, 4), name="issbox far")
    with pytest.raises(AuthorityAnswerError, match="none of the certificates"):
        accept_answer(KEY, site.answer(other) + chain_above(site), now=NOW)


def test_the_chain_has_to_be_whole(site: SiteAuthority) -> None:
    with pytest.raises(AuthorityAnswerError, match="the certificate of CN=site issuing is missing"):
        accept_answer(KEY, site.answer(REQUEST), now=NOW)
    impostor = SiteAuthority("site issuing")
    with pytest.raises(AuthorityAnswerError, match="did not sign it"):
        accept_answer(KEY, site.answer(REQUEST) + impostor.pem, now=NOW)


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ({"is_authority": False}, "CN=issbox far,O=Acme is not an authority"),
        ({"signs_certificates": False}, "CN=issbox far,O=Acme may not sign certificates"),
        ({"end": NOW - timedelta(hours=1)}, "is valid from .* only"),
        ({"begin": NOW + timedelta(hours=1)}, "is valid from .* only"),
    ],
)
def test_an_answer_that_makes_no_authority_is_refused(
    site: SiteAuthority, wanted: dict[str, object], reason: str
) -> None:
    answer = site.answer(REQUEST, **wanted)
    with pytest.raises(AuthorityAnswerError, match=reason):
        accept_answer(KEY, answer + chain_above(site), now=NOW)


def test_every_reason_is_told_at_once() -> None:
    root = SiteAuthority("site root", path_length=0, end=NOW - timedelta(hours=2))
    below = SiteAuthority("site issuing", root, path_length=0)
    with pytest.raises(AuthorityAnswerError) as refused:
        accept_answer(KEY, below.answer(REQUEST, is_authority=False) + chain_above(below), now=NOW)
    said = str(refused.value)
    assert "CN=site root allows 0 authorities below it, and there would be 2" in said
    assert "CN=site issuing allows 0 authorities below it, and there would be 1" in said
    assert "CN=issbox far,O=Acme is not an authority" in said
    assert "CN=site root is valid from" in said


def test_authorities_that_sign_each_other_lead_nowhere() -> None:
    first = SiteAuthority("first")
    second = SiteAuthority("second", first)
    loop = SiteAuthority("first", second, key=first.key)
    answer = second.answer(REQUEST)
    with pytest.raises(AuthorityAnswerError, match="missing"):
        accept_answer(KEY, answer + loop.pem + second.pem, now=NOW)


@pytest.mark.parametrize("answer", ["", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"])
def test_what_is_no_certificate_is_refused(answer: str) -> None:
    with pytest.raises(BadCertificateError):
        accept_answer(KEY, answer, now=NOW)
