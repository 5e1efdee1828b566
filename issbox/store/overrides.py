"""Rows of content overrides, of hosts, environments and activation keys."""

from collections.abc import Iterable
from typing import Any

from issbox.model import ContentOverride, OverrideHolder, OverrideKind
from issbox.store.activation_keys import activation_key_id
from issbox.store.consumers import consumer_id
from issbox.store.database import Noun, rows, transaction
from issbox.store.organizations import environment_id
from issbox.store.tables import ActivationKeyOverrideRow, ConsumerOverrideRow, EnvironmentOverrideRow


class Overrides(Noun):
    """Content overrides. Those given must have been checked (`rules.consumers.check_override`).

    Everything raises NotFoundError for a holder that is not there, ConsumerDeletedError for a host that is no more.
    """

    def of(self, holder: OverrideHolder) -> list[ContentOverride]:
        """Give those that a holder has itself, by label and name."""
        table, owner, identity = _place(holder)
        query = table.select(table.label, table.name, table.value).where(owner == identity)
        return [ContentOverride(*row) for row in rows(query.order_by(table.label, table.name))]

    def put(self, holder: OverrideHolder, overrides: Iterable[ContentOverride]) -> None:
        """Set those that are given; others stay."""
        with transaction():
            table, owner, identity = _place(holder)
            for each in overrides:
                same = (owner == identity) & (table.label == each.label) & (table.name == each.name)
                if not table.update(value=each.value).where(same).execute():
                    given = {owner.name: identity, "label": each.label, "name": each.name, "value": each.value}
                    table.insert(**given).execute()

    def drop(self, holder: OverrideHolder, label: str | None = None, name: str | None = None) -> int:
        """Take overrides away: all, those of a content, or one of them; gives their number."""
        table, owner, identity = _place(holder)
        condition = owner == identity
        if label is not None:
            condition &= table.label == label
            if name is not None:
                condition &= table.name == name.lower()
        return int(table.delete().where(condition).execute())


def _place(holder: OverrideHolder) -> tuple[Any, Any, int]:
    """Give table, column and row id by which the overrides of a holder are found."""
    if holder.kind is OverrideKind.CONSUMER:
        return ConsumerOverrideRow, ConsumerOverrideRow.consumer, consumer_id(holder.name)
    if holder.kind is OverrideKind.ENVIRONMENT:
        identity = environment_id(holder.organization, holder.name)
        return EnvironmentOverrideRow, EnvironmentOverrideRow.environment, identity
    identity = activation_key_id(holder.organization, holder.name)
    return ActivationKeyOverrideRow, ActivationKeyOverrideRow.activation_key, identity
