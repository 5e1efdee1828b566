"""Rows of users and of the roles granted to them."""

from collections import defaultdict
from typing import Any, Final

from issbox.errors import AlreadyExistsError, InvalidValueError, NotFoundError
from issbox.model import Grant, Role, User
from issbox.names import check_label, check_user_name
from issbox.store.database import Noun, first, rows, transaction
from issbox.store.organizations import organization_id
from issbox.store.tables import (
    AttemptRow,
    GrantRow,
    OrganizationRow,
    PasswordRow,
    SshKeyRow,
    TokenRow,
    UserRow,
)

_ALL_PRODUCTS: Final = ""


def user_id(name: str) -> int:
    """Give the row id of a user; raises NotFoundError."""
    row = first(UserRow.select(UserRow.id).where(UserRow.name == name))
    if row is None:
        raise NotFoundError(f"there is no user {name!r}", listed="user list")
    return int(row[0])


class Users(Noun):
    """Users."""

    def create(self, user: User) -> User:
        """Keep a new user; raises AlreadyExistsError."""
        check_user_name(user.name)
        with transaction():
            if self.find(user.name) is not None:
                raise AlreadyExistsError(f"the user {user.name} exists already", hint="Choose another name.")
            UserRow.create(name=user.name, full_name=user.full_name, created_at=user.created_at, disabled=user.disabled)
        return user

    def find(self, name: str) -> User | None:
        """Give the user of this name, or None."""
        return next(iter(_read(_users().where(UserRow.name == name))), None)

    def get(self, name: str) -> User:
        """Give a user; raises NotFoundError."""
        user = self.find(name)
        if user is None:
            raise NotFoundError(f"there is no user {name!r}", listed="user list")
        return user

    def list(self) -> list[User]:
        """Give all users by name."""
        return _read(_users().order_by(UserRow.name))

    def update(self, name: str, *, full_name: str | None = None, disabled: bool | None = None) -> User:
        """Change what is given; raises NotFoundError."""
        with transaction():
            present = self.get(name)
            UserRow.update(
                full_name=present.full_name if full_name is None else full_name,
                disabled=present.disabled if disabled is None else disabled,
            ).where(UserRow.name == name).execute()
            return self.get(name)

    def delete(self, name: str) -> None:
        """Delete a user with grants, password, tokens and keys; raises NotFoundError."""
        with transaction():
            identity = user_id(name)
            for table in (GrantRow, PasswordRow, TokenRow, SshKeyRow):
                table.delete().where(table.user == identity).execute()
            AttemptRow.delete().where(AttemptRow.subject == name).execute()
            UserRow.delete().where(UserRow.id == identity).execute()


class Grants(Noun):
    """Roles of users."""

    def of(self, user: str) -> tuple[Grant, ...]:
        """Give the roles of a user; none for a user who does not exist."""
        return _grants(_grant_query().where(UserRow.name == user)).get(user, ())

    def all(self) -> dict[str, tuple[Grant, ...]]:
        """Give the roles of every user that has any, by user name; super-admin first, then by organization."""
        return _grants(_grant_query())

    def add(self, user: str, role: Role, organization: str | None, product: str | None = None) -> None:
        """Grant a role, for one product of the organization or for all; the latter takes the limits away.

        Raises NotFoundError for user or organization, AlreadyExistsError for what the user has, and
        InvalidValueError for a super-admin of an organization or another role of none.
        """
        _check(role, organization, product)
        with transaction():
            owner, where = user_id(user), None if organization is None else organization_id(organization)
            present = {row[0] for row in rows(_same(GrantRow.select(GrantRow.product), owner, role, where))}
            if present & {_ALL_PRODUCTS, product or _ALL_PRODUCTS}:
                raise AlreadyExistsError(
                    f"the user {user} has {_describe(role, organization, product)} already",
                    hint="There is nothing to do. To limit it to products, revoke it first.",
                )
            if product is None:
                _same(GrantRow.delete(), owner, role, where).execute()
            GrantRow.create(user=owner, role=role.value, organization=where, product=product or _ALL_PRODUCTS)

    def remove(self, user: str, role: Role, organization: str | None, product: str | None = None) -> None:
        """Take a role away, or one of the products it is limited to; raises NotFoundError."""
        _check(role, organization, product)
        with transaction():
            owner, where = user_id(user), None if organization is None else organization_id(organization)
            query = _same(GrantRow.delete(), owner, role, where)
            if product is not None:
                query = query.where(GrantRow.product == product)
            if not query.execute():
                raise NotFoundError(
                    f"the user {user} does not have {_describe(role, organization, product)}",
                    hint="`issbox user info` shows the roles. One that is for all products is revoked as a whole.",
                )


def _grant_query() -> Any:
    return (
        GrantRow.select(
            UserRow.name,
            GrantRow.role,
            OrganizationRow.label,
            OrganizationRow.hands_over_environments,
            GrantRow.product,
        )
        .join(UserRow, on=(GrantRow.user == UserRow.id))
        .left_outer_join(OrganizationRow, on=(GrantRow.organization == OrganizationRow.id))
    )


def _grants(query: Any) -> dict[str, tuple[Grant, ...]]:
    products: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    handing_over = set()
    for user, role, organization, hands_over, product in rows(query):
        products[user, organization or "", role].add(product)
        if hands_over:
            handing_over.add(organization)
    found: dict[str, list[Grant]] = defaultdict(list)
    for (user, organization, role), labels in sorted(products.items()):
        limits = () if _ALL_PRODUCTS in labels else tuple(sorted(labels))
        with_environments = role == Role.ORG_ADMIN and organization in handing_over
        found[user].append(Grant(Role(role), organization or None, limits, with_environments))
    return {user: tuple(grants) for user, grants in found.items()}


def _check(role: Role, organization: str | None, product: str | None) -> None:
    if role is Role.SUPER_ADMIN and (organization is not None or product is not None):
        raise InvalidValueError(
            "a super-admin is one for the whole box, not for an organization",
            hint="Leave organization and product out, or choose org-admin.",
        )
    if role is not Role.SUPER_ADMIN and organization is None:
        raise InvalidValueError(f"the role {role} is granted in an organization", hint="Name one with --organization.")
    if product is not None:
        check_label(product, "product label")


def _describe(role: Role, organization: str | None, product: str | None) -> str:
    where = "" if organization is None else f" in the organization {organization}"
    return f"the role {role}{where}" + ("" if product is None else f" for the product {product}")


def _same(query: Any, user: int, role: Role, organization: int | None) -> Any:
    # `== None` becomes IS NULL.
    return query.where(GrantRow.user == user, GrantRow.role == role.value, GrantRow.organization == organization)


def _users() -> Any:
    return UserRow.select(UserRow.name, UserRow.full_name, UserRow.created_at, UserRow.disabled)


def _read(query: Any) -> list[User]:
    return [User(*row) for row in rows(query)]
