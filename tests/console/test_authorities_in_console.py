"""The authority, the server certificate and others' authorities in the console, without a screen."""

from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.chains import SiteAuthority
from makers.consoles import session_of
from makers.fleets import quick
from makers.operators import do, lines

from issbox.console.registry import find_action
from issbox.console.session import Session
from issbox.console.words import Target
from issbox.errors import AlreadyExistsError, BadCertificateError, InvalidValueError, NotFoundError
from issbox.model import CredentialKind
from issbox.workflows.certificates import authority, server_certificate
from issbox.workflows.content import catalog, credentials


@pytest.fixture
def session(gap: Gap) -> Session:
    made = session_of(gap.outside)
    made.ctx = quick(made.ctx)
    return made


def line(session: Session, key: str) -> tuple[str, ...]:
    """Give the cells of a line but for the first one."""
    return next(each.cells[1:] for each in lines(session, "ca") if each.key == key)


def test_a_box_without_an_authority_gets_one(gap: Gap) -> None:
    session = session_of(gap.inside)
    session.ctx = quick(session.ctx)
    assert line(session, "authority")[0] == "none yet"
    do(session, "ca.create", name="ACME content")
    assert line(session, "authority")[0] == "current"
    with pytest.raises(AlreadyExistsError):
        do(session, "ca.create")


def test_the_authority_is_shown_and_renewed(session: Session) -> None:
    before = authority.show_authority(session.ctx)
    (shown,) = [each for each in lines(session, "ca") if each.key == "authority"]
    text = do(session, "ca.open", Target(None, shown.thing)).text
    assert text is not None
    assert dict(text.values)["chain"] == before.chain_pem
    assert "valid until" in do(session, "ca.renew").message
    assert authority.show_authority(session.ctx).serial != before.serial


def test_the_site_signs_the_authority(session: Session, tmp_path: Path) -> None:
    site = SiteAuthority("Site")
    do(session, "ca.request", path=str(tmp_path / "box.csr"))
    with pytest.raises(AlreadyExistsError):
        do(session, "ca.request", path=str(tmp_path / "box.csr"))
    assert "a request waits" in line(session, "authority")[2]
    (tmp_path / "answer.pem").write_text(site.answer((tmp_path / "box.csr").read_text(), path_length=0))
    (tmp_path / "site.pem").write_text(site.pem)
    do(session, "ca.install", answer=str(tmp_path / "answer.pem"), chain=str(tmp_path / "site.pem"))
    assert line(session, "authority")[2].startswith("below the site's authority")
    assert [each.cells[2] for each in lines(session, "hosts", search="web1")] == ["1 stale"]
    with pytest.raises(NotFoundError):
        do(session, "ca.install", answer=str(tmp_path / "answer.pem"))


def test_files_that_are_none_are_refused(session: Session, tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("nothing")
    with pytest.raises((BadCertificateError, InvalidValueError)):
        do(session, "ca.trust", file=str(tmp_path / "none.pem"))
    for path in ("-", str(tmp_path)):
        with pytest.raises(InvalidValueError):
            do(session, "ca.trust", file=path)
    with pytest.raises(NotFoundError):
        do(session, "ca.trust", file=str(tmp_path / "nowhere.pem"))


def test_the_server_certificate_is_issued_again(session: Session) -> None:
    assert line(session, "server")[0] == "none yet"
    do(session, "ca.server")
    assert line(session, "server")[0] == "current"
    first = server_certificate.show_server_certificate(session.ctx)
    do(session, "ca.server")
    second = server_certificate.show_server_certificate(session.ctx)
    assert first.pem != second.pem
    assert second.place.key.stat().st_mode & 0o777 == 0o600


def test_red_hats_authority_is_switched_on_and_off(session: Session, tmp_path: Path) -> None:
    (tmp_path / "redhat.pem").write_text(SiteAuthority("Site").pem)
    off = find_action("ca.distrust")
    assert session.why_not(off, Target()) == "it is not trusted"
    do(session, "ca.trust", file=str(tmp_path / "redhat.pem"))
    assert line(session, "redhat")[0] == "on"
    do(session, "ca.distrust")
    assert line(session, "redhat")[0] == "off"


def test_an_organization_lets_hosts_of_another_authority_in(session: Session) -> None:
    credentials.create_credential(
        session.ctx,
        organization="acme",
        label="site",
        name="Site",
        kind=CredentialKind.CA_CERTIFICATE,
        content=SiteAuthority("Site").pem,
    )
    (organization,) = catalog.list_organizations(session.ctx)
    do(session, "ca.hosts", Target(None, organization), cas="site")
    assert line(session, "organization acme") == ("let in", "", "site")
    with pytest.raises(NotFoundError):
        do(session, "ca.hosts", Target(None, organization), cas="site nobody")
    (organization,) = catalog.list_organizations(session.ctx)
    do(session, "ca.hosts", Target(None, organization), cas="")
    assert catalog.list_organizations(session.ctx)[0].client_cas == ()


def test_the_revocation_list_is_written(session: Session, tmp_path: Path) -> None:
    do(session, "ca.revoked", path=str(tmp_path / "new" / "crl.pem"))
    assert (tmp_path / "new" / "crl.pem").read_text().startswith("-----BEGIN X509 CRL")
