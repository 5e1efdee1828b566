"""Issuing the certificates of hosts: what says the same stays, and everything else is signed and written down.

Signatures take longer than all the rest, and nobody else may write while they are made inside a transaction. So
`Issuer.sign_ahead` makes them before, as far as it can be seen by then who is to get what. The transaction decides
that by what it reads itself, takes the signatures that fit, and makes those that are lacking.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from issbox.certs.identity import issue_identity
from issbox.certs.keys import PublicKey, new_serial
from issbox.errors import IssboxError
from issbox.model import Claim, Consumer, Entitlement, IssuedCertificate, IssuedKind, Validity
from issbox.rules.entitlements.renewal import RenewalState, renewal_state
from issbox.store.certificates import Standing
from issbox.workflows.certificates.preparing import Prepared, Preparer
from issbox.workflows.certificates.signing import Signed, Unsigned, sign_all
from issbox.workflows.context import Context

_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an entitlement that was looked at."""

    entitlement: Entitlement
    serial: int | None
    """Of its certificate now."""
    kept: bool
    """Whether it kept the certificate that it had."""
    error: IssboxError | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """An entitlement that is looked at, and what is to become of its certificate."""

    entitlement: Entitlement
    digest: str = ""
    """Of the contents that its certificate has to name; empty when it cannot be prepared."""
    unsigned: Unsigned | None = None
    """The certificate to be signed; None when the present one stays."""
    error: IssboxError | None = None

    def issued(self, signed: Signed) -> IssuedCertificate:
        """Give its new certificate as it is written down."""
        return IssuedCertificate(
            signed.serial,
            IssuedKind.ENTITLEMENT,
            self.entitlement.consumer,
            signed.pem,
            signed.valid,
            self.digest,
            self.entitlement.id,
        )

    def outcome(self, signed: Signed | None) -> Outcome:
        """Say what became of it."""
        if signed is not None:
            return Outcome(self.entitlement, signed.serial, kept=False)
        return Outcome(self.entitlement, self.entitlement.serial, kept=True, error=self.error)


class Issuer:
    """Issues certificates within one transaction, or within several ones after each other (`look_again`)."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._preparer = Preparer(ctx)
        self._ahead: dict[Unsigned, Signed] = {}
        self._now = ctx.clock()

    def look_again(self) -> None:
        """Begin a transaction: what was read before it may be another by now, the authority included."""
        self._preparer.look_again()
        self._now = self._ctx.clock()

    def identity(self, consumer: Consumer, *, keep: bool = False) -> IssuedCertificate:
        """Issue an identity certificate of a host; the ones that it has are revoked unless they are to be kept."""
        valid = self._validity(self._ctx.settings.certificates.identity_days)
        (serial,) = self._serials(1)
        pem = issue_identity(
            self._preparer.authority,
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

    def sign_ahead(self, claims: Sequence[Claim], *, unchanged: bool = False) -> None:
        """Sign what `look_at` will probably want for these entitlements; call it outside of a transaction."""
        found = self._find(claims, unchanged=unchanged)
        wanted = [each.unsigned for each in found if each.unsigned is not None]
        self._ahead = dict(zip(wanted, self._sign(wanted), strict=True))

    def look_at(self, claims: Sequence[Claim], *, unchanged: bool = False) -> list[Outcome]:
        """Give every entitlement a certificate that says what it should; what says so already stays.

        With `unchanged` nothing stays. Old serials are revoked. What cannot be issued is told in the outcome, and keeps
        the certificate it had.
        """
        found = self._find(claims, unchanged=unchanged)
        signed = self._signed([each.unsigned for each in found if each.unsigned is not None])
        new = [(each, signed[each.unsigned]) for each in found if each.unsigned is not None]
        certificates = self._ctx.store.certificates
        certificates.add_with_bodies([(each.issued(one), one.body) for each, one in new])
        certificates.revoke([each.entitlement.serial for each, _ in new if each.entitlement.serial], self._now)
        outcomes = [each.outcome(signed.get(each.unsigned)) for each in found]
        self._ctx.store.entitlements.certified(
            {each.entitlement.id: each.serial for each in outcomes if each.error is None}
        )
        return outcomes

    def _find(self, claims: Sequence[Claim], *, unchanged: bool) -> list[_Found]:
        present = [] if unchanged else [each.entitlement.serial for each in claims]
        standings = self._ctx.store.certificates.standings([each for each in present if each is not None])
        return [self._find_one(each, standings) for each in claims]

    def _find_one(self, claim: Claim, standings: Mapping[int, Standing]) -> _Found:
        entitlement = claim.entitlement
        try:
            prepared = self._preparer.prepare(claim.organization, claim.profile, entitlement.product)
        except IssboxError as error:
            return _Found(entitlement, error=error)
        present = None if entitlement.serial is None else standings.get(entitlement.serial)
        if present is not None and self._is_good(present, prepared):
            return _Found(entitlement, prepared.digest)
        unsigned = Unsigned(claim.organization, entitlement.id, claim.public_key, prepared.body)
        return _Found(entitlement, prepared.digest, unsigned)

    def _is_good(self, present: Standing, prepared: Prepared) -> bool:
        return not present.revoked and present.digest == prepared.digest and not is_due(self._ctx, present.valid)

    def _signed(self, wanted: Sequence[Unsigned]) -> dict[Unsigned | None, Signed]:
        """Give the certificates, those that were signed ahead where they are still right."""
        ahead = {each: self._ahead[each] for each in wanted if each in self._ahead}
        taken = self._ctx.store.certificates.known([each.serial for each in ahead.values()])
        found: dict[Unsigned | None, Signed] = {
            each: one
            for each, one in ahead.items()
            if one.authority is self._preparer.authority and one.serial not in taken
        }
        lacking = [each for each in wanted if each not in found]
        return {**found, **dict(zip(lacking, self._sign(lacking), strict=True))}

    def _sign(self, wanted: Sequence[Unsigned]) -> list[Signed]:
        valid = self._validity(self._ctx.settings.certificates.entitlement_days)
        return sign_all(self._preparer.authority, wanted, self._serials(len(wanted)), valid)

    def _validity(self, days: int) -> Validity:
        end = self._now + timedelta(days=days)
        return self._preparer.authority.validity(self._now, self._now - _CLOCK_SKEW, end)

    def _serials(self, number: int) -> list[int]:
        """Give serial numbers that were never used; whoever uses one in a later transaction asks again (`_signed`)."""
        found: set[int] = set()
        while len(found) < number:
            fresh = {new_serial() for _ in range(number - len(found))} - found
            found |= fresh - self._ctx.store.certificates.known(fresh)
        return list(found)


def is_due(ctx: Context, valid: Validity) -> bool:
    """Tell whether a certificate is to be replaced because of its age."""
    early = timedelta(days=ctx.settings.certificates.renew_days)
    state = renewal_state(valid, ctx.clock(), early)
    lasting = valid.not_after - valid.not_before
    return state is not RenewalState.CURRENT and (lasting > early or state is RenewalState.EXPIRED)
