"""Rows of content overrides, of hosts, environments and activation keys."""

from collections.abc import Iterable
from typing import Any

from issbox.model import ContentOverride
from issbox.store.activation_keys import activation_key_id
from issbox.store.consumers import consumer_id
from issbox.store.database import Noun, rows, transaction
from issbox.store.organizations import environment_id
from issbox.store.tables import ActivationKeyOverrideRow, ConsumerOverrideRow, EnvironmentOverrideRow


class Overrides(Noun):
    """Content overrides. Those given must have been checked (`rules.consumers.check_override`)."""

    def of_consumer(self, uuid: str) -> list[ContentOverride]:
        """Give those of a host; raises NotFoundError, ConsumerDeletedError."""
        return _list(ConsumerOverrideRow, ConsumerOverrideRow.consumer == consumer_id(uuid))

    def of_environment(self, organization: str, environment: str) -> list[ContentOverride]:
        """Give those of an environment; raises NotFoundError."""
        place = environment_id(organization, environment)
        return _list(EnvironmentOverrideRow, EnvironmentOverrideRow.environment == place)

    def of_activation_key(self, organization: str, label: str) -> list[ContentOverride]:
        """Give those that hosts get with an activation key; raises NotFoundError."""
        return _list(
            ActivationKeyOverrideRow, ActivationKeyOverrideRow.activation_key == activation_key_id(organization, label)
        )

    def set_of_activation_key(self, organization: str, label: str, overrides: Iterable[ContentOverride]) -> None:
        """Set those of an activation key that are given; others stay. Raises NotFoundError."""
        _set(ActivationKeyOverrideRow, {"activation_key": activation_key_id(organization, label)}, overrides)

    def drop_of_activation_key(
        self, organization: str, label: str, content: str | None = None, name: str | None = None
    ) -> int:
        """Take away overrides of an activation key: all, those of a content, or one of them; gives their number."""
        key = ActivationKeyOverrideRow.activation_key == activation_key_id(organization, label)
        return _drop(ActivationKeyOverrideRow, key, content, name)

    def set_of_consumer(self, uuid: str, overrides: Iterable[ContentOverride]) -> None:
        """Set those of a host that are given; others stay."""
        _set(ConsumerOverrideRow, {"consumer": consumer_id(uuid)}, overrides)

    def set_of_environment(self, organization: str, environment: str, overrides: Iterable[ContentOverride]) -> None:
        """Set those of an environment that are given; others stay."""
        _set(EnvironmentOverrideRow, {"environment": environment_id(organization, environment)}, overrides)

    def drop_of_consumer(self, uuid: str, label: str | None = None, name: str | None = None) -> int:
        """Take away overrides of a host: all, those of a content, or one of them; gives their number."""
        return _drop(ConsumerOverrideRow, ConsumerOverrideRow.consumer == consumer_id(uuid), label, name)

    def drop_of_environment(
        self, organization: str, environment: str, label: str | None = None, name: str | None = None
    ) -> int:
        """Take away overrides of an environment: all, those of a content, or one of them; gives their number."""
        place = environment_id(organization, environment)
        return _drop(EnvironmentOverrideRow, EnvironmentOverrideRow.environment == place, label, name)


def _list(table: Any, condition: Any) -> list[ContentOverride]:
    query = table.select(table.label, table.name, table.value).where(condition)
    return [ContentOverride(*row) for row in rows(query.order_by(table.label, table.name))]


def _set(table: Any, owner: dict[str, int], overrides: Iterable[ContentOverride]) -> None:
    with transaction():
        for each in overrides:
            ((field, identity),) = owner.items()
            place = (getattr(table, field) == identity) & (table.label == each.label) & (table.name == each.name)
            if not table.update(value=each.value).where(place).execute():
                table.insert(label=each.label, name=each.name, value=each.value, **owner).execute()


def _drop(table: Any, condition: Any, label: str | None, name: str | None) -> int:
    if label is not None:
        condition &= table.label == label
        if name is not None:
            condition &= table.name == name.lower()
    return int(table.delete().where(condition).execute())
