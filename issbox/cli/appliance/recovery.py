"""`issbox backup` and `issbox restore`."""

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli.command import Run, command
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import CommandLineError

if TYPE_CHECKING:
    from issbox.workflows.appliance.backing_up import Backup
    from issbox.workflows.appliance.restoring import Restored

BACKUP: "Shape[Backup]" = Shape(
    "backup",
    (
        Field("path", "the file", lambda each: each.path),
        Field("created_at", "when it was made", lambda each: each.created_at),
        Field("size", "its bytes", lambda each: each.size, show=size),
        Field("files", "files of the state directory in it, beside the database", lambda each: each.files),
        Field("deleted", "array of older backups that --keep deleted", lambda each: list(map(str, each.deleted))),
    ),
)

RESTORED: "Shape[Restored]" = Shape(
    "restored box",
    (
        Field("box", "name of the box", lambda each: each.name),
        Field("box_id", "its UUID", lambda each: each.box_id),
        Field("created_at", "when the backup was made", lambda each: each.created_at),
        Field("missing", "stored files that must come back; missing-files.txt lists them", lambda each: each.missing),
        Field("missing_size", "bytes of these", lambda each: each.missing_size, show=size),
    ),
)

_passphrase = click.option(
    "--passphrase-file",
    metavar="FILE",
    help="Read the passphrase from the first line of a file that its owner alone can read.",
)


@command(
    "backup",
    example="issbox backup --output /mnt/backup/box.issbox --passphrase-file /etc/issbox/passphrase",
    shape=BACKUP,
)
@click.option(
    "--output", required=True, metavar="FILE", help="The file to write; it must not exist. %d in it is the date."
)
@click.option(
    "--keep",
    type=click.IntRange(1),
    metavar="NUMBER",
    help="Afterwards delete older backups of this box with such a name and another date: so many of the newest stay.",
)
@_passphrase
def backup(run: Run, *, output: str, keep: int | None, passphrase_file: str | None) -> None:
    """Write everything that makes this box itself to one file, sealed with a passphrase.

    It holds database, keys, configuration and audit heads, but no packages: after a restore the box says which must
    come back, by bundle or from upstream. Safe beside a running service. Keep the passphrase elsewhere: without it
    nobody can open the file.
    """
    from issbox.wiring import now, require_local_administrator
    from issbox.workflows.appliance import backing_up, old_backups

    require_local_administrator(os.environ)
    if keep is not None:
        old_backups.check_pattern(output)
    ctx = run.open()
    path = Path(output.replace(old_backups.DATE, format(now(), old_backups.DATE_FORMAT))).absolute()
    made = backing_up.back_up(ctx, path, _ask(passphrase_file, new=True))
    if keep is not None:
        made = replace(made, deleted=old_backups.delete_old(ctx, output, keep))
    run.show(BACKUP, made)


@command(
    "restore", example="issbox restore /mnt/backup/box.issbox --passphrase-file /etc/issbox/passphrase", shape=RESTORED
)
@click.argument("file")
@_passphrase
def restore(run: Run, *, file: str, passphrase_file: str | None) -> None:
    """Make this box anew from the backup FILE, in a state directory that holds none.

    It has the same identity and key, so that the other side accepts its bundles and the next increment fits. Afterwards
    bring back the packages that it names: `issbox scrub --from PATH`, or `issbox repository synchronize --repair`.
    Interrupted, it is simply run again.
    """
    from issbox.config import load_settings
    from issbox.wiring import calling_actor, now, require_local_administrator
    from issbox.workflows.appliance import backing_up, restoring
    from issbox.workflows.appliance.upkeep import reconcile

    require_local_administrator(os.environ)
    settings = load_settings(os.environ)
    made = restoring.restore(
        settings,
        Path(file),
        _ask(passphrase_file, new=False),
        actor=calling_actor(os.environ),
        clock=now,
        progress=run.progress,
    )
    reconcile(run.open())
    if made.missing:
        run.say(f"{made.missing} stored files must come back: see {settings.state_dir / backing_up.MISSING}.")
    run.show(RESTORED, made)


def _ask(path: str | None, *, new: bool) -> str:
    from issbox.files import require_path
    from issbox.private_files import read_secret

    if path is not None:
        require_path(Path(path))
        data = read_secret(Path(path), "the passphrase file", limit=4096)
        return data.decode(errors="replace").partition("\n")[0].rstrip("\r")
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise CommandLineError("there is no terminal to ask for the passphrase at", hint="Give --passphrase-file FILE.")
    asked: str = click.prompt(
        "Passphrase", hide_input=True, confirmation_prompt="Once more" if new else False, err=True
    )
    return asked
