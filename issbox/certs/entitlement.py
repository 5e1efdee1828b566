"""Entitlement certificates: version 3, with path tree and payload, and version 1, with everything in extensions.

What hosts have in common is prepared once (`prepare_v3`, `prepare_v1`) and issued to each of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from issbox.certs import der, oids, profiles
from issbox.certs.assembly import Statement
from issbox.certs.authority import Authority
from issbox.certs.keys import PublicKey
from issbox.certs.payload import signed_payload
from issbox.certs.version1 import version1_values
from issbox.errors import CertificateTooLargeError
from issbox.model import CertificateType, EntitlementPayload, Validity
from issbox.rules.entitlements.path_tree import build
from issbox.rules.entitlements.path_tree_code import encode
from issbox.rules.entitlements.paths import is_uri

VERSION_3: Final = "3.4"
"""The version that is written; clients take any that begins with 3."""
MOST_V1_CONTENTS: Final = 185
"""Contents in a version 1 certificate; with more, headers of web servers and old clients overflow."""


@dataclass(frozen=True, slots=True)
class PreparedEntitlement:
    """Everything of an entitlement certificate that does not depend on the host."""

    extensions: bytes
    """In DER, one after the other."""
    appendix: str
    """The PEM parts that follow the certificate; empty in version 1."""


def prepare_v3(
    payload: EntitlementPayload,
    authority: Authority,
    *,
    kind: CertificateType = CertificateType.BASIC,
    paths: Iterable[str] | None = None,
    namespace: str = "",
) -> PreparedEntitlement:
    """Prepare certificates of version 3: hosts with the same payload share path tree, payload and its signature.

    The path tree names the contents of the payload, or these `paths`, which an organization-wide certificate needs.
    Contents that are whole addresses are in no tree, since they lie on another server.
    """
    granted = [each.path for each in payload.content if not is_uri(each.path)] if paths is None else paths
    tree = encode(build(granted))
    texts = [(oids.VERSION, VERSION_3), (oids.TYPE, kind.value), *([(oids.NAMESPACE, namespace)] if namespace else [])]
    return PreparedEntitlement(
        der.text_extensions(texts) + der.extension(oids.PATH_TREE, der.tlv(der.OCTET_STRING, tree), critical=False),
        signed_payload(payload, authority),
    )


def prepare_v1(payload: EntitlementPayload) -> PreparedEntitlement:
    """Prepare certificates of version 1, for clients that know no other.

    Raises CertificateTooLargeError above MOST_V1_CONTENTS contents, and InvalidValueError for the id of a product or
    content that is neither a number nor a UUID.
    """
    number = len(payload.content)
    if number > MOST_V1_CONTENTS:
        raise CertificateTooLargeError(
            f"a certificate of version 1 holds at most {MOST_V1_CONTENTS} contents, and this one would hold {number}"
        )
    return PreparedEntitlement(der.text_extensions(version1_values(payload)), "")


def issue_entitlement(
    authority: Authority,
    prepared: PreparedEntitlement,
    *,
    organization: str,
    entitlement: str,
    public: PublicKey,
    valid: Validity,
    serial: int,
) -> str:
    """Issue a prepared certificate to the holder of a key and give all its PEM parts in one text.

    `entitlement` is the entitlement's id, or the consumer's UUID for an organization-wide one. Raises what
    `Authority.issue` raises.
    """
    subject = profiles.subject(entitlement, organization)
    statement = Statement(subject, profiles.CLIENT_EXTENSIONS + prepared.extensions)
    return authority.issue(statement, public, valid=valid, serial=serial) + prepared.appendix
