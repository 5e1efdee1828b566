"""`issbox user`: accounts and their roles."""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

import click

from issbox.cli.appliance.user_logins import password, ssh_key, token
from issbox.cli.appliance.user_options import name_option
from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.options import chosen_organization, yes_option
from issbox.cli.shapes import Field, Shape
from issbox.errors import CommandLineError
from issbox.model import Grant, Role

if TYPE_CHECKING:
    from issbox.workflows.context import Context
    from issbox.workflows.people.users import Account, Identity

F = TypeVar("F", bound=Callable[..., object])

user = noun("user")
user.add_command(password)
user.add_command(token)
user.add_command(ssh_key)


def _roles(grants: tuple[Grant, ...]) -> list[dict[str, object]]:
    return [
        {"role": str(each.role), "organization": each.organization, "products": list(each.products)} for each in grants
    ]


def _show_roles(value: object) -> str:
    """Write roles for people: `exporter of ACME (Tools), viewer of Other`."""
    roles: list[dict[str, object]] = list(value) if isinstance(value, list) else []
    words = []
    for each in roles:
        products = each["products"] if isinstance(each["products"], list) else []
        where = f" of {each['organization']}" if each["organization"] else ""
        words.append(f"{each['role']}{where}" + (f" ({', '.join(products)})" if products else ""))
    return ", ".join(words)


_ROLES = "array of objects: `role`, `organization` (null for super-admin), `products` (empty: not limited)"

USER: "Shape[Account]" = Shape(
    "user",
    (
        Field("name", "name, unique in the box; never changes", lambda each: each.user.name, column=True),
        Field("full_name", "name for people", lambda each: each.user.full_name, column=True),
        Field("disabled", "true when the user is kept out", lambda each: each.user.disabled, column=True),
        Field("roles", _ROLES, lambda each: _roles(each.grants), column=True, show=_show_roles),
        Field("created_at", "when it was made", lambda each: each.user.created_at),
    ),
)

IDENTITY: "Shape[Identity]" = Shape(
    "identity",
    (
        Field("actor", "name in the audit log", lambda each: each.actor.name),
        Field("origin", "`local`, or the address of the SSH client", lambda each: each.actor.origin),
        Field("user", "name of the user, or null for the local administrator", lambda each: each.user),
        Field("roles", _ROLES, lambda each: _roles(each.grants), show=_show_roles),
    ),
)


def _role_options(function: F) -> F:
    """Add what says which role in which organization for which products."""
    for option in (
        click.option(
            "--product",
            "products",
            multiple=True,
            metavar="LABEL",
            help="Only for this product. May be given several times.",
        ),
        click.option(
            "--organization",
            metavar="LABEL",
            help="In which organization. Not needed when there is only one; super-admin is for the whole box.",
        ),
        click.option("--role", required=True, type=click.Choice([str(role) for role in Role]), help="Which role."),
    ):
        function = option(function)
    return function


def _where(ctx: "Context", role: Role, organization: str | None) -> str | None:
    """Give the organization that a role is for: the one named, the only one, or none for a super-admin."""
    if role is Role.SUPER_ADMIN and organization is None:
        return None
    return chosen_organization(ctx, organization)


@command("create", group=user, example='issbox user create --name ann --full-name "Ann Other"', shape=USER)
@name_option(required=True)
@click.option("--full-name", default="", metavar="TEXT", help="Name for people. The name when left out.")
def create(run: Run, *, name: str, full_name: str) -> None:
    """Make a user. It may do nothing until it is granted a role, and needs an SSH key, password or token to come in."""
    from issbox.workflows.people import users

    made = users.create_user(run.open(), name=name, full_name=full_name)
    run.say(f"User {name} created.")
    run.show(USER, made)


@command("list", group=user, example="issbox user list", shape=USER, many=True)
def list_(run: Run) -> None:
    """List the users of this box with their roles."""
    from issbox.workflows.people import users

    run.show_all(USER, users.list_users(run.open()))


@command("info", group=user, example="issbox user info --name ann", shape=USER)
@name_option(required=True)
def info(run: Run, *, name: str) -> None:
    """Show one user with its roles."""
    from issbox.workflows.people import users

    run.show(USER, users.get_user(run.open(), name))


@command("update", group=user, example="issbox user update --name ann --disable", shape=USER)
@name_option(required=True)
@click.option("--full-name", metavar="TEXT", help="Its new name for people.")
@click.option("--disable/--enable", "disabled", default=None, help="Whether to keep it out, with its roles kept.")
def update(run: Run, *, name: str, full_name: str | None, disabled: bool | None) -> None:
    """Change the full name of a user, or keep it out.

    Whatever a disabled user begins from then on is refused, also in a console that is open; what has begun ends.
    """
    from issbox.workflows.people import users

    if full_name is None and disabled is None:
        raise CommandLineError("nothing to change: give --full-name, --disable or --enable")
    made = users.update_user(run.open(), name, full_name=full_name, disabled=disabled)
    run.say(f"User {name} updated.")
    run.show(USER, made)


@command("delete", group=user, example="issbox user delete --name ann --yes", shape=USER)
@name_option(required=True)
@yes_option
def delete(run: Run, *, name: str, yes: bool) -> None:
    """Delete a user with its roles, password, tokens and SSH keys. What it did stays in the audit log."""
    from issbox.workflows.people import users

    ctx = run.open()
    chosen = users.get_user(ctx, name)
    run.confirm(f"Delete the user {name} ({chosen.user.full_name})?", yes=yes)
    deleted = users.delete_user(ctx, name)
    run.say(f"User {name} deleted.")
    run.show(USER, deleted)


@command(
    "grant",
    group=user,
    example="issbox user grant --name ann --role exporter --organization ACME --product Tools",
    shape=USER,
)
@name_option(required=True)
@_role_options
def grant(run: Run, *, name: str, role: str, organization: str | None, products: tuple[str, ...]) -> None:
    """Grant a role in an organization, for some of its products or for all.

    A viewer sees, an exporter exports, an importer imports and approves, a promoter promotes, an org-admin does all
    of this and manages content, hosts and certificates. A super-admin does everything in the whole box.
    """
    from issbox.workflows.people import users

    ctx = run.open()
    where = _where(ctx, Role(role), organization)
    made = users.grant_role(ctx, name, Role(role), organization=where, products=tuple(sorted(set(products))))
    run.say(f"The user {name} has the role {role} from now on.")
    run.show(USER, made)


@command("revoke", group=user, example="issbox user revoke --name ann --role exporter --organization ACME", shape=USER)
@name_option(required=True)
@_role_options
def revoke(run: Run, *, name: str, role: str, organization: str | None, products: tuple[str, ...]) -> None:
    """Take a role away at once, or with --product some of the products it is limited to."""
    from issbox.workflows.people import users

    ctx = run.open()
    where = _where(ctx, Role(role), organization)
    made = users.revoke_role(ctx, name, Role(role), organization=where, products=tuple(sorted(set(products))))
    run.say(f"The role {role} of the user {name} was revoked.")
    run.show(USER, made)


@command("whoami", group=user, example="issbox user whoami", shape=IDENTITY)
def whoami(run: Run) -> None:
    """Show as whom this process acts and which roles it has.

    It is the local administrator of the box unless the environment variable ISSBOX_USER names a user.
    """
    from issbox.workflows.people import users

    run.show(IDENTITY, users.who_am_i(run.open()))
