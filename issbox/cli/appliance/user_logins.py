"""`issbox user password`, `issbox user token` and `issbox user ssh-key`: what users prove themselves with."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from issbox.cli.appliance.user_options import ask_password, chosen_user, name_option
from issbox.cli.command import Run, command
from issbox.cli.options import read_text_file, yes_option
from issbox.cli.shapes import Field, Shape
from issbox.errors import CommandLineError
from issbox.model import ApiToken, UserSshKey
from issbox.names import parse_time

if TYPE_CHECKING:
    from issbox.workflows.people.tokens import NewToken


@dataclass(frozen=True, slots=True)
class PasswordState:
    """Whether a user has a password."""

    user: str
    password: bool


PASSWORD = Shape[PasswordState](
    "password",
    (
        Field("user", "name of the user", lambda each: each.user),
        Field("password", "whether the user has one now", lambda each: each.password),
    ),
)

TOKEN = Shape[ApiToken](
    "token",
    (
        Field("user", "name of its user", lambda each: each.user),
        Field("name", "its name, unique among those of the user", lambda each: each.name, column=True),
        Field("created_at", "when it was made", lambda each: each.created_at, column=True),
        Field("expires_at", "when it ends, or null", lambda each: each.expires_at, column=True),
        Field("used_at", "when it was last used, to the hour, or null", lambda each: each.used_at, column=True),
    ),
)

NEW_TOKEN: "Shape[NewToken]" = Shape(
    "new token",
    (
        Field("user", "name of its user", lambda each: each.token.user),
        Field("name", "its name, unique among those of the user", lambda each: each.token.name),
        Field("created_at", "when it was made", lambda each: each.token.created_at),
        Field("expires_at", "when it ends, or null", lambda each: each.token.expires_at),
        Field("secret", "what the program shows; never shown again", lambda each: each.secret),
    ),
)

SSH_KEY = Shape[UserSshKey](
    "SSH key",
    (
        Field("user", "name of its user", lambda each: each.user, column=True),
        Field("type", "type of the key", lambda each: each.key.type, column=True),
        Field("fingerprint", "as `ssh-keygen -l` shows it", lambda each: each.key.fingerprint, column=True),
        Field("comment", "comment of the key, may be empty", lambda each: each.key.comment, column=True),
        Field("added_at", "when it was added", lambda each: each.added_at),
        Field("key", "the key in base64", lambda each: each.key.key, show=lambda _: "shown with --json"),
    ),
)


@command("password", example="issbox user password --name ann", shape=PASSWORD)
@name_option(required=False)
@click.option("--file", metavar="FILE", help="Read the password from the first line of a file; - for standard input.")
@click.option("--remove", is_flag=True, help="Take the password away: the user comes in by token or SSH key only.")
def password(run: Run, *, name: str | None, file: str | None, remove: bool) -> None:
    """Set the password with which a user comes in over the API. It is asked for at the terminal.

    Only an Argon2 hash is kept. After five wrong attempts in a row each one more doubles the time to wait.
    """
    from issbox.workflows.people import passwords

    if remove and file is not None:
        raise CommandLineError("--remove goes without --file")
    ctx = run.open()
    user = chosen_user(ctx, name)
    if remove:
        passwords.remove_password(ctx, user)
        run.say(f"The user {user} has no password any more.")
    else:
        passwords.set_password(ctx, user, ask_password(file, "New password", option="--file", twice=True))
        run.say(f"The user {user} has a new password.")
    run.show(PASSWORD, PasswordState(user, not remove))


token = click.Group("token", help="Manage the tokens with which programs act as a user.")


@command(
    "create",
    group=token,
    example="issbox user token create --name ann --token backup --expires-at 2027-01-01T00:00:00Z",
    shape=NEW_TOKEN,
)
@name_option(required=False)
@click.option("--token", "label", required=True, metavar="LABEL", help="What to call it.")
@click.option("--expires-at", metavar="TIME", help="Until when it is accepted, ISO 8601. Without it, until revoked.")
def create_token(run: Run, *, name: str | None, label: str, expires_at: str | None) -> None:
    """Make a token that has the roles of the user. Its secret is shown once and not kept."""
    from issbox.workflows.people import tokens

    ctx = run.open()
    until = parse_time(expires_at) if expires_at is not None else None
    made = tokens.create_token(ctx, chosen_user(ctx, name), label, expires_at=until)
    run.say("Keep the secret now: it cannot be shown again.")
    run.show(NEW_TOKEN, made)


@command("list", group=token, example="issbox user token list --name ann", shape=TOKEN, many=True)
@name_option(required=False)
def list_tokens(run: Run, *, name: str | None) -> None:
    """List the tokens of a user, without their secrets."""
    from issbox.workflows.people import tokens

    ctx = run.open()
    run.show_all(TOKEN, tokens.list_tokens(ctx, chosen_user(ctx, name)))


@command("revoke", group=token, example="issbox user token revoke --name ann --token backup --yes", shape=TOKEN)
@name_option(required=False)
@click.option("--token", "label", required=True, metavar="LABEL", help="Which token.")
@yes_option
def revoke_token(run: Run, *, name: str | None, label: str, yes: bool) -> None:
    """Accept a token no longer."""
    from issbox.workflows.people import tokens

    ctx = run.open()
    user = chosen_user(ctx, name)
    run.confirm(f"Revoke the token {label} of the user {user}?", yes=yes)
    revoked = tokens.revoke_token(ctx, user, label)
    run.say(f"The token {label} of the user {user} is no longer accepted.")
    run.show(TOKEN, revoked)


ssh_key = click.Group("ssh-key", help="Manage the SSH keys with which users reach the box.")


@command("add", group=ssh_key, example="issbox user ssh-key add ann.pub --name ann", shape=SSH_KEY)
@click.argument("file")
@name_option(required=True)
def add_ssh_key(run: Run, *, file: str, name: str) -> None:
    """Let a user in with the public key in FILE (- for standard input), as ssh-keygen wrote it.

    Accepted are Ed25519, ECDSA, RSA of at least 2048 bits, and keys on security tokens. A key belongs to one user.
    """
    from issbox.rules.people.ssh_keys import LONGEST_LINE
    from issbox.workflows.people import ssh_keys

    line = read_text_file(file, "an SSH public key", LONGEST_LINE)
    added = ssh_keys.add_ssh_key(run.open(), name, line)
    run.say(f"The user {name} comes in with the key {added.key.fingerprint} from now on.")
    run.show(SSH_KEY, added)


@command("list", group=ssh_key, example="issbox user ssh-key list --name ann", shape=SSH_KEY, many=True)
@click.option("--name", metavar="NAME", help="Only keys of this user.")
def list_ssh_keys(run: Run, *, name: str | None) -> None:
    """List the SSH keys of all users or of one; without --name a user sees the own ones."""
    from issbox.workflows.people import ssh_keys

    ctx = run.open()
    run.show_all(SSH_KEY, ssh_keys.list_ssh_keys(ctx, name if name is not None else ctx.user))


@command(
    "remove",
    group=ssh_key,
    example="issbox user ssh-key remove SHA256:JeH5IPXCVvj0eRCSdLUNvVQ3xBmFVAUvXq0NmLHbDvU --name ann --yes",
    shape=SSH_KEY,
)
@click.argument("fingerprint")
@name_option(required=True)
@yes_option
def remove_ssh_key(run: Run, *, fingerprint: str, name: str, yes: bool) -> None:
    """Let a user in no longer with the key of this FINGERPRINT."""
    from issbox.workflows.people import ssh_keys

    ctx = run.open()
    run.confirm(f"Let the user {name} in no longer with the key {fingerprint}?", yes=yes)
    removed = ssh_keys.remove_ssh_key(ctx, name, fingerprint)
    run.say(f"The key {removed.key.fingerprint} of the user {name} is no longer accepted.")
    run.show(SSH_KEY, removed)
