"""Errors of the things that the box keeps: how they are named, changed, deleted and stored."""

from issbox.errors.base import ExitCode, IssboxError


class InvalidValueError(IssboxError):
    """A label, path, time, size or URL does not have the form it must have."""

    code = "invalid-value"
    exit_code = ExitCode.USAGE
    hint = "Correct the value and run the command again."


class VolumeSizeError(InvalidValueError):
    """The volume size is too small for what every volume has to carry, or makes too many volumes."""

    code = "volume-size"
    hint = "Choose a larger --volume-size, or export fewer repositories at once."


class NotFoundError(IssboxError):
    """The organization, product, repository or other thing named does not exist."""

    code = "not-found"
    exit_code = ExitCode.NOT_FOUND
    hint = "Check the name; the `list` command of its kind, such as `issbox product list`, shows what there is."

    def __init__(self, message: str, *, hint: str | None = None, listed: str = "") -> None:
        """Say what is not there; `listed` are the words of the command that shows what there is instead."""
        super().__init__(message, hint=hint or (f"`issbox {listed}` shows what there is." if listed else None))


class AlreadyExistsError(IssboxError):
    """A thing with this label exists already."""

    code = "already-exists"
    exit_code = ExitCode.CONFLICT
    hint = "Choose another label, or update the existing one."


class InUseError(IssboxError):
    """The thing cannot be deleted while something else needs it."""

    code = "in-use"
    exit_code = ExitCode.CONFLICT
    hint = "Delete what needs it first."


class DefinitionsRefusedError(IssboxError):
    """A CSV of products and repositories has mistakes; all of them are listed with their lines. Nothing was changed."""

    code = "definitions-refused"
    exit_code = ExitCode.REFUSED
    hint = "Correct these lines and run the command again; with --dry-run it shows what it would change."


class RedHatProductError(IssboxError):
    """Red Hat products and their repositories come from a subscription manifest only."""

    code = "red-hat-product"
    exit_code = ExitCode.REFUSED
    hint = "Run `issbox manifest import FILE.zip`; custom products are made with `issbox product create`."


class PromotionRefusedError(IssboxError):
    """A rule stands against the promotion; every reason is listed."""

    code = "promotion-refused"
    exit_code = ExitCode.REFUSED
    hint = "Remove the reasons, then promote again."


class WrongStateError(IssboxError):
    """What was asked for is not possible in the state the thing is in; the message names the state."""

    code = "wrong-state"
    exit_code = ExitCode.CONFLICT
    hint = "Look at its state first; the `info` command of its kind, such as `issbox job info`, shows it."

    def __init__(self, message: str, *, hint: str | None = None, shown: str = "") -> None:
        """Say what is in the way; `shown` are the words of the command that shows the state."""
        super().__init__(message, hint=hint or (f"`issbox {shown}` shows the state." if shown else None))


class StoreDamagedError(IssboxError):
    """A stored file is missing or no longer has its checksum."""

    code = "store-damaged"
    exit_code = ExitCode.DAMAGED
    hint = "Synchronize or import the repository again with --repair to replace the file."


class ConsumerDeletedError(NotFoundError):
    """The host was registered once and has been deleted; it has to register again."""

    code = "consumer-deleted"
    hint = "Register the host again; its old certificates are of no use any more."

    def __init__(self, message: str, *, uuid: str = "") -> None:
        super().__init__(message)
        self.uuid = uuid
        """What the host was called by."""
