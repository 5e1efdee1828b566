"""Errors of bundles: why one cannot be accepted, or not be imported here."""

from issbox.errors.base import ExitCode, IssboxError


class ImportRefusedError(IssboxError):
    """The bundle is sound, but importing it here would break a rule; every reason is listed."""

    code = "import-refused"
    exit_code = ExitCode.REFUSED
    hint = "Remove the reasons, then run `issbox content-import retry`."


class ApprovalError(IssboxError):
    """This person cannot approve the import, since another one has to."""

    code = "approval"
    exit_code = ExitCode.REFUSED
    hint = "Ask somebody else who may approve imports to run `issbox content-import approve`."


class RefusedByPersonError(ImportRefusedError):
    """Somebody who may approve imports refused the bundle; the message says who and why."""

    code = "refused-by-person"
    hint = "Ask the person named; `issbox content-import retry` has it decided on once more."


class WaitedTooLongError(ImportRefusedError):
    """The bundle waited longer than [inbox] forget_after_days for volumes, its base or an approval."""

    code = "waited-too-long"
    hint = "When what it waits for is there, run `issbox content-import retry`, or drop all of its volumes again."


class ScannerRefusedError(ImportRefusedError):
    """The scanner of the site, [inbox] scan_command, found something in the bundle; the message says what."""

    code = "scanner-refused"
    hint = (
        "Nothing of the bundle was stored. If the scanner is wrong, correct it, then run `issbox content-import retry`."
    )


class ScannerFailedError(IssboxError):
    """The scanner of the site, [inbox] scan_command, could not look at the bundle; this is not the bundle's fault."""

    code = "scanner-failed"
    hint = "Run the command by hand with a directory as its last argument; exit code 0 lets a bundle in, 1 refuses it."


class BundleError(IssboxError):
    """The bundle cannot be accepted."""

    code = "bundle-refused"
    exit_code = ExitCode.REFUSED
    hint = "Have the bundle made or copied again."


class NotABundleError(BundleError):
    """The path does not hold a bundle."""

    code = "not-a-bundle"
    hint = (
        "A bundle is the directory that holds issbox-bundle.json, as a whole. That of a Katello holds metadata.json: "
        "`hammer content-export generate-metadata` writes it again where it was lost."
    )


class BadManifestError(BundleError):
    """The manifest or the file table is not what the format says; the message names the field."""

    code = "bad-manifest"


class UnsupportedExportError(BundleError):
    """A Katello export of a kind that this box does not read; the message says which."""

    code = "unsupported-export"
    hint = "Have the export made in another way, as yum trees (syncable) for example."


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


class NothingCameError(BundleIncompleteError):
    """The pipe that was to bring a bundle ended before its first byte; nothing is written down of it."""

    code = "nothing-came"
    hint = "Look at what the command says that was to write it, and at its exit code."


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
    hint = "The file was changed: copy it again, or have the bundle exported again."


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


class UnsignedKatelloError(UntrustedBundleError):
    """A Katello export, which nobody can have signed, while the box accepts only what is signed."""

    code = "unsigned-katello"
    hint = (
        "When you know where the export comes from, run `issbox content-import run PATH --accept-unsigned`, or set "
        "[inbox] accept_unsigned_katello."
    )


class UnknownKeyError(UntrustedBundleError):
    """The bundle is signed by a key that is not among the trusted keys."""

    code = "unknown-key"


class BundleSignatureError(UntrustedBundleError):
    """The signature does not belong to this manifest: one of the two was changed."""

    code = "bad-signature"
    hint = "Do not use it. Have the bundle copied again, and find out who could change it if it stays so."
