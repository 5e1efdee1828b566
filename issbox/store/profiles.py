"""Rows of host profiles: what hosts have in common, found or made when it is needed."""

import json
from collections.abc import Collection, Sequence
from typing import Any

from issbox.model import HostProfile
from issbox.store.database import first, rows, transaction
from issbox.store.organizations import environment_id, organization_id
from issbox.store.tables import ConsumerRow, EnvironmentRow, ProfileEnvironmentRow, ProfileRow

_FEW = 500
"""Row ids named in one statement; with more of them, all are read."""


def profile_id(organization: str, profile: HostProfile) -> int:
    """Give the row id of a profile, made if it is new; raises NotFoundError for its environments."""
    owner = organization_id(organization)
    environments = [environment_id(organization, label) for label in profile.environments]
    key = json.dumps([profile.version, list(profile.arches), profile.orphaned, environments], separators=(",", ":"))
    row = first(ProfileRow.select(ProfileRow.id).where(ProfileRow.organization == owner, ProfileRow.key == key))
    if row is not None:
        return int(row[0])
    with transaction():
        made = ProfileRow.insert(
            organization=owner,
            arches=json.dumps(list(profile.arches)),
            version=profile.version,
            orphaned=profile.orphaned,
            key=key,
        ).execute()
        for priority, environment in enumerate(environments):
            ProfileEnvironmentRow.insert(profile=made, priority=priority, environment=environment).execute()
        return int(made)


def read_profiles(organization: str, only: Collection[int] | None = None) -> dict[int, HostProfile]:
    """Give the profiles of an organization by row id, all or only those with these row ids."""
    owner = organization_id(organization)
    few = only is not None and len(only) <= _FEW
    environments: dict[int, list[str]] = {}
    query = (
        ProfileEnvironmentRow.select(ProfileEnvironmentRow.profile, EnvironmentRow.label)
        .join(EnvironmentRow)
        .where(EnvironmentRow.organization == owner)
        .order_by(ProfileEnvironmentRow.profile, ProfileEnvironmentRow.priority)
    )
    if few:
        query = query.where(ProfileEnvironmentRow.profile.in_(only))
    for identity, label in rows(query):
        environments.setdefault(identity, []).append(label)
    known = ProfileRow.select(ProfileRow.id, ProfileRow.arches, ProfileRow.version, ProfileRow.orphaned)
    if few:
        known = known.where(ProfileRow.id.in_(only))
    return {
        identity: HostProfile(tuple(environments.get(identity, ())), tuple(json.loads(arches)), version, bool(orphaned))
        for identity, arches, version, orphaned in rows(known.where(ProfileRow.organization == owner))
    }


def replace_profile(old: int, new: int) -> int:
    """Let every host with one profile have another one, in one statement; gives their number."""
    return int(ConsumerRow.update(profile=new).where(ConsumerRow.profile == old).execute())


def drop_unused_profiles(organization: str) -> None:
    """Delete the profiles that no host has."""
    used = ConsumerRow.select(ConsumerRow.profile)
    unused: Sequence[Any] = [
        identity
        for (identity,) in rows(
            ProfileRow.select(ProfileRow.id).where(
                ProfileRow.organization == organization_id(organization), ProfileRow.id.not_in(used)
            )
        )
    ]
    for identity in unused:
        ProfileEnvironmentRow.delete().where(ProfileEnvironmentRow.profile == identity).execute()
        ProfileRow.delete().where(ProfileRow.id == identity).execute()
