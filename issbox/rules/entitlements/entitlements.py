"""Who gets what: from an organization's catalogue and a host's profile to the contents of a certificate.

A host in no environment gets the present content of its products. A host in environments gets what is promoted there
and nothing else: the first of its environments that holds a content decides where it lies, what it looks like, and
whether it is enabled. What the host's processor cannot use is left out. `scope` is the label of the product that an
entitlement is for, or None for all products of the organization.
"""

from collections.abc import Iterator, Sequence
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from issbox.errors import InvalidValueError
from issbox.model import (
    LIBRARY,
    Catalogue,
    CertificateType,
    CertifiedContent,
    CertifiedProduct,
    ContentSnapshot,
    HostProfile,
    Offer,
    PromotedContent,
    Stage,
)
from issbox.rules.entitlements.arches import fits
from issbox.rules.entitlements.paths import content_path, is_uri
from issbox.rules.serving import GPG_KEYS

_AT_ONCE: Final = 1
"""Seconds after which hosts ask again for the metadata of Red Hat's contents, so that they see a promotion at once."""


def entry(catalogue: Catalogue, profile: HostProfile, scope: str | None, content: str) -> CertifiedContent | None:
    """Give what a certificate says of one content id; None when the host does not get it."""
    if not any(offer.has(content) for offer in _offers(catalogue, scope)):
        return None
    found = _promoted(catalogue, profile, content) if profile.confined else _default(catalogue, scope, content)
    if found is None:
        return None
    stage, promoted = found
    if not fits(promoted.snapshot.arches, profile.arches):
        return None
    try:
        return _certified(catalogue, stage, promoted)
    except InvalidValueError:
        return None  # one path that no client understands must not cost the host everything else


def contents(catalogue: Catalogue, profile: HostProfile, scope: str | None) -> tuple[CertifiedContent, ...]:
    """Give all contents of a certificate, by content id."""
    entries = (entry(catalogue, profile, scope, each) for each in _candidates(catalogue, profile, scope))
    return tuple(sorted((each for each in entries if each is not None), key=lambda each: each.id))


def products(catalogue: Catalogue, profile: HostProfile, scope: str | None) -> tuple[CertifiedProduct, ...]:
    """Give the products of a certificate with their contents.

    An entitlement to one product names it even when nothing of it is promoted; one to all products names those of
    which the host gets something.
    """
    granted = contents(catalogue, profile, scope)
    listed = []
    for offer in _offers(catalogue, scope):
        own = tuple(each for each in granted if offer.has(each.id))
        if own or scope is not None:
            listed.append(CertifiedProduct(offer_number(catalogue.organization, offer), offer.name, content=own))
    return tuple(listed)


def granted_paths(catalogue: Catalogue, profile: HostProfile, scope: str | None) -> tuple[str, ...]:
    """Give the paths that a certificate opens, sorted: each content's, but for whole addresses.

    An organization-wide certificate opens all below the environments of the host instead. GPG keys are open to all.
    """
    if is_organization_wide(catalogue, profile, scope):
        return organization_paths(catalogue, profile)
    return tuple(sorted({each.path for each in contents(catalogue, profile, scope) if not is_uri(each.path)}))


def is_organization_wide(catalogue: Catalogue, profile: HostProfile, scope: str | None) -> bool:
    """Tell whether the certificate of an entitlement names no contents; version 1 and single products always do."""
    return catalogue.access is CertificateType.ORG_LEVEL and scope is None and profile.version == 3


def organization_paths(catalogue: Catalogue, profile: HostProfile) -> tuple[str, ...]:
    """Give the prefixes of the host's environments, sorted; of Library when it is in none.

    Their order is no matter of the certificate: what lies below each of them is open.
    """
    found = set()
    for label in profile.environments if profile.confined else (LIBRARY,):
        stage = catalogue.stages.get(label) if profile.confined else Stage(LIBRARY)
        whole = None if stage is None else _resolved(catalogue, stage, "x")
        if whole is not None and not is_uri(whole) and whole != "/x":
            found.add(whole.removesuffix("/x"))
    return tuple(sorted(found))


def offer_number(organization: str, offer: Offer) -> str:
    """Give the number of a product in certificates: Red Hat's own, or a UUID that follows from its label."""
    label = offer.label
    if offer.number:
        return offer.number
    return label if label.isascii() and label.isdigit() else str(uuid5(NAMESPACE_URL, f"issbox:{organization}/{label}"))


def supplier(catalogue: Catalogue, environments: Sequence[str], content: str) -> str | None:
    """Give the label of the environment that supplies a content: the first one that holds it."""
    for label in environments:
        stage = catalogue.stages.get(label)
        if stage is not None and content in stage.content:
            return label
    return None


def _offers(catalogue: Catalogue, scope: str | None) -> Iterator[Offer]:
    if scope is None:
        yield from (catalogue.products[label] for label in sorted(catalogue.products))
    elif scope in catalogue.products:
        yield catalogue.products[scope]


def _promoted(catalogue: Catalogue, profile: HostProfile, content: str) -> tuple[Stage, PromotedContent] | None:
    label = supplier(catalogue, profile.environments, content)
    if label is None:
        return None
    stage = catalogue.stages[label]
    return stage, stage.content[content]


def _default(catalogue: Catalogue, scope: str | None, content: str) -> tuple[Stage, PromotedContent] | None:
    """Give the content as the product has it now. It lies where Library has it, the only place that holds all."""
    for offer in _offers(catalogue, scope):
        if content in offer.content:
            return Stage(LIBRARY), PromotedContent(offer.content[content])
    return None


def _candidates(catalogue: Catalogue, profile: HostProfile, scope: str | None) -> set[str]:
    if not profile.confined:
        return {content for offer in _offers(catalogue, scope) for content in offer.content}
    stages = (catalogue.stages.get(label) for label in profile.environments)
    return {content for stage in stages if stage is not None for content in stage.content}


def _certified(catalogue: Catalogue, stage: Stage, promoted: PromotedContent) -> CertifiedContent:
    snapshot: ContentSnapshot = promoted.snapshot
    return CertifiedContent(
        id=snapshot.id,
        label=snapshot.label,
        name=snapshot.name,
        path=_resolved(catalogue, stage, snapshot.path),
        type=snapshot.type,
        vendor=snapshot.vendor,
        gpg_url=snapshot.gpg_url
        if snapshot.gpg_key is None
        else f"/{catalogue.organization}/{GPG_KEYS}/{snapshot.gpg_key}",
        metadata_expire=_AT_ONCE if snapshot.vendor else None,
        enabled=snapshot.enabled if promoted.enabled is None else promoted.enabled,
        required_tags=snapshot.required_tags,
        arches=snapshot.arches,
    )


def _resolved(catalogue: Catalogue, stage: Stage, path: str) -> str:
    """Give the full path of something in an environment; raises InvalidValueError for one that no client can ask."""
    return content_path(
        path,
        organization=catalogue.organization,
        environment=stage.label,
        organization_prefix=catalogue.prefix,
        environment_prefix=stage.prefix,
    )
