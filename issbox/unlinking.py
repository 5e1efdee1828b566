"""Emptying directories that may hold any number of files, without a list of them in memory."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_DIRECTORY: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def unlink_files(directory: Path) -> None:
    """Remove everything below a directory but directories, as far as the system lets it; follows no link."""
    with suppress(OSError):
        _unlink_below(os.open(directory, _DIRECTORY))


def _unlink_below(descriptor: int) -> None:
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                with suppress(OSError):
                    if entry.is_dir(follow_symlinks=False):
                        _unlink_below(os.open(entry.name, _DIRECTORY, dir_fd=descriptor))
                    else:
                        os.unlink(entry.name, dir_fd=descriptor)
    finally:
        os.close(descriptor)
