"""Hosts that leave an environment or become others: what is stale then is marked in the transaction that moves them."""

from dataclasses import replace

from issbox.model import Catalogue, HostProfile
from issbox.rules.entitlements.consumers import without
from issbox.rules.entitlements.staleness import Holder, stale
from issbox.workflows.context import Context


def mark_leaving(ctx: Context, organization: str, environment: str) -> int:
    """Mark the certificates that the end of an environment makes stale, before its hosts leave it."""
    before = ctx.store.catalogues.get(organization)
    left = {label: stage for label, stage in before.stages.items() if label != environment}
    holders = [
        Holder(each.before, without(each.before, environment), each.scope)
        for each in ctx.store.entitlements.holders(organization)
    ]
    found = stale(before, replace(before, stages=left), holders)
    return ctx.store.entitlements.mark_stale(organization, {Holder.staying(each.before, each.scope) for each in found})


def mark_moved(ctx: Context, uuid: str, known: Catalogue, before: HostProfile, after: HostProfile) -> int:
    """Mark the certificates of one host that a change of its profile makes stale; gives their number.

    `known` is the catalogue of its organization, read once for however many hosts.
    """
    if before == after:
        return 0
    scopes = {each.product for each in ctx.store.entitlements.of(uuid)}
    found = stale(known, known, [Holder(before, after, scope) for scope in scopes])
    return ctx.store.entitlements.mark_stale(known.organization, found, uuid)
