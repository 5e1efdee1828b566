"""Issuing the certificates of hosts: what hosts have in common is made once, and what says the same stays.

An `Issuer` is used inside one transaction. Its authority, catalogues and prepared bodies are read once.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial

from issbox.certs.entitlement import PreparedEntitlement, issue_entitlement, prepare_v1, prepare_v3
from issbox.certs.identity import issue_identity
from issbox.certs.keys import PublicKey, new_serial
from issbox.certs.payload import payload_document
from issbox.errors import IssboxError
from issbox.model import (
    Catalogue,
    CertificateType,
    Consumer,
    Entitlement,
    EntitlementPayload,
    HostProfile,
    IssuedCertificate,
    IssuedKind,
    Order,
    Subscription,
    Validity,
)
from issbox.rules import entitlements as rules
from issbox.rules.renewal import RenewalState, renewal_state
from issbox.store.certificates import CertificateBody
from issbox.workflows.authority import open_authority
from issbox.workflows.context import Context
from issbox.workflows.parallel import CORES

_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the certificates of a profile and scope say."""

    digest: str
    """Of the contents alone: what has the same one says the same."""
    body: CertificateBody


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entitlement that was looked at."""

    entitlement: Entitlement
    serial: int | None
    """Of its certificate now."""
    kept: bool
    """Whether it kept the certificate that it had."""
    error: IssboxError | None = None


class Issuer:
    """Issues certificates within one transaction."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._authority = open_authority(ctx)
        self._now = ctx.clock()
        self._catalogues: dict[str, Catalogue] = {}
        self._prepared: dict[tuple[str, HostProfile, str | None], Prepared] = {}

    def identity(self, consumer: Consumer, *, keep: bool = False) -> IssuedCertificate:
        """Issue an identity certificate of a host; the ones that it has are revoked unless they are to be kept."""
        valid = self._validity(self._ctx.settings.certificates.identity_days)
        (serial,) = self._serials(1)
        pem = issue_identity(
            self._authority,
            organization=consumer.organization,
            consumer=consumer.uuid,
            name=consumer.name,
            public=PublicKey.from_pem(consumer.public_key),
            valid=valid,
            serial=serial,
        )
        old = [each.serial for each in self._ctx.store.certificates.of(consumer.uuid, IssuedKind.IDENTITY)]
        issued = IssuedCertificate(serial, IssuedKind.IDENTITY, consumer.uuid, pem, valid, "")
        self._ctx.store.certificates.add(issued)
        if not keep:
            self._ctx.store.certificates.revoke(old, self._now)
        return issued

    def look_at(self, held: Sequence[tuple[Consumer, Entitlement]], *, unchanged: bool = False) -> list[Outcome]:
        """Give every entitlement a certificate that says what it should; what says so already stays.

        With `unchanged` nothing stays. Old serials are revoked. Signatures are made in as many threads as there are
        processors; what cannot be issued is told in the outcome, and keeps the certificate it had.
        """
        outcomes: dict[str, Outcome] = {}
        wanted: list[tuple[Consumer, Entitlement, Prepared]] = []
        for consumer, entitlement in held:
            try:
                prepared = self.prepare(consumer.organization, consumer.profile, entitlement.product)
            except IssboxError as error:
                outcomes[entitlement.id] = Outcome(entitlement, entitlement.serial, kept=True, error=error)
                continue
            if not unchanged and self._is_good(entitlement, prepared):
                self._ctx.store.entitlements.certified(entitlement.id, entitlement.serial)
                outcomes[entitlement.id] = Outcome(entitlement, entitlement.serial, kept=True)
            else:
                wanted.append((consumer, entitlement, prepared))
        for entitlement, issued, body in self._issue(wanted):
            self._ctx.store.certificates.add(issued, body)
            if entitlement.serial is not None:
                self._ctx.store.certificates.revoke([entitlement.serial], self._now)
            self._ctx.store.entitlements.certified(entitlement.id, issued.serial)
            outcomes[entitlement.id] = Outcome(entitlement, issued.serial, kept=False)
        return [outcomes[entitlement.id] for _, entitlement in held]

    def prepare(self, organization: str, profile: HostProfile, scope: str | None) -> Prepared:
        """Give what the certificates of a profile and scope say, made once; raises CertificateTooLargeError."""
        key = (organization, profile, scope)
        if key not in self._prepared:
            self._prepared[key] = self._prepare(organization, profile, scope)
        return self._prepared[key]

    def _prepare(self, organization: str, profile: HostProfile, scope: str | None) -> Prepared:
        if organization not in self._catalogues:
            self._catalogues[organization] = self._ctx.store.catalogues.get(organization)
        known = self._catalogues[organization]
        paths, wide = (
            rules.granted_paths(known, profile, scope),
            rules.is_organization_wide(known, profile, scope),
        )
        payload = EntitlementPayload(_subscription(known, scope), Order(), rules.products(known, profile, scope))
        contents = [] if wide else [asdict(each) for each in rules.contents(known, profile, scope)]
        digest = _digest([self._authority.issuer.key_identifier.hex(), profile.version, wide, paths, contents])
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
        return prepare_v3(payload, self._authority, kind=kind, paths=paths)

    def _is_good(self, entitlement: Entitlement, prepared: Prepared) -> bool:
        if entitlement.serial is None:
            return False
        present = self._ctx.store.certificates.get(entitlement.serial)
        return present.revoked_at is None and present.digest == prepared.digest and not is_due(self._ctx, present)

    def _issue(
        self, wanted: Sequence[tuple[Consumer, Entitlement, Prepared]]
    ) -> list[tuple[Entitlement, IssuedCertificate, str]]:
        valid = self._validity(self._ctx.settings.certificates.entitlement_days)
        serials = self._serials(len(wanted))
        jobs: list[Callable[[], str]] = [
            partial(_sign, self._authority_issue(), consumer, entitlement, prepared.body, valid=valid, serial=serial)
            for (consumer, entitlement, prepared), serial in zip(wanted, serials, strict=True)
        ]
        return [
            (
                entitlement,
                IssuedCertificate(
                    serial, IssuedKind.ENTITLEMENT, consumer.uuid, pem, valid, prepared.digest, entitlement.id
                ),
                prepared.body.digest,
            )
            for (consumer, entitlement, prepared), serial, pem in zip(wanted, serials, _together(jobs), strict=True)
        ]

    def _authority_issue(self) -> Callable[..., str]:
        return partial(issue_entitlement, self._authority)

    def _validity(self, days: int) -> Validity:
        return Validity(self._now - _CLOCK_SKEW, self._now + timedelta(days=days)).within(self._authority.valid)

    def _serials(self, number: int) -> list[int]:
        """Give serial numbers that were never used; call it in the transaction that uses them."""
        found: set[int] = set()
        while len(found) < number:
            fresh = {new_serial() for _ in range(number - len(found))} - found
            found |= fresh - self._ctx.store.certificates.known(fresh)
        return list(found)


def is_due(ctx: Context, certificate: IssuedCertificate) -> bool:
    """Tell whether a certificate is to be replaced because of its age."""
    early = timedelta(days=ctx.settings.certificates.renew_days)
    state = renewal_state(certificate.valid, ctx.clock(), early)
    lasting = certificate.valid.not_after - certificate.valid.not_before
    return state is not RenewalState.CURRENT and (lasting > early or state is RenewalState.EXPIRED)


def _sign(
    issue: Callable[..., str],
    consumer: Consumer,
    entitlement: Entitlement,
    body: CertificateBody,
    *,
    valid: Validity,
    serial: int,
) -> str:
    return issue(
        PreparedEntitlement(body.extensions, body.appendix),
        organization=consumer.organization,
        entitlement=entitlement.id,
        public=PublicKey.from_pem(consumer.public_key),
        valid=valid,
        serial=serial,
    )


def _together(jobs: Sequence[Callable[[], str]]) -> list[str]:
    """Run signatures, which release Python's lock, in as many threads as there are processors."""
    if len(jobs) < 4:
        return [job() for job in jobs]
    with ThreadPoolExecutor(CORES) as pool:
        return list(pool.map(lambda job: job(), jobs))


def _subscription(known: Catalogue, scope: str | None) -> Subscription:
    product = None if scope is None else known.products.get(scope)
    return Subscription(f"Content of {known.organization}" if product is None else product.name)


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
