"""Looking for what is wrong with a box and its surroundings, each finding with its fix; some are fixed on request."""

import os
import pwd
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from issbox.errors import IssboxError
from issbox.files import error_from_os, open_regular
from issbox.names import format_time
from issbox.rules.health import Trouble
from issbox.store.opening import unfinished_restore
from issbox.workflows.appliance.boxes import SIGNING_KEY, signing_key
from issbox.workflows.appliance.health import problems, service_runs
from issbox.workflows.certificates.certificates import forged_certificates
from issbox.workflows.certificates.revocation_lists import kept_at, kept_problem
from issbox.workflows.context import Context, Permission

_NETWORK: Final = frozenset({"9p", "afs", "ceph", "cifs", "fuse.sshfs", "glusterfs", "nfs", "nfs4", "smb3", "smbfs"})
_OPEN: Final = ("blobs", "published", "content")
_CLOSED: Final = frozenset({"keys", "heads", "incoming", "locks"})
"""Directories whose files are looked at one by one."""
_LOOPBACK: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # read from the settings, not bound
_PATIENCE: Final = 3.0
"""Seconds that a server on this machine has to take a connection."""
_CERTIFICATES: Final = 1 << 20
"""Bytes of a file of certificates at most."""
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that should be otherwise."""

    check: str
    """Which check found it: owner, modes, space, clock, certificates, database, keys, restore, inbox, ports, service,
    store."""
    what: str
    fix: str
    """What to do."""
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class _Found:
    check: str
    what: str
    fix: str
    mend: Callable[[], object] | None = None
    """Does it, when that can do no harm."""


def examine(ctx: Context, *, fix: bool = False) -> list[Finding]:
    """Look at everything; with `fix`, put right what can do no harm: modes of the box's files, a missing inbox."""
    ctx.require(Permission.BOX_MAINTAIN)
    findings = []
    with ctx.store.session():
        for check in (_owner, _modes, _keys, _restore, _issued, _database, _clock, _inbox, _ports, _health):
            findings += [_settle(found, fix=fix) for found in _looked(check, ctx)]
        mended = [each.what for each in findings if each.fixed]
        if mended:
            with ctx.store.transaction():
                ctx.audit("box.repair", "state directory", details={"fixed": mended[:100]})
    return findings


def _looked(check: Callable[[Context], Iterator[_Found]], ctx: Context) -> list[_Found]:
    """Give what a check finds; one that cannot be made is a finding itself and keeps no other from being made."""
    found: list[_Found] = []
    try:
        for each in check(ctx):
            found.append(each)  # noqa: PERF402  # what came before an error counts
    except (IssboxError, OSError) as error:
        told = error_from_os(error) if isinstance(error, OSError) else error
        found.append(_Found(check.__name__.strip("_"), f"this could not be looked at: {told}", told.hint))
    return found


def _settle(found: _Found, *, fix: bool) -> Finding:
    if fix and found.mend is not None:
        try:
            found.mend()
        except OSError as error:
            return Finding(found.check, f"{found.what} (could not be put right: {error_from_os(error)})", found.fix)
        return Finding(found.check, found.what, found.fix, fixed=True)
    return Finding(found.check, found.what, found.fix)


def _owner(ctx: Context) -> Iterator[_Found]:
    state_dir = ctx.store.state_dir
    owner = state_dir.stat().st_uid
    account = _name(owner)
    if os.geteuid() != owner:
        yield _Found(
            "owner",
            f"this runs as {_name(os.geteuid())}, but {state_dir} belongs to {account}",
            f"Run issbox as {account}: `runuser -u {account} -- issbox ...`.",
        )
    for path, status in _own_paths(state_dir):
        if status.st_uid != owner:
            fix = f"Run `chown -hR {account} {path}` as root."
            yield _Found("owner", f"{path} belongs to {_name(status.st_uid)}, not to {account}", fix)


def _own_paths(state_dir: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Give the state directory's entries and what lies in the private ones, not the many files of content.

    What goes away meanwhile, as locks do all the time, is left out.
    """
    for top in sorted(state_dir.iterdir()):
        inside = top.is_dir() and not top.is_symlink() and top.name in _CLOSED
        for path in (top, *(sorted(top.rglob("*")) if inside else ())):
            with suppress(FileNotFoundError):
                yield path, path.lstat()


def _modes(ctx: Context) -> Iterator[_Found]:
    state_dir = ctx.store.state_dir
    for name in _OPEN:
        path = state_dir / name
        if path.is_dir() and stat.S_IMODE(path.stat().st_mode) & 0o755 != 0o755:
            yield _chmod(path, 0o755, "cannot be read by a web server")
    for path, status in _own_paths(state_dir):
        mode = stat.S_IMODE(status.st_mode)
        if mode & _OTHERS and not stat.S_ISLNK(status.st_mode) and _is_private(path, state_dir):
            yield _chmod(path, mode & ~_OTHERS, "can be read by others than its owner")
    mode = stat.S_IMODE(state_dir.stat().st_mode)
    if mode & (stat.S_IWGRP | stat.S_IWOTH):
        yield _chmod(state_dir, mode & ~(stat.S_IWGRP | stat.S_IWOTH), "can be written by others than its owner")


def _is_private(path: Path, state_dir: Path) -> bool:
    """Tell whether nobody else may open it: every key for itself, and directories that close what lies in them."""
    first, *below = path.relative_to(state_dir).parts
    if first == "keys":
        return not _is_certificate(path)
    return not below and (
        first in {"heads", "incoming", "locks", "tmp"} or first.startswith(("issbox.db", "audit-heads"))
    )


def _is_certificate(path: Path) -> bool:
    """Tell whether a file holds certificates and no key: everybody may know those."""
    try:
        with open_regular(path) as source:
            start = source.read(_CERTIFICATES) or b""
    except (OSError, IssboxError):
        return False
    return start.startswith(b"-----BEGIN CERTIFICATE") and len(start) < _CERTIFICATES and b"PRIVATE KEY" not in start


def _chmod(path: Path, mode: int, why: str) -> _Found:
    return _Found("modes", f"{path} {why}", f"Run `chmod {mode:04o} {path}`.", lambda: path.chmod(mode))


def _keys(ctx: Context) -> Iterator[_Found]:
    try:
        signing_key(ctx)
    except IssboxError as error:
        key = ctx.store.state_dir / SIGNING_KEY
        yield _Found("keys", str(error), error.hint if key.is_file() else f"Bring {key} back from a backup.")


def _restore(ctx: Context) -> Iterator[_Found]:
    left = unfinished_restore(ctx.store.state_dir)
    if left.exists():
        yield _Found(
            "restore", f"{left} is what an interrupted restore left", "Run `issbox restore` with the same backup."
        )


def _issued(ctx: Context) -> Iterator[_Found]:
    """Look whether what was signed here is still what was signed: the list of what was revoked, and certificates."""
    wrong = kept_problem(ctx)
    if wrong:
        path = kept_at(ctx)
        fix = f"Delete {path}: another one is signed when somebody asks. Find out who could write it."
        yield _Found(
            "certificates", f"{path} is not what was offered: {wrong}", fix, lambda: path.unlink(missing_ok=True)
        )
    forged = forged_certificates(ctx)
    if forged:
        yield _Found(
            "certificates",
            f"the contents of {len(forged)} kept certificates, {forged[0]} among them, are not what this box signed",
            "Find out who could write to the database, restore a backup (`issbox restore`), or issue them anew with "
            "`issbox certificate regenerate --unchanged`.",
        )


def _database(ctx: Context) -> Iterator[_Found]:
    wrong = ctx.store.check_database()
    if wrong:
        yield _Found("database", f"the database is damaged: {wrong}", "Restore a backup: `issbox restore`.")


def _clock(ctx: Context) -> Iterator[_Found]:
    now = ctx.clock()
    last = ctx.store.audit.list(limit=1)
    if last and last[0].at > now + timedelta(minutes=5):
        yield _Found(
            "clock",
            f"the clock says {format_time(now)}, but the last change was made at {format_time(last[0].at)}",
            "Set the clock (`timedatectl`), and have it kept right by chrony or a reference clock of the network.",
        )


def _inbox(ctx: Context) -> Iterator[_Found]:
    settings = ctx.settings.inbox
    path = settings.path
    if not path.is_dir():
        yield _Found(
            "inbox",
            f"the inbox {path} is not there",
            f"Mount what belongs there, or run `mkdir -p {path}`.",
            None if path.is_mount() else lambda: path.mkdir(parents=True, exist_ok=True),
        )
        return
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield _Found("inbox", f"the inbox {path} may not be read and written", "Correct its owner or mode.")
    kind = file_system(path)
    if kind in _NETWORK and not settings.polling:
        yield _Found(
            "inbox",
            f"the inbox {path} lies on {kind}, where the kernel does not tell of changes",
            "Set `polling = true` in [inbox].",
        )


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """Give the type of the file system that a path lies on, as Linux names it (proc(5)); empty when nobody knows."""
    try:
        lines = [line.split(" ") for line in mounts.read_text(errors="replace").splitlines()]
    except OSError:
        return ""
    real = path.resolve()
    around = [
        (len(words[1]), number, words[2])
        for number, words in enumerate(lines)
        if len(words) > 2 and (real / "x").is_relative_to(words[1].replace("\\040", " "))
    ]
    return max(around, default=(0, 0, ""))[2]  # of several mounted at one place, the last one is seen


def _ports(ctx: Context) -> Iterator[_Found]:
    """Ask at every address that the service should serve: while it runs it answers, and otherwise nobody else does."""
    runs = service_runs(ctx)
    for address, port in ctx.settings.web.listen:
        host = _LOOPBACK.get(address.strip("[]"), address.strip("[]"))
        try:
            socket.create_connection((host, port), timeout=_PATIENCE).close()
        except OSError as error:
            if runs:
                yield _Found(
                    "ports",
                    f"nothing answers at {address}:{port}, though the service runs: {error.strerror or error}",
                    "Look into `journalctl -u issbox`, and at what else uses the port: `ss -ltnp`.",
                )
        else:
            if not runs:
                yield _Found(
                    "ports",
                    f"another program answers at {address}:{port}, so the service cannot start",
                    "See which one: `ss -ltnp`. End it, or change `listen` in [web].",
                )


_FIXES: Final = {
    Trouble.SPACE: (
        "space",
        "Run `issbox store cleanup`, delete old exports and archived bundles, or enlarge the disk.",
    ),
    Trouble.CERTIFICATE: ("certificates", "Renew it, or replace the content credential."),
    Trouble.SERVICE: ("service", "Run `systemctl start issbox`, and look into `journalctl -u issbox`."),
    Trouble.DAMAGED: (
        "store",
        "Mend files with `issbox scrub --from PATH` and any bundle that has them; see `issbox audit verify`.",
    ),
}


def _health(ctx: Context) -> Iterator[_Found]:
    for problem in problems(ctx):
        if problem.trouble in _FIXES:
            check, fix = _FIXES[problem.trouble]
            yield _Found(check, problem.what, fix)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
