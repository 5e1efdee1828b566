"""Signing many certificates, in as many threads as there are processors."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from issbox.certs.authority import Authority
from issbox.certs.entitlement import PreparedEntitlement, issue_entitlement
from issbox.certs.keys import PublicKey
from issbox.model import Validity
from issbox.store.certificates import CertificateBody
from issbox.workflows.parallel import CORES

_FEW: Final = 4
"""So many are signed sooner than threads have begun."""
_PARTS: Final = 4
"""For each thread: one that is late has little left to do alone, and handing over costs next to nothing."""


_public_key = lru_cache(maxsize=256)(PublicKey.from_pem)
"""A host with entitlements to several products has one key for all of them."""


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What a certificate is made of, but for when it is valid and its number."""

    organization: str
    entitlement: str
    public_key: str
    body: CertificateBody


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate that was signed."""

    authority: Authority
    body: str
    """Digest of what follows its first part."""
    serial: int
    valid: Validity
    pem: str


def sign_all(
    authority: Authority, unsigned: Sequence[Unsigned], serials: Sequence[int], valid: Validity
) -> list[Signed]:
    """Sign certificates under these numbers and give them in the same order."""
    numbered = list(zip(unsigned, serials, strict=True))

    def sign(part: Sequence[tuple[Unsigned, int]]) -> list[Signed]:
        return [_sign(authority, each, serial, valid) for each, serial in part]

    if len(numbered) < _FEW:
        return sign(numbered)
    size = -(-len(numbered) // (CORES * _PARTS))
    parts = [numbered[start : start + size] for start in range(0, len(numbered), size)]
    with ThreadPoolExecutor(CORES) as pool:
        return [each for signed in pool.map(sign, parts) for each in signed]


def _sign(authority: Authority, unsigned: Unsigned, serial: int, valid: Validity) -> Signed:
    pem = issue_entitlement(
        authority,
        PreparedEntitlement(unsigned.body.extensions, unsigned.body.appendix),
        organization=unsigned.organization,
        entitlement=unsigned.entitlement,
        public=_public_key(unsigned.public_key),
        valid=valid,
        serial=serial,
    )
    return Signed(authority, unsigned.body.digest, serial, valid, pem)
