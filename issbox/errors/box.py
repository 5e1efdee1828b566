"""Errors of the box itself: its configuration, its database, its disk and the tools of its system."""

from issbox.errors.base import ExitCode, IssboxError


class ConfigurationError(IssboxError):
    """The configuration file has an unknown key or a wrong value; the message names file and key."""

    code = "bad-configuration"
    exit_code = ExitCode.CONFIGURATION
    hint = "Correct the file; config/example.toml describes every key."


class NotInitializedError(IssboxError):
    """The state directory holds no box yet."""

    code = "not-initialized"
    exit_code = ExitCode.CONFIGURATION
    hint = "Run `issbox init` first, or set ISSBOX_STATE_DIR to the directory of an existing box."


class StoreTooNewError(IssboxError):
    """The store was written by a newer issbox than this one."""

    code = "store-too-new"
    exit_code = ExitCode.CONFIGURATION
    hint = "Install the version of issbox that wrote the store, or restore a backup made before the upgrade."


class DatabaseError(IssboxError):
    """The database refused or could not be reached."""

    code = "database-failure"
    exit_code = ExitCode.FAILURE
    hint = "Check the database setting, that the server runs, and that its disk is not full; then run it again."


class DatabaseBusyError(DatabaseError):
    """The database did not answer in time: it hangs, or another process has been writing for long."""

    code = "database-busy"
    hint = "Try again in a moment. If it stays so, look whether the database server and its disk answer."


class BusyError(IssboxError):
    """Another process holds the lock for this work."""

    code = "busy"
    exit_code = ExitCode.BUSY
    hint = "Wait until it has finished, then run the command again."


class NoSpaceError(IssboxError):
    """There is not enough free space for the result."""

    code = "no-space"
    exit_code = ExitCode.NO_SPACE
    hint = "Free space or choose another place, then run the command again; finished files are not fetched twice."


class PermissionDeniedError(IssboxError):
    """A file or directory may not be read or written."""

    code = "permission-denied"
    exit_code = ExitCode.PERMISSION
    hint = (
        "issbox acts as the account that owns the box, also for root where a package installed it: correct owner and "
        "mode of the path named, or of its directory. A file to be read may come as `-`, with `< FILE`."
    )


class OperatingSystemError(IssboxError):
    """The operating system refused a file operation, for example because a medium was taken away."""

    code = "operating-system"
    exit_code = ExitCode.FAILURE
    hint = "Check the disk or medium named in the message, then run the command again."


class MissingToolError(IssboxError):
    """A program of the system that this step needs is not installed."""

    code = "missing-tool"
    exit_code = ExitCode.CONFIGURATION
    hint = "Install the package named in the message."
