"""The files of a subscription manifest: entitlement certificates, the distributor's identity, and their private keys.

Each manifest has a directory of its own, which its row names: written before the row, and removed after the row is
gone. Nothing but this directory ever holds a key of it.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from issbox.certs.manifest_signature import CertificateAndKey
from issbox.files import FileLock, atomic_write, error_from_os, remove_tree
from issbox.names import check_label, is_label
from issbox.private_files import read_secret
from issbox.syncing import sync_directory
from issbox.workflows.context import Context

IDENTITY: Final = "identity"
"""Name of the files with the distributor's identity; those of entitlements are called by their serial."""
_ID: Final = re.compile("[0-9a-f]{32}")
_LARGEST: Final = 8 << 20


@contextmanager
def changing_manifest(ctx: Context, organization: str) -> Iterator[None]:
    """Hold the manifest of an organization against other processes; raises BusyError."""
    name = f"manifest-{check_label(organization)}.lock"
    with FileLock(ctx.store.locks / name, busy=f"another process is changing the manifest of {organization}"):
        yield


def certificate_path(ctx: Context, organization: str, identity: str, name: str) -> Path:
    """Give the file of a certificate of a manifest, which its key lies beside."""
    return _directory(ctx, organization, identity) / f"{check_label(name)}.pem"


def key_path(ctx: Context, organization: str, identity: str, name: str) -> Path:
    """Give the file of a private key of a manifest."""
    return certificate_path(ctx, organization, identity, name).with_suffix(".key")


def write_keys(
    ctx: Context,
    organization: str,
    identity: str,
    certificates: Sequence[CertificateAndKey],
    distributor: CertificateAndKey | None,
) -> None:
    """Write the certificates and keys of a manifest, for the owner of the state directory alone."""
    directory = _directory(ctx, organization, identity)
    pairs = {str(each.decoded.serial): each for each in certificates}
    if distributor is not None:
        pairs[IDENTITY] = distributor
    try:
        directory.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # the mode does not count for parents
        directory.mkdir(mode=0o700)
        for name, pair in pairs.items():
            for path, text in (
                (certificate_path(ctx, organization, identity, name), pair.certificate),
                (key_path(ctx, organization, identity, name), pair.key),
            ):
                with atomic_write(path, mode=0o600) as out:
                    out.write(text.encode())
        sync_directory(directory.parent)
    except OSError as error:
        raise error_from_os(error) from error


def read_certificate(path: Path) -> str:
    """Read a certificate of a manifest."""
    return read_secret(path, "the certificate", limit=_LARGEST).decode("ascii", "replace")


def remove_stray_keys(ctx: Context, organization: str) -> int:
    """Remove the directories of the organization's keys that no manifest names, and give their number.

    Call it inside `changing_manifest` and a session, outside of any transaction.
    """
    place = ctx.store.manifest_keys / check_label(organization)
    known = {each.id for each in ctx.store.manifests.all() if each.organization == organization}
    try:
        found = [each for each in place.iterdir() if _ID.fullmatch(each.name)] if place.is_dir() else []
        stray = [each for each in found if each.name not in known]
        for each in stray:
            remove_tree(each)
        if place.is_dir() and not any(place.iterdir()):
            place.rmdir()
    except OSError as error:
        raise error_from_os(error) from error
    return len(stray)


def mend_manifest_keys(ctx: Context) -> int:
    """Remove what killed imports and deletions of manifests left of keys, and give the number of directories.

    What another process is changing is left alone. Call it inside a session.
    """
    removed = 0
    root = ctx.store.manifest_keys
    places = [each for each in root.iterdir() if each.is_dir() and is_label(each.name)] if root.is_dir() else []
    for place in sorted(places):
        lock = FileLock(ctx.store.locks / f"manifest-{place.name}.lock")
        if lock.try_acquire():
            try:
                removed += remove_stray_keys(ctx, place.name)
            finally:
                lock.release()
    return removed


def _directory(ctx: Context, organization: str, identity: str) -> Path:
    return ctx.store.manifest_keys / check_label(organization) / check_label(identity)
