"""What is answered when something goes wrong: errors of issbox as status codes and JSON."""

from collections.abc import Mapping
from math import ceil
from typing import Final

import msgspec

from issbox.errors import (
    AuthenticationFailedError,
    BusyError,
    ConsumerDeletedError,
    DatabaseBusyError,
    ExitCode,
    IssboxError,
    TooManyAttemptsError,
)
from issbox.web.api.routes import Shape

CHALLENGE: Final = {"WWW-Authenticate": 'Basic realm="issbox", charset="UTF-8"'}
_STATUS: Final = {
    ExitCode.USAGE: 400,
    ExitCode.REFUSED: 409,
    ExitCode.NOT_FOUND: 404,
    ExitCode.CONFLICT: 409,
    ExitCode.DAMAGED: 400,
    ExitCode.PERMISSION: 403,
    ExitCode.UNTRUSTED: 403,
    ExitCode.NO_SPACE: 507,
}
"""Other errors are those of the box, not of who asks: 503."""


CODES: Final = {
    400: "invalid-value",
    401: "authentication-failed",
    403: "not-permitted",
    404: "not-found",
    405: "no-such-method",
    408: "body-too-slow",
    409: "already-exists",
    413: "body-too-large",
    415: "bad-body",
}
"""Code of an answer that no error of issbox stands for, by status; docs/api.md says what those mean that are not in
docs/exit-codes.md."""


_CANNOT: Final = "this box cannot answer at present"


class Problem(Shape):
    """What went wrong."""

    display_message: str
    """For people."""
    request_uuid: str
    """Stands in the log of the box, too."""
    code: str
    """One of docs/exit-codes.md, or of those of docs/api.md that only the API has."""
    hint: str = ""
    deleted_id: str | None = None
    """UUID of the host that was deleted."""


class Refusal(Exception):  # noqa: N818 - it carries an answer, not an error of the box
    """An answer that ends a request."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None, *, code: str = "") -> None:
        """Say why; without a code it has that of its status."""
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.code = code or CODES[status]


def answer_to(error: Exception, request_uuid: str) -> tuple[int, Problem, Mapping[str, str]]:
    """Give status, body and headers for an error."""
    if isinstance(error, Refusal):
        return (
            error.status,
            Problem(display_message=str(error), request_uuid=request_uuid, code=error.code),
            error.headers,
        )
    if not isinstance(error, IssboxError):
        message = "something went wrong in this box; its log says more"
        return 500, Problem(display_message=message, request_uuid=request_uuid, code="bug"), {}
    status, headers = _status(error)
    deleted = error.uuid if isinstance(error, ConsumerDeletedError) else None
    problem = Problem(
        display_message=str(error), request_uuid=request_uuid, code=error.code, hint=error.hint, deleted_id=deleted
    )
    if status == 503:
        said = "the database of this box does not answer" if isinstance(error, DatabaseBusyError) else _CANNOT
        problem = msgspec.structs.replace(problem, display_message=said, hint="")
    return status, problem, headers


def _status(error: IssboxError) -> tuple[int, Mapping[str, str]]:
    if isinstance(error, TooManyAttemptsError):
        return 429, {"Retry-After": str(max(1, ceil(error.wait_seconds)))}
    if isinstance(error, AuthenticationFailedError):
        return 401, CHALLENGE
    if isinstance(error, BusyError):
        return 429, {"Retry-After": "5"}
    if isinstance(error, DatabaseBusyError):
        return 503, {"Retry-After": "10"}
    if isinstance(error, ConsumerDeletedError):
        return 410, {}
    return _STATUS.get(error.exit_code, 503), {}
