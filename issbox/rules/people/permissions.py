"""Who may do what: which role has which permission, and what the roles granted to a user add up to.

Box-wide things are asked for without an organization. A role that is limited to products covers a deed only when all
products of the deed are among its own.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from types import MappingProxyType
from typing import Final

from issbox.model import Grant, Role


class Permission(StrEnum):
    """Something that can be done."""

    BOX_READ = "box.read"
    BOX_MAINTAIN = "box.maintain"
    ORGANIZATION_MANAGE = "organization.manage"
    USER_MANAGE = "user.manage"
    TRUST_MANAGE = "trust.manage"
    SETTINGS_MANAGE = "settings.manage"
    CONTENT_READ = "content.read"
    CONTENT_MANAGE = "content.manage"
    CONTENT_EXPORT = "content.export"
    CONTENT_IMPORT = "content.import"
    CONTENT_APPROVE = "content.approve"
    CONTENT_PROMOTE = "content.promote"
    ENVIRONMENT_MANAGE = "environment.manage"
    CONSUMER_MANAGE = "consumer.manage"
    CERTIFICATE_MANAGE = "certificate.manage"
    AUDIT_READ = "audit.read"


MEANINGS: Final[Mapping[Permission, str]] = MappingProxyType(
    {
        Permission.BOX_READ: "see how the box is doing",
        Permission.BOX_MAINTAIN: "maintain the store and run the service",
        Permission.ORGANIZATION_MANAGE: "manage organizations",
        Permission.USER_MANAGE: "manage users",
        Permission.TRUST_MANAGE: "manage trusted keys",
        Permission.SETTINGS_MANAGE: "change settings of the box",
        Permission.CONTENT_READ: "see content",
        Permission.CONTENT_MANAGE: "manage or synchronize content",
        Permission.CONTENT_EXPORT: "export content",
        Permission.CONTENT_IMPORT: "import content",
        Permission.CONTENT_APPROVE: "approve imports",
        Permission.CONTENT_PROMOTE: "promote content",
        Permission.ENVIRONMENT_MANAGE: "manage lifecycle environments",
        Permission.CONSUMER_MANAGE: "manage hosts",
        Permission.CERTIFICATE_MANAGE: "manage certificates",
        Permission.AUDIT_READ: "read the audit log",
    }
)
"""Each permission in words, to stand after `may not`."""

BOX_WIDE: Final = frozenset(
    {
        Permission.BOX_READ,
        Permission.BOX_MAINTAIN,
        Permission.ORGANIZATION_MANAGE,
        Permission.USER_MANAGE,
        Permission.TRUST_MANAGE,
        Permission.SETTINGS_MANAGE,
    }
)
"""Permissions that belong to no organization."""

_SEE: Final = frozenset({Permission.BOX_READ, Permission.CONTENT_READ})

ROLES: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.VIEWER: _SEE,
        Role.EXPORTER: _SEE | {Permission.CONTENT_EXPORT},
        Role.IMPORTER: _SEE | {Permission.CONTENT_IMPORT, Permission.CONTENT_APPROVE},
        Role.PROMOTER: _SEE | {Permission.CONTENT_PROMOTE},
        Role.ORG_ADMIN: _SEE
        | {
            Permission.CONTENT_MANAGE,
            Permission.CONTENT_EXPORT,
            Permission.CONTENT_IMPORT,
            Permission.CONTENT_APPROVE,
            Permission.CONTENT_PROMOTE,
            Permission.CONSUMER_MANAGE,
            Permission.CERTIFICATE_MANAGE,
            Permission.AUDIT_READ,
        },
        Role.SUPER_ADMIN: frozenset(Permission),
    }
)
"""What each role may do in its organization; the whole table."""


class Verdict(Enum):
    """How a question is answered."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    HIDDEN = "hidden"
    """The user has no role in the organization at all, and must not learn that it exists."""


@dataclass(frozen=True, slots=True)
class Products:
    """The products of an organization that a permission covers."""

    labels: frozenset[str] | None
    """None: all of them, also those to come, and what belongs to no product."""

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return self.labels is None or bool(self.labels)

    def __contains__(self, label: str) -> bool:
        """Tell whether a product is covered."""
        return self.labels is None or label in self.labels

    def cover(self, labels: Collection[str]) -> bool:
        """Tell whether a deed on exactly these products is covered; one without products is the organization's."""
        return self.labels is None or (bool(labels) and self.labels.issuperset(labels))


_ALL: Final = Products(None)
_NONE: Final = Products(frozenset())


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a permission reaches, for filtering lists."""

    grants: tuple[Grant, ...]
    permission: Permission

    def products(self, organization: str | None) -> Products:
        """Give the products of an organization that are covered; without an organization, all or none."""
        return covered(self.grants, self.permission, organization)

    @property
    def everywhere(self) -> bool:
        """Whether it covers the whole box."""
        return _is_super(self.grants)

    @property
    def anywhere(self) -> bool:
        """Whether it covers anything at all."""
        return any(self.permission in permissions_of(grant) for grant in self.grants)


def permissions_of(grant: Grant) -> frozenset[Permission]:
    """Give what a grant lets do: its role's permissions, and environments where the organization hands them over."""
    return ROLES[grant.role] | ({Permission.ENVIRONMENT_MANAGE} if grant.environments else frozenset())


def covered(grants: Iterable[Grant], permission: Permission, organization: str | None) -> Products:
    """Give the products of an organization that these grants give the permission for."""
    grants = tuple(grants)
    if _is_super(grants):
        return _ALL
    if organization is None:
        box_wide = permission in BOX_WIDE and any(permission in permissions_of(grant) for grant in grants)
        return _ALL if box_wide else _NONE
    limits = [
        frozenset(grant.products)
        for grant in grants
        if grant.organization == organization and permission in permissions_of(grant) and permission not in BOX_WIDE
    ]
    return Products(None if frozenset() in limits else frozenset[str]().union(*limits))


def decide(
    grants: Iterable[Grant],
    permission: Permission,
    organization: str | None = None,
    products: Collection[str] = (),
) -> Verdict:
    """Answer whether these grants allow a deed on products of an organization, or on the box without one."""
    grants = tuple(grants)
    if covered(grants, permission, organization).cover(products):
        return Verdict.ALLOWED
    if organization is not None and all(grant.organization != organization for grant in grants):
        return Verdict.HIDDEN
    return Verdict.REFUSED


def allowed(
    grants: Iterable[Grant],
    permission: Permission,
    organization: str | None = None,
    products: Collection[str] = (),
) -> bool:
    """Tell whether these grants allow a deed on products of an organization, or on the box without one."""
    return decide(grants, permission, organization, products) is Verdict.ALLOWED


def roles_with(permission: Permission) -> tuple[Role, ...]:
    """Give the roles that have a permission, the least powerful first."""
    return tuple(role for role in Role if permission in ROLES[role])


def refusal(
    user: str,
    grants: Iterable[Grant],
    permission: Permission,
    organization: str | None = None,
    products: Collection[str] = (),
) -> str:
    """Say in words what a user may not do, and which roles would allow it."""
    where = " on this box" if organization is None else f" in the organization {organization}"
    what = f" of {_listed('the product', products)}" if products else ""
    limits = covered(grants, permission, organization)
    if limits:
        need = f"its roles there cover only {_listed('the product', limits.labels or ())}"
    else:
        *others, last = roles_with(permission)
        need = f"it takes the role {', '.join(others)} or {last}" if others else f"it takes the role {last}"
    return f"the user {user} may not {MEANINGS[permission]}{what}{where} ({permission}): {need}"


def _is_super(grants: Iterable[Grant]) -> bool:
    return any(grant.role is Role.SUPER_ADMIN for grant in grants)


def _listed(noun: str, labels: Collection[str]) -> str:
    return f"{noun}{'s' if len(labels) > 1 else ''} {', '.join(sorted(labels))}"
