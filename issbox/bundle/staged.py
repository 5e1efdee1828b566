"""The directory of an export in the making: hidden until everything in it is durable, gone when it comes to nothing."""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final, Self

from issbox.errors import AlreadyExistsError, BusyError, InvalidValueError
from issbox.files import error_from_os, remove_tree
from issbox.names import path_problem
from issbox.syncing import sync_directory, sync_filesystem

_MODE: Final = 0o644


class StagedDirectory:
    """`parent/.NAME.part` until `finish`, then `parent/NAME`.

    A context manager; leaving it without `finish` removes everything, and what a killed process left behind is
    removed by the next one of the same name.
    """

    def __init__(self, parent: Path, name: str) -> None:
        """Name the directory; raises InvalidValueError when the name is no single visible file name."""
        if not name or "/" in name or name.startswith(".") or path_problem(f".{name}.part") is not None:
            raise InvalidValueError(f"{name[:300]!r} cannot be the name of a bundle's directory")
        self.final = parent / name
        """Where it will be."""
        self.path = parent / f".{name}.part"
        """Where it is until then."""
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        """Make the directory; raises AlreadyExistsError, BusyError when another process writes it, NoSpaceError..."""
        with os_errors(self.final), ExitStack() as resources:
            self._refuse_existing()
            with suppress(FileExistsError):
                self.path.mkdir()
            hold_directory(self.path, self.final, resources)
            for leftover in self.path.iterdir():
                remove_tree(leftover)
            set_mode(self.path, 0o755)
            self._resources = resources.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        # After `finish` the directory has another name, and this finds nothing to remove.
        with self._resources, suppress(OSError):
            remove_tree(self.path)

    def finish(self, *, synced: bool = False) -> Path:
        """Make everything durable and give the directory its name; raises AlreadyExistsError and what the disk says.

        With `synced` its files are durable already, so nobody has to wait for what others write to the file system.
        """
        with os_errors(self.final):
            if synced:
                sync_directory(self.path)
            else:
                sync_filesystem(self.path)
            self._refuse_existing()
            self.path.rename(self.final)
            sync_directory(self.final.parent)
        return self.final

    def _refuse_existing(self) -> None:
        if os.path.lexists(self.final):
            raise AlreadyExistsError(
                f"{self.final} exists already", hint="Choose another place, or move the old bundle away."
            )


def hold_directory(path: Path, what: Path, resources: ExitStack) -> None:
    """Lock the directory itself until `resources` is closed, so that no lock file stays on a medium.

    Raises BusyError when another process is writing `what` there.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    resources.callback(os.close, descriptor)
    busy = BusyError(f"another process is writing {what}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise busy from None
    except OSError:
        return  # A file system without locks: nothing protects a second writer there, as for any program.
    if not (path.exists() and os.path.samestat(os.fstat(descriptor), path.stat())):
        raise busy


def create_file(path: Path | str) -> int:
    """Open a new file for writing, with mode 0644, and give its descriptor; raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, _MODE)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != _MODE:
            with suppress(OSError):  # as in `set_mode`
                os.fchmod(descriptor, _MODE)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def set_mode(target: Path, mode: int) -> None:
    """Give a directory of an export its mode; vfat and the like have none, and all can be read there anyway."""
    if stat.S_IMODE(target.stat().st_mode) != mode:
        with suppress(OSError):
            target.chmod(mode)


@contextmanager
def os_errors(bundle: Path) -> Iterator[None]:
    """Translate errors of the operating system; a failed write names no file of its own, so it names the bundle."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            error.filename = str(bundle)
        raise error_from_os(error) from None
