"""The error tree: what went wrong, a stable code, an exit code, and what to do next.

A docstring here is what docs/exit-codes.md says about the code. Front ends print `str(error)` and `error.hint`.
"""

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


class BugError(IssboxError):
    """A mistake in issbox itself; the message names the file that holds the details for its developers."""

    code = "bug"
    hint = "Report it with that file. What was going on is finished or undone when issbox starts again."


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


class InvalidValueError(IssboxError):
    """A label, path, time, size or URL does not have the form it must have."""

    code = "invalid-value"
    exit_code = ExitCode.USAGE
    hint = "Correct the value and run the command again."


class NotFoundError(IssboxError):
    """The organization, product, repository or other thing named does not exist."""

    code = "not-found"
    exit_code = ExitCode.NOT_FOUND
    hint = "The matching `list` command shows what there is."


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


class RedHatProductError(IssboxError):
    """Red Hat products and their repositories come from a subscription manifest only."""

    code = "red-hat-product"
    exit_code = ExitCode.REFUSED
    hint = "Import the organization's subscription manifest; custom products are made with `issbox product create`."


class WrongStateError(IssboxError):
    """What was asked for is not possible in the state the thing is in; the message names the state."""

    code = "wrong-state"
    exit_code = ExitCode.CONFLICT
    hint = "The matching `info` command shows the state."


class BusyError(IssboxError):
    """Another process holds the lock for this work."""

    code = "busy"
    exit_code = ExitCode.BUSY
    hint = "Wait until it has finished (`issbox status` shows running work), then run the command again."


class NoSpaceError(IssboxError):
    """There is not enough free space for the result."""

    code = "no-space"
    exit_code = ExitCode.NO_SPACE
    hint = "Free space or choose another place, then run the command again; finished files are not fetched twice."


class PermissionDeniedError(IssboxError):
    """A file or directory may not be read or written."""

    code = "permission-denied"
    exit_code = ExitCode.PERMISSION
    hint = "Run as the user that owns the state directory, or correct owner and mode of the path named."


class OperatingSystemError(IssboxError):
    """The operating system refused a file operation, for example because a medium was taken away."""

    code = "operating-system"
    exit_code = ExitCode.FAILURE
    hint = "Check the disk or medium named in the message, then run the command again."


class InterruptedByUserError(IssboxError):
    """Stopped by Ctrl-C or SIGTERM."""

    code = "interrupted"
    exit_code = ExitCode.INTERRUPTED
    hint = "Nothing half-done stays visible; run the command again to go on."


class MissingToolError(IssboxError):
    """A program of the system that this step needs is not installed."""

    code = "missing-tool"
    exit_code = ExitCode.CONFIGURATION
    hint = "Install the package named in the message."


class UnreachableError(IssboxError):
    """The upstream server could not be reached: name, connection, TLS or time-out."""

    code = "unreachable"
    exit_code = ExitCode.UNREACHABLE
    hint = "Check URL, proxy, CA and client certificate of the repository, and that the server is up."


class UpstreamError(IssboxError):
    """The upstream server answered, but not with the file."""

    code = "upstream-refused"
    exit_code = ExitCode.UNREACHABLE
    hint = "Check the URL of the repository, and whether it needs a client certificate."


class DigestMismatchError(IssboxError):
    """The bytes read do not have the size or checksum that was promised."""

    code = "digest-mismatch"
    exit_code = ExitCode.DAMAGED
    hint = "Read it again; if it stays wrong, the source itself is damaged."


class BadMetadataError(IssboxError):
    """Repository metadata (repomd.xml, primary, .treeinfo) cannot be read or contradicts itself."""

    code = "bad-metadata"
    exit_code = ExitCode.DAMAGED
    hint = "The upstream repository has to be repaired; the version you have stays as it is."


class RepositorySignatureError(IssboxError):
    """The signature of repomd.xml or of a package is missing or not made by the repository's GPG key."""

    code = "repository-signature"
    exit_code = ExitCode.UNTRUSTED
    hint = "Check the GPG key of the repository; the version you have stays as it is."


class StoreDamagedError(IssboxError):
    """A stored file is missing or no longer has its checksum."""

    code = "store-damaged"
    exit_code = ExitCode.DAMAGED
    hint = "Synchronize or import the repository again with --repair to replace the file."


class ImportRefusedError(IssboxError):
    """The bundle is sound, but importing it here would break a rule; every reason is listed."""

    code = "import-refused"
    exit_code = ExitCode.REFUSED
    hint = "Remove the reasons, then run `issbox content-import retry`."


class BundleError(IssboxError):
    """The bundle cannot be accepted."""

    code = "bundle-refused"
    exit_code = ExitCode.REFUSED
    hint = "Have the bundle made or copied again."


class NotABundleError(BundleError):
    """The path does not hold a bundle."""

    code = "not-a-bundle"
    hint = "A bundle is the directory that holds issbox-bundle.json; drop that directory as a whole."


class BadManifestError(BundleError):
    """The manifest or the file table is not what the format says; the message names the field."""

    code = "bad-manifest"


class NewerFormatError(BundleError):
    """The bundle has a newer format than this issbox reads."""

    code = "newer-format"
    hint = "Install a newer issbox on this side, or export with an older one."


class BundleDamagedError(BundleError):
    """A file of the bundle does not have the size or checksum of the signed file table."""

    code = "bundle-damaged"
    exit_code = ExitCode.DAMAGED
    hint = "Copy the named file from the medium again, or have it exported again; then retry."


class BundleIncompleteError(BundleError):
    """Files that the signed file table lists are missing: the copy was cut."""

    code = "bundle-incomplete"
    exit_code = ExitCode.DAMAGED
    hint = "Copy the named files into the bundle, then retry."


class UnlistedFileError(BundleError):
    """The bundle holds a file that the signed file table does not list."""

    code = "unlisted-file"
    hint = "Find out who put it there; remove it and retry if it is harmless."


class UnsafePathError(BundleError):
    """A path in the bundle is absolute, leaves the bundle, or has characters that no path may have."""

    code = "unsafe-path"
    hint = "No issbox writes such a bundle: find out where it comes from."


class UnsafeFileError(BundleError):
    """The bundle holds a link, a device or something else that is neither file nor directory."""

    code = "unsafe-file"
    hint = "Copy the bundle again with links followed, or find out where it comes from."


class NameClashError(BundleError):
    """Two paths in the bundle are the same, or differ only in upper and lower case."""

    code = "name-clash"
    hint = "Some file systems cannot keep both: have one of them renamed in the repository it comes from."


class OversizedError(BundleError):
    """The bundle, its manifest or a file is larger than allowed."""

    code = "oversized"
    hint = "Raise [inbox] max_bundle_size if the size is meant to be so."


class OlderBundleError(BundleError):
    """A newer bundle of the same repositories from the same box has been imported already."""

    code = "older-bundle"
    hint = "If going back is what you want, import it with --allow-older."


class UntrustedBundleError(BundleError):
    """The bundle is not signed by a key that this box trusts."""

    code = "untrusted"
    exit_code = ExitCode.UNTRUSTED
    hint = "Compare the fingerprint with the sender's, then add its key with `issbox trusted-key add`."


class UnsignedBundleError(UntrustedBundleError):
    """The bundle has no signature file."""

    code = "unsigned"
    hint = "Copy issbox-bundle.json.sig too, or have the bundle exported again."


class UnknownKeyError(UntrustedBundleError):
    """The bundle is signed by a key that is not among the trusted keys."""

    code = "unknown-key"


class BundleSignatureError(UntrustedBundleError):
    """The signature does not belong to this manifest: one of the two was changed."""

    code = "bad-signature"
    hint = "Do not use it. Have the bundle copied again, and find out who could change it if it stays so."


def every_error() -> list[type[IssboxError]]:
    """Give every class of the tree, each after the one it belongs to."""
    found: list[type[IssboxError]] = [IssboxError]
    for each in found:  # grows while it is walked
        found.extend(each.__subclasses__())
    return found
