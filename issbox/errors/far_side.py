"""Errors of another box that is reached over SSH."""

from issbox.errors.base import ExitCode, IssboxError


class FarSideUnreachableError(IssboxError):
    """The SSH client could not connect, or the connection was lost; the message ends with its own words."""

    code = "far-side-unreachable"
    exit_code = ExitCode.UNREACHABLE
    hint = "Try `ssh` to the same host by hand: name, host key, user and key must be in order there first."


class FarSideTooOldError(IssboxError):
    """The issbox on the other box does not know a command that this needs, or there is none."""

    code = "far-side-too-old"
    exit_code = ExitCode.REFUSED
    hint = "Install the same version of issbox there; --far-command names it when it is not on the PATH of SSH."


class FarSideError(IssboxError):
    """The other box refused or failed; message and hint are its own, and so is the exit code."""

    code = "far-side-failed"

    def __init__(self, message: str, *, hint: str | None = None, exit_code: ExitCode = ExitCode.FAILURE) -> None:
        super().__init__(message, hint=hint)
        self.exit_code = exit_code  # type: ignore[misc]  # a class has one; this one speaks for another program
