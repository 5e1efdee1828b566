"""Hosts, their certificates and activation keys in the console, without a screen."""

from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.consoles import session_of
from makers.fleets import quick
from makers.operators import do, lines, told

from issbox.console.registry import find_action
from issbox.console.session import Session
from issbox.console.words import Line, Target
from issbox.errors import AlreadyExistsError, InvalidValueError, NotFoundError, WrongStateError
from issbox.job_running import work_through
from issbox.model import HostFilter, Taking
from issbox.workflows.certificates import revocation_lists
from issbox.workflows.content import catalog
from issbox.workflows.hosts import activation_keys, consumers

pytestmark = pytest.mark.usefixtures("_without_workers")


@pytest.fixture
def session(gap: Gap) -> Session:
    made = session_of(gap.outside)
    made.ctx = quick(made.ctx)
    return made


def host(session: Session, name: str, subject: object = None) -> Target:
    """Give the line of a host as what an action is about."""
    (line,) = [each for each in lines(session, "hosts", subject) if each.cells[0] == name]
    return Target(subject, line.thing)


def held(session: Session, uuid: str, kind: str) -> Line:
    """Give the first line of a kind of one host."""
    return next(each for each in lines(session, "host", uuid) if each.cells[0] == kind)


def test_hosts_are_listed_with_where_they_are_and_how_their_certificates_are(session: Session) -> None:
    shown = [each.cells[:3] for each in lines(session, "hosts")]
    assert shown == [("db1", "none", "1 to issue"), ("web1", "dev", "1 current"), ("web2", "qa dev", "1 to issue")]
    assert [each.cells[0] for each in lines(session, "hosts", search="web web2")] == ["web2"]
    opened = do(session, "hosts.filter", environment="dev", waiting="yes").opening
    assert opened is not None
    assert [each.cells[0] for each in lines(session, "hosts", opened.subject)] == ["web2"]
    opened = do(session, "hosts.filter", environment="").opening
    assert opened is not None
    assert [each.cells[0] for each in lines(session, "hosts", opened.subject)] == ["db1"]


def test_what_another_organization_shows_is_not_shown_here(session: Session) -> None:
    other = HostFilter("other", "dev")
    assert [each.cells[0] for each in lines(session, "hosts", other)] == ["db1", "web1", "web2"]


def test_a_host_is_registered_with_its_files(session: Session, tmp_path: Path) -> None:
    there = tmp_path / "web9"
    made = do(
        session, "hosts.register", name="web9", environment="qa", others="dev", output=str(there), url="https://b"
    )
    assert made.opening is not None
    assert consumers.get_consumer(session.ctx, str(made.opening.subject)).environments == ("qa", "dev")
    assert {each.name for each in there.iterdir()} >= {"identity.pem", "key.pem", "issbox.repo", "entitlement-1.pem"}
    made = do(session, "hosts.register", name="web10", key="web")
    assert made.opening is not None
    assert consumers.get_consumer(session.ctx, str(made.opening.subject)).activation_key == "web"
    assert (
        "are not written"
        in do(session, "hosts.register", name="web12", output="/proc/nowhere", url="https://b").message
    )
    for wrong in ({"key": "web", "environment": "qa"}, {"others": "dev"}):
        with pytest.raises(InvalidValueError):
            do(session, "hosts.register", None, name="web11", **wrong)
    assert len(lines(session, "hosts")) == 6


def test_moving_shows_its_consequences_and_does_them(session: Session) -> None:
    answers = {"environment": "prod", "others": ""}
    shown = told(session, "hosts.move", host(session, "web1"), answers)
    assert shown.title == "Move 1 host to prod?"
    assert {"- tools_base", "- tools_apps"} <= set(shown.lines)
    assert any(each.startswith("1 certificate will say something else") for each in shown.lines)
    assert "1 certificate became stale" in do(session, "hosts.move", host(session, "web1"), **answers).message
    assert host(session, "web1").thing.stale == 1
    again = told(session, "hosts.move", host(session, "web1"), answers)
    assert again.refusals
    with pytest.raises(NotFoundError):
        told(session, "hosts.move", host(session, "web1"), {"environment": "prod", "others": "nowhere"})


def test_the_overview_tells_of_stale_certificates_those_who_may_issue_them(session: Session, gap: Gap) -> None:
    def told_of(each: Session) -> list[tuple[str, ...]]:
        return [line.cells for line in lines(each, "overview") if line.cells[0] == "Hosts"]

    assert told_of(session) == [("Hosts", "ok", "3 hosts")]
    do(session, "hosts.move", host(session, "web1"), environment="prod", others="")
    ((_, state, words),) = told_of(session_of(gap.outside, "ada"))
    assert (state, words.partition(":")[0]) == ("stale", "3 hosts; 1 certificate to issue")
    assert told_of(session_of(gap.outside, "vic")) == []


def test_all_hosts_of_an_environment_are_moved_together(session: Session) -> None:
    inside = HostFilter("acme", "dev")
    target = host(session, "web1", inside)
    assert "2 hosts moved" in do(session, "hosts.move", target, whose="all", environment="prod", others="").message
    assert [each.cells[1] for each in lines(session, "hosts")] == ["none", "prod", "prod"]


@pytest.mark.parametrize(
    ("answers", "issued"),
    [
        ({"whose": "all"}, {"db1", "web2"}),
        ({"whose": "all", "unchanged": "yes"}, {"db1", "web1", "web2"}),
        ({"whose": "environment:qa"}, {"web2"}),
        ({"whose": "product:tools"}, {"db1", "web2"}),
    ],
)
def test_certificates_are_regenerated_by_a_job(session: Session, answers: dict[str, str], issued: set[str]) -> None:
    before = {each.cells[0]: held(session, each.key, "entitlement").cells[4] for each in lines(session, "hosts")}
    assert do(session, "hosts.regenerate", None, **answers).job is not None
    (job,) = work_through(session.ctx)
    assert (job.state, job.result["done"]) == ("finished", len(issued))
    now = {each.cells[0]: held(session, each.key, "entitlement").cells[4] for each in lines(session, "hosts")}
    assert {name for name, serial in now.items() if serial != before[name]} == issued


def test_certificates_of_all_organizations_are_regenerated(session: Session) -> None:
    everywhere = {"whose": "everywhere"}
    action = find_action("hosts.regenerate")
    assert action.ask is not None
    assert "everywhere" not in dict(action.ask(session, Target(None, None))[0].choices)
    catalog.create_organization(session.ctx, label="globex", name="Globex")
    assert "everywhere" in dict(action.ask(session, Target(None, None))[0].choices)
    shown = told(session, "hosts.regenerate", Target(None, None), everywhere)
    assert "2 certificates of all of acme" in shown.lines[0]
    assert "1 job, one for each" in do(session, "hosts.regenerate", None, **everywhere).message
    (job,) = work_through(session.ctx)
    assert (job.state, job.result["done"]) == ("finished", 2)
    assert told(session, "hosts.regenerate", Target(None, None), everywhere).refusals


def test_one_host_is_regenerated_and_nothing_to_do_says_so(session: Session) -> None:
    target = host(session, "db1")
    whose = f"consumer:{target.thing.consumer.uuid}"
    do(session, "hosts.regenerate", target, whose=whose)
    work_through(session.ctx)
    assert host(session, "db1").thing.missing == 0
    assert told(session, "hosts.regenerate", host(session, "db1"), {"whose": whose}).refusals


def test_a_certificate_is_read_and_revoked(session: Session) -> None:
    uuid = host(session, "web1").thing.consumer.uuid
    entitlement = Target(uuid, held(session, uuid, "entitlement").thing)
    text = do(session, "host.open", entitlement).text
    assert text is not None
    assert "  /acme/dev/custom/tools/base" in text.lines
    do(session, "host.revoke", entitlement)
    serial = int(dict(text.values)["serial"])
    assert revocation_lists.revoked_serials(session.ctx) == [serial]
    assert held(session, uuid, "entitlement").cells[2] == "to be issued"
    with pytest.raises(WrongStateError):
        do(session, "host.revoke", entitlement)
    assert "1 certificate issued" in do(session, "host.issue", Target(uuid)).message
    assert "say what they should" in do(session, "host.issue", Target(uuid)).message
    identity = Target(uuid, held(session, uuid, "identity").thing)
    do(session, "host.revoke", identity)
    assert held(session, uuid, "identity").cells[2] == "none"
    assert session.why_not(find_action("host.revoke"), Target(uuid, held(session, uuid, "identity").thing))
    do(session, "host.identity", Target(uuid))
    assert held(session, uuid, "identity").cells[2] == "current"


def test_entitlements_come_and_go(session: Session) -> None:
    uuid = host(session, "db1").thing.consumer.uuid
    do(session, "host.entitle", Target(uuid), product="tools")
    shown = [each for each in lines(session, "host", uuid) if each.cells[0] == "entitlement"]
    assert [each.cells[1] for each in shown] == ["all products", "tools"]
    do(session, "host.disentitle", Target(uuid, shown[0].thing))
    assert held(session, uuid, "entitlement").cells[1] == "tools"
    identity = Target(uuid, held(session, uuid, "identity").thing)
    assert session.why_not(find_action("host.disentitle"), identity) == "the identity is no entitlement"


def test_a_host_is_renamed_moved_and_deleted(session: Session) -> None:
    uuid = host(session, "db1").thing.consumer.uuid
    do(session, "host.rename", Target(uuid), name="db2")
    do(session, "host.move", Target(uuid), environment="dev")
    assert host(session, "db2").thing.consumer.environments == ("dev",)
    do(session, "hosts.delete", host(session, "db2"))
    assert [each.cells[0] for each in lines(session, "hosts")] == ["web1", "web2"]


def test_activation_keys_are_made_changed_and_deleted(session: Session) -> None:
    do(session, "activation-keys.create", label="db", environment="qa", others="dev", products="tools", most="3")
    made = activation_keys.get_activation_key(session.ctx, "acme", "db")
    assert (made.environments, made.products, made.max_hosts) == (("qa", "dev"), ("tools",), 3)
    (line,) = [each for each in lines(session, "activation-keys") if each.key == "db"]
    do(session, "activation-keys.edit", Target(None, line.thing), most="", products="")
    changed = activation_keys.get_activation_key(session.ctx, "acme", "db")
    assert (changed.environments, changed.products, changed.max_hosts) == (("qa", "dev"), (), None)
    with pytest.raises(InvalidValueError):
        do(session, "activation-keys.edit", Target(None, line.thing), most="many")
    with pytest.raises(AlreadyExistsError):
        do(session, "activation-keys.create", label="db")
    do(session, "activation-keys.delete", Target(None, line.thing))
    assert [each.key for each in lines(session, "activation-keys")] == ["web"]


def test_what_ends_is_counted_and_leads_to_the_hosts(session: Session) -> None:
    shown = {each.cells[1]: each for each in lines(session, "expiry") if each.cells[0] == "hosts"}
    assert {name: each.cells[3] for name, each in shown.items() if each.cells[3] != "0"} == {
        "within a year": "1",
        "later": "3",
    }
    (ending,) = lines(session, "ending", shown["within a year"].thing.subject)
    assert ending.cells[:2] == ("web1", "entitlement")
    assert lines(session, "ending", shown["within a year"].thing.subject, search="db1") == []
    opened = do(session, "ending.open", Target(None, ending.thing)).opening
    assert opened is not None
    assert held(session, str(opened.subject), "entitlement").cells[4] == ending.key
    assert any("authority of the box" in each.cells[0] for each in lines(session, "expiry"))


def regeneration(session: Session) -> Target:
    """Give the newest regeneration as what an action is about."""
    return Target(None, lines(session, "regenerations")[0].thing)


def why_not(session: Session, verb: str) -> str:
    return session.why_not(find_action(f"regenerations.{verb}"), regeneration(session))


def test_a_regeneration_is_paused_found_again_gone_on_with_and_watched(session: Session, gap: Gap) -> None:
    do(session, "hosts.regenerate", None, whose="all")
    assert do(session, "hosts.regenerations").opening is not None
    assert "rests" in do(session, "regenerations.pause", regeneration(session)).message
    assert why_not(session, "resume") == "it issues the last few before it rests: a moment"
    (job,) = work_through(session.ctx)
    assert (job.result["state"], job.result["done"]) == ("paused", 0)
    later = session_of(gap.outside)
    later.ctx = quick(later.ctx)
    assert [each.cells[2:4] for each in lines(later, "regenerations")] == [("paused", "0 of 2, 0%")]
    (resting,) = [each for each in lines(later, "overview") if each.cells[1] == "paused"]
    assert resting.thing.place == "regenerations"
    assert why_not(later, "pause") == "it is paused already"
    assert do(later, "regenerations.resume", regeneration(later)).job == job.id + 1
    assert do(later, "regenerations.open", regeneration(later)).job == job.id + 1
    work_through(later.ctx)
    assert [each.cells[2:4] for each in lines(later, "regenerations")] == [("done", "2 of 2, 100%")]
    text = do(later, "regenerations.open", regeneration(later)).text
    assert text is not None
    assert any("looked at" in line for line in text.lines)
    assert {why_not(later, verb) for verb in ("pause", "resume", "cancel")} == {"it is done already"}


def test_a_regeneration_is_ended_for_good(session: Session) -> None:
    do(session, "hosts.regenerate", None, whose="all")
    assert told(session, "regenerations.cancel", regeneration(session), {}).final
    do(session, "regenerations.cancel", regeneration(session))
    assert lines(session, "regenerations")[0].cells[2] == "cancelled"
    assert why_not(session, "resume") == "it is cancelled already"
    work_through(session.ctx)
    assert host(session, "db1").thing.missing == 1


def test_boxes_that_read_from_here_are_shown_with_what_they_took(session: Session) -> None:
    assert lines(session, "downstream") == []
    do(session, "hosts.register", name="island", environment="dev", type="candlepin")
    (line,) = lines(session, "downstream")
    assert line.cells == ("island", "nothing yet", "never", "", "")
    assert do(session, "downstream.host", Target(None, line.thing)).opening is not None
    now = session.ctx.clock()
    taking = Taking("acme", "dev", "f" * 64, "CN=manifest", "CN=Red Hat", "7", now, now, 3, 5 << 20)
    with session.ctx.store.session(), session.ctx.store.transaction():
        session.ctx.store.takings.add(taking)
    _, line = lines(session, "downstream")
    assert line.cells == ("CN=manifest", "dev", f"{now:%Y-%m-%d %H:%M}", "3", "5.0 MiB")
    assert "manifest" in session.why_not(find_action("downstream.host"), Target(None, line.thing))
    text = do(session, "downstream.open", Target(None, line.thing)).text
    assert text is not None
    assert any("CN=Red Hat" in each for each in text.lines)
