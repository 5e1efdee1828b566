"""Errors of people: what a user may not do, and who could not prove to be one."""

from issbox.errors.base import ExitCode, IssboxError


class NotPermittedError(IssboxError):
    """The user has no role that allows this; the attempt is in the audit log."""

    code = "not-permitted"
    exit_code = ExitCode.PERMISSION
    hint = "Ask the administrator of the box for the role."


class AuthenticationFailedError(IssboxError):
    """Name and password, or the token, are not those of a user who may enter; which of them is wrong is not told."""

    code = "authentication-failed"
    exit_code = ExitCode.PERMISSION
    hint = "Check name and password, or have a new token made with `issbox user token create`."


class TooManyAttemptsError(AuthenticationFailedError):
    """The password was wrong too often; the next attempt counts only after the time that the message names."""

    code = "too-many-attempts"
    hint = "Wait until the time named; tokens and SSH keys work meanwhile."

    def __init__(self, message: str, *, wait_seconds: float = 1.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds
        """How long, from now."""


class RemoteRefusedError(NotPermittedError):
    """Over SSH only commands of issbox may be run, on no file of the box; the attempt is in the audit log."""

    code = "not-over-ssh"
    hint = "Give - instead of a file and redirect it on your side, as in `ssh issbox@box content-import run - < FILE`."
