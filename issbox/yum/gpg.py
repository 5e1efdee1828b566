"""Checking signatures with the system's gpg and rpmkeys, in a scratch directory that knows only the given keys."""

import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Final

from issbox.errors import InvalidValueError, MissingToolError, RepositorySignatureError

_PACKAGES: Final = {
    "gpg": "gpg (Debian, Ubuntu) or gnupg2 (Fedora, RHEL)",
    "rpmkeys": "rpm (every distribution; RHEL and Fedora have it already)",
}
_BATCH: Final = 64
"""Packages given to one rpmkeys; enough to make its start cheap."""
_TIMEOUT: Final = 3600

_VERDICTS: Final = {
    "BADSIG": "the signature does not belong to these bytes: one of the two was changed",
    "EXPSIG": "the signature has expired",
    "EXPKEYSIG": "the key that made it has expired",
    "REVKEYSIG": "the key that made it has been revoked",
    "ERRSIG": "it is made by another key, or in a way gpg does not accept",
    "NODATA": "it is not a signature",
}


def verify_detached(keys: Sequence[str], data: bytes, signature: bytes, *, name: str) -> None:
    """Check a detached signature against armored public keys.

    Raises RepositorySignatureError naming the file and what is wrong, InvalidValueError when the keys cannot be
    read, and MissingToolError when gpg is not installed.
    """
    with _scratch() as home:
        _import_into_gpg(home, keys)
        (home / "data").write_bytes(data)
        (home / "signature").write_bytes(signature)
        done = _run([*_gpg(home), "--status-fd", "1", "--verify", "signature", "data"], home)
    words = [line.split()[1:] for line in done.stdout.splitlines() if line.startswith("[GNUPG:] ")]
    status = {line[0]: line[1:] for line in words if line}
    bad = next((reason for word, reason in _VERDICTS.items() if word in status), None)
    if bad is not None or done.returncode != 0 or not {"GOODSIG", "VALIDSIG"} <= status.keys():
        key = next((status[word][0] for word in ("EXPKEYSIG", "REVKEYSIG", "ERRSIG") if status.get(word)), "")
        by = f" (key {key})" if key else ""
        raise RepositorySignatureError(f"the signature of {name} is not accepted{by}: {bad or 'gpg refuses it'}")


def check_packages(keys: Sequence[str], packages: Iterable[tuple[str, Path]]) -> None:
    """Check that every package is signed by one of the keys, and whole; packages are pairs of name and place.

    Raises RepositorySignatureError naming the first bad package, InvalidValueError when rpm cannot read a key, and
    MissingToolError when rpmkeys is not installed.
    """
    with _scratch() as home:
        for number, key in enumerate(keys):
            (home / f"key-{number}").write_text(key)
            done = _run([*_rpmkeys(home), "--import", f"key-{number}"], home)
            if done.returncode != 0:
                raise InvalidValueError(f"rpm cannot read the GPG key of the repository: {_last_line(done)}")
        waiting = iter(packages)
        while batch := list(islice(waiting, _BATCH)):
            _check_batch(home, batch)


def _check_batch(home: Path, batch: Sequence[tuple[str, Path]]) -> None:
    """Look at some packages under short names, so that rpm's output cannot be confused by theirs."""
    links = {f"p{number}.rpm": (home / f"p{number}.rpm", place) for number, (_, place) in enumerate(batch)}
    for link, place in links.values():
        link.symlink_to(place)
    try:
        done = _run([*_rpmkeys(home), "--checksig", "--verbose", *links], home)
    finally:
        for link, _ in links.values():
            link.unlink()
    reports: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in done.stdout.splitlines():
        if line[:1].isspace():
            lines.append(line.strip())
        else:
            lines = reports.setdefault(line.rstrip(":").rpartition("/")[2], [])
    for link_name, (package, _) in zip(links, batch, strict=True):
        problem = _problem(reports.get(link_name, []), _last_line(done))
        if problem is not None:
            raise RepositorySignatureError(f"the package {package} is not accepted: {problem}")


def _problem(report: Sequence[str], otherwise: str) -> str | None:
    """Say what is wrong with a package by rpm's lines about it, or None.

    A package may have several signatures; one by a known key is enough, but nothing may be wrong.
    """
    if not report:
        return f"rpm cannot read it ({otherwise})"
    signatures = [line for line in report if "signature" in line.lower()]
    wrong = [line for line in report if not line.endswith((": OK", ": NOKEY", ": NOTFOUND"))]
    if wrong:
        return f"rpm says {wrong[0]!r}"
    if not signatures:
        return "it is not signed"
    if not any(line.endswith(": OK") for line in signatures):
        return f"it is signed by another key ({signatures[0].removesuffix(': NOKEY')})"
    return None


@contextmanager
def _scratch() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="issbox-gpg-") as name:  # made with mode 0700
        yield Path(name)


def _import_into_gpg(home: Path, keys: Sequence[str]) -> None:
    for number, key in enumerate(keys):
        path = home / f"key-{number}"
        path.write_text(key)
        if _run([*_gpg(home), "--import", path.name], home).returncode != 0:
            raise InvalidValueError("gpg cannot read the GPG key of the repository")


def _gpg(home: Path) -> list[str]:
    return ["gpg", "--homedir", str(home), "--batch", "--no-tty", "--no-autostart", "--no-auto-key-retrieve"]


def _rpmkeys(home: Path) -> list[str]:
    return ["rpmkeys", "--dbpath", str(home / "rpmdb")]


def _run(command: list[str], directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "HOME": str(directory)}
    try:
        return subprocess.run(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except FileNotFoundError:
        raise MissingToolError(
            f"{command[0]} is needed to check signatures, but it is not installed: install {_PACKAGES[command[0]]}"
        ) from None
    except subprocess.TimeoutExpired:
        raise RepositorySignatureError(f"{command[0]} did not end within {_TIMEOUT} seconds") from None


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    text = (done.stderr.strip() or done.stdout.strip()).splitlines()
    return text[-1][:300] if text else f"exit code {done.returncode}"
