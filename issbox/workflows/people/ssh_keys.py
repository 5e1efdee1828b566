"""SSH public keys of users, with which they reach the console and the commands of their roles."""

from issbox.errors import NotFoundError
from issbox.model import UserSshKey
from issbox.rules.people.ssh_keys import parse_ssh_key
from issbox.workflows.context import Context, Permission
from issbox.workflows.people.users import require_self_or_manager

_PREFIX = "SHA256:"
_LONGEST_SUBJECT = 500
"""Characters of a refused command that the audit log keeps."""


def add_ssh_key(ctx: Context, user: str, line: str) -> UserSshKey:
    """Let a user in with the key of this line, as it stands in a `.pub` file.

    Raises InvalidValueError, NotFoundError for the user, and AlreadyExistsError for a key that any user has.
    """
    ctx.require(Permission.USER_MANAGE)
    owned = UserSshKey(user, parse_ssh_key(line), ctx.clock().replace(microsecond=0))
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.ssh_keys.add(owned)
        details: dict[str, object] = {"fingerprint": owned.key.fingerprint, "comment": owned.key.comment}
        ctx.audit("user.ssh-key-add", user, details=details)
    return owned


def list_ssh_keys(ctx: Context, user: str | None = None) -> list[UserSshKey]:
    """Give the keys of a user, or of all users; everybody may see the own ones."""
    if user is None:
        ctx.require(Permission.USER_MANAGE)
    else:
        require_self_or_manager(ctx, user)
    with ctx.store.session():
        return list(ctx.store.ssh_keys.list(user))


def remove_ssh_key(ctx: Context, user: str, fingerprint: str) -> UserSshKey:
    """Let a user in with this key no longer and give what it was; the fingerprint goes without `SHA256:` too."""
    ctx.require(Permission.USER_MANAGE)
    wanted = _PREFIX + fingerprint.removeprefix(_PREFIX)
    with ctx.store.session(), ctx.store.transaction():
        owned = ctx.store.ssh_keys.find(wanted)
        if owned is None or owned.user != user:
            raise NotFoundError(
                f"the user {user} has no SSH key {wanted}", hint="`issbox user ssh-key list` shows the fingerprints."
            )
        ctx.store.ssh_keys.remove(user, wanted)
        details: dict[str, object] = {"fingerprint": owned.key.fingerprint, "comment": owned.key.comment}
        ctx.audit("user.ssh-key-remove", user, details=details)
    return owned


def keys_that_open(ctx: Context, fingerprint: str | None = None) -> list[UserSshKey]:
    """Give the keys that sshd should accept: those of users who are not disabled, all or the one of a fingerprint."""
    ctx.require(Permission.USER_MANAGE)
    with ctx.store.session():
        if fingerprint is None:
            keys = ctx.store.ssh_keys.list(None)
        else:
            found = ctx.store.ssh_keys.find(fingerprint)
            keys = [found] if found is not None else []
        enabled = {user.name for user in ctx.store.users.list() if not user.disabled}
    return [each for each in keys if each.user in enabled]


def refuse_remote(ctx: Context, command: str, reason: str) -> None:
    """Write down what somebody who came in over SSH was refused."""
    shown = command if command.isprintable() else ascii(command)
    with ctx.store.session(), ctx.store.transaction():
        ctx.audit("ssh.refuse", shown[:_LONGEST_SUBJECT], details={"reason": reason[:_LONGEST_SUBJECT]})
