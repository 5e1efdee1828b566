"""What places of the console show and do, without a screen."""

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from makers.boxes import KEY, Gap
from makers.consoles import session_of

from issbox.console import first_run
from issbox.console.layout import fit
from issbox.console.places import inbox as inbox_place
from issbox.console.places import overview, settings
from issbox.console.places import repositories as places
from issbox.console.registry import ACTIONS, PLACES
from issbox.console.session import Session
from issbox.console.words import Action, Answers, Outcome, Place, Target, Wanted
from issbox.errors import InvalidValueError, NotFoundError
from issbox.manifest import ScopeKind
from issbox.model import BundleForm, Repository
from issbox.rules.health import Trouble
from issbox.workflows import exports
from issbox.workflows.appliance import box_status
from issbox.workflows.content import catalog, repositories
from issbox.workflows.inbox import inbox
from issbox.workflows.people import audit_log, ssh_keys, users

SECRET_URL = "https://carl:s3cret@cdn.example.com/base?token=s3cret"
SECRET_PROXY = "http://carl:s3cret@proxy.example.com:3128"

_BLOB = b"\0\0\0\x0bssh-ed25519\0\0\0 " + b"k" * 32
PUBLIC_KEY = f"ssh-ed25519 {base64.b64encode(_BLOB).decode()} exa@desk"


def action(name: str) -> Action:
    return next(each for each in ACTIONS if each.id == name)


def form(session: Session, name: str, target: Target) -> dict[str, str]:
    """Give the answers of a form that is left as it opens."""
    ask = action(name).ask
    assert ask is not None
    return {each.id: each.default for each in ask(session, target)}


def do(session: Session, name: str, target: Target, answers: Answers) -> Outcome:
    return action(name).run(session, target, answers)


@pytest.fixture
def session(gap: Gap) -> Session:
    return session_of(gap.outside)


@pytest.fixture
def kept(session: Session) -> Repository:
    """A repository whose upstream and proxy need a password."""
    return repositories.update_repository(session.ctx, KEY, url=SECRET_URL, proxy=SECRET_PROXY)


def test_no_password_of_a_repository_is_shown(session: Session, kept: Repository) -> None:
    product = catalog.get_product(session.ctx, KEY.organization, KEY.product)
    lines = places.PLACE.show(session, product, Wanted()).lines
    cells = [cell for line in lines.fetch(0, lines.count()) for cell in line.cells]
    assert "https://***@cdn.example.com/base?***" in cells
    answers = form(session, "repositories.edit", Target(product, kept))
    assert answers["proxy"] == "http://***@proxy.example.com:3128"
    assert not [text for text in (*cells, *answers.values()) if "s3cret" in text]


def test_a_form_that_is_left_as_it_opens_changes_no_url(session: Session, kept: Repository) -> None:
    answers = form(session, "repositories.edit", Target(thing=kept))
    do(session, "repositories.edit", Target(thing=kept), {**answers, "name": "Base"})
    changed = repositories.get_repository(session.ctx, KEY)
    assert (changed.name, changed.upstream) == ("Base", kept.upstream)
    do(session, "repositories.edit", Target(thing=kept), {**answers, "url": "https://cdn.example.com/new", "proxy": ""})
    upstream = repositories.get_repository(session.ctx, KEY).upstream
    assert (upstream.url, upstream.proxy) == ("https://cdn.example.com/new", None)


def test_stars_never_become_a_password(session: Session, kept: Repository) -> None:
    answers = form(session, "repositories.edit", Target(thing=kept))
    with pytest.raises(InvalidValueError, match="upstream URL"):
        do(session, "repositories.edit", Target(thing=kept), {**answers, "url": answers["url"].replace("base", "new")})
    assert repositories.get_repository(session.ctx, KEY).upstream == kept.upstream


def test_no_password_of_the_configuration_is_shown(session: Session) -> None:
    ctx = session.ctx
    session.ctx = replace(
        ctx,
        settings=replace(
            ctx.settings,
            database_url="postgresql://box:s3cret@localhost/box",
            synchronize=replace(ctx.settings.synchronize, proxy=SECRET_PROXY),
            hooks=replace(ctx.settings.hooks, command=("notify", SECRET_URL)),
        ),
    )
    lines = settings.PLACE.show(session, None, Wanted()).lines
    shown = {line.key: line.cells[1] for line in lines.fetch(0, lines.count())}
    assert shown["synchronize.proxy"] == "http://***@proxy.example.com:3128"
    assert "s3cret" not in str(shown)


def test_a_mistyped_key_leaves_no_user(session: Session) -> None:
    answers = {**form(session, "people.create", Target()), "name": "exa", "key": "ssh-ed25519 AAAA"}
    with pytest.raises(InvalidValueError):
        do(session, "people.create", Target(), answers)
    with pytest.raises(NotFoundError):
        users.get_user(session.ctx, "exa")
    do(session, "people.create", Target(), {**answers, "key": PUBLIC_KEY})
    assert len(ssh_keys.list_ssh_keys(session.ctx, "exa")) == 1


def test_a_mistyped_key_of_the_first_run_leaves_no_user(gap: Gap, session: Session) -> None:
    step = next(each for each in first_run.STEPS if each.questions[0].id == "user")
    answers = {"user": "exa", "full_name": "", "key": "ssh-ed25519 AAAA"}
    with pytest.raises(InvalidValueError):
        step.do(gap.outside.environment(), answers)
    with pytest.raises(NotFoundError):
        users.get_user(session.ctx, "exa")
    step.do(gap.outside.environment(), {**answers, "key": PUBLIC_KEY})
    assert len(ssh_keys.list_ssh_keys(session.ctx, "exa")) == 1


def test_the_audit_log_is_written_as_on_the_command_line(session: Session, tmp_path: Path) -> None:
    expected = list(audit_log.export_audit(session.ctx))
    do(session, "audit.export", Target(), {"path": str(tmp_path / "audit.jsonl"), "search": ""})
    assert (tmp_path / "audit.jsonl").read_text().splitlines() == expected[::-1]


def test_the_overview_and_status_agree_on_what_is_wrong(session: Session) -> None:
    crowded = replace(session.ctx.settings.health, low_space=1 << 62)
    session.ctx = replace(session.ctx, settings=replace(session.ctx.settings, health=crowded))
    shown = overview.PLACE.show(session, None, Wanted()).lines
    cells = [line.cells for line in shown.fetch(0, shown.count())]
    (space,) = [each.what for each in box_status.status(session.ctx).problems if each.trouble is Trouble.SPACE]
    assert ("Space", "low", space) in cells
    assert ("Space", "ok") not in [each[:2] for each in cells]


def test_a_bundle_in_volumes_is_one_line_of_the_inbox(gap: Gap) -> None:
    outside, inside = gap.outside.context(), gap.inside.context()
    request = exports.ExportRequest(
        organization="acme", scope=ScopeKind.LIBRARY, destination="inside", form=BundleForm.ISO, volume_size=400 << 10
    )
    made = exports.export(outside, exports.plan_export(outside, request), gap.media)
    assert len(made.volumes) > 1
    below = inside.settings.inbox.path
    below.mkdir(parents=True, exist_ok=True)
    images = sorted(Path(made.path).rglob("*.iso"))[:-1]
    places = [str(image.rename(below / image.name)) for image in images]
    inbox.record(inside, [inbox.Sighting(each, None, each, settled=True, words="", files=1, size=1) for each in places])
    shown = inbox_place.PLACE.show(session_of(gap.inside), None, Wanted()).lines
    (line,) = shown.fetch(0, shown.count())
    assert line.cells[4] == f"{len(images)}/{len(made.volumes)}"
    assert "acme #1" in line.cells[3]


@pytest.mark.parametrize("place", [place for place in PLACES if place.key], ids=lambda place: place.id)
def test_no_column_is_cut_on_a_screen_of_80_columns(filled_gap: Gap, place: Place) -> None:
    columns = place.show(session_of(filled_gap.outside), None, Wanted()).columns
    widths = fit(columns, 80 - 2)
    assert [each.title for each, width in zip(columns, widths, strict=True) if 0 < width < each.width] == []
