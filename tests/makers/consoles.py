"""A box with something in every place of the console, and the console on it."""

import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from textual.pilot import Pilot

from issbox.console.session import Session
from issbox.console.terminal import Terminal
from issbox.manifest import ScopeKind
from issbox.model import LIBRARY, ActivationKey, ImportState, RepositoryKey, Role, ViewVersionName
from issbox.tui.app import Console
from issbox.workflows import exports
from issbox.workflows.certificates import certificates
from issbox.workflows.content import catalog, repositories, view_publishing, views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.hosts import activation_keys, registering
from issbox.workflows.inbox import inbox, intake
from issbox.workflows.people import users
from makers.boxes import KEY, PACKAGES, Gap, Side, make_gap
from makers.fleets import FACTS, quick
from makers.rpms import Repository as Layout
from makers.rpms import write_repository

APPS = RepositoryKey("acme", "tools", "apps")


def make_outside(root: Path) -> Gap:
    """Make a gap, with content, views, environments, promotions, an export and users outside."""
    gap = make_gap(root)
    ctx = gap.outside.context()
    write_repository(Layout(root / "apps", PACKAGES[:1], revision="1"))
    repositories.create_repository(
        ctx, organization="acme", product="tools", label="apps", name="Applications", url=(root / "apps").as_uri()
    )
    catalog.create_product(ctx, organization="acme", label="extras", name="Extras", description="From the vendor")
    for label, name, prior in (("dev", "Development", LIBRARY), ("qa", "Quality", "dev"), ("prod", "Production", "qa")):
        environments.create_environment(ctx, organization="acme", label=label, name=name, prior=prior)
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    for key in (KEY, APPS):
        synchronize(ctx, key)
        views.add_repository(ctx, "acme", "servers", key)
    view_publishing.publish_view(ctx, "acme", "servers", description="first")
    put(ctx, "1.0", "dev")
    put(ctx, "1.0", "qa")
    gap.change_upstream(3)
    synchronize(ctx, KEY)
    view_publishing.publish_view(ctx, "acme", "servers", description="with the third package")
    put(ctx, "2.0", "dev")
    for name, full_name, role in (("ada", "Ada Byron", Role.ORG_ADMIN), ("vic", "Victor Wu", Role.VIEWER)):
        users.create_user(ctx, name=name, full_name=full_name)
        users.grant_role(ctx, name, role, organization="acme")
    register_hosts(quick(ctx))
    return gap


def register_hosts(ctx: Context) -> None:
    """Register three hosts, of which one has asked for its certificates, and make an activation key."""
    for name, places in (("db1", ()), ("web1", ("dev",)), ("web2", ("qa", "dev"))):
        host = registering.register(ctx, organization="acme", name=name, facts=FACTS, environments=places)
        if name == "web1":
            certificates.certificates_of(ctx, host.uuid)
    key = ActivationKey("acme", "web", "Web servers", ("dev",), ("tools",), 50)
    activation_keys.create_activation_key(ctx, key)


def put(ctx: Context, number: str, environment: str) -> None:
    """Promote a version of the view."""
    promoting.promote(ctx, promoting.plan_view_promotion(ctx, "acme", ViewVersionName("servers", number), environment))


def export_library(gap: Gap) -> Path:
    """Export Library outside for the inside."""
    ctx = gap.outside.context()
    request = exports.ExportRequest(organization="acme", scope=ScopeKind.LIBRARY, destination="inside")
    return Path(exports.export(ctx, exports.plan_export(ctx, request), gap.media).path)


def arrive(side: Side, bundle: Path, approvals: int = 0) -> None:
    """Have a bundle lie in a box's inbox, seen and settled, and import it as far as it goes."""
    ctx = side.context()
    ctx = replace(ctx, settings=replace(ctx.settings, inbox=replace(ctx.settings.inbox, approvals=approvals)))
    place = ctx.settings.inbox.path / bundle.name
    place.parent.mkdir(parents=True, exist_ok=True)
    bundle.rename(place)
    seen = inbox.Sighting(str(place), None, "1", settled=True, words="", files=1, size=1)
    inbox.record(ctx, [seen])
    intake.import_settled(ctx, intake.Attempts(1))
    with ctx.store.session():
        assert ctx.store.imports.list()[0].state in (ImportState.IMPORTED, ImportState.WAITING, ImportState.REFUSED)


def session_of(side: Side, user: str | None = None, *, ascii_only: bool = False) -> Session:
    """Give an operator's session on a box."""
    ctx = side.context()
    return Session(ctx if user is None else ctx.acting_as(user, "192.0.2.1"), side.environment(), ascii_only=ascii_only)


def console_of(side: Side, user: str | None = None, *, ascii_only: bool = False) -> Console:
    """Give the full-screen console on a box."""
    session = session_of(side, user, ascii_only=ascii_only)
    return Console(session, Terminal(ascii_only=ascii_only, mouse=False), side.state.name)


def shown(console: Console) -> str:
    """Give what the screen shows, as text without trailing blanks."""
    strips = console.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips).rstrip() + "\n"


async def settle(console: Console, pilot: Pilot[None]) -> None:
    """Wait until workers have ended and what they told is on the screen."""
    for _ in range(3):
        await console.workers.wait_for_complete()
        await pilot.pause()


def copy_gap(gap: Gap, root: Path) -> Gap:
    """Give a gap of its own that holds the same."""
    subprocess.run(["cp", "-a", f"{gap.media.parent}/.", str(root)], check=True)
    return Gap(root / "upstream", root / "media", Side(root / "outside"), Side(root / "inside"))


class Operator:
    """Presses keys at a console, and reads what it shows."""

    def __init__(self, console: Console, pilot: Pilot[None]) -> None:
        self.console = console
        self._pilot = pilot

    async def press(self, *keys: str) -> str:
        """Press keys one after the other, each once the screen has settled, and give what is shown then."""
        for key in keys:
            await self._pilot.press(key)
            await settle(self.console, self._pilot)
        return shown(self.console)

    async def type(self, text: str) -> str:
        """Type a text."""
        await self._pilot.press(*("space" if each == " " else each for each in text))
        await settle(self.console, self._pilot)
        return shown(self.console)

    async def resize(self, columns: int, lines: int) -> str:
        """Change the size of the terminal."""
        await self._pilot.resize_terminal(columns, lines)
        await settle(self.console, self._pilot)
        return shown(self.console)


@asynccontextmanager
async def at_console(
    side: Side, user: str | None = None, *, ascii_only: bool = False, size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Operator]:
    """Sit down at the console of a box."""
    console = console_of(side, user, ascii_only=ascii_only)
    async with console.run_test(size=size) as pilot:
        await settle(console, pilot)
        yield Operator(console, pilot)
