"""The private keys of hosts that were made here: one file each, mode 0600, named by the host's UUID."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from issbox.certs.keys import PrivateKey
from issbox.files import atomic_write, error_from_os
from issbox.private_files import read_secret
from issbox.workflows.context import Context

_SUFFIX: Final = ".pem"
_MOST_BYTES: Final = 64 << 10
_PART: Final = 500
"""Keys looked up at once."""
_REGISTERING: Final = timedelta(hours=1)
"""A key that is younger may belong to a host which is being registered this moment."""


def write_key(ctx: Context, uuid: str, private: PrivateKey) -> None:
    """Write the private key of a host."""
    try:
        with atomic_write(key_path(ctx, uuid), mode=0o600) as out:
            out.write(private.pem().encode())
    except OSError as error:
        raise error_from_os(error) from error


def read_key_file(ctx: Context, uuid: str) -> str:
    """Give the private key of a host in PEM; whoever calls this has asked who may have it."""
    return read_secret(key_path(ctx, uuid), "the key of the host", limit=_MOST_BYTES).decode()


def delete_key(ctx: Context, uuid: str) -> None:
    """Delete the private key of a host that is no more; never before its rows are gone for good."""
    key_path(ctx, uuid).unlink(missing_ok=True)


def forget_stray_keys(ctx: Context) -> int:
    """Delete the keys that belong to no host, left by a killed process, and give their number.

    Call it inside a session.
    """
    place = ctx.store.consumer_keys
    found = sorted(place.iterdir()) if place.is_dir() else []
    deleted = 0
    for start in range(0, len(found), _PART):
        part = found[start : start + _PART]
        known = ctx.store.consumers.known([path.stem for path in part if path.suffix == _SUFFIX])
        for path in part:
            stray = path.suffix != _SUFFIX or path.stem not in known
            if stray and ctx.clock() - datetime.fromtimestamp(path.lstat().st_mtime, UTC) > _REGISTERING:
                path.unlink(missing_ok=True)
                deleted += 1
    return deleted


def key_path(ctx: Context, uuid: str) -> Path:
    """Give the file of a host's private key."""
    return ctx.store.consumer_keys / f"{uuid}{_SUFFIX}"
