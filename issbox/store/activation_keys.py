"""Rows of activation keys."""

from collections.abc import Sequence
from typing import Any

from issbox.errors import AlreadyExistsError, NotFoundError
from issbox.model import ActivationKey
from issbox.names import check_label
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import environment_id, organization_id
from issbox.store.products import product_id
from issbox.store.tables import (
    ActivationKeyEnvironmentRow,
    ActivationKeyOverrideRow,
    ActivationKeyProductRow,
    ActivationKeyRow,
    EnvironmentRow,
    ProductRow,
)


class ActivationKeys(Noun):
    """Activation keys."""

    def create(self, key: ActivationKey) -> ActivationKey:
        """Make an activation key; raises AlreadyExistsError, and NotFoundError for what it refers to."""
        check_label(key.label, "activation key label")
        with transaction():
            if _find(key.organization, key.label) is not None:
                raise AlreadyExistsError(f"the activation key {key.organization}/{key.label} exists already")
            identity = ActivationKeyRow.insert(
                organization=organization_id(key.organization),
                label=key.label,
                description=key.description,
                max_hosts=key.max_hosts,
                created_at=key.created_at,
            ).execute()
            _fill(int(identity), key)
        return key

    def get(self, organization: str, label: str) -> ActivationKey:
        """Give an activation key; raises NotFoundError."""
        for key in _read(organization, ActivationKeyRow.label == label):
            return key
        raise NotFoundError(f"there is no activation key {organization}/{label}", listed="activation-key list")

    def update(self, key: ActivationKey) -> ActivationKey:
        """Let the key of this label be as it is given; raises NotFoundError."""
        with transaction():
            identity = activation_key_id(key.organization, key.label)
            ActivationKeyRow.update(description=key.description, max_hosts=key.max_hosts).where(
                ActivationKeyRow.id == identity
            ).execute()
            _clear(identity)
            _fill(identity, key)
        return key

    def delete(self, organization: str, label: str) -> None:
        """Delete an activation key; hosts that registered with it stay. Raises NotFoundError."""
        with transaction():
            identity = activation_key_id(organization, label)
            _clear(identity)
            ActivationKeyOverrideRow.delete().where(ActivationKeyOverrideRow.activation_key == identity).execute()
            ActivationKeyRow.delete().where(ActivationKeyRow.id == identity).execute()

    def list(self, organization: str) -> list[ActivationKey]:
        """Give the activation keys of an organization by label; raises NotFoundError."""
        return _read(organization)


def activation_key_id(organization: str, label: str) -> int:
    """Give the row id of an activation key; raises NotFoundError."""
    identity = _find(organization, label)
    if identity is None:
        raise NotFoundError(f"there is no activation key {organization}/{label}", listed="activation-key list")
    return identity


def _find(organization: str, label: str) -> int | None:
    query = ActivationKeyRow.select(ActivationKeyRow.id).where(
        ActivationKeyRow.organization == organization_id(organization), ActivationKeyRow.label == label
    )
    row = first(query)
    return None if row is None else int(row[0])


def _read(organization: str, *conditions: Any) -> list[ActivationKey]:
    owner = organization_id(organization)
    query: Any = ActivationKeyRow.select().where(ActivationKeyRow.organization == owner, *conditions)
    return [
        ActivationKey(
            organization,
            row["label"],
            row["description"],
            _labels(ActivationKeyEnvironmentRow, EnvironmentRow, row["id"], ActivationKeyEnvironmentRow.priority),
            _labels(ActivationKeyProductRow, ProductRow, row["id"], ProductRow.label),
            row["max_hosts"],
            row["created_at"],
        )
        for row in query.order_by(ActivationKeyRow.label).dicts()
    ]


def _clear(identity: int) -> None:
    for table in (ActivationKeyEnvironmentRow, ActivationKeyProductRow):
        table.delete().where(table.activation_key == identity).execute()


def _fill(identity: int, key: ActivationKey) -> None:
    for priority, label in enumerate(key.environments):
        place = environment_id(key.organization, label)
        ActivationKeyEnvironmentRow.insert(activation_key=identity, priority=priority, environment=place).execute()
    for label in key.products:
        product = product_id(key.organization, label)
        ActivationKeyProductRow.insert(activation_key=identity, product=product).execute()


def _labels(between: Any, named: Any, identity: int, order: Any) -> tuple[str, ...]:
    found: Sequence[tuple[str]] = rows(
        between.select(named.label).join(named).where(between.activation_key == identity).order_by(order)
    )
    return tuple(label for (label,) in found)
