"""What a subscription manifest changes in an organization: the plan of importing or deleting one, and what is against.

Only a manifest makes Red Hat products. Repositories never go with one: a content that is offered no more is withdrawn,
which leaves it where it was promoted, and a product stays as long as anything refers to it.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from issbox.model import (
    ManifestConflict,
    OfferedContent,
    OfferedProduct,
    Product,
    ProductKind,
    SubscriptionManifest,
)
from issbox.rules.content.manifest_conflicts import Holdings, ManifestRefusal, clashes, conflicts, doubts, moves

_UNUSUAL: Final = re.compile(r"[^A-Za-z0-9_-]")


@dataclass(frozen=True, slots=True, order=True)
class ContentChange:
    """A content that comes, changes or goes."""

    product: str
    """Label."""
    id: str
    label: str
    name: str


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A content with repositories that is offered no more."""

    id: str
    label: str
    repositories: tuple[str, ...]
    """`product/label` of those that stay."""
    environments: tuple[str, ...]
    """Where it stays promoted, and shows as dangling."""


@dataclass(frozen=True, slots=True)
class ManifestPlan:
    """What a manifest, or the end of one, does to an organization, or why it may not."""

    organization: str
    refusals: tuple[ManifestRefusal, ...] = ()
    warnings: tuple[str, ...] = ()
    forced: tuple[ManifestConflict, ...] = ()
    """Conflicts that were overridden."""
    products_in: tuple[Product, ...] = ()
    products_renamed: tuple[Product, ...] = ()
    """As they will be."""
    products_out: tuple[str, ...] = ()
    """Labels of products that go."""
    products_kept: tuple[str, ...] = ()
    """Labels of products that are offered no more and stay, since something refers to them."""
    contents_in: tuple[ContentChange, ...] = ()
    contents_changed: tuple[ContentChange, ...] = ()
    contents_out: tuple[ContentChange, ...] = ()
    withdrawn: tuple[Withdrawal, ...] = ()
    restored: tuple[str, ...] = ()
    """Ids of contents that were withdrawn and are offered again."""
    offered: Mapping[str, tuple[OfferedContent, ...]] = field(default_factory=dict)
    """All that is offered from now on, by product label."""

    @property
    def changes_nothing(self) -> bool:
        """Whether products and contents stay exactly as they are."""
        products = self.products_in, self.products_renamed, self.products_out
        contents = self.contents_in, self.contents_changed, self.contents_out, self.withdrawn, self.restored
        return not any((*products, *contents))


def plan_import(
    manifest: SubscriptionManifest,
    sha256: str,
    holdings: Holdings,
    *,
    now: datetime,
    forced: Collection[ManifestConflict] = (),
) -> ManifestPlan:
    """Say what importing a manifest changes; all refusals are collected, and those that were forced are named."""
    against = conflicts(manifest, sha256, holdings)
    labels = product_labels(manifest.products, holdings.products)
    standing = [
        *(each for each in against if each.conflict is None or each.conflict not in forced),
        *clashes(manifest, labels, holdings),
    ]
    offered = {labels[each.number]: each.contents for each in manifest.products}
    named = {labels[each.number]: each for each in manifest.products}
    return replace(
        _plan(holdings, offered),
        refusals=tuple(standing),
        warnings=(*doubts(manifest, now), *moves(offered, holdings)),
        forced=tuple(sorted(each.conflict for each in against if each.conflict and each.conflict in forced)),
        products_in=tuple(
            Product(holdings.organization, label, each.name, ProductKind.REDHAT, number=each.number)
            for label, each in sorted(named.items())
            if label not in holdings.products
        ),
        products_renamed=tuple(
            replace(holdings.products[label], name=each.name)
            for label, each in sorted(named.items())
            if label in holdings.products and holdings.products[label].name != each.name
        ),
        offered=offered,
    )


def plan_deletion(holdings: Holdings) -> ManifestPlan:
    """Say what deleting the manifest changes."""
    return _plan(holdings, {})


def product_labels(products: Sequence[OfferedProduct], present: Mapping[str, Product]) -> dict[str, str]:
    """Give the label of each product by its number: the one it has, or one made of its name as Katello makes it.

    Of several products with one name all but the first have their number in it.
    """
    known = {each.number: label for label, each in present.items() if each.number}
    labels = {each.number: known[each.number] for each in products if each.number in known}
    taken = set(labels.values()) | set(known.values())
    for each in products:
        if each.number not in labels:
            label = _label(each)
            if label in taken:
                label = f"{label[:100]}_{each.number[:27]}"
            labels[each.number] = label
            taken.add(label)
    return labels


def _label(product: OfferedProduct) -> str:
    label = _UNUSUAL.sub("_", product.name)
    return label[:128] if label.strip("_") else f"product_{product.number[:100]}"


def _plan(holdings: Holdings, offered: Mapping[str, tuple[OfferedContent, ...]]) -> ManifestPlan:
    """Compare what is offered from now on with what was."""
    before = {label: {each.content.id: each for each in contents} for label, contents in holdings.offered.items()}
    after = {label: {each.content.id: each for each in contents} for label, contents in offered.items()}
    redhat = {label for label, each in holdings.products.items() if each.kind is ProductKind.REDHAT}
    gone = redhat - after.keys()
    ids = {content for contents in after.values() for content in contents}
    return ManifestPlan(
        organization=holdings.organization,
        products_out=tuple(sorted(gone - holdings.needed)),
        products_kept=tuple(sorted(gone & holdings.needed)),
        contents_in=_differences(after, before),
        contents_changed=tuple(
            _change(label, each)
            for label, contents in sorted(after.items())
            for content, each in contents.items()
            if before.get(label, {}).get(content, each) != each
        ),
        contents_out=_differences(before, after),
        withdrawn=tuple(
            Withdrawal(
                content, _label_of(before, content), tuple(key.short for key in keys), _environments(holdings, content)
            )
            for content, keys in sorted(holdings.repositories.items())
            if content not in ids and content not in holdings.withdrawn
        ),
        restored=tuple(sorted(content for content in holdings.withdrawn & ids if content in holdings.repositories)),
    )


def _differences(
    one: Mapping[str, Mapping[str, OfferedContent]], other: Mapping[str, Mapping[str, OfferedContent]]
) -> tuple[ContentChange, ...]:
    return tuple(
        _change(label, each)
        for label, contents in sorted(one.items())
        for content, each in contents.items()
        if content not in other.get(label, {})
    )


def _change(product: str, offered: OfferedContent) -> ContentChange:
    return ContentChange(product, offered.content.id, offered.content.label, offered.content.name)


def _label_of(offered: Mapping[str, Mapping[str, OfferedContent]], content: str) -> str:
    return next((each[content].content.label for each in offered.values() if content in each), content)


def _environments(holdings: Holdings, content: str) -> tuple[str, ...]:
    return tuple(holdings.environments.get(content, ()))
