"""Two who change different parts of one host at the same time both have their way, on either kind of database."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from makers.stores import NOW, Place

from issbox.config import load_settings
from issbox.model import Actor, Consumer, HostProfile, PurposeChange
from issbox.progress import Silent
from issbox.store import create_store
from issbox.wiring import now
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.hosts import consumers

UUID = "4e6c5cf3-6c8b-4b62-9c5e-4f3f1b6c2a11"
ROUNDS = 15


@pytest.fixture
def ctx(place: Place, tmp_path: Path) -> Context:
    """A box with one host."""
    store = create_store(place.state_dir, place.database_url)
    settings = load_settings({"ISSBOX_STATE_DIR": str(store.state_dir), "XDG_CONFIG_HOME": str(tmp_path)})
    ctx = Context(store, settings, Actor("root", "local"), now, Silent())
    catalog.create_organization(ctx, label="acme", name="Acme")
    with store.session(), store.transaction():
        store.consumers.create(Consumer("acme", UUID, "web1", "system", {}, HostProfile((), ("x86_64",)), NOW, "PEM"))
    return ctx


def test_two_parts_of_the_system_purpose(ctx: Context) -> None:
    parts: list[dict[str, Any]] = [{"role": "{}"}, {"usage": "{}"}, {"service_level": "{}", "add_ons": ("{}",)}]
    together = Barrier(len(parts))

    def write(part: dict[str, Any]) -> None:
        for each in range(ROUNDS):
            together.wait(30)
            given: Any = {name: ((str(each),) if name == "add_ons" else str(each)) for name in part}
            consumers.update_consumer(ctx, UUID, purpose=PurposeChange(**given))
            together.wait(30)
            found = consumers.get_consumer(ctx, UUID).purpose
            assert (found.role, found.usage, found.service_level, found.add_ons) == (*[str(each)] * 3, (str(each),))

    with ThreadPoolExecutor(len(parts)) as threads:
        list(threads.map(write, parts))
