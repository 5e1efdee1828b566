"""The identity of a box: made whole or not at all, and the keys it accepts."""

import os
import signal
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from issbox.bundle.signature import SigningKey, generate_key, verify
from issbox.config import Settings, load_settings
from issbox.errors import (
    AlreadyExistsError,
    BusyError,
    InvalidValueError,
    NotFoundError,
    NotInitializedError,
    PermissionDeniedError,
    StoreDamagedError,
)
from issbox.files import FileLock
from issbox.model import LIBRARY, Actor, Box
from issbox.progress import Silent
from issbox.store import create_store, open_store
from issbox.wiring import open_context
from issbox.workflows.appliance import boxes
from issbox.workflows.context import Context

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
ACTOR = Actor("tester", "local")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings({"ISSBOX_STATE_DIR": str(tmp_path / "deep/state"), "XDG_CONFIG_HOME": str(tmp_path)})


def initialize(settings: Settings, *, label: str = "ACME", name: str = "Box") -> Box:
    return boxes.initialize(
        settings,
        name=name,
        organization_label=label,
        organization_name="ACME Corporation",
        actor=ACTOR,
        clock=lambda: NOW,
        progress=Silent(),
    )


def opened(settings: Settings) -> Context:
    return Context(open_store(settings.state_dir, None), settings, ACTOR, lambda: NOW, Silent())


def test_initialize(settings: Settings) -> None:
    box = initialize(settings)
    ctx = opened(settings)
    assert boxes.show(ctx) == box
    assert (box.name, box.created_at) == ("Box", NOW)
    key = settings.state_dir / boxes.SIGNING_KEY
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.parent.stat().st_mode & 0o777 == 0o700
    assert boxes.signing_key(ctx).key_id == box.key_id
    verify(boxes.public_key(ctx), b"data", boxes.signing_key(ctx).sign(b"data"))
    with ctx.store.session():
        assert [each.label for each in ctx.store.organizations.list()] == ["ACME"]
        assert [each.label for each in ctx.store.environments.list("ACME")] == [LIBRARY]
        assert [each.action for each in ctx.store.audit.list()] == ["box.initialize", "organization.create"]
        assert ctx.store.audit.verify() == 2


def test_a_second_box_is_refused_and_the_first_keeps_its_key(settings: Settings) -> None:
    box = initialize(settings)
    key = (settings.state_dir / boxes.SIGNING_KEY).read_bytes()
    with pytest.raises(AlreadyExistsError):
        initialize(settings, label="Other")
    assert (settings.state_dir / boxes.SIGNING_KEY).read_bytes() == key
    assert boxes.show(opened(settings)) == box


@pytest.mark.parametrize("changes", [{"label": "no label"}, {"label": ""}, {"name": "two\nlines"}, {"name": " "}])
def test_wrong_names_leave_nothing(settings: Settings, changes: dict[str, str]) -> None:
    with pytest.raises(InvalidValueError):
        initialize(settings, **changes)
    assert not settings.state_dir.exists()


def test_two_at_once(settings: Settings) -> None:
    (settings.state_dir / "locks").mkdir(parents=True)
    with FileLock(settings.state_dir / "locks/initialize.lock"), pytest.raises(BusyError):
        initialize(settings)


def test_a_race_has_one_winner(settings: Settings) -> None:
    outcomes: list[object] = []

    def work() -> None:
        try:
            outcomes.append(initialize(settings))
        except (BusyError, AlreadyExistsError) as error:
            outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (box,) = [each for each in outcomes if isinstance(each, Box)]
    assert len(outcomes) == 3
    assert boxes.signing_key(opened(settings)).key_id == box.key_id


KILLED = """
import os, signal, sys
from issbox.config import load_settings
from issbox.model import Actor
from issbox.progress import Silent
from issbox.wiring import now
from issbox.workflows.appliance import boxes

class Killer(Silent):
    def step(self, name, message=""):
        if name == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)

boxes.initialize(load_settings(os.environ), name="Killed", organization_label="ACME", organization_name="ACME",
                 actor=Actor("a", "local"), clock=now, progress=Killer())
"""


@pytest.mark.parametrize("step", boxes.STEPS)
def test_killed_at_any_step_it_is_finished_by_running_it_again(settings: Settings, step: str) -> None:
    environ = {**os.environ, "ISSBOX_STATE_DIR": str(settings.state_dir), "ISSBOX_CONFIG": ""}
    done = subprocess.run([sys.executable, "-c", KILLED, step], env=environ, check=False)
    assert done.returncode == -signal.SIGKILL
    with pytest.raises(NotInitializedError):
        boxes.show(opened(settings))
    left = settings.state_dir / boxes.SIGNING_KEY
    key = left.read_bytes() if left.exists() else None
    box = initialize(settings)
    assert boxes.show(opened(settings)) == box
    assert SigningKey.load(left).key_id == box.key_id
    assert key in (None, left.read_bytes())
    assert list(left.parent.glob("*.tmp")) == []


def test_a_missing_changed_or_readable_key(settings: Settings) -> None:
    initialize(settings)
    ctx = opened(settings)
    key = settings.state_dir / boxes.SIGNING_KEY
    whole = key.read_bytes()
    key.chmod(0o640)
    with pytest.raises(PermissionDeniedError):
        boxes.signing_key(ctx)
    key.chmod(0o600)
    key.write_bytes(generate_key())
    with pytest.raises(StoreDamagedError, match="another key"):
        boxes.signing_key(ctx)
    key.unlink()
    with pytest.raises(StoreDamagedError, match="missing"):
        boxes.public_key(ctx)
    key.write_bytes(whole)
    key.chmod(0o600)
    boxes.public_key(ctx)


def test_trusted_keys(settings: Settings) -> None:
    initialize(settings)
    ctx = opened(settings)
    other = SigningKey(generate_key())
    added = boxes.add_trusted_key(ctx, f"  {other.public_pem}\n\n", "other")
    assert (added.name, added.key_id, added.public_key, added.added_at) == (
        "other",
        other.key_id,
        other.public_pem,
        NOW,
    )
    assert boxes.list_trusted_keys(ctx) == [added]
    assert boxes.find_public_key(ctx, other.key_id) == other.public_pem
    assert boxes.find_public_key(ctx, boxes.show(ctx).key_id) == boxes.public_key(ctx)
    assert boxes.find_public_key(ctx, "0" * 64) is None
    assert boxes.get_trusted_key(ctx, other.key_id[:8]) == added
    with pytest.raises(AlreadyExistsError):
        boxes.add_trusted_key(ctx, other.public_pem, "another name")
    assert boxes.remove_trusted_key(ctx, "other") == added
    assert boxes.list_trusted_keys(ctx) == []
    with pytest.raises(NotFoundError):
        boxes.remove_trusted_key(ctx, "other")
    with ctx.store.session():
        actions = [each.action for each in ctx.store.audit.list()]
    assert actions[2:] == ["trusted-key.add", "trusted-key.remove"]


@pytest.mark.parametrize("pem", ["", "nonsense", "x" * 100_000, generate_key().decode()])
def test_what_is_no_public_key(settings: Settings, pem: str) -> None:
    initialize(settings)
    ctx = opened(settings)
    with pytest.raises(InvalidValueError):
        boxes.add_trusted_key(ctx, pem, "x")
    assert boxes.list_trusted_keys(ctx) == []


def test_no_box_yet(settings: Settings) -> None:
    create_store(settings.state_dir, None)
    with pytest.raises(NotInitializedError):
        boxes.show(opened(settings))
    with pytest.raises(NotInitializedError):
        open_context(environ={"ISSBOX_STATE_DIR": str(settings.state_dir), "HOME": str(settings.state_dir)})


def test_the_settings_of_the_context_are_those_given(settings: Settings) -> None:
    initialize(settings)
    assert opened(settings).settings == replace(settings)
