"""What speaks against a subscription manifest in an organization, and what is odd about it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from issbox.model import (
    ManifestConflict,
    ManifestRecord,
    OfferedContent,
    Product,
    ProductKind,
    RepositoryKey,
    SubscriptionManifest,
)
from issbox.names import format_time

_AHEAD: Final = timedelta(days=1)
"""A manifest made so much later than now means that a clock is wrong."""


@dataclass(frozen=True, slots=True)
class ManifestRefusal:
    """One reason against a manifest."""

    code: str
    message: str
    hint: str
    conflict: ManifestConflict | None = None
    """What overrides it; None when nothing does."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the rules need to know of the organization that gets a manifest or loses it."""

    organization: str
    manifest: ManifestRecord | None = None
    products: Mapping[str, Product] = field(default_factory=dict)
    """All of them by label."""
    offered: Mapping[str, Sequence[OfferedContent]] = field(default_factory=dict)
    """What the present manifest offers, by product label."""
    needed: frozenset[str] = frozenset()
    """Labels of Red Hat products that repositories, hosts or activation keys refer to."""
    repositories: Mapping[str, Sequence[RepositoryKey]] = field(default_factory=dict)
    """Repositories of Red Hat products by content id."""
    custom_contents: frozenset[str] = frozenset()
    """Ids of contents of custom repositories."""
    paths: Mapping[str, str] = field(default_factory=dict)
    """Content path of each content that has repositories, by id."""
    withdrawn: frozenset[str] = frozenset()
    """Ids of contents that an earlier manifest took away."""
    environments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Labels of the environments that hold anything of a content, by its id."""
    holder: str | None = None
    """Another organization that has a manifest of the same distributor."""


def conflicts(manifest: SubscriptionManifest, sha256: str, holdings: Holdings) -> list[ManifestRefusal]:
    """Give what speaks against a manifest beside the present one, and beside those of other organizations."""
    refusals = []
    distributor, present = manifest.distributor, holdings.manifest
    if holdings.holder is not None:
        refusals.append(
            ManifestRefusal(
                "manifest-elsewhere",
                f"the organization {holdings.holder} has a manifest of the same distributor {distributor.name}",
                "Make a manifest of its own for each organization: their certificates must not be the same.",
            )
        )
    if present is None:
        return refusals
    if present.distributor.uuid != distributor.uuid:
        refusals.append(
            ManifestRefusal(
                "manifest-distributor",
                f"the present manifest is that of the distributor {present.distributor.name} "
                f"({present.distributor.uuid}), this one that of {distributor.name} ({distributor.uuid})",
                "If it is to take the place of the other one, give --force distributor.",
                ManifestConflict.DISTRIBUTOR,
            )
        )
    if manifest.created < present.created:
        refusals.append(
            ManifestRefusal(
                "manifest-older",
                f"the manifest was made on {format_time(manifest.created)}, before the present one of "
                f"{format_time(present.created)}",
                "Export a new one. If going back is what you want, give --force older.",
                ManifestConflict.OLDER,
            )
        )
    if manifest.created == present.created and sha256 != present.sha256:
        refusals.append(
            ManifestRefusal(
                "manifest-same",
                f"the manifest was made in the same second as the present one ({format_time(manifest.created)}) and "
                "is another file",
                "Export a new one. If you know that this one is right, give --force same.",
                ManifestConflict.SAME,
            )
        )
    return refusals


def clashes(manifest: SubscriptionManifest, labels: Mapping[str, str], holdings: Holdings) -> list[ManifestRefusal]:
    """Give what the organization has of its own that stands where the manifest has something."""
    refusals = []
    for each in manifest.products:
        label = labels[each.number]
        present = holdings.products.get(label)
        if present is not None and present.kind is not ProductKind.REDHAT:
            refusals.append(
                ManifestRefusal(
                    "product-kind",
                    f"the Red Hat product {each.name} would have the label {label}, which a custom product has",
                    "Make the custom product anew under another label, and delete this one.",
                )
            )
    ids = {each.content.id for product in manifest.products for each in product.contents}
    return refusals + [
        ManifestRefusal(
            "content-kind",
            f"a custom repository has the content id {content}, which is one of Red Hat's",
            "Delete the custom repository: custom content never stands for Red Hat's.",
        )
        for content in sorted(ids & holdings.custom_contents)
    ]


def doubts(manifest: SubscriptionManifest, now: datetime) -> list[str]:
    """Give in words what a person should know of a manifest and what may be a mistake."""
    doubts = []
    if manifest.created > now + _AHEAD:
        doubts.append(f"the manifest was made on {format_time(manifest.created)}, which is in the future: check clocks")
    if manifest.subscriptions and all(each.end is not None and each.end < now for each in manifest.subscriptions):
        doubts.append("every subscription of the manifest has ended")
    if not manifest.products:
        doubts.append("the manifest offers no content: no subscriptions were added to it")
    if manifest.cdn_url:
        doubts.append(f"the content of the manifest is at {manifest.cdn_url}: `issbox cdn update` sets that place")
    if manifest.skipped:
        doubts.append(f"{manifest.skipped} contents without a path or name that can be used were left out")
    return doubts


def moves(offered: Mapping[str, tuple[OfferedContent, ...]], holdings: Holdings) -> list[str]:
    """Give in words which contents have another path now than their repositories."""
    return sorted(
        {
            f"the content {each.content.label} moved from {holdings.paths[each.content.id]} to {each.content.path}: "
            "its repositories stay where they are until they are disabled and enabled again"
            for contents in offered.values()
            for each in contents
            if holdings.paths.get(each.content.id, each.content.path) != each.content.path
        }
    )
