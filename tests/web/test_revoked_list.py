"""The list of revoked serial numbers over HTTP: for everybody, signed again only when it says something else."""

import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from makers.certificates import YEAR, key_of, payload_of
from makers.chains import SiteAuthority
from makers.fleets import quick
from makers.nginx import needs_nginx, nginx_in_front
from makers.serving import Service, make_box, serve

from issbox.certs import pem
from issbox.certs.authority import Authority
from issbox.certs.certificates import read_certificates
from issbox.certs.entitlement import prepare_v3
from issbox.certs.keys import KeyKind, new_serial
from issbox.certs.revocation import RevocationList, read_revocation_list, read_revocation_lists
from issbox.errors import IssboxError
from issbox.model import Consumer
from issbox.wiring import now
from issbox.workflows.appliance import doctoring
from issbox.workflows.certificates import authority
from issbox.workflows.certificates.authority import create_authority, read_chain
from issbox.workflows.certificates.certificates import certificates_of, forged_certificates
from issbox.workflows.certificates.revocation_lists import kept_at, offered_list
from issbox.workflows.context import Context
from issbox.workflows.hosts import consumers, registering


@pytest.fixture
def box(tmp_path: Path) -> Context:
    return quick(make_box(tmp_path / "own"))


def register(ctx: Context) -> Consumer:
    return registering.register(ctx, organization="acme", name="web1", facts={"system.certificate_version": "3.2"})


def read(ctx: Context, text: str | bytes) -> RevocationList:
    issuer, *_ = read_certificates(read_chain(ctx) or "", "the authority")
    return read_revocation_list(text, issuer)


def offered(ctx: Context) -> RevocationList:
    text = offered_list(ctx)
    assert text is not None
    return read(ctx, text)


def serials(ctx: Context, host: Consumer) -> set[int]:
    return {each.certificate.serial for each in certificates_of(ctx, host.uuid)} | {
        consumers.identity_of(ctx, host.uuid).serial
    }


def test_everybody_gets_it_in_both_forms_and_it_follows_at_once(box: Context, tmp_path: Path) -> None:
    host = register(box)
    gone = serials(box, host)
    with serve(box, tmp_path) as service:
        client = service.client()
        answer = client.get("/pki/revoked.pem")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/x-pem-file")
        assert read(box, answer.body).serials == frozenset()
        consumers.delete_consumer(box, host.uuid)
        answer = client.get("/pki/revoked.pem")
        assert read(box, answer.body).serials == gone
        assert client.get("/pki/revoked.pem", If_None_Match=answer.headers["ETag"]).status == 304
        binary = client.get("/pki/revoked.crl")
        assert (binary.status, binary.headers["Content-Type"]) == (200, "application/pkix-crl")
        (tmp_path / "list.crl").write_bytes(binary.body)
        shown = ["openssl", "crl", "-inform", "DER", "-in", "list.crl", "-CAfile", "root.pem", "-noout", "-text"]
        done = subprocess.run(shown, cwd=tmp_path, capture_output=True, text=True, check=True)
        assert "verify OK" in done.stderr
        assert all(f"{serial:X}" in done.stdout.replace(":", "").upper() for serial in gone)
        head = client.get("/pki/revoked.crl", "HEAD")
        assert (head.status, head.body, head.headers["Content-Length"]) == (200, b"", str(len(binary.body)))


@pytest.mark.parametrize("path", ["/pki", "/pki/", "/pki/revoked", "/pki/revoked.crl/", "/pki/../keys/signing.pem"])
def test_nothing_else_lies_there(service: Service, path: str) -> None:
    assert service.client().get(path).status in (400, 403, 404)
    assert service.client().ask("POST", "/pki/revoked.crl", {}, b"x").status == 405


def test_a_list_is_signed_again_only_when_it_has_to_be(box: Context) -> None:
    host, other = register(box), register(box)
    first = offered(box)
    assert offered(box) == first
    consumers.delete_consumer(box, host.uuid)
    second = offered(box)
    assert second.serials > first.serials
    assert (second.number or 0) > (first.number or 0)
    days = box.settings.certificates.revocation_list_days
    later = replace(box, clock=lambda: box.clock() + timedelta(days=days) / 2)
    third = offered(later)
    assert (third.serials, third.number) == (second.serials, (second.number or 0) + 1)
    assert third.next_update is not None
    assert third.next_update > later.clock() + timedelta(days=days - 1)
    gone = serials(box, other)
    assert not gone & third.serials


def test_what_has_been_changed_is_not_offered(box: Context, tmp_path: Path) -> None:
    consumers.delete_consumer(box, register(box).uuid)
    good = offered_list(box)
    assert good is not None
    others = make_box(tmp_path / "others")
    create_authority(others)
    for wrong in (good.replace("A", "B"), offered_list(others), "nonsense", ""):
        kept_at(box).write_text(str(wrong))
        assert any("revoked.pem is not what was offered" in each.what for each in doctoring.examine(box)), wrong
        assert offered(box).serials == read(box, good).serials
        assert not any("revoked.pem" in each.what for each in doctoring.examine(box))
    kept_at(box).write_text("nonsense")
    assert any(each.fixed and "revoked.pem" in each.what for each in doctoring.examine(box, fix=True))
    assert not kept_at(box).exists()
    kept_at(box).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(IssboxError):
        offered_list(box)


def replace_authority(ctx: Context) -> SiteAuthority:
    """Put the box below an authority of the site, which takes another key."""
    site = SiteAuthority("Site")
    answer = site.answer(authority.request_authority(ctx), path_length=0, end=now() + timedelta(days=300))
    authority.install_authority(ctx, answer, above=site.pem)
    return site


def test_certificates_of_an_earlier_authority_are_checked_by_its_own_list(box: Context, tmp_path: Path) -> None:
    host = register(box)
    (old,) = [each.certificate.pem for each in certificates_of(box, host.uuid)]
    first_root = authority.open_authority(box).root_pem
    offered_list(box)
    site = replace_authority(box)
    assert not any("revoked.pem" in each.what for each in doctoring.examine(box)), "an earlier one signed what is kept"
    (new,) = [each.certificate.pem for each in certificates_of(box, host.uuid)]
    text = offered_list(box)
    assert text is not None
    assert text == offered_list(box)
    assert text.count("BEGIN X509 CRL") == 2
    lists = [each for _, each in read_revocation_lists(text, authority.own_chains(box))]
    assert lists[0].serials == lists[1].serials != frozenset()
    assert read(box, first_list(text)).serials == lists[0].serials, "the present one's is the first"
    for name, content in {
        "old.pem": pem.first_certificate(old), "new.pem": pem.first_certificate(new), "root.pem": first_root,
        "site.pem": site.pem, "own.pem": authority.read_chain(box) or "", "list.pem": text,
    }.items():  # fmt: skip
        (tmp_path / name).write_text(content)

    def check(*words: str) -> str:
        command = ["openssl", "verify", "-crl_check", "-CRLfile", "list.pem", *words]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        return done.stdout + done.stderr

    assert "certificate revoked" in check("-CAfile", "root.pem", "old.pem"), "it was replaced"
    assert "new.pem: OK" in check("-CAfile", "site.pem", "-untrusted", "own.pem", "new.pem")
    (tmp_path / "list.pem").write_text(first_list(text))
    assert "unable to get certificate CRL" in check("-CAfile", "root.pem", "old.pem"), "what the second one is for"


def test_an_authority_that_is_over_or_whose_key_is_gone_signs_no_list(box: Context) -> None:
    register(box)
    replace_authority(box)
    days = box.settings.certificates.authority_days
    ((_, key),) = authority.former_authorities(box)
    assert (offered_list(box) or "").count("BEGIN X509 CRL") == 2
    key.rename(key.with_name("elsewhere"))
    assert (offered_list(box) or "").count("BEGIN X509 CRL") == 1
    key.write_text("another key")
    key.chmod(0o600)
    assert (offered_list(box) or "").count("BEGIN X509 CRL") == 1
    key.with_name("elsewhere").rename(key)
    assert authority.former_authorities(replace(box, clock=lambda: box.clock() + timedelta(days=days + 1))) == []


def first_list(text: str) -> str:
    mark = "-----END X509 CRL-----\n"
    return text.partition(mark)[0] + mark


def test_certificates_that_say_what_nobody_signed_are_found(box: Context) -> None:
    (held,) = certificates_of(box, register(box).uuid)
    assert forged_certificates(box) == []
    text = pem.first_certificate(held.certificate.pem)
    other = Authority.create_root(key_of(KeyKind.EC_P256, 5), name="other", valid=YEAR, serial=new_serial())
    forged = prepare_v3(payload_of(["/acme/Library"]), other).appendix
    with box.store.session(), box.store.transaction():
        database: Any = box.store.database
        database.execute_sql(f"UPDATE certificate_body SET appendix = '{forged}'")
    with box.store.session():
        assert box.store.certificates.get(held.certificate.serial).pem == text + forged
    assert forged_certificates(box) == [held.certificate.serial]
    (finding,) = [each for each in doctoring.examine(box) if "not what this box signed" in each.what]
    assert (finding.check, finding.fixed) == ("certificates", False)
    assert str(held.certificate.serial) in finding.what


def test_without_an_authority_there_is_none(tmp_path: Path) -> None:
    assert offered_list(make_box(tmp_path / "own")) is None
    assert not (tmp_path / "own/keys/authority/current").exists(), "asking makes none"


@needs_nginx
def test_nginx_hands_it_on(box: Context, tmp_path: Path) -> None:
    with nginx_in_front(box, tmp_path) as front:
        answer = front.client().get("/pki/revoked.crl")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "application/pkix-crl")
