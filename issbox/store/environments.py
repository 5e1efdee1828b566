"""Rows of lifecycle environments."""

from datetime import datetime
from uuid import uuid4

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError
from issbox.model import LIBRARY, LifecycleEnvironment
from issbox.names import check_label
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import environment_id, organization_id
from issbox.store.tables import (
    ActivationKeyEnvironmentRow,
    ConsumerRow,
    EnvironmentOverrideRow,
    EnvironmentRow,
    OrganizationRow,
    ProfileEnvironmentRow,
    PromotionRow,
)


class Environments(Noun):
    """Lifecycle environments. Library comes with its organization and stays as long as it."""

    def create(self, environment: LifecycleEnvironment) -> LifecycleEnvironment:
        """Make an environment after its prior one.

        Without an id it gets one. Raises AlreadyExistsError for an id that is taken in the box, and also for a label
        that differs only in case, since file systems on the way may not tell them apart; InvalidValueError without a
        prior; NotFoundError.
        """
        check_label(environment.label, "lifecycle environment label")
        if environment.prior is None:
            raise InvalidValueError(f"the lifecycle environment {environment.label} needs a prior one")
        with transaction():
            for other in self.list(environment.organization):
                if other.label.casefold() == environment.label.casefold():
                    raise AlreadyExistsError(
                        f"{environment.organization} has the lifecycle environment {other.label} already"
                    )
            uid = environment.id or uuid4().hex
            if EnvironmentRow.select().where(EnvironmentRow.uid == uid).exists():
                raise AlreadyExistsError(f"there is a lifecycle environment with the id {uid} already")
            EnvironmentRow.insert(
                organization=organization_id(environment.organization),
                label=environment.label,
                name=environment.name,
                prior=environment_id(environment.organization, environment.prior),
                description=environment.description,
                serves_as_cdn=environment.serves_as_cdn,
                uid=uid,
                type=environment.type,
                content_prefix=environment.content_prefix,
                created_at=environment.created_at,
                updated_at=environment.created_at,
            ).execute()
            return self.get(environment.organization, environment.label)

    def get(self, organization: str, label: str) -> LifecycleEnvironment:
        """Give an environment; raises NotFoundError."""
        for environment in self.list(organization):
            if environment.label == label:
                return environment
        raise NotFoundError(
            f"the organization {organization} has no lifecycle environment {label!r}",
            listed="lifecycle-environment list",
        )

    def find(self, uid: str) -> LifecycleEnvironment | None:
        """Give the environment with this id, of whichever organization, or None."""
        query = EnvironmentRow.select(OrganizationRow.label, EnvironmentRow.label).join(OrganizationRow)
        row = first(query.where(EnvironmentRow.uid == uid))
        return None if row is None else self.get(*row)

    def update(
        self,
        organization: str,
        label: str,
        *,
        name: str | None = None,
        description: str | None = None,
        serves_as_cdn: bool | None = None,
        type_: str | None = None,
        content_prefix: str | None = None,
        at: datetime,
    ) -> LifecycleEnvironment:
        """Change what is given, at this time; raises NotFoundError."""
        changes = {
            "name": name,
            "description": description,
            "serves_as_cdn": serves_as_cdn,
            "type": type_,
            "content_prefix": content_prefix,
        }
        given = {field: value for field, value in changes.items() if value is not None}
        with transaction():
            identity = environment_id(organization, label)
            if given:
                EnvironmentRow.update(**given, updated_at=at).where(EnvironmentRow.id == identity).execute()
            return self.get(organization, label)

    def delete(self, organization: str, label: str) -> None:
        """Delete an environment with what it holds; those after it follow the one before it.

        Its overrides go too, and activation keys put no host into it any more. Raises NotFoundError, and InUseError for
        Library and as long as there are hosts in it (`consumers.leave_environment`).
        """
        if label == LIBRARY:
            raise InUseError("Library stays as long as its organization", hint="Delete the organization instead.")
        with transaction():
            identity, prior = environment_id(organization, label), self.get(organization, label).prior
            assert prior is not None, "only Library has none"
            inside = ProfileEnvironmentRow.select(ProfileEnvironmentRow.profile).where(
                ProfileEnvironmentRow.environment == identity
            )
            if ConsumerRow.select().where(ConsumerRow.profile.in_(inside)).exists():
                raise InUseError(f"there are hosts in the environment {label}", hint="Move them first.")
            for table in (
                PromotionRow,
                EnvironmentOverrideRow,
                ActivationKeyEnvironmentRow,
                ProfileEnvironmentRow,
            ):
                table.delete().where(table.environment == identity).execute()
            EnvironmentRow.update(prior=environment_id(organization, prior)).where(
                EnvironmentRow.prior == identity
            ).execute()
            EnvironmentRow.delete().where(EnvironmentRow.id == identity).execute()

    def list(self, organization: str) -> list[LifecycleEnvironment]:
        """Give the environments of an organization, Library first; raises NotFoundError."""
        prior = EnvironmentRow.alias()
        query = (
            EnvironmentRow.select(
                EnvironmentRow.label,
                EnvironmentRow.name,
                prior.label,
                EnvironmentRow.description,
                EnvironmentRow.serves_as_cdn,
                EnvironmentRow.uid,
                EnvironmentRow.type,
                EnvironmentRow.content_prefix,
                EnvironmentRow.created_at,
                EnvironmentRow.updated_at,
            )
            .left_outer_join(prior, on=(EnvironmentRow.prior == prior.id))
            .where(EnvironmentRow.organization == organization_id(organization))
            .order_by(EnvironmentRow.id)
        )
        return [
            LifecycleEnvironment(organization, label, name, before, description, bool(serves_as_cdn), *rest)
            for label, name, before, description, serves_as_cdn, *rest in rows(query)
        ]
