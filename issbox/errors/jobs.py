"""Errors of work that goes on by itself."""

from issbox.errors.base import ExitCode, IssboxError


class JobFailedError(IssboxError):
    """A job that was waited for ended without success; the message says why."""

    code = "job-failed"
    exit_code = ExitCode.FAILURE
    hint = "`issbox job info` shows what happened and what to do."


class PlanChangedError(IssboxError):
    """What would happen is no longer what was confirmed, since something changed in between. Nothing was changed."""

    code = "plan-changed"
    exit_code = ExitCode.CONFLICT
    hint = "Look at the plan again and confirm it."
