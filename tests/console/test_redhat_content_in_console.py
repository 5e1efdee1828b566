"""Red Hat content in the console, without a screen: manifest, location, choices, enabling."""

from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.consoles import session_of
from makers.manifests import APPSTREAM, BASEOS, manifest_authority, rhel, write_manifest
from makers.operators import do, lines, told
from makers.repodata import write_cdn

from issbox.console.registry import find_action
from issbox.console.session import Session
from issbox.console.words import Line, Target
from issbox.errors import InvalidValueError, NotASubscriptionManifestError, NotFoundError, UntrustedManifestError
from issbox.model import CdnType
from issbox.workflows.cdn import location

PRODUCT = "Red_Hat_Enterprise_Linux_for_x86_64"
HELD = "content/dist/rhel9/9.4/x86_64/baseos/os"


@pytest.fixture
def session(gap: Gap) -> Session:
    return session_of(gap.outside)


@pytest.fixture
def manifest(tmp_path: Path) -> dict[str, str]:
    """The answers that name a manifest and who signed it."""
    (tmp_path / "ca.pem").write_text(manifest_authority().root_pem)
    path = write_manifest(tmp_path / "manifest.zip", products=[rhel(BASEOS, APPSTREAM)])
    return {"file": str(path), "ca": str(tmp_path / "ca.pem")}


@pytest.fixture
def cdn(tmp_path: Path) -> Path:
    """A directory laid out like the CDN, with one repository."""
    return write_cdn(tmp_path / "cdn", HELD)


def read_from(session: Session, cdn: Path) -> None:
    do(session, "cdn.change", type="custom-cdn", url=str(cdn), manifest="no")


def choices(session: Session) -> list[Line]:
    opening = do(session, "cdn.choices").opening
    assert opening is not None
    return lines(session, "cdn-choices", opening.subject)


def test_a_manifest_is_shown_before_it_is_taken_in(session: Session, manifest: dict[str, str]) -> None:
    assert lines(session, "manifest") == lines(session, "cdn") == []
    assert session.why_not(find_action("manifest.delete"), Target()) == "there is no manifest"
    shown = told(session, "manifest.import", Target(), manifest)
    assert {f"+ product {PRODUCT}: Red Hat Enterprise Linux for x86_64", f"+ content {BASEOS.label}"} <= set(
        shown.lines
    )
    assert lines(session, "manifest") == []
    do(session, "manifest.import", None, **manifest)
    assert {each.cells[0] for each in lines(session, "manifest")} == {"subscription", "certificate"}
    assert [each.cells[:2] for each in lines(session, "cdn")] == [(BASEOS.label, PRODUCT), (APPSTREAM.label, PRODUCT)]
    for line in lines(session, "manifest"):
        assert do(session, "manifest.open", Target(None, line.thing)).text is not None
    history = do(session, "manifest.history").text
    assert history is not None
    assert "import of" in history.lines[0]
    assert told(session, "manifest.delete", Target(), {}).final
    do(session, "manifest.delete")
    assert lines(session, "cdn") == []


def test_what_is_no_manifest_or_was_changed_meanwhile_is_refused(
    session: Session, manifest: dict[str, str], tmp_path: Path
) -> None:
    with pytest.raises(UntrustedManifestError):
        do(session, "manifest.import", None, **{**manifest, "ca": ""})
    shown = told(session, "manifest.import", Target(), manifest)
    whole = Path(manifest["file"]).read_bytes()
    Path(manifest["file"]).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(NotASubscriptionManifestError):
        do(session, "manifest.import", None, **manifest)
    with pytest.raises(InvalidValueError, match="another file"):
        find_action("manifest.import").run(session, Target(), {**manifest, "force": "", **shown.extra})
    with pytest.raises(NotFoundError):
        do(session, "manifest.import", None, **{**manifest, "file": str(tmp_path / "nowhere.zip")})
    assert lines(session, "manifest") == []


def test_content_is_chosen_enabled_and_disabled(session: Session, manifest: dict[str, str], cdn: Path) -> None:
    do(session, "manifest.import", None, **manifest)
    read_from(session, cdn)
    (line,) = choices(session)
    assert line.cells == (BASEOS.label, "9.4", "", "")
    assert session.why_not(find_action("cdn-choices.disable"), Target(None, line.thing)) == "it is not enabled"
    do(session, "cdn-choices.enable", Target(None, line.thing))
    (line,) = choices(session)
    assert line.cells[3] == "enabled"
    assert "enabled already" in session.why_not(find_action("cdn-choices.enable"), Target(None, line.thing))
    assert [each.cells[3] for each in lines(session, "cdn")] == ["9.4", ""]
    for action in ("cdn-choices.open", "cdn-choices.disable"):
        do(session, action, Target(None, line.thing))
    assert [each.cells[3] for each in choices(session)] == [""]


def test_the_location_is_tried_and_changed_with_its_consequences(
    session: Session, manifest: dict[str, str], cdn: Path
) -> None:
    do(session, "manifest.import", None, **manifest)
    read_from(session, cdn)
    tried = do(session, "cdn.test").text
    assert tried is not None
    assert tried.title == "The CDN answers"
    (line,) = choices(session)
    do(session, "cdn-choices.enable", Target(None, line.thing))
    moved = {"url": "https://carl:s3cret@cdn.example.com/redhat"}
    shown = told(session, "cdn.change", Target(), moved)
    assert any(each.startswith("1 of 1 Red Hat repository") for each in shown.lines)
    assert not any("s3cret" in each for each in shown.lines)
    do(session, "cdn.change", None, **moved)
    ask = find_action("cdn.change").ask
    assert ask is not None
    assert not any("s3cret" in each.default for each in ask(session, Target()))
    do(session, "cdn.change")
    assert location.get_location(session.ctx, "acme").url == moved["url"], "a form left as it opens changes nothing"
    do(session, "cdn.change", type="redhat-cdn")
    after = location.get_location(session.ctx, "acme")
    assert (after.type, after.url, after.shows_manifest) == (CdnType.REDHAT_CDN, "https://cdn.redhat.com", True)
    with pytest.raises(InvalidValueError):
        do(session, "cdn.change", type="network-sync", url="https://box1.example.com")
    do(session, "cdn.change", type="network-sync", url="https://box1.example.com", organization="ACME")
    upstream = location.get_location(session.ctx, "acme").upstream
    assert upstream is not None
    assert (upstream.organization, upstream.environment) == ("ACME", "Library")


def test_a_location_that_fails_says_where(session: Session, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    read_from(session, tmp_path / "empty")
    tried = do(session, "cdn.test").text
    assert tried is not None
    assert tried.title == "The CDN fails at: listing"


def test_a_location_goes_by_a_proxy_of_its_own_by_none_and_by_that_of_the_box_again(session: Session) -> None:
    custom = {"type": "custom-cdn", "url": "https://cdn.example.com", "manifest": "no"}
    do(session, "cdn.change", None, **custom, by="own", proxy="http://carl:s3cret@proxy.example.com:3128")
    do(session, "cdn.change")
    assert location.get_location(session.ctx, "acme").proxy == "http://carl:s3cret@proxy.example.com:3128"
    do(session, "cdn.change", by="")
    assert location.get_location(session.ctx, "acme").proxy == ""
    do(session, "cdn.change")
    assert location.get_location(session.ctx, "acme").proxy == ""
    do(session, "cdn.change", by="box")
    assert location.get_location(session.ctx, "acme").proxy is None
    with pytest.raises(InvalidValueError, match="URL of the proxy is missing"):
        do(session, "cdn.change", by="own")
