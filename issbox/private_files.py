"""Reading files that hold secrets: only those that nobody but their owner can touch."""

import os
import stat
from pathlib import Path

from issbox.errors import PermissionDeniedError
from issbox.files import error_from_os, open_regular


def read_secret(path: Path, what: str, *, limit: int) -> bytes:
    """Read the first `limit` bytes of a file that only its owner may touch, such as a private key.

    Raises PermissionDeniedError, naming `what`, when group or others may, OperatingSystemError and the like when it
    cannot be read, and InvalidValueError for a link, device or pipe.
    """
    try:
        with open_regular(path) as source:
            mode = stat.S_IMODE(os.fstat(source.fileno()).st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                raise PermissionDeniedError(
                    f"{what} {path} may be read by others than its owner (mode {mode:04o})",
                    hint=f"Run `chmod 600 {path}`. If others could have read it, make a new one.",
                )
            return source.read(limit) or b""
    except OSError as error:
        raise error_from_os(error) from None
