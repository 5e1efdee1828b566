"""What certificates of hosts say, made once for all hosts that are told the same."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from issbox.certs.entitlement import PreparedEntitlement, prepare_v1, prepare_v3
from issbox.certs.payload import payload_document
from issbox.model import Catalogue, CertificateType, EntitlementPayload, HostProfile, Order, Subscription
from issbox.rules.entitlements import entitlements as rules
from issbox.store.certificates import CertificateBody
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.context import Context


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the certificates of a profile and scope say."""

    digest: str
    """Of the contents alone: what has the same one says the same."""
    body: CertificateBody


class Preparer:
    """Prepares certificates: the authority, catalogues and what follows from them are read once.

    What it gives is right inside the transaction in which it was made, or last told to `look_again`.
    """

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self.authority = open_authority(ctx)
        self._catalogues: dict[str, Catalogue] = {}
        self._prepared: dict[tuple[str, HostProfile, str | None], Prepared] = {}

    def prepare(self, organization: str, profile: HostProfile, scope: str | None) -> Prepared:
        """Give what the certificates of a profile and scope say, made once; raises CertificateTooLargeError."""
        key = (organization, profile, scope)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(organization, profile, scope)
        return self._prepared[key]

    def look_again(self) -> None:
        """Read anew what may be another one since an earlier transaction; what is the same stays prepared."""
        authority = open_authority(self._ctx)
        if authority is not self.authority:
            self.authority = authority
            self._prepared.clear()
        for organization, before in self._catalogues.items():
            now = self._catalogues[organization] = self._ctx.store.catalogues.get(organization)
            if now != before:
                self._forget(key for key in self._prepared if key[0] == organization)
        if self._prepared:
            there = self._ctx.store.certificates.bodies({each.body.digest for each in self._prepared.values()})
            self._forget(key for key, each in self._prepared.items() if each.body.digest not in there)

    def _forget(self, keys: Iterable[tuple[str, HostProfile, str | None]]) -> None:
        for key in [*keys]:
            del self._prepared[key]

    def _prepare(self, organization: str, profile: HostProfile, scope: str | None) -> Prepared:
        if organization not in self._catalogues:
            self._catalogues[organization] = self._ctx.store.catalogues.get(organization)
        known = self._catalogues[organization]
        paths = rules.granted_paths(known, profile, scope)
        wide = rules.is_organization_wide(known, profile, scope)
        payload = EntitlementPayload(_subscription(known, scope), Order(), rules.products(known, profile, scope))
        contents = [] if wide else [asdict(each) for each in rules.contents(known, profile, scope)]
        digest = _digest([self.authority.issuer.key_identifier.hex(), profile.version, wide, paths, contents])
        body_digest = _digest([digest, payload_document(payload)])
        body = self._ctx.store.certificates.body(body_digest)
        if body is None:
            made = self._make(payload, profile, paths, wide=wide)
            body = CertificateBody(body_digest, made.extensions, made.appendix)
            self._ctx.store.certificates.keep_body(body)
        return Prepared(digest, body)

    def _make(
        self, payload: EntitlementPayload, profile: HostProfile, paths: Iterable[str], *, wide: bool
    ) -> PreparedEntitlement:
        if profile.version == 1:
            return prepare_v1(payload)
        kind = CertificateType.ORG_LEVEL if wide else CertificateType.BASIC
        return prepare_v3(payload, self.authority, kind=kind, paths=paths)


def _subscription(known: Catalogue, scope: str | None) -> Subscription:
    product = None if scope is None else known.products.get(scope)
    return Subscription(f"Content of {known.organization}" if product is None else product.name)


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
