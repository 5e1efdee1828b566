"""Errors of upstream repositories: reaching them, and what they give."""

from issbox.errors.base import ExitCode, IssboxError


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


class SourceRefusedError(IssboxError):
    """The repository must not be filled from this place: it is of the other kind, or belongs to somebody else."""

    code = "source-refused"
    exit_code = ExitCode.REFUSED
    hint = "Custom content never fills a Red Hat repository, nor the other way round; check the URL."
