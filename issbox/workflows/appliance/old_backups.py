"""Deleting backups that newer ones have taken the place of, so that a daily backup does not fill the disk."""

import os
import re
from pathlib import Path
from typing import Final

from issbox.errors import InvalidValueError, IssboxError
from issbox.files import error_from_os
from issbox.workflows.appliance.backing_up import describe
from issbox.workflows.context import Context, Permission

DATE: Final = "%d"
"""Stands for the date in the name of a backup."""
DATE_FORMAT: Final = "%Y%m%dT%H%M%SZ"
_DATE: Final = r"\d{8}T\d{6}Z"


def check_pattern(output: str) -> None:
    """Raise InvalidValueError unless the name of the file, and no directory above it, has the date in it."""
    path = Path(output)
    if DATE not in path.name or DATE in str(path.parent):
        raise InvalidValueError(
            f"{output} does not say which backups are older ones of the same kind",
            hint=f"With --keep, put {DATE} into the name of the file, for example /mnt/backup/box-{DATE}.issbox.",
        )


def delete_old(ctx: Context, output: str, keep: int) -> tuple[Path, ...]:
    """Delete backups of this box whose names are as `output` says, but so many of the newest, and give their paths.

    Links, files of other names, backups of other boxes and what is no backup stay. Raises InvalidValueError, and what
    the disk says.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    check_pattern(output)
    path = Path(output)
    pattern = re.compile(_DATE.join(map(re.escape, path.name.split(DATE))))
    with ctx.store.session():
        box = ctx.store.box.get().id
        try:
            found = sorted(each for each in path.parent.iterdir() if pattern.fullmatch(each.name) and _is_of(each, box))
            old = tuple(found[: max(0, len(found) - keep)])
            for each in old:
                each.unlink()
        except OSError as error:
            raise error_from_os(error) from error
        if old:
            with ctx.store.transaction():
                ctx.audit("box.backup.delete", box, details={"paths": [os.fspath(each) for each in old][:100]})
    return old


def _is_of(path: Path, box: str) -> bool:
    """Tell whether a file is a backup of this box, as it says itself."""
    if path.is_symlink() or not path.is_file():
        return False
    try:
        return describe(path).get("box") == box
    except IssboxError:
        return False
