"""Errors of backups."""

from issbox.errors.base import ExitCode, IssboxError


class BackupDamagedError(IssboxError):
    """A backup cannot be read: the passphrase is wrong, or the file is no backup, was damaged or cut off."""

    code = "backup-damaged"
    exit_code = ExitCode.DAMAGED
    hint = "Check the passphrase, or take another copy of the backup."
