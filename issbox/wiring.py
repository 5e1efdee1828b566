"""The one place that puts the parts together: settings, store, clock and who is asking."""

import getpass
import os
from collections.abc import Mapping
from datetime import UTC, datetime

from issbox.config import load_settings
from issbox.model import Actor
from issbox.progress import Progress, Silent
from issbox.store import open_store
from issbox.workflows.context import Context


def now() -> datetime:
    """Give the present time, aware UTC."""
    return datetime.now(UTC)


def calling_actor(environ: Mapping[str, str]) -> Actor:
    """Say who runs this process: the account, behind sudo if there is one, and the SSH client's address or `local`."""
    try:
        account = getpass.getuser()
    except (KeyError, OSError):
        account = str(os.getuid())
    invoker = environ.get("SUDO_USER")
    name = f"{account} (sudo by {invoker})" if invoker and invoker != account else account
    return Actor(name, environ.get("SSH_CONNECTION", "local").split(" ")[0])


def open_context(
    *, progress: Progress | None = None, actor: Actor | None = None, environ: Mapping[str, str] | None = None
) -> Context:
    """Open the box that the configuration names.

    Raises ConfigurationError, StoreTooNewError, DatabaseError, or NotInitializedError, also for the store without a
    box that an interrupted `issbox init` leaves.
    """
    environ = os.environ if environ is None else environ
    settings = load_settings(environ)
    store = open_store(settings.state_dir, settings.database_url)
    with store.session():
        store.box.get()
    return Context(store, settings, actor or calling_actor(environ), now, progress or Silent())
