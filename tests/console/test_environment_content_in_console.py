"""Environments changed as a whole in the console, without a screen: everything of one, exactly a set, and back."""

import pytest
from makers.boxes import Gap
from makers.consoles import session_of
from makers.operators import do, lines, told

from issbox.console.registry import find_place
from issbox.console.session import Session
from issbox.console.trail import Trail
from issbox.console.words import Opening, Target
from issbox.errors import WrongStateError
from issbox.job_running import work_through
from issbox.model import JobState

pytestmark = pytest.mark.usefixtures("_without_workers")


@pytest.fixture
def session(gap: Gap) -> Session:
    return session_of(gap.outside)


def environment(session: Session, label: str) -> Target:
    """Give the line of an environment as what an action is about."""
    return Target(None, next(each.thing for each in lines(session, "environments") if each.key == label))


def contents(session: Session, label: str) -> dict[str, str]:
    """Give what an environment holds: versions and views by repository."""
    subject = environment(session, label).thing
    return {
        each.cells[0]: f"{each.cells[1]} {each.cells[2]}".strip() for each in lines(session, "environment", subject)
    }


def finish(session: Session) -> None:
    assert [job.state for job in work_through(session.ctx)] == [JobState.FINISHED]


def test_everything_goes_to_the_next_environment_and_comes_back(session: Session) -> None:
    before, ahead = contents(session, "qa"), contents(session, "dev")
    assert before != ahead
    target = environment(session, "dev")
    shown = told(session, "environments.everything", target, {})
    assert shown.title == "Promote everything in dev into qa?"
    assert any("gap-traveller" in line for line in shown.lines)
    assert do(session, "environments.everything", target).job is not None
    finish(session)
    assert contents(session, "qa") == ahead
    assert "everything in dev" in told(session, "environments.undo", environment(session, "qa"), {}).title
    do(session, "environments.undo", environment(session, "qa"))
    finish(session)
    assert contents(session, "qa") == before
    assert "servers 1.0" in told(session, "environments.undo", environment(session, "qa"), {}).title


def test_undoing_again_goes_further_back_and_then_says_that_nothing_is_left(session: Session) -> None:
    target = environment(session, "qa")
    do(session, "environments.undo", target)
    finish(session)
    with pytest.raises(WrongStateError, match="no change of Quality is left"):
        told(session, "environments.undo", target, {})


def test_out_of_order_is_refused_with_what_to_do(session: Session) -> None:
    shown = told(session, "environments.everything", environment(session, "dev"), {"environment": "prod"})
    assert shown.refusals
    assert "prod" in shown.refusals[0]


def test_an_environment_holds_exactly_what_was_put_together(session: Session) -> None:
    opened = do(session, "environments.exactly", environment(session, "dev")).opening
    assert opened is not None
    shown = {each.cells[0]: each for each in lines(session, "exactly", opened.subject)}
    assert shown["tools/base"].cells == ("tools/base", "2 of servers 2.0", "2 of servers 2.0", "stays")
    chosen = do(session, "exactly.choose", Target(opened.subject, shown["tools/base"].thing), version="1").opening
    assert chosen is not None
    gone = do(session, "exactly.choose", Target(chosen.subject, shown["tools/apps"].thing), version="").opening
    assert gone is not None
    cells = {each.cells[0]: each.cells[2:] for each in lines(session, "exactly", gone.subject)}
    assert cells == {"tools/base": ("1", "is replaced"), "tools/apps": ("-", "goes")}
    target = Target(gone.subject)
    assert any(line.startswith("- ") for line in told(session, "exactly.carry-out", target, {}).lines)
    do(session, "exactly.carry-out", target, force="yes", reason="a step back")
    finish(session)
    assert {name: words for name, words in contents(session, "dev").items() if words != "-"} == {"tools/base": "1"}
    do(session, "environments.undo", environment(session, "dev"))
    finish(session)
    assert contents(session, "dev")["tools/base"] == "2 servers 2.0"


def test_a_draft_takes_whole_views_and_what_other_environments_hold(session: Session) -> None:
    opened = do(session, "environments.exactly", environment(session, "prod")).opening
    assert opened is not None
    assert {each.cells[3] for each in lines(session, "exactly", opened.subject)} == {""}
    viewed = do(session, "exactly.view", Target(opened.subject), version="servers 1.0").opening
    assert viewed is not None
    assert {each.cells[2] for each in lines(session, "exactly", viewed.subject)} == {"1 of servers 1.0"}
    like = do(session, "exactly.like", Target(viewed.subject)).opening
    assert like is not None
    assert {each.cells[2] for each in lines(session, "exactly", like.subject)} == {"1 of servers 1.0"}
    assert told(session, "exactly.carry-out", Target(like.subject), {}).refusals == ()
    nothing = do(session, "exactly.nothing", Target(like.subject)).opening
    assert nothing is not None
    assert told(session, "exactly.carry-out", Target(nothing.subject), {}).refusals == ("There is nothing to do.",)


def test_another_subject_at_the_same_place_is_left_by_going_back_once() -> None:
    trail = Trail()
    trail.go(Opening("environments"))
    trail.go(Opening("exactly", 1))
    trail.here.position = 7
    trail.go(Opening("exactly", 2))
    assert (trail.here.subject, trail.here.position) == (2, 7)
    trail.back()
    assert trail.here.place is find_place("environments")
