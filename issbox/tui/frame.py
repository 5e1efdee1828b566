"""The lines around the table: title, places, what can be done here, and the keys that work everywhere."""

from collections.abc import Callable, Sequence
from typing import Final

from issbox.console.registry import HABITS, PLACES, actions_of
from issbox.console.words import Action, Place
from issbox.screen_text import fitted, width

_FOOTER_HABITS: Final = ("help", "actions", "go", "search", "sort", "copy", "organization", "back", "quit")


def title_line(box: str, user: str, organization: str, columns: int) -> str:
    """Give the first line of the screen."""
    right = f"{user} on {organization}" if organization else user
    left = f" issbox  {box}"
    return fitted(left, max(0, columns - width(right) - 1)) + right + " "


def tab_lines(place: Place, columns: int) -> str:
    """Give the places with their keys, the present one in brackets, broken into as few lines as they need."""
    words = []
    for each in PLACES:
        if each.key:
            name = f"{each.key} {each.short or each.title}"
            words.append(f"[{name}]" if each.id == place.id else f" {name} ")
    return flow(words, columns, gap="")


def key_lines(place: Place, why_not: Callable[[Action], str], columns: int) -> str:
    """Give what can be done here, in parentheses what cannot be done now, and the keys that work everywhere."""
    actions = []
    for action in actions_of(place.id):
        name = f"{key_name(action.key)} {action.title}"
        actions.append(f"({name})" if why_not(action) else name)
    habits = [
        f"{each.shown.split()[-1 if each.id.endswith('search') else 0]} {each.title}"
        for each in HABITS
        if each.id.partition(".")[2] in _FOOTER_HABITS
    ]
    return flow(actions, columns) + "\n" + flow(habits, columns)


def key_name(key: str) -> str:
    """Give the name of a key as people see it."""
    return {"enter": "Enter"}.get(key, key)


def flow(words: Sequence[str], columns: int, *, gap: str = "  ") -> str:
    """Put words after each other, in as many lines as they need."""
    lines, line = [], ""
    for word in words:
        longer = f"{line}{gap}{word}" if line else word
        if width(longer) > columns and line:
            lines.append(line)
            longer = word
        line = longer
    return "\n".join([*lines, line])


def help_lines(place: Place) -> tuple[str, ...]:
    """Give the help of a place: what it is, what can be done, and the keys that work everywhere."""
    actions = [f"  {key_name(each.key):8}{each.title}: {each.help}" for each in actions_of(place.id)]
    habits = [f"  {each.shown:8}{each.title}: {each.help}" for each in HABITS]
    places = [f"  {each.key:8}{each.title}: {each.help}" for each in PLACES if each.key]
    return (place.help, "", "What can be done here:", *actions, "", "Everywhere:", *habits, "", "Places:", *places)
