"""Everything of an organization that decides what certificates say, read in a few queries."""

from collections import defaultdict
from typing import Any

from issbox.model import (
    LIBRARY,
    Catalogue,
    CertificateType,
    ContentSnapshot,
    Offer,
    PromotedContent,
    RepositoryKey,
    Stage,
)
from issbox.store.database import Noun, rows
from issbox.store.organizations import organization_id
from issbox.store.repositories import repository_id
from issbox.store.snapshots import live_query, load_snapshot, present_snapshot, read_live_snapshot
from issbox.store.tables import (
    ContentRow,
    EnvironmentRow,
    OrganizationRow,
    ProductRow,
    PromotionRow,
    RepositoryRow,
)


class Catalogues(Noun):
    """Catalogues of organizations."""

    def get(self, organization: str) -> Catalogue:
        """Give what hosts of an organization could get now; raises NotFoundError."""
        owner = organization_id(organization)
        row: Any = OrganizationRow.get_by_id(owner)
        named = ProductRow.select(ProductRow.label, ProductRow.name, ProductRow.number)
        products = rows(named.where(ProductRow.organization == owner))
        present, withdrawn = _present(owner)
        stages, promoted = _stages(owner, present)
        for product, content in promoted:
            if content not in present[product]:
                withdrawn[product].add(content)
        offers = {
            label: Offer(
                label,
                name,
                {each: found for each, found in present[label].items() if each not in withdrawn[label]},
                frozenset(withdrawn[label]),
                number,
            )
            for label, name, number in products
        }
        return Catalogue(organization, row.content_prefix, CertificateType(row.access), offers, stages)

    def described(self, key: RepositoryKey) -> ContentSnapshot:
        """Give the content of a repository as it is now; raises NotFoundError."""
        return present_snapshot(repository_id(key))

    def instances(self, organization: str) -> dict[str, list[str]]:
        """Give the concrete paths of the repositories of each content id that hold anything at all."""
        held = RepositoryRow.select(RepositoryRow.id).join(
            PromotionRow, on=(PromotionRow.repository == RepositoryRow.id)
        )
        query = (
            RepositoryRow.select(ContentRow.content_id, RepositoryRow.path)
            .join(ContentRow, on=(RepositoryRow.content == ContentRow.id))
            .where(RepositoryRow.organization == organization_id(organization), RepositoryRow.id.in_(held))
        )
        found: dict[str, list[str]] = defaultdict(list)
        for content, path in sorted(set(rows(query))):
            found[content].append(path)
        return dict(found)


def _present(owner: int) -> tuple[dict[str, dict[str, ContentSnapshot]], dict[str, set[str]]]:
    """Give the contents of each product as they are now, and which of them a manifest took away."""
    present: dict[str, dict[str, ContentSnapshot]] = defaultdict(dict)
    withdrawn: dict[str, set[str]] = defaultdict(set)
    query = (
        live_query()
        .select_extend(ContentRow.withdrawn)
        .where(RepositoryRow.organization == owner, RepositoryRow.view == "")
        .order_by(RepositoryRow.label)
    )
    for row in query.dicts():
        snapshot = read_live_snapshot(row)
        present[row["product_label"]].setdefault(snapshot.id, snapshot)
        if row["withdrawn"]:
            withdrawn[row["product_label"]].add(snapshot.id)
    return present, withdrawn


def _stages(
    owner: int, present: dict[str, dict[str, ContentSnapshot]]
) -> tuple[dict[str, Stage], set[tuple[str, str]]]:
    """Give the environments, and which product each promoted content belongs to."""
    known = EnvironmentRow.select(EnvironmentRow.label, EnvironmentRow.content_prefix)
    prefixes = dict(rows(known.where(EnvironmentRow.organization == owner)))
    held: dict[str, dict[str, PromotedContent]] = {label: {} for label in prefixes}
    query = (
        PromotionRow.select(
            EnvironmentRow.label, ProductRow.label, ContentRow.content_id, PromotionRow.snapshot, PromotionRow.enabled
        )
        .join(EnvironmentRow)
        .switch(PromotionRow)
        .join(RepositoryRow)
        .join(ProductRow)
        .switch(RepositoryRow)
        .join(ContentRow, on=(RepositoryRow.content == ContentRow.id))
        .where(EnvironmentRow.organization == owner)
        .order_by(ProductRow.label, RepositoryRow.label)
    )
    promoted = set()
    for environment, product, content, text, enabled in rows(query):
        live = present[product].get(content) if environment == LIBRARY else None
        snapshot = live or load_snapshot(text)
        other = held[environment].get(snapshot.id)
        override = other.enabled if other is not None and other.enabled is not None else enabled
        held[environment][snapshot.id] = PromotedContent(snapshot, None if override is None else bool(override))
        promoted.add((product, snapshot.id))
    return {label: Stage(label, prefixes[label], content) for label, content in held.items()}, promoted
