"""Errors of subscription manifests."""

from issbox.errors.base import ExitCode, IssboxError


class SubscriptionManifestError(IssboxError):
    """The subscription manifest cannot be used."""

    code = "subscription-manifest"
    exit_code = ExitCode.REFUSED
    hint = "Export the manifest again from where the subscriptions are kept, and copy it again."


class NotASubscriptionManifestError(SubscriptionManifestError):
    """The file is no subscription manifest, or a part of it is missing, unsafe, too large or not what it must be."""

    code = "bad-subscription-manifest"
    exit_code = ExitCode.DAMAGED


class UntrustedManifestError(SubscriptionManifestError):
    """The manifest is not signed, not by an authority known here, or its signature does not belong to it."""

    code = "untrusted-manifest"
    exit_code = ExitCode.UNTRUSTED
    hint = (
        "Name the authority that signs manifests: --ca FILE, --ca-credential LABEL, or ca_file in [manifests]. "
        "Only a site that can do without sets [manifests] unsigned to accept."
    )


class ManifestRefusedError(SubscriptionManifestError):
    """The manifest is sound, but a rule stands against taking it here; every reason is listed."""

    code = "manifest-refused"
    hint = "Remove the reasons, then import it again. Nothing was changed."
