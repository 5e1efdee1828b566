"""Errors of certificates and of the authority that signs them."""

from issbox.errors.base import ExitCode, IssboxError


class CertificateError(IssboxError):
    """A certificate cannot be made or used."""

    code = "certificate"
    exit_code = ExitCode.REFUSED
    hint = "`openssl x509 -noout -text -in FILE` shows what the certificate holds."


class BadCertificateError(CertificateError):
    """The certificate, or the part of it that the message names, is not what its format says."""

    code = "bad-certificate"
    exit_code = ExitCode.DAMAGED
    hint = "Copy the file again from where it came from, or have the certificate issued again."


class CertificateTooLargeError(CertificateError):
    """A certificate of version 1 would name more contents than stock clients and web servers can take."""

    code = "certificate-too-large"
    hint = (
        "Let the host use certificates of version 3: update its subscription-manager, so that it reports the fact "
        "system.certificate_version 3.x. Otherwise promote fewer contents to its environments."
    )


class UntrustedCertificateError(CertificateError):
    """The certificate does not lead to a trusted authority, is outside its validity, or was revoked."""

    code = "untrusted-certificate"
    exit_code = ExitCode.UNTRUSTED
    hint = "Compare issuer and dates with the trusted authority; a host gets a new certificate when it refreshes."


class AuthorityKeyError(CertificateError):
    """The authority's private key cannot be opened: the passphrase is wrong or the file holds no usable key."""

    code = "ca-key"
    exit_code = ExitCode.CONFIGURATION
    hint = "Check the file that holds the passphrase; without it, the key has to be restored from a backup."


class AuthorityAnswerError(CertificateError):
    """The certificate that the site's authority signed for this box cannot be used; every reason is listed."""

    code = "ca-answer-refused"
    hint = "Have the request signed again as an intermediate authority, and give the chain up to the root with it."


class AuthorityExpiredError(CertificateError):
    """The certificate asked for would be valid when the authority that signs it no longer is."""

    code = "ca-expires"
    hint = "Renew the authority's certificate first."


class ServerCertificateError(CertificateError):
    """The certificate of the HTTPS server, or its key, cannot be used."""

    code = "server-certificate"
    exit_code = ExitCode.CONFIGURATION
    hint = "Check [web] certificate and certificate_key: both in PEM, belonging together, the key without a passphrase."
