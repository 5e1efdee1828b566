"""What every use case is given: the store, the settings, who asks and may what, the clock, and where progress goes."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from issbox.config import Settings
from issbox.errors import NotFoundError, NotPermittedError
from issbox.model import Actor, Grant, Role
from issbox.progress import Progress
from issbox.rules.people import permissions
from issbox.rules.people.permissions import Permission, Products, Reach, Verdict
from issbox.store import Store

__all__ = ["Context", "Permission"]

_EVERYTHING: Final = (Grant(Role.SUPER_ADMIN),)
_NAMED: Final = 3
"""How many super-admins a hint names."""


@dataclass(frozen=True, slots=True)
class Context:
    """One request's surroundings. Cheap to make; the store in it may be shared between threads."""

    store: Store
    settings: Settings
    actor: Actor
    clock: Callable[[], datetime]
    """Gives the present time, aware UTC."""
    progress: Progress
    user: str | None = None
    """The user whose roles limit this request. None: the account that owns the box, which nothing limits."""

    def audit(
        self, action: str, subject: str, *, organization: str | None = None, details: dict[str, object] | None = None
    ) -> None:
        """Append an audit entry; call it inside the transaction of the change it tells of."""
        self.store.audit.append(
            at=self.clock(),
            actor=self.actor,
            action=action,
            subject=subject,
            organization=organization,
            details=details or {},
        )

    def acting_as(self, user: str, origin: str) -> "Context":
        """Give the same surroundings for a user, who comes from `origin` and is limited to what was granted."""
        return replace(self, actor=Actor(user, origin), user=user)

    def grants(self) -> tuple[Grant, ...]:
        """Give the roles of who asks, as they are now; none for a user who is disabled or does not exist."""
        if self.user is None:
            return _EVERYTHING
        with self.store.session():
            user = self.store.users.find(self.user)
            return () if user is None or user.disabled else self.store.grants.of(user.name)

    def reach(self, permission: Permission) -> Reach:
        """Give where a permission reaches, so that lists show only what the user may read."""
        return Reach(self.grants(), permission)

    def require(self, permission: Permission, organization: str | None = None, products: Collection[str] = ()) -> None:
        """Go on only when who asks may do this, to these products of the organization; every use case begins with it.

        Without products it is about the organization as a whole, and without an organization about the box. Raises
        NotPermittedError, and NotFoundError when the user has no role in the organization, whether it exists or not.
        A refusal is in the audit log, whatever becomes of the caller's transaction.
        """
        if self.user is None:
            return
        grants = self.grants()
        verdict = permissions.decide(grants, permission, organization, products)
        if verdict is not Verdict.ALLOWED:
            self._refuse(verdict, grants, permission, organization, products)

    def require_some(self, permission: Permission, organization: str | None) -> Products:
        """Give the products of the organization for which who asks has the permission; raises as `require` for none.

        For lists, and for what belongs to the organization and everybody with a role there may see.
        """
        grants = self.grants()
        products = permissions.covered(grants, permission, organization)
        if not products:
            self._refuse(permissions.decide(grants, permission, organization), grants, permission, organization, ())
        return products

    def require_anywhere(self, permission: Permission) -> None:
        """Go on only when who asks has the permission in any organization; raises NotPermittedError.

        For deeds that begin before their organization is known; the organization's own `require` follows.
        """
        grants = self.grants()
        if not Reach(grants, permission).anywhere:
            self._refuse(Verdict.REFUSED, grants, permission, None, ())

    def _refuse(
        self,
        verdict: Verdict,
        grants: tuple[Grant, ...],
        permission: Permission,
        organization: str | None,
        products: Collection[str],
    ) -> None:
        user = self.user or self.actor.name
        with self.store.session():
            known = {each.label for each in self.store.organizations.list()}
            hint = self._whom_to_ask()
        if organization is None or organization in known:
            self._note_refusal(permission, organization, products)
        if verdict is Verdict.HIDDEN:
            raise NotFoundError(f"there is no organization {organization!r}", listed="organization list")
        raise NotPermittedError(permissions.refusal(user, grants, permission, organization, products), hint=hint)

    def _note_refusal(self, permission: Permission, organization: str | None, products: Collection[str]) -> None:
        def write() -> None:
            with self.store.session(), self.store.transaction():
                details: dict[str, object] = {"products": sorted(products)} if products else {}
                self.audit("permission.refuse", str(permission), organization=organization, details=details)

        self.store.after_transaction(write)

    def _whom_to_ask(self) -> str:
        granted = self.store.grants.all()
        active = [user.name for user in self.store.users.list() if not user.disabled]
        admins = [name for name in active if Grant(Role.SUPER_ADMIN) in granted.get(name, ())]
        if not admins:
            return NotPermittedError.hint
        more = " or another one" if len(admins) > _NAMED else ""
        return f"Ask a super-admin of the box for the role: {', '.join(admins[:_NAMED])}{more}."
