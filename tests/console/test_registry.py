"""Everything that the console shows and does is in one list, and documented."""

import re
from collections import Counter
from pathlib import Path

from issbox.console.places.jobs import PLACE as JOBS
from issbox.console.registry import ACTIONS, HABITS, PLACES, Habit, actions_of, find_action, find_place
from issbox.console.words import Action, Place
from issbox.rules.people.permissions import Permission
from issbox.tui.frame import help_lines, key_lines

DOCS = Path(__file__).parents[2] / "docs/console.md"
EVERYTHING: tuple[Action | Habit | Place, ...] = (*ACTIONS, *HABITS, *PLACES)
DONE: tuple[Action | Habit, ...] = (*ACTIONS, *HABITS)
MOVING = {"up", "down", "left", "right", "pageup", "pagedown", "home", "end", "space", "tab"}


def test_ids_are_unique_and_lead_back() -> None:
    ids = [each.id for each in EVERYTHING]
    assert [name for name, count in Counter(ids).items() if count > 1] == []
    assert all(find_action(each.id) is each for each in ACTIONS)
    assert all(find_place(each.id) is each for each in PLACES)
    assert {each.place for each in ACTIONS} <= {each.id for each in PLACES}


def test_no_key_means_two_things() -> None:
    everywhere = [key for habit in HABITS for key in habit.keys] + [place.key for place in PLACES if place.key]
    assert [key for key, count in Counter(everywhere).items() if count > 1] == []
    for place in PLACES:
        here = [each.key for each in actions_of(place.id)]
        assert len(here) == len(set(here)), place.id
        assert set(here) & (set(everywhere) | MOVING) == set(), place.id


def test_keys_survive_every_keyboard_and_terminal() -> None:
    for action in ACTIONS:
        assert re.fullmatch(r"[a-z]|enter", action.key), action.id
    for habit in HABITS:
        assert len(habit.keys) == 2, f"{habit.id} has no second way"
    for place in PLACES:
        assert re.fullmatch(r"[0-9A-Z]?", place.key)


def test_everything_says_what_it_is() -> None:
    for each in EVERYTHING:
        assert each.title
        assert each.help.endswith("."), each.id


def test_what_changes_something_names_a_permission() -> None:
    reading = {each.id for each in ACTIONS if each.permission is None and each.key != "enter"}
    assert reading == {
        "environments.matrix", "exports.receipts", "jobs.cancel", "keys.credentials", "keys.own",
        "overview.organization", "people.keys", "views.details", "versions.compare",
    }  # fmt: skip
    assert all(each.permission is None or each.permission in Permission for each in ACTIONS)


def test_what_can_be_done_at_a_place_fits_under_its_table() -> None:
    for place in PLACES:
        shown = key_lines(place, lambda _: "not now", 80).splitlines()
        assert len(shown) <= 6, place.id
        assert shown[-1].endswith("q Quit")


def test_the_help_of_a_place_names_all_of_it() -> None:
    text = "\n".join(help_lines(JOBS))
    assert all(each.title in text for each in actions_of("jobs"))
    assert all(each.title in text for each in HABITS)
    assert all(place.title in text for place in PLACES if place.key)


def test_the_documentation_and_the_registry_agree() -> None:
    named = set(re.findall(r"`([a-z-]+\.[a-z-]+)`", DOCS.read_text()))
    assert named == {each.id for each in DONE}
    for place in PLACES:
        assert f"### {place.title}" in DOCS.read_text()
