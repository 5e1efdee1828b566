"""Certificates follow what changes: whatever is stale after a change is marked in the transaction of the change."""

from collections.abc import Iterator
from contextlib import contextmanager

from issbox.workflows.context import Context


@contextmanager
def certificates_follow(ctx: Context, organization: str) -> Iterator[None]:
    """Mark the certificates that a change inside the with-block makes stale; call it inside the transaction.

    Nothing is done for single hosts: everybody with the same environments and processors is one holder, and all are
    marked in one statement. An organization without hosts costs one query.
    """
    holders = ctx.store.entitlements.holders(organization)
    if not holders:
        yield
        return
    before = ctx.store.catalogues.get(organization)
    yield
    after = ctx.store.catalogues.get(organization)
    if after != before:
        from issbox.rules.entitlements.staleness import stale

        ctx.store.entitlements.mark_stale(organization, stale(before, after, holders))
