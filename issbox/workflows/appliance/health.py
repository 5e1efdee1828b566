"""Whether a box is well: what needs a person now, each with the thing that it is about."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from issbox.errors import IssboxError, StoreDamagedError
from issbox.files import FileLock, error_from_os, open_regular
from issbox.model import CredentialKind, ImportState
from issbox.names import format_size, format_time, plural
from issbox.rules.health import Problem, Trouble, lacks_space
from issbox.workflows.context import Context, Permission
from issbox.workflows.exchange.skipped import skipping
from issbox.workflows.people.audit_log import agreed_heads
from issbox.workflows.visibility import seen_imports

_PLACES: Final = ("authority", "keys", "certificates")
"""Directories of the state directory where certificates of the box may lie."""
_NOT_OF_THE_BOX: Final = frozenset({"consumers", "manifests"})
_NAMES: Final = {
    ("keys", "authority"): "the authority of the box",
    ("keys", "web"): "the server certificate",
    ("keys", "redhat-entitlement-ca.pem"): "Red Hat's entitlement authority",
}
"""What people call what lies below these paths."""
_LARGEST: Final = 256 << 10
_MOST_FILES: Final = 1000


@dataclass(frozen=True, slots=True)
class Expiry:
    """A certificate, and when it ends."""

    what: str
    not_after: datetime


def problems(ctx: Context) -> list[Problem]:
    """Give what is wrong, as far as who asks may see it, the most urgent kinds last."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return [
            *_imports(ctx),
            *_space(ctx),
            *(
                Problem(Trouble.CERTIFICATE, f"{each.what} ends on {format_time(each.not_after)}")
                for each in expiring(ctx)
            ),
            *_service(ctx),
            *_damage(ctx),
        ]


def service_runs(ctx: Context) -> bool:
    """Tell whether a service holds the lock of this box."""
    lock = FileLock(ctx.store.locks / "serve.lock", shared=True)
    try:
        free = lock.try_acquire()
    except OSError as error:
        raise error_from_os(error) from error
    if free:
        lock.release()
    return not free


def expiring(ctx: Context) -> list[Expiry]:
    """Give the certificates of the box that end within the configured days, or have ended; call it inside a session."""
    soon = ctx.clock() + timedelta(days=ctx.settings.health.certificate_days)
    return sorted((each for each in _certificates(ctx) if each.not_after <= soon), key=lambda each: each.not_after)


def box_certificates(ctx: Context) -> list[Expiry]:
    """Give when the certificates of the box end, and content credentials that are certificates, the first one first."""
    ctx.require(Permission.BOX_READ)
    with ctx.store.session():
        return sorted(_certificates(ctx), key=lambda each: each.not_after)


def _imports(ctx: Context) -> Iterator[Problem]:
    for row in seen_imports(ctx, ctx.store.imports.list(states=(ImportState.REFUSED,))):
        yield Problem(Trouble.REFUSED, f"import {row.id} was refused: {row.reason}")
    for row in seen_imports(ctx, ctx.store.imports.list(states=(ImportState.SETTLED,))):
        if row.is_given_up:
            yield Problem(Trouble.WAITING, f"import {row.id} waits for a person: {row.reason}")
    long_ago = ctx.clock() - timedelta(days=ctx.settings.health.waiting_days)
    for row in seen_imports(ctx, ctx.store.imports.list(states=(ImportState.WAITING,))):
        if row.updated_at < long_ago:
            waits = f"for {row.waits_for} " if row.waits_for else ""
            yield Problem(Trouble.WAITING, f"import {row.id} waits {waits}since {format_time(row.updated_at)}")
    for row in skipping(ctx):
        yield Problem(Trouble.SKIPPED, f"import {row.id}: {row.reason}")


def _space(ctx: Context) -> Iterator[Problem]:
    usage = shutil.disk_usage(ctx.store.state_dir)
    if lacks_space(usage.free, usage.total, ctx.settings.health.low_space):
        free, total = format_size(usage.free), format_size(usage.total)
        yield Problem(Trouble.SPACE, f"only {free} of {total} are free for {ctx.store.state_dir}")


def _service(ctx: Context) -> Iterator[Problem]:
    if not service_runs(ctx):
        yield Problem(Trouble.SERVICE, "no service runs on this box (`issbox serve`)")


def _damage(ctx: Context) -> Iterator[Problem]:
    damaged = ctx.store.blob_checks.count_damaged()
    if damaged:
        yield Problem(Trouble.DAMAGED, f"damaged or missing: {plural(damaged, 'stored file')} (`issbox scrub`)")
    if ctx.user is not None:
        return  # the log is for those who may read it
    try:
        heads = agreed_heads(ctx, quick=True)
        if heads:
            ctx.store.audit.verify(heads[-1:], heads[-1])
    except StoreDamagedError as error:
        yield Problem(Trouble.DAMAGED, str(error))


def _certificates(ctx: Context) -> Iterator[Expiry]:
    kinds = {CredentialKind.CA_CERTIFICATE, CredentialKind.CLIENT_CERTIFICATE}
    for organization in ctx.store.organizations.list():
        if not ctx.reach(Permission.CONTENT_READ).products(organization.label):
            continue
        for credential in ctx.store.credentials.list(organization.label):
            if credential.kind in kinds:
                what = f"the content credential {credential.label} of {organization.label}"
                yield from _read(what, credential.content)
        manifest = ctx.store.manifests.find(organization.label)
        for each in () if manifest is None else manifest.certificates:
            what = f"the certificate {each.serial} of the subscription manifest of {organization.label}"
            yield Expiry(what, each.valid.not_after)
    for path in _files(ctx.store.state_dir):
        yield from _read(_in_words(path.relative_to(ctx.store.state_dir)), _text(path))


def _in_words(path: Path) -> str:
    """Say what a file of the state directory is, and where it lies."""
    for start, name in _NAMES.items():
        if path.parts[: len(start)] == start:
            return f"{name} ({path})"
    return str(path)


def _files(state_dir: Path) -> Iterator[Path]:
    """Give files that may hold certificates of the box itself, not those of hosts or organizations."""
    found = 0
    for name in _PLACES:
        for path in sorted((state_dir / name).rglob("*")):
            if not _NOT_OF_THE_BOX.intersection(path.parts) and path.suffix in {".pem", ".crt"} and path.is_file():
                found += 1
                if found > _MOST_FILES:
                    return
                yield path


def _text(path: Path) -> str:
    try:
        with open_regular(path) as source:
            return (source.read(_LARGEST) or b"").decode(errors="replace")
    except (OSError, IssboxError):
        return ""


def _read(what: str, text: str) -> Iterator[Expiry]:
    if "-----BEGIN CERTIFICATE-----" not in text:
        return
    from issbox.certs.certificates import read_certificates, validity_of

    try:
        for certificate in read_certificates(text, what):
            yield Expiry(what, validity_of(certificate).not_after)
    except IssboxError:
        return
