"""Running a command of another box over the stock OpenSSH client, which keeps hosts, keys and passwords to itself."""

import subprocess
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import IO, Final, Self

from issbox.errors import FarSideError, FarSideUnreachableError, MissingToolError

MAX_ANSWER: Final = 64 << 20
"""Bytes of standard output that are kept; a receipt has at most half of it."""
_LINE: Final = 4096
_LINES: Final = 40
"""Bytes of a line, and lines, of standard error that are kept."""
_PATIENCE: Final = 10.0
"""Seconds that ssh has to end by itself once it was asked to."""
_AFTERWARDS: Final = 2.0
"""Seconds to wait for the rest of its output: a shared connection in the background holds standard error open."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How a command on the far side ended."""

    code: int
    """Its exit code; 255 when ssh itself failed, negative when a signal ended ssh."""
    answer: bytes
    """Its standard output."""
    said: tuple[str, ...]
    """The last lines of its standard error, and of ssh's."""


class FarCommand:
    """A command that runs on the far side: a Writable into its standard input. Used as a context manager.

    Left by an exception, ssh is ended at once, so that the far side sees its input end too early.
    """

    def __init__(self, command: Sequence[str], hear: Callable[[str], None]) -> None:
        """Prepare; `hear` is called in another thread with every line of standard error, without its end."""
        self._command = list(command)
        self._hear = hear
        self._answer = bytearray()
        self._said: deque[str] = deque(maxlen=_LINES)
        self._too_long = False

    def __enter__(self) -> Self:
        """Start it; raises MissingToolError without an SSH client."""
        try:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                bufsize=0,
            )
        except FileNotFoundError:
            raise MissingToolError(
                "there is no ssh on this box, which reaches the other one",
                hint="Install openssh-client (openssh-clients on Fedora).",
            ) from None
        self._threads = [
            threading.Thread(target=work, args=(stream,), daemon=True)
            for work, stream in ((self._read_answer, self._process.stdout), (self._read_lines, self._process.stderr))
        ]
        for thread in self._threads:
            thread.start()
        return self

    def write(self, data: memoryview) -> None:
        """Write all of the data; raises BrokenPipeError when the far side or ssh does not want more."""
        while data:
            data = data[self._stdin.write(data) or 0 :]

    def finish(self) -> Ended:
        """End its input, wait for its end and give it. Raises FarSideError for an answer without end."""
        with suppress(BrokenPipeError):  # it ended before; how, its exit code says
            self._stdin.close()
        code = self._process.wait()
        for thread in self._threads:
            thread.join(_AFTERWARDS)
        if self._too_long:
            raise FarSideError(f"the answer of the far side has more than {MAX_ANSWER} bytes", hint="Is it issbox?")
        return Ended(code, bytes(self._answer), tuple(self._said))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End ssh if it still runs."""
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        for thread in self._threads:
            thread.join(_AFTERWARDS)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()

    @property
    def _stdin(self) -> IO[bytes]:
        if self._process.stdin is None:
            raise FarSideUnreachableError("ssh was started without an input")
        return self._process.stdin

    def _read_answer(self, stream: IO[bytes]) -> None:
        while block := stream.read(1 << 16):
            self._answer += block
            if len(self._answer) > MAX_ANSWER:
                self._too_long = True
                self._process.terminate()
                return

    def _read_lines(self, stream: IO[bytes]) -> None:
        rest = b""
        while block := stream.read(_LINE):
            *lines, rest = (rest + block).split(b"\n")
            if len(rest) > _LINE:
                lines, rest = [*lines, rest], b""
            for line in lines:
                self._say(line)
        if rest:
            self._say(rest)

    def _say(self, line: bytes) -> None:
        text = line[:_LINE].decode(errors="backslashreplace").rstrip("\r")
        if text.strip():
            self._said.append(text)
            self._hear(text)


def ask(command: Sequence[str], hear: Callable[[str], None]) -> Ended:
    """Run a command on the far side that reads nothing, and give how it ended."""
    with FarCommand(command, hear) as far:
        return far.finish()
