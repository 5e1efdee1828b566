"""Users and their roles: making, showing, changing and deleting them, and letting them in.

Every change is one transaction with its audit entry. In updates, None leaves a value as it is.
"""

from dataclasses import dataclass, replace

from issbox.errors import InvalidValueError, NotPermittedError
from issbox.model import Actor, Grant, Role, User
from issbox.names import check_name, check_user_name
from issbox.rules.changes import with_before
from issbox.workflows.context import Context, Permission


@dataclass(frozen=True, slots=True)
class Account:
    """A user with everything that is granted to it."""

    user: User
    grants: tuple[Grant, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks, as the box sees it."""

    actor: Actor
    user: str | None
    """None for the local administrator."""
    grants: tuple[Grant, ...]


def create_user(ctx: Context, *, name: str, full_name: str = "") -> Account:
    """Make a user without any role; raises AlreadyExistsError. Without a full name it is the name."""
    ctx.require(Permission.USER_MANAGE)
    check_user_name(name)
    full_name = check_name(full_name or name, "full name")
    with ctx.store.session(), ctx.store.transaction():
        user = ctx.store.users.create(User(name, full_name, ctx.clock().replace(microsecond=0)))
        ctx.audit("user.create", name, details={"full_name": full_name})
        return Account(user, ())


def list_users(ctx: Context) -> list[Account]:
    """Give all users with their roles, by name."""
    ctx.require(Permission.USER_MANAGE)
    with ctx.store.session():
        grants = ctx.store.grants.all()
        return [Account(user, grants.get(user.name, ())) for user in ctx.store.users.list()]


def get_user(ctx: Context, name: str) -> Account:
    """Give one user; raises NotFoundError. Everybody may see the own account."""
    require_self_or_manager(ctx, name)
    with ctx.store.session():
        return _account(ctx, name)


def update_user(ctx: Context, name: str, *, full_name: str | None = None, disabled: bool | None = None) -> Account:
    """Change the full name, or keep a user out or let it in again.

    Whatever a disabled user begins from then on is refused, also by a process that is running; what has begun ends.
    """
    ctx.require(Permission.USER_MANAGE)
    if full_name is not None:
        check_name(full_name, "full name")
    given = {"full_name": full_name, "disabled": disabled}
    changes: dict[str, object] = {field: value for field, value in given.items() if value is not None}
    with ctx.store.session(), ctx.store.transaction():
        before = ctx.store.users.get(name)
        ctx.store.users.update(name, full_name=full_name, disabled=disabled)
        ctx.audit("user.update", name, details=with_before(changes, before))
        return _account(ctx, name)


def delete_user(ctx: Context, name: str) -> Account:
    """Delete a user with roles, password, tokens and SSH keys, and give what it was; raises NotFoundError."""
    ctx.require(Permission.USER_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        account = _account(ctx, name)
        ctx.store.users.delete(name)
        ctx.audit("user.delete", name, details={"roles": [describe_grant(grant) for grant in account.grants]})
        return account


def grant_role(
    ctx: Context, name: str, role: Role, *, organization: str | None = None, products: tuple[str, ...] = ()
) -> Account:
    """Grant a role in an organization, for these products or for all; super-admin is for the whole box.

    Raises NotFoundError, AlreadyExistsError for what the user has already, InvalidValueError.
    """
    ctx.require(Permission.USER_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        for product in products or (None,):
            ctx.store.grants.add(name, role, organization, product)
        _audit_grant(ctx, "user.grant", name, Grant(role, organization, products))
        return _account(ctx, name)


def revoke_role(
    ctx: Context, name: str, role: Role, *, organization: str | None = None, products: tuple[str, ...] = ()
) -> Account:
    """Take a role away, or some of the products it is limited to; raises NotFoundError for what is not granted."""
    ctx.require(Permission.USER_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        for product in products or (None,):
            ctx.store.grants.remove(name, role, organization, product)
        _audit_grant(ctx, "user.revoke", name, Grant(role, organization, products))
        return _account(ctx, name)


def who_am_i(ctx: Context) -> Identity:
    """Say as whom this process acts and which roles it has."""
    return Identity(ctx.actor, ctx.user, ctx.grants())


def check_enters(ctx: Context, name: str) -> User:
    """Give the user who comes in; raises NotPermittedError for one who is disabled or does not exist."""
    try:
        check_user_name(name)
    except InvalidValueError as error:
        # It may hold anything, and is not worth more of the log than its beginning.
        _refuse_entry(replace(ctx, actor=Actor(ascii(name)[:64], ctx.actor.origin)), "not a user name")
        raise NotPermittedError(str(error)) from None
    with ctx.store.session():
        user = ctx.store.users.find(name)
    if user is None or user.disabled:
        _refuse_entry(ctx, "unknown" if user is None else "disabled")
        state = "is disabled" if user is not None else "does not exist"
        raise NotPermittedError(f"the user {name} may not use this box: the account {state}")
    return user


def require_self_or_manager(ctx: Context, name: str) -> None:
    """Go on only when a user asks about itself, or somebody who manages users; raises NotPermittedError."""
    if ctx.user is None or ctx.user != name:
        ctx.require(Permission.USER_MANAGE)


def describe_grant(grant: Grant) -> str:
    """Write a role as people read it: `exporter of ACME (Tools, Base)`."""
    where = "" if grant.organization is None else f" of {grant.organization}"
    return f"{grant.role}{where}" + (f" ({', '.join(grant.products)})" if grant.products else "")


def _account(ctx: Context, name: str) -> Account:
    return Account(ctx.store.users.get(name), ctx.store.grants.of(name))


def _refuse_entry(ctx: Context, reason: str) -> None:
    with ctx.store.session(), ctx.store.transaction():
        ctx.audit("permission.refuse", "user.enter", details={"reason": reason})


def _audit_grant(ctx: Context, action: str, name: str, grant: Grant) -> None:
    details: dict[str, object] = {"role": str(grant.role), "products": list(grant.products)}
    ctx.audit(action, name, organization=grant.organization, details=details)
