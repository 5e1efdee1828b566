"""How what an environment holds stands to what there is: changed since, available, partly promoted, dangling."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum

from issbox.model import Catalogue, ContentSnapshot, HostProfile, Stage
from issbox.rules.entitlements.entitlements import entry


class ContentState(StrEnum):
    """What there is to know of a content in an environment."""

    CHANGED = "changed"
    """The content is another now than it was when it was promoted; hosts see it as it was."""
    AVAILABLE = "available"
    """It can be promoted and is not."""
    PARTLY = "partly-promoted"
    """Hosts may ask for a release or architecture that is not there."""
    DANGLING = "dangling"
    """Its product has it no more; it stays until it is taken out."""
    UNUSABLE = "unusable"
    """Its path is one that no client can ask for, so no certificate names it."""


@dataclass(frozen=True, slots=True)
class ContentStatus:
    """A content in an environment."""

    environment: str
    id: str
    label: str
    products: tuple[str, ...]
    enabled: bool
    """As hosts have it; as they would have it when it is only available."""
    override: bool | None
    states: tuple[ContentState, ...] = ()
    """Empty when all is as it should be."""
    changed: tuple[str, ...] = ()
    """Which of its properties differ from now."""
    missing: tuple[str, ...] = ()
    """Paths that hosts may ask for and that are not there, relative to the environment."""


def content_statuses(
    catalogue: Catalogue,
    stage: Stage,
    known: Mapping[str, Iterable[str]],
    shown: Iterable[str],
) -> list[ContentStatus]:
    """Say how each content stands to an environment, by label.

    `known` are the concrete repository paths of each content id that there are in the organization, `shown` those
    that the environment shows on disk.
    """
    visible = set(shown)
    ids = set(stage.content) | {each for offer in catalogue.products.values() for each in offer.content}
    found = [_status(catalogue, stage, content, frozenset(known.get(content, ())) - visible) for content in ids]
    return sorted(found, key=lambda each: (each.label, each.id))


def _status(catalogue: Catalogue, stage: Stage, content: str, missing: frozenset[str]) -> ContentStatus:
    offers = [offer for _, offer in sorted(catalogue.products.items()) if offer.has(content)]
    present = next((offer.content[content] for offer in offers if content in offer.content), None)
    promoted = stage.content.get(content)
    snapshot = present if promoted is None else promoted.snapshot
    assert snapshot is not None, "a content is promoted or there is a product that has it"
    states = []
    changed: tuple[str, ...] = ()
    if promoted is None:
        states.append(ContentState.AVAILABLE)
        missing = frozenset()
    elif present is None:
        states.append(ContentState.DANGLING)
    else:
        changed = _changed(promoted.snapshot, present)
        states += [ContentState.CHANGED] if changed else []
    if missing:
        states.append(ContentState.PARTLY)
    if promoted is not None and entry(catalogue, HostProfile((stage.label,)), None, content) is None:
        states.append(ContentState.UNUSABLE)
    override = None if promoted is None else promoted.enabled
    return ContentStatus(
        environment=stage.label,
        id=content,
        label=snapshot.label,
        products=tuple(offer.label for offer in offers),
        enabled=snapshot.enabled if override is None else override,
        override=override,
        states=tuple(states),
        changed=changed,
        missing=tuple(sorted(missing)),
    )


def _changed(then: ContentSnapshot, now: ContentSnapshot) -> tuple[str, ...]:
    return tuple(each.name for each in fields(ContentSnapshot) if getattr(then, each.name) != getattr(now, each.name))
