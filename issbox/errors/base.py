"""Exit codes, and the error that every other one is a kind of."""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """How a command ended; the numbers never change their meaning."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    REFUSED = 3
    NOT_FOUND = 4
    CONFLICT = 5
    CONFIGURATION = 6
    DAMAGED = 7
    NO_SPACE = 8
    UNREACHABLE = 9
    BUSY = 10
    UNTRUSTED = 11
    PERMISSION = 12
    WAITING = 13
    INTERRUPTED = 130


EXIT_CODE_MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "Done.",
    ExitCode.FAILURE: "Failed in a way that has no code of its own; the message says how.",
    ExitCode.USAGE: "The command was not understood, or a value on the command line is not valid.",
    ExitCode.REFUSED: "A rule refused the bundle or the import; nothing was changed.",
    ExitCode.NOT_FOUND: "The named thing does not exist.",
    ExitCode.CONFLICT: "The thing exists already, or something still uses it.",
    ExitCode.CONFIGURATION: "The configuration is wrong, or the box has not been initialized.",
    ExitCode.DAMAGED: "Bytes are not what their checksum says, or metadata cannot be read.",
    ExitCode.NO_SPACE: "There is not enough free space; nothing was changed.",
    ExitCode.UNREACHABLE: "An upstream server could not be reached or did not give the file.",
    ExitCode.BUSY: "Another process is doing the same work right now.",
    ExitCode.UNTRUSTED: "A signature is missing, wrong, or made by a key that is not trusted.",
    ExitCode.PERMISSION: "The operating system or a role does not allow it.",
    ExitCode.WAITING: "The bundle waits for other volumes, an earlier bundle, or an approval; nothing is wrong.",
    ExitCode.INTERRUPTED: "Stopped by Ctrl-C or SIGTERM; nothing half-done stays visible.",
}


class IssboxError(Exception):
    """Something went wrong that has no more exact code."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.FAILURE
    hint: str = "Run the command again with --verbose, or look into the log of the service."

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class CommandLineError(IssboxError):
    """The command line was not understood: an unknown command or option, or a value that is missing."""

    code = "usage"
    exit_code = ExitCode.USAGE
    hint = "Run the command with --help."


class NotConfirmedError(IssboxError):
    """A command that deletes something was not confirmed; nothing was changed."""

    code = "not-confirmed"
    exit_code = ExitCode.USAGE
    hint = "Run the command again and answer y, or give it --yes."


class InterruptedByUserError(IssboxError):
    """Stopped by Ctrl-C or SIGTERM."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED
    hint = "Nothing half-done stays visible; run the command again to go on."


class BugError(IssboxError):
    """A mistake in issbox itself; the message names the file that holds the details for its developers."""

    code = "bug"
    hint = "Report it with that file. What was going on is finished or undone when issbox starts again."


def every_error() -> list[type[IssboxError]]:
    """Give every class of the tree, each after the one it belongs to."""
    found: list[type[IssboxError]] = [IssboxError]
    for each in found:  # grows while it is walked
        found.extend(each.__subclasses__())
    return found
