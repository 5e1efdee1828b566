"""The one place that puts the parts together: settings, store, clock and who is asking."""

import getpass
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from issbox.config import load_settings
from issbox.errors import NotPermittedError
from issbox.model import Actor
from issbox.progress import Progress, Silent
from issbox.store import open_store
from issbox.workflows.context import Context
from issbox.workflows.people.users import check_enters

USER_VARIABLE: Final = "ISSBOX_USER"


def now() -> datetime:
    """Give the present time, aware UTC."""
    return datetime.now(UTC)


def calling_user(environ: Mapping[str, str]) -> str | None:
    """Give the name of the user that the forced command of an SSH key acts for, from ISSBOX_USER.

    None without it: whoever can start a process that writes the state directory owns the box, so that process acts
    as its local administrator (docs/adr/0008). An empty name is one that no user has.
    """
    return environ.get(USER_VARIABLE)


def calling_actor(environ: Mapping[str, str]) -> Actor:
    """Say who runs this process, and the SSH client's address or `local`.

    Who is the user of ISSBOX_USER, or else the account, with the one behind sudo.
    """
    origin = environ.get("SSH_CONNECTION", "local").split(" ")[0]
    user = calling_user(environ)
    if user is not None:
        return Actor(user, origin)
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    invoker = environ.get("SUDO_USER")
    return Actor(f"{account} (sudo by {invoker})" if invoker and invoker != account else account, origin)


def require_local_administrator(environ: Mapping[str, str]) -> None:
    """Raise NotPermittedError when a user's process does what only the owner of the state directory may."""
    if calling_user(environ) is not None:
        raise NotPermittedError(
            f"only the account that owns the state directory may do this, but {USER_VARIABLE} says that a user does",
            hint="Log in to that account on the box itself.",
        )


def open_context(
    *, progress: Progress | None = None, actor: Actor | None = None, environ: Mapping[str, str] | None = None
) -> Context:
    """Open the box that the configuration names, for the local administrator or the user of ISSBOX_USER.

    Raises ConfigurationError, StoreTooNewError, DatabaseError, NotPermittedError for a user who is disabled or does
    not exist, or NotInitializedError, also for the store without a box that an interrupted `issbox init` leaves.
    """
    environ = os.environ if environ is None else environ
    settings = load_settings(environ)
    store = open_store(settings.state_dir, settings.database_url)
    with store.session():
        store.box.get()
    user = calling_user(environ)
    ctx = Context(store, settings, actor or calling_actor(environ), now, progress or Silent(), user)
    if user is not None:
        check_enters(ctx, user)
    return ctx
