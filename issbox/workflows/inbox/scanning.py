"""The site's own scanner, for viruses or whatever else it looks for: it sees every file before the store has it.

It is shown the staging directory, where the new files of a bundle lie unpacked, whatever form the bundle came in, so
one that cannot look into images or archives is no worse off. What the store holds already was shown to it before.
"""

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterable
from tempfile import TemporaryFile
from time import monotonic
from typing import IO, Final, Protocol

from issbox.errors import ScannerFailedError, ScannerRefusedError
from issbox.screen_text import one_line
from issbox.store import Batch
from issbox.workflows.context import Context

REFUSED: Final = 1
"""Exit code of a scanner that found something, as that of ClamAV; any other but 0 says that it could not look."""
_LOOK_EVERY: Final = 0.2
"""Seconds between two looks whether the import is to end."""
_LONGEST_OUTPUT: Final = 500
_DIGEST: Final = re.compile(r"\b[0-9a-f]{64}\b")


class Named(Protocol):
    """A file with the name that people know it by."""

    @property
    def path(self) -> str:
        """Where it lies in its bundle or repository."""

    @property
    def sha256(self) -> str:
        """What it is called in staging."""


def scan(ctx: Context, batch: Batch, files: Callable[[], Iterable[Named]]) -> bool:
    """Have what is staged looked at by [inbox] scan_command; False when there is none, or nothing to look at.

    `files` gives the bundle's files, for their names: in staging they are called by their SHA-256. Raises
    ScannerRefusedError with what the scanner said, and ScannerFailedError when it cannot be run, ends with another
    code or takes longer than configured, which is not the bundle's fault.
    """
    command = ctx.settings.inbox.scan_command
    count, _ = batch.staged
    if not command or not count:
        return False
    ctx.progress.note(f"{count} new files are shown to {command[0]}")
    code, said = _run(ctx, [*command, str(batch.directory)])
    said = _with_names(said.replace(f"{batch.directory}/", ""), files)
    if code == REFUSED:
        raise ScannerRefusedError(f"{command[0]} refused the bundle: {said or 'it does not say why'}")
    if code:
        raise ScannerFailedError(f"{command[0]} ended with exit code {code}: {said or 'it does not say why'}")
    return True


def _run(ctx: Context, command: list[str]) -> tuple[int, str]:
    """Run the scanner as long as the import is not ended, and give its exit code with the end of what it said."""
    longest = ctx.settings.inbox.scan_timeout_seconds
    deadline = monotonic() + longest
    with TemporaryFile() as output:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            raise ScannerFailedError(f"{command[0]} cannot be run: {error.strerror}") from error
        try:
            while True:
                try:
                    return process.wait(_LOOK_EVERY), _end_of(output)
                except subprocess.TimeoutExpired:
                    ctx.progress.advance()
                    if monotonic() > deadline:
                        raise ScannerFailedError(f"{command[0]} took longer than {longest:g} seconds") from None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)  # a script is ended with what it runs
                process.wait()


def _end_of(output: IO[bytes]) -> str:
    """Give the last of what was written."""
    size = output.seek(0, 2)
    output.seek(max(0, size - _LONGEST_OUTPUT))
    return one_line(output.read().decode(errors="replace"))


def _with_names(said: str, files: Callable[[], Iterable[Named]]) -> str:
    """Put the paths of the bundle in the place of digests."""
    wanted = set(_DIGEST.findall(said))
    if not wanted:
        return said
    names = {file.sha256: file.path for file in files() if file.sha256 in wanted}
    return _DIGEST.sub(lambda found: names.get(found[0], found[0]), said)
