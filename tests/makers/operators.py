"""Doing what an operator does at a place of the console, without a screen."""

from collections.abc import Mapping

from issbox.console.registry import find_action, find_place
from issbox.console.session import Session
from issbox.console.words import Consequences, Line, Outcome, Target, Wanted


def lines(session: Session, place: str, subject: object = None, search: str = "") -> list[Line]:
    """Give the lines that a place shows."""
    shown = find_place(place).show(session, subject, Wanted(search)).lines
    return list(shown.fetch(0, shown.count()))


def form(session: Session, action: str, target: Target) -> dict[str, str]:
    """Give the answers of a form that is left as it opens."""
    ask = find_action(action).ask
    return {} if ask is None else {each.id: each.default for each in ask(session, target)}


def told(session: Session, action: str, target: Target, answers: Mapping[str, str]) -> Consequences:
    """Give what an action shows before it is done, with the form as it opens but for some answers."""
    confirm = find_action(action).confirm
    assert confirm is not None
    consequences = confirm(session, target, {**form(session, action, target), **answers})
    assert consequences is not None
    return consequences


def do(session: Session, action: str, target: Target | None = None, **answers: str) -> Outcome:
    """Do an action as an operator does: not what cannot be done, and only after what it shows before."""
    target = target or Target()
    chosen = find_action(action)
    assert session.why_not(chosen, target) == ""
    given = {**form(session, action, target), **answers}
    consequences = None if chosen.confirm is None else chosen.confirm(session, target, given)
    if consequences is not None:
        assert consequences.refusals == ()
        given |= consequences.extra
    return chosen.run(session, target, given)
