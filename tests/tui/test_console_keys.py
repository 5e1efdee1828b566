"""The habits of the console: moving, searching, sorting, copying, leaving, and keeping up with others."""

from dataclasses import replace
from typing import Any

import pytest
from makers.boxes import KEY, Gap
from makers.consoles import at_console, console_of, settle, shown
from textual.events import Key
from textual.widgets import Input

from issbox.console import lines
from issbox.console.places import content
from issbox.console.registry import HABITS, PLACES
from issbox.console.session import Session
from issbox.console.words import Column, Line, Outcome, View, Wanted
from issbox.errors import DatabaseError
from issbox.model import LIBRARY, AuditFilter
from issbox.store import Store
from issbox.tui.dialogs import PickDialog, TextDialog
from issbox.tui.place_screen import PlaceScreen
from issbox.tui.table import Table
from issbox.workflows.environments import environments
from issbox.workflows.people import audit_log, users


def chosen(screen: str) -> str:
    return next(line for line in screen.splitlines() if line.startswith("> "))


async def test_arrows_and_page_keys_move(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        first = chosen(await operator.press("9"))
        assert chosen(await operator.press("down")) != first
        assert chosen(await operator.press("up")) == first
        last = chosen(await operator.press("end"))
        assert last.split()[1] == "1"
        assert chosen(await operator.press("home")) == first
        assert chosen(await operator.press("pagedown")) != first


async def test_searching_keeps_what_has_the_words_until_it_is_left(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        await operator.press("9", "slash")
        await operator.type("user.create vic")
        screen = await operator.press("enter")
        assert "with 'user.create vic'  1/1" in screen
        assert "1/1" not in await operator.press("escape")
        await operator.press("slash")
        assert operator.console.screen.query_one("#search", Input).has_focus
        await operator.press("escape")
        assert operator.console.screen.query_one(Table).has_focus


async def test_sorting_by_a_column_and_back(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        assert chosen(await operator.press("4")).split()[1] == "3"
        assert "by ID up" in await operator.press("s", "enter", "home")
        assert "by ID down" in await operator.press("f8", "enter")
        assert "by Who down" in await operator.press("9", "s", "down", "enter", "s", "enter")
        assert "by Size down" in await operator.press(
            "5", "down", "enter", "down", "enter", "enter", "s", "down", "down", "enter", "s", "enter"
        )


async def test_keys_typed_while_a_place_is_read_are_about_its_lines(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        for key in ("H", "down", "enter"):
            operator.console.post_message(Key(key, key if len(key) == 1 else None))
        assert "Host web1" in await operator.press("f1", "escape")


async def test_a_line_that_is_cut_is_shown_whole(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        screen = await operator.press("C", "down")
        assert "issued when the service s~" in screen
        assert "=: whole line" in screen
        assert "issued when the service starts, or by v" in await operator.press("equals_sign")
        assert "`issbox serve` issues one" in await operator.press("escape", "enter")


async def test_every_habit_has_two_keys_that_do_the_same(filled_gap: Gap) -> None:
    for habit in HABITS:
        if habit.id in ("console.quit", "console.back", "console.refresh", "console.search"):
            continue
        tops = []
        for key in habit.keys:
            async with at_console(filled_gap.outside) as operator:
                await operator.press("4", key)
                tops.append(type(operator.console.screen).__name__)
        assert tops[0] == tops[1] != "PlaceScreen", habit.id


@pytest.mark.parametrize("key", ["q", "f10"])
async def test_leaving(filled_gap: Gap, key: str) -> None:
    async with at_console(filled_gap.outside) as operator:
        await operator.press(key)
        assert not operator.console.is_running or operator.console._exit


async def test_the_palette_and_the_go_list_lead_everywhere(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        await operator.press("f4")
        assert isinstance(operator.console.screen, PickDialog)
        await operator.type("audit")
        assert "Audit log" in await operator.press("enter")
        await operator.press("g")
        await operator.type("trusted")
        assert "Trusted keys" in await operator.press("enter")


async def test_actions_are_listed_with_why_not(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside, "vic", size=(140, 40)) as operator:
        screen = await operator.press("3", "x")
        assert "(not permitted: the user vic may not" in screen
        await operator.type("create")
        await operator.press("enter")
        assert isinstance(operator.console.screen, PickDialog)
        assert "(c Create)" in await operator.press("escape")
        assert "not permitted" in await operator.press("c")


async def test_copying_shows_the_values_plainly(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        screen = await operator.press("8", "y")
        assert isinstance(operator.console.screen, TextDialog)
        assert "ada" in screen
        assert "Ada Byron" in screen


async def test_a_long_table_is_read_by_pages(filled_gap: Gap, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, int]] = []

    class Long:
        def count(self) -> int:
            return 100_000

        def fetch(self, start: int, number: int) -> list[Line]:
            asked.append((start, number))
            return [Line(str(at), (f"line {at}",)) for at in range(start, min(100_000, start + number))]

    def show(*_: object) -> View:
        return View("Long", (Column("Name", 10, 1),), Long(), sorts=())

    monkeypatch.setitem(
        __import__("issbox.console.registry", fromlist=["_PLACES"])._PLACES,
        "content",
        replace(content.PLACE, show=show),
    )
    async with at_console(filled_gap.outside) as operator:
        assert "line 99999" in await operator.press("5", "end")
        assert "100000/100000" in shown(operator.console)
    assert sum(number for _, number in asked) < 3_000


@pytest.mark.parametrize("size", [(80, 24), (60, 18), (200, 60), (45, 14)])
async def test_nothing_is_lost_at_any_size(filled_gap: Gap, size: tuple[int, int]) -> None:
    async with at_console(filled_gap.outside) as operator:
        screen = await operator.resize(*size)
        assert screen.splitlines()[0].startswith(" issbox")
        screen = await operator.press("f1", "end")
        last = [place for place in PLACES if place.key][-1].help.split()[-3:]
        assert " ".join(last) in " ".join(screen.replace("│", " ").split())


async def test_what_another_operator_changes_is_seen(gap: Gap) -> None:
    async with at_console(gap.outside) as operator:
        await operator.press("3")
        ctx = gap.outside.context()
        environments.create_environment(ctx, organization="acme", label="lab", name="Laboratory", prior=LIBRARY)
        await operator._pilot.pause(2)
        await settle(operator.console, operator._pilot)
        assert "Laboratory" in shown(operator.console)


async def test_the_chosen_line_stays_chosen_when_others_come_before_it(gap: Gap) -> None:
    async with at_console(gap.outside) as operator:
        assert "vic" in chosen(await operator.press("8", "down"))
        users.create_user(gap.outside.context(), name="bea")
        assert "vic" in chosen(await operator.press("R"))


async def test_a_failure_says_what_to_do_and_the_console_goes_on(
    filled_gap: Gap, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise DatabaseError("the database failed: disk I/O error")

    async with at_console(filled_gap.outside) as operator:
        with monkeypatch.context() as patched:
            patched.setattr("issbox.workflows.environments.promoting.list_promotions", fail)
            screen = await operator.press("4")
        assert "the database failed: disk I/O error" in screen
        assert "What to do:" in screen
        assert "Code: database" in screen
        assert "Promotions of acme" in await operator.press("escape", "f5")


async def test_watching_a_job_that_cannot_be_read_tells_so_once(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        screen = operator.console.screen
        assert isinstance(screen, PlaceScreen)
        screen.tell(Outcome(job=4711))
        assert "Code: not-found" in await operator.press("f1")
        assert "Reading..." in await operator.press("escape")
        watched = operator.console.screen
        assert isinstance(watched, TextDialog)
        screen._look_at(4711)
        await operator.press("up")
        assert operator.console.screen is watched


@pytest.mark.parametrize("broken", [(Session, "why_not"), (Store, "session")], ids=["looking", "connecting"])
async def test_what_cannot_be_looked_up_is_not_to_be_done(
    filled_gap: Gap, monkeypatch: pytest.MonkeyPatch, broken: tuple[type, str]
) -> None:
    def fail(*_: object) -> Any:
        raise DatabaseError("the database failed: disk I/O error")

    async with at_console(filled_gap.outside, "ada", size=(140, 40)) as operator:
        await operator.press("3")
        with monkeypatch.context() as patched:
            patched.setattr(*broken, fail)
            assert "(c Create)" in await operator.press("down")
            assert "(the database failed: disk I/O error)" in await operator.press("x")


async def test_a_bug_is_a_dialog_too(filled_gap: Gap, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> Any:
        raise RuntimeError("boom")

    async with at_console(filled_gap.outside) as operator:
        monkeypatch.setattr("issbox.workflows.environments.promoting.list_promotions", fail)
        assert "RuntimeError: boom" in await operator.press("4")


async def test_another_organization_is_worked_on(gap: Gap) -> None:
    from issbox.workflows.content import catalog

    catalog.create_organization(gap.outside.context(), label="other", name="Other")
    async with at_console(gap.outside) as operator:
        assert "test on other" in await operator.press("o", "right", "f2")
        assert "There is no product yet" in await operator.press("5")


async def test_a_user_without_any_role_is_told_so(gap: Gap) -> None:
    users.create_user(gap.outside.context(), name="nil")
    async with at_console(gap.outside, "nil") as operator:
        assert "you have no role" in shown(operator.console)
        for place in PLACES:
            if place.key:
                await operator.press(place.key)
                await operator.press("escape")
    assert KEY.organization == "acme"


async def test_ending_stops_what_is_being_computed(filled_gap: Gap) -> None:
    console = console_of(filled_gap.outside)
    async with console.run_test():
        console.end()
    assert console.session.ending.is_set()
    assert lines.listed((), Wanted()).count() == 0


async def test_a_place_that_is_refused_is_told_once_and_not_asked_for_again_by_itself(gap: Gap) -> None:
    def refused() -> int:
        only = AuditFilter(action="permission.refuse")
        return len(audit_log.list_audit(gap.outside.context(), only=only))

    async with at_console(gap.outside, "vic") as operator:
        screen = await operator.press("8")
        assert "Reading People: not done" in screen
        screen = await operator.press("escape")
        assert "It could not be read. F5 reads it again" in screen
        assert isinstance(operator.console.screen, PlaceScreen)
        refusals = refused()
        assert refusals == 1
        for _ in range(2):
            operator.console.screen.look()  # what the screen does each second; the refusal itself is a change
            screen = await operator.press("down")
        assert "not done" not in screen
        assert refused() == refusals
        await operator.press("f5")
        assert "not done" in await operator.press("down")
        assert "Overview of acme" in await operator.press("escape", "escape")


@pytest.mark.parametrize(
    ("keys", "typed"),
    [
        (("a", "b", "backspace", "c"), "ac"),
        (("a", "b", "ctrl+u", "c"), "c"),
        (("b", "home", "a", "end", "c"), "abc"),
        (("a", "c", "left", "b"), "abc"),
        (("b", "c", "home", "delete", "a"), "ac"),
    ],
)
async def test_keys_that_a_slow_line_brings_together_keep_their_order(
    filled_gap: Gap, keys: tuple[str, ...], typed: str
) -> None:
    async with at_console(filled_gap.outside) as operator:
        await operator.press("slash")
        for key in keys:
            operator.console.post_message(Key(key, key if len(key) == 1 else None))
        await operator.press("right")
        assert operator.console.screen.query_one("#search", Input).value == typed
