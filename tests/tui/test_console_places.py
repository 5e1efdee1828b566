"""Every place of the console by its key, at 80x24, and pictures of some."""

import os
import re
from pathlib import Path

import pytest
from makers.boxes import Gap
from makers.consoles import arrive, at_console, export_library
from rich.cells import cell_len

from issbox.console.registry import PLACES

PICTURES = Path(__file__).parent / "pictures"
REACHED = [place for place in PLACES if place.key]


@pytest.mark.parametrize("place", REACHED, ids=lambda place: place.id)
async def test_every_place_is_reached_by_its_key_and_fits(filled_gap: Gap, place: object) -> None:
    assert place in REACHED
    key, short = getattr(place, "key"), getattr(place, "short") or getattr(place, "title")  # noqa: B009 - ids only
    async with at_console(filled_gap.outside) as operator:
        screen = await operator.press(key)
    lines = screen.splitlines()
    assert f"[{key} {short}]" in screen
    assert len(lines) == 24
    assert all(cell_len(line) <= 80 for line in lines)
    assert "q Quit" in lines[-1]


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("3", "m"), "Content by environment"),
        (("3", "down", "enter"), "Content of Development"),
        (("3", "down", "t"), "What Development is to hold (acme)"),
        (("5", "down", "enter"), "Repositories of Tools"),
        (("5", "down", "enter", "down", "enter"), "Versions of tools/base"),
        (("5", "down", "enter", "down", "enter", "enter"), "Packages of tools/base version 2"),
        (("V", "enter"), "Versions of Servers"),
        (("6", "t"), "Receipts of other boxes"),
        (("8", "k"), "SSH keys of ada"),
        (("K", "c"), "Content credentials"),
        (("H", "enter"), "Host db1"),
        (("H", "a"), "Activation keys of acme"),
        (("H", "t"), "Regenerations of acme"),
        (("H", "e"), "Expiry of certificates"),
        (("H", "e", "end", "up", "enter"), "Certificates of acme that end"),
        (("C", "b"), "Content credentials"),
        (("D", "m"), "Subscription manifest of acme"),
        (("D", "b"), "Boxes that read content of acme from here"),
    ],
)
async def test_places_below_others_are_reached_and_left(filled_gap: Gap, keys: tuple[str, ...], wanted: str) -> None:
    async with at_console(filled_gap.outside) as operator:
        assert wanted in await operator.press(*keys)
        assert wanted not in await operator.press("escape")


@pytest.mark.parametrize(
    ("keys", "wanted"),
    [
        (("4", "enter"), "servers 2.0"),
        (("3", "down", "enter", "enter"), "content path"),
        (("3", "down", "f", "f2"), "What dev has that Library has not"),
        (("3", "down", "p", "f2"), "Promote everything in dev into qa?"),
        (("3", "down", "u"), "Take back promotion 3 of dev"),
        (("3", "down", "t", "n", "w", "f2"), "Let dev hold exactly 0 repositories?"),
        (("C", "down", "enter"), "issbox web certificate --renew"),
        (("5", "down", "enter", "down", "enter", "f"), "From version 1 to version 2"),
        (("V", "t"), "Filters:"),
        (("V", "enter", "enter"), "tools/base: version 2"),
        (("8", "enter"), "SSH keys:"),
        (("9", "enter"), "digest"),
        (("0", "enter"), "you"),
        (("0", "e"), "Refused bundles"),
        (("K", "b"), "BEGIN PUBLIC KEY"),
        (("H", "down", "enter", "down", "enter"), "/acme/dev/custom/tools/base"),
        (("H", "down", "m", "tab", "right", "right", "f2"), "- tools_base"),
        (("H", "r", "right", "f2"), "2 certificates of all of acme"),
        (("H", "a", "enter"), "subscription-manager register"),
        (("C", "enter"), "BEGIN CERTIFICATE"),
        (("6", "p"), "It cannot be done"),
        (("0", "d"), "Doctor: "),
        (("D", "e", "right", "f2"), "custom-cdn"),
        (("2", "t"), "IBC1:"),
    ],
)
async def test_details_are_read_and_closed(gap: Gap, keys: tuple[str, ...], wanted: str) -> None:
    async with at_console(gap.outside, size=(100, 60)) as operator:
        assert wanted in await operator.press(*keys)
        assert "Esc: close" not in await operator.press("escape")


async def test_an_imported_bundle_is_shown_with_what_it_changed(gap: Gap) -> None:
    arrive(gap.inside, export_library(gap))
    async with at_console(gap.inside) as operator:
        assert "imported" in await operator.press("2")
        assert "nothing -> version 1" in await operator.press("enter", "end")


async def test_a_search_finds_packages_in_all_repositories_and_who_holds_them(filled_gap: Gap) -> None:
    async with at_console(filled_gap.outside) as operator:
        await operator.press("F", "f")
        await operator.type("traveller")
        screen = await operator.press("f2")
        assert "gap-traveller.noarch" in screen
        assert "dev:2" in screen
        await operator.press("f")
        await operator.type("CVE-2026-1")
        assert "Nothing has it: f looks for something else." in await operator.press("f2")


def normalized(screen: str, gap: Gap) -> str:
    """Take out what is another at each run."""
    text = screen.replace(str(gap.media.parent), "/box")
    text = re.sub(r"20\d\d-\d\d-\d\d( \d\d:\d\d)?", lambda found: "2026-11-01 12:30"[: len(found[0])], text)
    text = re.sub(r"\d+\.\d GiB of \d+\.\d GiB", "50.0 GiB of 99.0 GiB", text)
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


@pytest.mark.parametrize(
    ("name", "keys", "ascii_only"),
    [
        ("environments", ("3",), False),
        ("matrix", ("3", "m"), True),
        ("promotions", ("4",), False),
        ("promotion-plan", ("4", "p", "down", "right", "f2"), True),
        ("content", ("5",), False),
        ("views", ("V",), True),
        ("people", ("8",), False),
        ("hosts", ("H",), True),
        ("authorities", ("C",), False),
        ("environment-form", ("3", "c"), True),
        ("help", ("4", "f1"), False),
        ("actions", ("8", "f2"), True),
    ],
)
async def test_screens_are_as_pictured(filled_gap: Gap, name: str, keys: tuple[str, ...], ascii_only: bool) -> None:
    """With ISSBOX_PICTURES=1 the pictures are made anew: look at each before it is committed."""
    async with at_console(filled_gap.outside, ascii_only=ascii_only) as operator:
        screen = normalized(await operator.press(*keys), filled_gap)
    assert screen.isascii() or not ascii_only
    picture = PICTURES / f"{name}.txt"
    if os.environ.get("ISSBOX_PICTURES"):
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(screen)
    assert screen == picture.read_text()
