"""What this box is: its identity and signing key, and the boxes whose bundles it accepts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from uuid import uuid4

from issbox.bundle.signature import SigningKey, generate_key, read_public_key
from issbox.config import Settings
from issbox.errors import AlreadyExistsError, InvalidValueError, StoreDamagedError
from issbox.files import FileLock, atomic_write, error_from_os
from issbox.model import Actor, Box, TrustedKey
from issbox.names import check_label, check_name
from issbox.progress import Progress
from issbox.store import Store, create_store
from issbox.store.opening import unfinished_restore
from issbox.workflows.context import Context, Permission

STEPS: Final = ("create-store", "make-key", "record-box")
"""What `initialize` announces, in order."""

SIGNING_KEY: Final = Path("keys", "signing.pem")
"""Where the private key lies in the state directory."""

LARGEST_KEY: Final = 64 << 10
"""Bytes; a public key has about a hundred, so that anything larger is another file."""


def initialize(
    settings: Settings,
    *,
    name: str,
    organization_label: str,
    organization_name: str,
    actor: Actor,
    clock: Callable[[], datetime],
    progress: Progress,
) -> Box:
    """Make a box: state directory, inbox, signing key, identity, and the first organization with its Library.

    The row of the box is written last, in one transaction: killed before it, there is no box yet and running it again
    finishes the work. Raises AlreadyExistsError when there is a box, and BusyError while another process makes one.
    """
    check_name(name, "box name")
    check_label(organization_label, "organization label")
    check_name(organization_name, "organization name")
    with making_a_box(settings):
        if unfinished_restore(settings.state_dir).exists():
            raise AlreadyExistsError(
                f"{settings.state_dir} holds what an interrupted restore left",
                hint="Run `issbox restore FILE` again. To make another box instead, empty the directory first.",
            )
        try:
            # Without it, the first bundle copied to the inbox would become the inbox.
            settings.inbox.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise error_from_os(error) from error
        progress.step("create-store", f"in {settings.state_dir}")
        store = create_store(settings.state_dir, settings.database_url)
        progress.step("make-key")
        key = _make_signing_key(store)
        progress.step("record-box")
        box = Box(id=str(uuid4()), name=name, key_id=key.key_id, created_at=clock().replace(microsecond=0))
        ctx = Context(store, settings, actor, clock, progress)
        with store.session(), store.transaction():
            store.box.create(box)
            store.organizations.create(organization_label, organization_name, clock())
            ctx.audit("box.initialize", box.id, details={"name": name, "key_id": box.key_id})
            ctx.audit(
                "organization.create",
                organization_label,
                organization=organization_label,
                details={"name": organization_name},
            )
        return box


@contextmanager
def making_a_box(settings: Settings) -> Iterator[None]:
    """Make the state directory, and let no other process make or restore a box in it meanwhile; raises BusyError."""
    locks = settings.state_dir / "locks"
    try:
        settings.state_dir.mkdir(mode=0o755, parents=True, exist_ok=True)
        locks.mkdir(mode=0o700, exist_ok=True)
    except OSError as error:
        raise error_from_os(error) from error
    with FileLock(locks / "initialize.lock", busy=f"another process is making a box in {settings.state_dir}"):
        yield


def _make_signing_key(store: Store) -> SigningKey:
    """Make the signing key, or take the one that an interrupted `initialize` left: it has signed nothing yet."""
    path = store.state_dir / SIGNING_KEY
    if not path.exists():
        with atomic_write(path, mode=0o600) as out:
            out.write(generate_key())
    return SigningKey.load(path)


def show(ctx: Context) -> Box:
    """Give the identity of this box."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return ctx.store.box.get()


def signing_key(ctx: Context) -> SigningKey:
    """Give the key that signs this box's bundles; raises StoreDamagedError when it is missing or another one."""
    path = ctx.store.state_dir / SIGNING_KEY
    with ctx.store.session():
        box = ctx.store.box.get()
    if not path.exists():
        raise StoreDamagedError(
            f"the signing key {path} is missing", hint="Restore the file from a backup; its mode must be 0600."
        )
    key = SigningKey.load(path)
    if key.key_id != box.key_id:
        raise StoreDamagedError(
            f"{path} holds another key than the one this box was made with",
            hint="Restore the file from a backup: the other side trusts only the first key.",
        )
    return key


def public_key(ctx: Context) -> str:
    """Give the public key (PEM) that another box adds to accept this box's bundles."""
    ctx.require(Permission.BOX_READ)
    return signing_key(ctx).public_pem


def add_trusted_key(ctx: Context, pem: str, name: str | None = None) -> TrustedKey:
    """Accept bundles signed by this key from now on.

    Without a name the key is called `box-` and the first 8 digits of its fingerprint. Raises InvalidValueError for
    what is no public key, and AlreadyExistsError for a key or name that is there already.
    """
    ctx.require(Permission.TRUST_MANAGE)
    if "PRIVATE KEY" in pem:
        raise InvalidValueError(
            "this is a private key, which must never leave its box",
            hint="Add what `issbox box show --public-key` prints on the box whose bundles are to be accepted.",
        )
    if len(pem) > LARGEST_KEY:
        raise InvalidValueError(f"this is no public key: it has {len(pem)} characters")
    normalized, key_id = read_public_key(pem)
    name = check_name(name if name is not None else f"box-{key_id[:8]}", "key name")
    key = TrustedKey(name, key_id, normalized, ctx.clock().replace(microsecond=0))
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.trusted_keys.add(key)
        ctx.audit("trusted-key.add", name, details={"key_id": key_id})
    return key


def list_trusted_keys(ctx: Context) -> list[TrustedKey]:
    """Give the keys whose bundles are accepted."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return list(ctx.store.trusted_keys.list())


def get_trusted_key(ctx: Context, name_or_fingerprint: str) -> TrustedKey:
    """Give one trusted key by name or fingerprint; raises NotFoundError."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return ctx.store.trusted_keys.get(name_or_fingerprint)


def remove_trusted_key(ctx: Context, name_or_fingerprint: str) -> TrustedKey:
    """Accept no more bundles signed by this key, and give what it was; raises NotFoundError."""
    ctx.require(Permission.TRUST_MANAGE)
    with ctx.store.session(), ctx.store.transaction():
        key = ctx.store.trusted_keys.get(name_or_fingerprint)
        ctx.store.trusted_keys.remove(key.key_id)
        ctx.audit("trusted-key.remove", key.name, details={"key_id": key.key_id})
    return key


def find_public_key(ctx: Context, key_id: str) -> str | None:
    """Give the public key (PEM) of this fingerprint when it is trusted or this box's own, or None."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        if key_id == ctx.store.box.get().key_id:
            return public_key(ctx)
        key = ctx.store.trusted_keys.find(key_id)
        return key.public_key if key is not None else None
