"""Everything that the console shows and does: footer, help, palette, key map and line mode come from these lists."""

from dataclasses import dataclass
from typing import Final

from issbox.console.places import (
    activation_keys,
    audit,
    authority,
    authority_changes,
    cdn,
    cdn_choices,
    content,
    doctor,
    downstream,
    environment,
    environment_content,
    environments,
    expiry,
    exports,
    host,
    hosts,
    import_by_hand,
    inbox,
    jobs,
    manifest,
    other_authorities,
    overview,
    people,
    promotions,
    pruning,
    receipts,
    regenerations,
    repositories,
    search,
    settings,
    slips,
    ssh_keys,
    trust,
    versions,
    views,
)
from issbox.console.words import Action, Place


@dataclass(frozen=True, slots=True)
class Habit:
    """A key that does the same everywhere."""

    id: str
    keys: tuple[str, ...]
    """Two ways to reach it, as the terminal names keys."""
    shown: str
    """How people see the keys."""
    title: str
    help: str


PLACES: Final[tuple[Place, ...]] = (
    overview.PLACE,
    inbox.PLACE,
    environments.PLACE,
    promotions.PLACE,
    content.PLACE,
    exports.PLACE,
    jobs.PLACE,
    people.PLACE,
    audit.PLACE,
    settings.PLACE,
    views.PLACE,
    hosts.PLACE,
    search.PLACE,
    trust.PLACE,
    authority.PLACE,
    cdn.PLACE,
    environment.PLACE,
    environments.MATRIX,
    environment_content.PLACE,
    repositories.PLACE,
    versions.PLACE,
    versions.PACKAGES,
    views.VERSIONS,
    cdn_choices.PLACE,
    downstream.PLACE,
    manifest.PLACE,
    host.PLACE,
    activation_keys.PLACE,
    expiry.PLACE,
    expiry.ENDING,
    regenerations.PLACE,
    receipts.PLACE,
    ssh_keys.PLACE,
    trust.CREDENTIALS,
)
"""Those with a key first, in the order of the keys."""

ACTIONS: Final[tuple[Action, ...]] = (
    *overview.ACTIONS,
    *inbox.ACTIONS,
    *import_by_hand.ACTIONS,
    *environments.ACTIONS,
    *environment_content.ACTIONS,
    *environment.ACTIONS,
    *promotions.ACTIONS,
    *content.ACTIONS,
    *repositories.ACTIONS,
    *versions.ACTIONS,
    *views.ACTIONS,
    *hosts.ACTIONS,
    *regenerations.ACTIONS,
    *host.ACTIONS,
    *activation_keys.ACTIONS,
    *expiry.ACTIONS,
    *search.ACTIONS,
    *exports.ACTIONS,
    *slips.ACTIONS,
    *pruning.ACTIONS,
    *receipts.ACTIONS,
    *jobs.ACTIONS,
    *people.ACTIONS,
    *ssh_keys.ACTIONS,
    *trust.ACTIONS,
    *cdn.ACTIONS,
    *downstream.ACTIONS,
    *cdn_choices.ACTIONS,
    *manifest.ACTIONS,
    *authority.ACTIONS,
    *authority_changes.ACTIONS,
    *other_authorities.ACTIONS,
    *audit.ACTIONS,
    *settings.ACTIONS,
    *doctor.ACTIONS,
)

HABITS: Final[tuple[Habit, ...]] = (
    Habit("console.help", ("f1", "question_mark"), "F1 ?", "Help", "Show what this place is and every key."),
    Habit("console.actions", ("f2", "x"), "F2 x", "Actions", "List what can be done here, and why not."),
    Habit("console.go", ("f3", "g"), "F3 g", "Go to", "Go to another place."),
    Habit("console.palette", ("f4", "ctrl+p"), "F4 ^P", "Everything", "Look for any place or action by its name."),
    Habit("console.search", ("slash", "f7"), "/ F7", "Search", "Show only lines with these words; nothing shows all."),
    Habit("console.sort", ("s", "f8"), "s F8", "Sort", "Sort by a column; the same column again turns the order."),
    Habit("console.refresh", ("f5", "R"), "F5 R", "Refresh", "Read again; it happens by itself too."),
    Habit(
        "console.line", ("equals_sign", "f11"), "= F11", "Whole line", "Show the chosen line whole; ~ ends what is cut."
    ),
    Habit("console.copy", ("y", "f6"), "y F6", "Copy out", "Print the chosen line plainly, to copy it."),
    Habit("console.organization", ("o", "f9"), "o F9", "Organization", "Work on another organization."),
    Habit("console.back", ("escape", "backspace"), "Esc", "Back", "Go back, or close what is open."),
    Habit("console.quit", ("q", "f10"), "q F10", "Quit", "End the console; jobs go on."),
)


def find_place(place_id: str) -> Place:
    """Give a place by its id."""
    return _PLACES[place_id]


def actions_of(place_id: str) -> tuple[Action, ...]:
    """Give what can be done at a place."""
    return tuple(action for action in ACTIONS if action.place == place_id)


def find_action(action_id: str) -> Action:
    """Give an action by its id."""
    return next(action for action in ACTIONS if action.id == action_id)


_PLACES: Final = {place.id: place for place in PLACES}
