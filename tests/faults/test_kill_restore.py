"""kill -9 at every named step of a restore: run it again, with the same backup or another, and nothing is mixed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers.boxes import Side, initialize_box

from issbox.errors import AlreadyExistsError, NotInitializedError
from issbox.files import remove_tree
from issbox.workflows.appliance import doctoring, restoring
from issbox.workflows.appliance.backing_up import back_up
from issbox.workflows.people import users

PASSPHRASE = "correct horse battery"
BOX_IS_THERE = {"list-missing", "finish-restore"}
KILLS = [*restoring.STEPS, "unpack-backup+1", "put-files+1", "put-files+2"]


@dataclass(frozen=True)
class Loss:
    """A box that was lost, and two backups: its own, and that of another box."""

    box: Side
    new_database: Callable[[], str] | None
    one: Path
    other: Path

    def empty(self) -> None:
        """Lose the box; with PostgreSQL, its new database is empty, too."""
        remove_tree(self.box.state)
        if self.new_database:
            self.box.use_database(self.new_database())


def backed_up(box: Side, user: str, path: Path) -> Path:
    initialize_box(box.environment(), user)
    ctx = box.context()
    users.create_user(ctx, name=user)
    of_this_box_only = box.state / "keys/credentials" / f"of-{user}"
    of_this_box_only.touch(mode=0o600)
    back_up(ctx, path, PASSPHRASE)
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def loss(tmp_path: Path, request: pytest.FixtureRequest) -> Loss:
    make = request.getfixturevalue("new_postgresql_database") if request.param == "postgresql" else None
    box = Side(tmp_path / "box")
    loss = Loss(box, (lambda: make(None)) if make else None, tmp_path / "one.issbox", tmp_path / "other.issbox")
    for user, path in (("one", loss.one), ("other", loss.other)):
        loss.empty()
        backed_up(box, user, path)
    loss.empty()
    return loss


def check(box: Side, user: str) -> None:
    """The box is the one of the backup, whole, and nothing else lies about."""
    box.restart()
    ctx = box.context()
    with ctx.store.session():
        assert ctx.store.box.get().name == user
        ctx.store.audit.verify()
    assert [each.user.name for each in users.list_users(ctx)] == [user]
    assert [each.name for each in (box.state / "keys/credentials").iterdir()] == [f"of-{user}"]
    assert [each for each in doctoring.examine(ctx) if each.check in {"keys", "modes", "restore", "database"}] == []
    assert [each.name for each in box.state.iterdir() if each.name.startswith(".")] == []


def test_every_named_step_of_a_restore_is_passed(loss: Loss) -> None:
    assert loss.box.run("restore", loss.one) == list(restoring.STEPS)
    check(loss.box, "one")


@pytest.mark.parametrize("step", KILLS)
def test_a_killed_restore_is_run_again(loss: Loss, step: str) -> None:
    loss.box.run("restore", loss.one, kill=step)
    if step not in BOX_IS_THERE:
        with pytest.raises(NotInitializedError):
            loss.box.context()
    if step not in BOX_IS_THERE | {"unpack-backup"}:  # killed there, it has left nothing yet
        with pytest.raises(AlreadyExistsError):
            initialize_box(loss.box.environment(), "new")
    passed = loss.box.run("restore", loss.one)
    assert passed == list(restoring.STEPS if step not in BOX_IS_THERE else restoring.STEPS[3:])
    check(loss.box, "one")


@pytest.mark.parametrize("step", ["unpack-backup+1", "put-files+1", "put-database"])
def test_after_a_killed_restore_another_backup_is_restored_alone(loss: Loss, step: str) -> None:
    loss.box.run("restore", loss.one, kill=step)
    loss.box.run("restore", loss.other)
    check(loss.box, "other")
