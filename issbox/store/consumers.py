"""Rows of hosts."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from issbox.errors import AlreadyExistsError, ConsumerDeletedError, NotFoundError
from issbox.model import ActivationKey, Consumer, HostProfile, InstalledProduct, Purpose
from issbox.rules.entitlements.consumers import without
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import environment_id, organization_id
from issbox.store.profiles import (
    drop_unused_profiles,
    profile_id,
    read_profiles,
    replace_profile,
)
from issbox.store.tables import (
    ConsumerOverrideRow,
    ConsumerRow,
    DeletedConsumerRow,
    EntitlementRow,
    OrganizationRow,
    ProfileEnvironmentRow,
)


def consumer_id(uuid: str) -> int:
    """Give the row id of a host; raises NotFoundError, ConsumerDeletedError for one that was deleted."""
    row = first(ConsumerRow.select(ConsumerRow.id).where(ConsumerRow.uuid == uuid))
    if row is not None:
        return int(row[0])
    if DeletedConsumerRow.select().where(DeletedConsumerRow.uuid == uuid).exists():
        raise ConsumerDeletedError(f"the host {uuid} was deleted", uuid=uuid)
    raise NotFoundError(f"there is no host {uuid}", listed="consumer list")


class Consumers(Noun):
    """Hosts."""

    def create(self, consumer: Consumer) -> Consumer:
        """Register a host; raises AlreadyExistsError for a UUID that is or was in use, NotFoundError."""
        with transaction():
            for table in (ConsumerRow, DeletedConsumerRow):
                if table.select().where(table.uuid == consumer.uuid).exists():
                    raise AlreadyExistsError(f"the UUID {consumer.uuid} is or was that of another host")
            ConsumerRow.insert(
                organization=organization_id(consumer.organization),
                uuid=consumer.uuid,
                name=consumer.name,
                type=consumer.type,
                facts=_dump(consumer.facts),
                profile=profile_id(consumer.organization, consumer.profile),
                created_at=consumer.created_at,
                seen_at=consumer.seen_at,
                public_key=consumer.public_key,
                activation_key=consumer.activation_key,
                release=consumer.release,
                purpose=_dump_purpose(consumer.purpose),
                installed=_dump_installed(consumer.installed),
            ).execute()
        return consumer

    def get(self, uuid: str) -> Consumer:
        """Give a host; raises NotFoundError, ConsumerDeletedError."""
        (found,) = _read(_query().where(ConsumerRow.id == consumer_id(uuid)))
        return found

    def several(self, uuids: Sequence[str]) -> dict[str, Consumer]:
        """Give those of some hosts that there are, by UUID."""
        return {each.uuid: each for each in _read(_query().where(ConsumerRow.uuid.in_([*uuids])))}

    def known(self, uuids: Sequence[str]) -> set[str]:
        """Give those of some UUIDs that are of hosts."""
        return {uuid for (uuid,) in rows(ConsumerRow.select(ConsumerRow.uuid).where(ConsumerRow.uuid.in_([*uuids])))}

    def count(
        self,
        organization: str,
        *,
        environment: str | None = None,
        name: str | None = None,
    ) -> int:
        """Give the number of hosts that `list` gives; raises NotFoundError."""
        return int(_wanted(ConsumerRow.select(), organization, environment, name, None).count())

    def count_by_key(self, key: ActivationKey) -> int:
        """Give the number of hosts that came by an activation key, not by another one that had its label before it."""
        query = _wanted(ConsumerRow.select(), key.organization, None, None, key.label)
        if key.created_at is not None:
            query = query.where(ConsumerRow.created_at >= key.created_at)
        return int(query.count())

    def update(
        self,
        uuid: str,
        *,
        name: str | None = None,
        facts: Mapping[str, str] | None = None,
        profile: HostProfile | None = None,
        public_key: str | None = None,
        release: str | None = None,
        purpose: Purpose | None = None,
        installed: Sequence[InstalledProduct] | None = None,
        at: datetime,
    ) -> Consumer:
        """Change what is given, at this time; raises NotFoundError, ConsumerDeletedError."""
        given = {
            "name": name,
            "public_key": public_key,
            "release": release,
            "facts": None if facts is None else _dump(facts),
            "purpose": None if purpose is None else _dump_purpose(purpose),
            "installed": None if installed is None else _dump_installed(installed),
        }
        with transaction():
            present = self.get(uuid)
            changes: dict[str, object] = {column: value for column, value in given.items() if value is not None}
            if profile is not None:
                changes["profile"] = profile_id(present.organization, profile)
            if changes:
                ConsumerRow.update(**changes, updated_at=at).where(ConsumerRow.uuid == uuid).execute()
            return self.get(uuid)

    def seen(self, uuid: str, at: datetime) -> None:
        """Write down that a host asked for something."""
        ConsumerRow.update(seen_at=at).where(ConsumerRow.uuid == uuid).execute()

    def delete(self, uuid: str, at: datetime) -> None:
        """Delete a host with its entitlements and overrides; its UUID stays known as that of a deleted one.

        Certificates are not revoked by this. Raises NotFoundError, ConsumerDeletedError.
        """
        with transaction():
            present, identity = self.get(uuid), consumer_id(uuid)
            for table in (EntitlementRow, ConsumerOverrideRow):
                table.delete().where(table.consumer == identity).execute()
            ConsumerRow.delete().where(ConsumerRow.id == identity).execute()
            DeletedConsumerRow.insert(uuid=uuid, organization=present.organization, deleted_at=at).execute()
            drop_unused_profiles(present.organization)

    def count_only_in(self, organization: str, environment: str) -> int:
        """Give the number of hosts that are in an environment and in no other."""
        return int(_only_in(organization, environment).count())

    def only_in(self, organization: str, environment: str) -> Sequence[str]:
        """Give the UUIDs of the hosts that are in an environment and in no other."""
        return [uuid for (uuid,) in rows(_only_in(organization, environment))]

    def leave_environment(self, organization: str, environment: str) -> dict[HostProfile, HostProfile]:
        """Take all hosts out of an environment and give their profiles before and after it.

        One statement for each profile, however many hosts. Call it in a transaction. Raises NotFoundError.
        """
        changed = {}
        inside = set(rows(_inside(organization, environment)))
        for identity, profile in read_profiles(organization).items():
            if (identity,) in inside:
                after = without(profile, environment)
                replace_profile(identity, profile_id(organization, after))
                changed[profile] = after
        drop_unused_profiles(organization)
        return changed

    def list(
        self,
        organization: str,
        *,
        environment: str | None = None,
        name: str | None = None,
        activation_key: str | None = None,
        limit: int | None = None,
        skip: int = 0,
    ) -> list[Consumer]:
        """Give hosts of an organization by name, all or those that the rest says; raises NotFoundError.

        `limit` gives only so many, after the first `skip` ones.
        """
        query = _wanted(_query(), organization, environment, name, activation_key)
        ordered = query.order_by(ConsumerRow.name, ConsumerRow.uuid).limit(limit)
        return _read(ordered.offset(skip) if skip else ordered)


def _query() -> Any:
    return ConsumerRow.select(ConsumerRow, OrganizationRow.label.alias("organization_label")).join(OrganizationRow)


def _wanted(
    query: Any, organization: str, environment: str | None, name: str | None, activation_key: str | None
) -> Any:
    query = query.where(ConsumerRow.organization == organization_id(organization))
    if environment is not None:
        query = query.where(ConsumerRow.profile.in_(_inside(organization, environment)))
    if name is not None:
        query = query.where(ConsumerRow.name == name)
    return query if activation_key is None else query.where(ConsumerRow.activation_key == activation_key)


def _only_in(organization: str, environment: str) -> Any:
    several = ProfileEnvironmentRow.select(ProfileEnvironmentRow.profile).where(ProfileEnvironmentRow.priority > 0)
    return ConsumerRow.select(ConsumerRow.uuid).where(
        ConsumerRow.profile.in_(_inside(organization, environment)), ConsumerRow.profile.not_in(several)
    )


def _inside(organization: str, environment: str) -> Any:
    return ProfileEnvironmentRow.select(ProfileEnvironmentRow.profile).where(
        ProfileEnvironmentRow.environment == environment_id(organization, environment)
    )


def _dump(facts: Mapping[str, str]) -> str:
    return json.dumps(dict(facts), sort_keys=True, separators=(",", ":"))


def _dump_purpose(purpose: Purpose) -> str:
    return json.dumps(asdict(purpose), sort_keys=True, separators=(",", ":"))


def _dump_installed(installed: Sequence[InstalledProduct]) -> str:
    return json.dumps([asdict(each) for each in installed], sort_keys=True, separators=(",", ":"))


def _load_purpose(text: str) -> Purpose:
    found = json.loads(text)
    return Purpose(**{**found, "add_ons": tuple(found.get("add_ons", ()))})


def _read(query: Any) -> list[Consumer]:
    found = list(query.dicts())
    wanted: dict[str, set[int]] = {}
    for row in found:
        wanted.setdefault(row["organization_label"], set()).add(row["profile"])
    profiles = {label: read_profiles(label, only) for label, only in wanted.items()}
    return [
        Consumer(
            organization=row["organization_label"],
            uuid=row["uuid"],
            name=row["name"],
            type=row["type"],
            facts=json.loads(row["facts"]),
            profile=profiles[row["organization_label"]][row["profile"]],
            created_at=row["created_at"],
            public_key=row["public_key"],
            seen_at=row["seen_at"],
            activation_key=row["activation_key"],
            release=row["release"],
            purpose=_load_purpose(row["purpose"]),
            installed=tuple(InstalledProduct(**each) for each in json.loads(row["installed"])),
            updated_at=row["updated_at"],
        )
        for row in found
    ]
