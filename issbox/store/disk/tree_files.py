"""Opening files below a directory without ever following a link: what lies elsewhere cannot be reached."""

import errno
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from issbox.names import check_relative_path

_MISSING: Final = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG, errno.ENXIO}
"""What a path gives that names nothing, leads through a file or a link, or names a socket."""
_STEP: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_LAST: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class OpenFile:
    """A regular file that is open for reading; close it, or use it in a with-block."""

    descriptor: int
    size: int
    modified: float
    """Seconds since 1970."""
    tag: str
    """Changes whenever the file does."""

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_below(root: Path | str, relative: str) -> OpenFile | None:
    """Open a regular file below root; None when there is none.

    Root itself may be reached through links; below it, none is followed, and pipes and devices are not opened for
    reading. Raises UnsafePathError for a path that leaves root, and OSError for what the disk says.
    """
    *directories, name = check_relative_path(relative).split("/")
    try:
        at = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for each in directories:
                below = os.open(each, _STEP, dir_fd=at)
                os.close(at)
                at = below
            descriptor = os.open(name, _LAST, dir_fd=at)
        finally:
            os.close(at)
    except OSError as error:
        if error.errno in _MISSING:
            return None
        raise
    found = os.fstat(descriptor)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        return None
    tag = f"{found.st_ino:x}-{found.st_size:x}-{found.st_mtime_ns:x}"
    return OpenFile(descriptor, found.st_size, found.st_mtime, tag)
