"""Makes docs/console.md and the pictures of the console from a demo box: `make pictures`.

The box holds the packages of `demo/packages`, so no network and no other tool is needed.
"""

import asyncio
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "tests")]

from makers.boxes import Gap  # noqa: E402 - after the path
from makers.consoles import Operator, arrive, at_console, export_library, make_outside  # noqa: E402 - after the path
from makers.fleets import quick  # noqa: E402
from makers.manifests import BASEOS, manifest_authority, manifest_bytes, rhel  # noqa: E402
from makers.repodata import Listed, write_repository  # noqa: E402

from issbox.console.registry import HABITS, PLACES, actions_of  # noqa: E402
from issbox.console.words import Place  # noqa: E402
from issbox.model import CdnLocation, CdnType, RegenerationScope, Taking  # noqa: E402
from issbox.workflows.cdn import enabling, location  # noqa: E402
from issbox.workflows.certificates import regenerating  # noqa: E402
from issbox.workflows.hosts import registering  # noqa: E402
from issbox.workflows.manifests.manifest_importing import import_manifest  # noqa: E402
from issbox.workflows.manifests.manifest_trust import ManifestTrust  # noqa: E402

PICTURES: Final = HERE / "pictures"
SIZE: Final = (100, 28)
SCREENS: Final[Sequence[tuple[str, str, tuple[str, ...]]]] = (
    ("overview", "outside", ()),
    ("inbox", "inside", ("2",)),
    ("environments", "outside", ("3",)),
    ("environment", "outside", ("3", "down", "enter")),
    ("matrix", "outside", ("3", "m")),
    ("exactly", "outside", ("3", "down", "t")),
    ("promotions", "outside", ("4",)),
    ("promotion-plan", "outside", ("4", "p", "down", "right", "f2")),
    ("content", "outside", ("5",)),
    ("repositories", "outside", ("5", "down", "enter")),
    ("versions", "outside", ("5", "down", "enter", "down", "enter")),
    ("packages", "outside", ("5", "down", "enter", "down", "enter", "enter")),
    ("views", "outside", ("V",)),
    ("views-versions", "outside", ("V", "enter")),
    ("search", "outside", ("F", "f", "text:gap", "f2")),
    ("exports", "outside", ("6",)),
    ("export-form", "outside", ("6", "n")),
    ("receipts", "outside", ("6", "t")),
    ("receipt", "inside", ("2", "t")),
    ("jobs", "outside", ("7",)),
    ("people", "outside", ("8",)),
    ("ssh-keys", "outside", ("8", "k")),
    ("audit", "outside", ("9",)),
    ("keys", "inside", ("K",)),
    ("credentials", "outside", ("K", "c")),
    ("hosts", "outside", ("H",)),
    ("host", "outside", ("H", "down", "enter")),
    ("certificate", "outside", ("H", "down", "enter", "down", "enter")),
    ("activation-keys", "outside", ("H", "a")),
    ("regenerations", "outside", ("H", "t")),
    ("expiry", "outside", ("H", "e")),
    ("ending", "outside", ("H", "e", "end", "up", "enter")),
    ("ca", "outside", ("C",)),
    ("cdn", "outside", ("D",)),
    ("cdn-choices", "outside", ("D", "c", "f2")),
    ("cdn-test", "outside", ("D", "t")),
    ("manifest", "outside", ("D", "m")),
    ("downstream", "outside", ("D", "b")),
    ("doctor", "outside", ("0", "d")),
    ("settings", "outside", ("0",)),
    ("help", "outside", ("4", "f1")),
    ("actions", "outside", ("3", "f2")),
)
"""Name of each picture, the box it is of, and the keys that lead there."""


async def press(operator: Operator, keys: Sequence[str]) -> None:
    """Press keys, and type what is a text."""
    for key in keys:
        kind, _, text = key.partition(":")
        await (operator.type(text) if kind == "text" else operator.press(key))


async def paint(gap: Gap, root: Path) -> None:
    """Make every picture."""
    for name, box, keys in SCREENS:
        async with at_console(getattr(gap, box), size=SIZE) as operator:
            await press(operator, keys)
            picture = operator.console.export_screenshot(title=f"issbox: {name}")
        picture = picture.replace(str(root), "/var/lib").replace("terminal-", f"{name}-")
        picture = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)  # nothing is fetched from elsewhere
        (PICTURES / f"{name}.svg").write_text(re.sub(r"[ \t]+$", "", picture, flags=re.MULTILINE))


def offer_redhat_content(gap: Gap, root: Path) -> None:
    """Import a subscription manifest, and enable one of the two repositories of a directory laid out like the CDN."""
    ctx = gap.outside.context()
    for release in ("9", "9.4"):
        write_repository(root / f"cdn/content/dist/rhel9/{release}/x86_64/baseos/os", Listed("bash.rpm", b"bash"))
    for place in [root / "cdn", *(root / "cdn").rglob("*")]:
        names = sorted(each.name for each in place.iterdir() if each.is_dir()) if place.is_dir() else []
        if names and names != ["repodata"]:
            (place / "listing").write_text("\n".join(names))
    trust = ManifestTrust((manifest_authority().root_pem,))
    import_manifest(ctx, "acme", manifest_bytes(products=[rhel()]), "manifest.zip", trust=trust)
    place = CdnLocation("acme", CdnType.CUSTOM_CDN, (root / "cdn").as_uri(), shows_manifest=False)
    location.set_location(ctx, location.plan_location(ctx, place))
    enabling.enable(ctx, "acme", BASEOS.label, release="9.4")


def have_others_and_work(gap: Gap) -> None:
    """Let another box read from here, and certificates be issued, half of which rest."""
    ctx = quick(gap.outside.context())
    registering.register(ctx, organization="acme", name="island", facts={}, environments=["dev"], type_="candlepin")
    now = ctx.clock()
    taking = Taking(
        "acme", "dev", "f" * 64, "CN=Red Hat Subscription", "CN=Red Hat Candlepin", "7", now, now, 31, 9 << 20
    )
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.takings.add(taking)
    started = regenerating.start_regeneration(ctx, RegenerationScope("acme", environment="qa"))
    regenerating.run_regeneration(ctx, started.id)
    started = regenerating.start_regeneration(ctx, RegenerationScope("acme"))
    regenerating.pause_regeneration(ctx, started.id)


INTRODUCTION: Final = """# The console

`issbox tui` opens the console: everything that an operator does, in any terminal of 80 columns and 24 lines, over SSH,
in tmux and in screen. `issbox tui --plain` is the same as numbered menus, line by line, for screen readers and serial
lines; with TERM=dumb, or without a terminal, it is used by itself. Everything that the console does is a command too.

* **Nothing is lost when the connection drops.** Synchronizing, exporting, publishing and promoting are jobs: they go on
  in the service, or in a process of their own where none runs, and are found again under Jobs.
* **Nothing is done unseen.** What changes content or cannot be taken back shows its consequences first.
* **Others are seen.** What another operator, the service or a job changes is shown within two seconds.
* **What you may not do says so.** Actions in parentheses cannot be done now; F2 says why.
* **Any terminal.** Only its own 16 colours are used, and no meaning is in a colour alone; with NO_COLOR there are none.
  Borders are of `+ - |` with TERM=linux or vt220, and in a locale without UTF-8; `--ascii` asks for that anywhere.
  ISSBOX_MOUSE=0 leaves the mouse to the terminal, so that it selects text as usual.
* **Esc is a key of its own,** also when the next one follows at once. ESCDELAY says how many milliseconds the rest of
  an arrow or F-key may take to arrive, 100 when it is not set: more on a line that tears them apart.
* **Nothing is lost at the edge.** A `~` ends what is cut; `=` shows the chosen line whole.
* **Copying.** `y` prints the chosen line, or the values of a text, plainly on the normal screen.

On a state directory without a box, the console makes one: its name and first organization, the first operator, and the
key of the other side.
"""


def page() -> str:
    """Give the documentation as the registry has it."""
    parts = [INTRODUCTION, "## Keys that work everywhere\n"]
    parts.append(table(("Key", "What", "Id"), [(h.shown, f"{h.title}: {h.help}", f"`{h.id}`") for h in HABITS]))
    parts.append(
        "Arrows, PgUp, PgDn, Home and End move. In a form, Tab and the arrows go from field to field, Left and "
    )
    parts[-1] += "Right change a choice, Enter shows all choices, and F2 is OK.\n"
    parts.append("## Places\n")
    parts.extend(section(place) for place in PLACES)
    return "\n".join(parts)


def section(place: Place) -> str:
    """Give the section of a place: what it is, its picture, and what can be done there."""
    way = f"Key `{place.key}` from everywhere. " if place.key else ""
    lines = [f"### {place.title}\n", f"{way}{place.help}\n", f"![{place.title}](pictures/{place.id}.svg)\n"]
    actions = [
        (each.key.title() if each.key == "enter" else each.key, f"{each.title}: {each.help}", f"`{each.id}`")
        for each in actions_of(place.id)
    ]
    if actions:
        lines.append(table(("Key", "What", "Id"), actions))
    return "\n".join(lines)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Give a table of Markdown."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |\n" for line in lines)


def main() -> None:
    """Write the page, and paint the pictures unless only the page is wanted."""
    (HERE / "console.md").write_text(page())
    if "--page" in sys.argv[1:]:
        return
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as root:
        gap = make_outside(Path(root))
        arrive(gap.inside, export_library(gap))
        offer_redhat_content(gap, Path(root))
        have_others_and_work(gap)
        asyncio.run(paint(gap, Path(root)))


if __name__ == "__main__":
    main()
