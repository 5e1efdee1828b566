"""Boxes with a real store, opened in this process, for tests of what happens around the inbox."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from issbox.bundle.signature import SigningKey
from issbox.config import load_settings
from issbox.model import Actor, Box, TrustedKey
from issbox.progress import Silent
from issbox.store import create_store
from issbox.workflows.context import Context


def now() -> datetime:
    return datetime.now(UTC)


def make_context(
    state: Path,
    *,
    clock: Callable[[], datetime] = now,
    database: str = "",
    trusted: SigningKey | None = None,
    **inbox: Any,
) -> Context:
    """Make a store with the organization acme, and settings of the section [inbox] as given.

    What is incomplete is given half a minute, so that a slow machine gives up on nothing that is still copied.
    """
    inbox = {"quiet_for_seconds": 0.2, "incomplete_after_seconds": 30.0, "rescan_seconds": 0.5, **inbox}
    lines = [f'database = "{database}"', "[inbox]", *(f"{key} = {_toml(value)}" for key, value in inbox.items())]
    state.mkdir(parents=True, exist_ok=True)
    configuration = state.with_name(f"{state.name}.toml")
    configuration.write_text("\n".join(lines))
    settings = load_settings({"ISSBOX_CONFIG": str(configuration), "ISSBOX_STATE_DIR": str(state)})
    store = create_store(state, settings.database_url)
    with store.session():
        store.box.create(Box("5a6f2c1e-7e0c-4d6e-8a3a-00000000000b", "ship", "0" * 64, now()))
        store.organizations.create("acme", "Acme Shipping")
        if trusted is not None:
            store.trusted_keys.add(TrustedKey("shore", trusted.key_id, trusted.public_pem, now()))
    settings.inbox.path.mkdir(parents=True, exist_ok=True)
    return Context(store, settings, Actor("tester", "local"), clock, Silent())


def with_inbox(ctx: Context, **changes: Any) -> Context:
    """Give the same box with other settings of the section [inbox]."""
    inbox = replace(ctx.settings.inbox, **changes)
    return replace(ctx, settings=replace(ctx.settings, inbox=inbox))


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else f'"{value}"'
