"""Which authorities sign certificates of hosts, what each of them may let a host read, and the answer to one request.

The box's own authority speaks for every organization, but a certificate of it only for the one that it names. The
authorities that an organization accepts besides speak for that organization alone. Red Hat's speaks only for paths
without organization and environment, where an environment stands in for the CDN.
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from issbox.certs import pem
from issbox.certs.certificates import read_certificates, validity_of
from issbox.certs.decode import DecodedCertificate, decode_certificate
from issbox.certs.guard import Reason, Verdict, decide
from issbox.certs.verify import DEPTH, TrustedAuthorities
from issbox.errors import BadCertificateError, UntrustedCertificateError
from issbox.model import Validity

_MOST_REMEMBERED: Final = 4096
"""Certificates kept decoded; one has a few KiB."""


class Voice(StrEnum):
    """Whose authority it is."""

    OWN = "own"
    ORGANIZATION = "organization"
    REDHAT = "redhat"


class Authorities:
    """The certificates of one authority, or of several that are trusted alike, with those between them and hosts."""

    def __init__(
        self, trusted: Sequence[x509.Certificate], others: Sequence[x509.Certificate] = (), *, depth: int = DEPTH
    ) -> None:
        """Trust some; others may stand below them, or above them, where only TLS libraries look for them."""
        self._trusted = TrustedAuthorities(trusted, depth=depth)
        self._others = tuple(others)

    @classmethod
    def from_pem(cls, text: str | bytes, what: str, *, depth: int = DEPTH) -> "Authorities":
        """Read a text and trust what signs itself in it, or all of it when nothing does.

        Raises BadCertificateError, naming `what`, when a certificate in it cannot be read.
        """
        found = read_certificates(text, what)
        roots = [each for each in found if each.issuer == each.subject] or found
        return cls(roots, [each for each in found if each not in roots], depth=depth)

    @classmethod
    def from_chains(cls, chains: Iterable[str], what: str) -> "Authorities":
        """Trust the first certificate of each chain alone, and not what else was signed by those above it.

        Raises BadCertificateError, naming `what`, when a certificate cannot be read.
        """
        found = [read_certificates(chain, what) for chain in chains]
        above = [each for chain in found for each in chain[1:]]
        return cls([each for chain in found for each in chain[:1]], above, depth=0)

    @property
    def pem(self) -> str:
        """All of them, as TLS libraries read them."""
        every = (*self._trusted.anchors, *self._others)
        return "".join(each.public_bytes(Encoding.PEM).decode() for each in every)

    def chain(self, certificate: x509.Certificate, at: datetime) -> tuple[x509.Certificate, ...]:
        """Give the chain from a host's certificate; raises UntrustedCertificateError."""
        return self._trusted.verify_client(certificate, self._others, at=at)


@dataclass(frozen=True, slots=True, eq=False)
class HostTrust:
    """All authorities of hosts, and what was taken back."""

    own: Authorities | None = None
    organizations: Mapping[str, Authorities] = field(default_factory=dict)
    redhat: Authorities | None = None

    def pem(self) -> str:
        """Give the certificates of all of them once each."""
        groups = [self.own, self.redhat, *self.organizations.values()]
        parts = [pem.write("CERTIFICATE", part.data) for group in groups if group for part in pem.read(group.pem)]
        return "".join(dict.fromkeys(parts))

    def voices(self, organization: str) -> Iterator[tuple[Voice, Authorities]]:
        """Give the authorities that may say something about an organization's content."""
        if self.own is not None:
            yield Voice.OWN, self.own
        if organization in self.organizations:
            yield Voice.ORGANIZATION, self.organizations[organization]
        if self.redhat is not None:
            yield Voice.REDHAT, self.redhat


@dataclass(frozen=True, slots=True)
class Request:
    """What a host wants to read."""

    organization: str
    full_path: str
    bare_path: str | None = None
    """The path without organization and environment, where such certificates are honoured."""


class Presented:
    """A certificate that a host showed, decoded once; chains that were found are remembered."""

    def __init__(self, decoded: DecodedCertificate) -> None:
        """Take what was decoded."""
        self.decoded = decoded
        self._chains: OrderedDict[Authorities, Validity] = OrderedDict()

    def leads_to(self, authorities: Authorities, now: datetime) -> None:
        """Raise UntrustedCertificateError unless there is a chain to these authorities that is valid now."""
        known = self._chains.get(authorities)
        if known is not None and known.holds(now):
            return
        chain = [validity_of(each) for each in authorities.chain(self.decoded.certificate, now)]
        while len(self._chains) > 8:  # of settings that were changed since
            self._chains.popitem(last=False)
        self._chains[authorities] = Validity(
            max(each.not_before for each in chain), min(each.not_after for each in chain)
        )


class Wallet:
    """The certificates that hosts showed lately, decoded."""

    def __init__(self, most: int = _MOST_REMEMBERED) -> None:
        """Remember so many."""
        self._most = most
        self._known: OrderedDict[bytes, Presented | BadCertificateError] = OrderedDict()

    def open(self, der: bytes) -> Presented:
        """Decode a certificate, unless it was lately; raises BadCertificateError."""
        found = self._known.get(der)
        if found is None:
            try:
                found = Presented(decode_certificate(pem.write("CERTIFICATE", der)))
            except BadCertificateError as error:
                found = error
            while len(self._known) >= self._most:
                self._known.popitem(last=False)
            self._known[der] = found
        else:
            self._known.move_to_end(der)
        if isinstance(found, BadCertificateError):
            raise found.with_traceback(None)  # one that is raised again would keep all frames it ever went through
        return found


def judge(
    trust: HostTrust, presented: Presented, request: Request, *, now: datetime, revoked: Collection[int]
) -> Verdict:
    """Say whether a host that showed this certificate may read a path, and why or why not.

    `revoked` are serial numbers of the box's own authority; those of others may be the same and mean nothing here.
    """
    why = Verdict(False, Reason.NOT_TRUSTED, "no authority of hosts is trusted for this content")
    for voice, authorities in trust.voices(request.organization):
        try:
            presented.leads_to(authorities, now)
        except UntrustedCertificateError as error:
            if why.reason is Reason.NOT_TRUSTED and voice is not Voice.REDHAT:
                why = Verdict(False, _reason_of(presented.decoded, now), str(error))
            continue
        return _hear(voice, presented.decoded, request, now=now, revoked=revoked)
    return why


def _reason_of(certificate: DecodedCertificate, now: datetime) -> Reason:
    if now > certificate.valid.not_after:
        return Reason.EXPIRED
    return Reason.NOT_YET_VALID if now < certificate.valid.not_before else Reason.NOT_TRUSTED


def _hear(
    voice: Voice, certificate: DecodedCertificate, request: Request, *, now: datetime, revoked: Collection[int]
) -> Verdict:
    """Decide by a certificate whose chain is right, within what its authority may say."""
    is_revoked = voice is Voice.OWN and certificate.serial in revoked
    paths = [] if voice is Voice.REDHAT else [request.full_path]
    if request.bare_path is not None:
        paths.append(request.bare_path)
    if not paths:
        return Verdict(
            False,
            Reason.PATH_NOT_GRANTED,
            f"the certificate {certificate.serial} is one of Red Hat's, and {request.full_path} does not stand in for "
            "its CDN",
        )
    verdicts = [decide(certificate, path, now=now, revoked=is_revoked) for path in paths]
    if voice is Voice.OWN and certificate.organization != request.organization and verdicts[0].reason in _ABOUT_PATHS:
        return Verdict(
            False,
            Reason.OTHER_ORGANIZATION,
            f"the certificate {certificate.serial} was issued for the organization {certificate.organization}, not for "
            f"{request.organization}",
        )
    return next((each for each in verdicts if each.granted), verdicts[0])


_ABOUT_PATHS: Final = (Reason.GRANTED, Reason.NO_CONTENT, Reason.PATH_NOT_GRANTED)
"""What is said of a certificate that is good as such."""
