"""How quick and how large the console is, beside `python -c "import textual"`. Run by `make bench`.

First paint is measured from the start of the process in a pseudo-terminal of its own, and from the start of the stock
client through a real sshd on the loopback; a key to its paint and the memory, on tables of 100,000 packages and 100,000
hosts of a real store. The limit is what importing textual alone costs on this machine. Everything is compiled before,
as in a package.
"""

import argparse
import os
import pty
import select
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fcntl import ioctl
from pathlib import Path
from statistics import median
from termios import TIOCSWINSZ

from makers.boxes import KEY, make_gap
from makers.sshd import PROGRAM, SSHD, make_key, start_sshd
from makers.stores import NOW, metadata, package, sha256

from benchmarks.promotions import register
from issbox.model import LIBRARY, LifecycleEnvironment, Role, VersionOrigin
from issbox.rules.people.authorized_keys import authorized_line
from issbox.wiring import open_context
from issbox.workflows.people import ssh_keys, users

PACKAGES = HOSTS = 100_000
FIRST_PAINT = 1.0
"""Seconds; the aim over ssh."""
KEY_TO_PAINT = 0.1
MEMORY = 150
"""MiB."""
_QUIET = 0.15
_PATIENCE = 60.0
_KEYS = (b"\x1b[B", b"\x1b[6~", b"\x1b[F", b"\x1b[H", b"\x1b[6~", b"\x1b[A") * 5


class Terminal:
    """A program in a pseudo-terminal of 80x24."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.started = time.perf_counter()
        self._master, slave = pty.openpty()
        ioctl(slave, TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, env=environment, start_new_session=True
        )
        os.close(slave)

    def until(self, words: bytes) -> float:
        """Give the time at which the words were written."""
        seen = b""
        while words not in seen:
            if not select.select([self._master], [], [], _PATIENCE)[0]:
                raise TimeoutError(f"{words!r} never came:\n{seen!r}")
            seen += os.read(self._master, 65_536)
        return time.perf_counter()

    def settle(self) -> float:
        """Wait until nothing more is written, and give when the last of it was."""
        last = time.perf_counter()
        while select.select([self._master], [], [], _QUIET)[0]:
            os.read(self._master, 65_536)
            last = time.perf_counter()
        return last

    def press(self, key: bytes) -> float:
        """Press a key and give the seconds until its paint began."""
        began = time.perf_counter()
        os.write(self._master, key)
        select.select([self._master], [], [], 5)
        took = time.perf_counter() - began
        self.settle()
        return took

    def memory(self) -> int:
        """Give the most memory that the process had, in MiB."""
        lines = Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) >> 10 for line in lines if line.startswith("VmHWM"))

    def close(self) -> None:
        """End the program."""
        self.process.terminate()
        self.process.wait(30)
        os.close(self._master)


def fill(root: Path, packages: int, hosts: int) -> Mapping[str, str]:
    """Make a box with a repository of so many packages and so many hosts, and give the environment of its processes."""
    gap = make_gap(root)
    ctx = gap.outside.context()
    with ctx.store.session(), ctx.store.versions.draft(KEY) as draft:
        draft.add([metadata("repomd"), *(package(number) for number in range(packages))])
        origin = VersionOrigin.IMPORT
        ctx.store.versions.commit(
            [draft], created_at=NOW, origin=origin, source="bench", repomd={KEY: sha256("repomd")}
        )
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.environments.create(LifecycleEnvironment("acme", "dev", "Dev", LIBRARY))
        register(ctx.store, hosts, "acme")
    environment = {**gap.outside.environment(), "TERM": "xterm", "LANG": "C.UTF-8", **compiled(root)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    return environment


def compiled(root: Path) -> dict[str, str]:
    """Give the setting that keeps compiled modules below a directory, away from the sources."""
    return {"PYTHONPYCACHEPREFIX": str(root / "compiled")}


@contextmanager
def over_ssh(root: Path, environment: Mapping[str, str]) -> Iterator[list[list[str]]]:
    """Give the commands of stock clients: one opens the console, one ends at once; none where there is no sshd."""
    if SSHD is None:
        yield []
        return
    ctx = open_context(environ=environment)
    users.create_user(ctx, name="ada", full_name="")
    users.grant_role(ctx, "ada", Role.SUPER_ADMIN)
    key, nothing = make_key(root / "ada", "ada"), make_key(root / "nothing", "nothing")
    ssh_keys.add_ssh_key(ctx, "ada", key.with_suffix(".pub").read_text())
    keys = root / "authorized_keys"
    words = [str(PROGRAM), "ssh", "session", "--state-dir", environment["ISSBOX_STATE_DIR"]]
    lines = [authorized_line(each, words) for each in ssh_keys.keys_that_open(ctx)]
    lines.append(f'restrict,pty,command="true" {nothing.with_suffix(".pub").read_text().strip()}')
    keys.write_text("\n".join(lines) + "\n")
    setting = "SetEnv " + " ".join(f"{name}={value}" for name, value in compiled(root).items())
    server, process = start_sshd(root, keys=[f"AuthorizedKeysFile {keys}", setting])
    try:
        yield [["ssh", *server.options(each), "-tt", "-p", str(server.port), server.account] for each in (key, nothing)]
    finally:
        process.terminate()
        process.wait(20)


def first_paints(command: Sequence[str], environment: Mapping[str, str], rounds: int) -> list[float]:
    """Give the seconds until the overview was there, each time; the first time, which compiles, is left out."""
    paints = []
    for _ in range(rounds + 1):
        terminal = Terminal(command, environment)
        paints.append(terminal.until(b"Overview of") - terminal.started)
        terminal.close()
    return paints[1:]


def keys_on_a_table(
    command: Sequence[str], environment: Mapping[str, str], way: Sequence[bytes]
) -> tuple[list[float], int]:
    """Go to a table by these keys; give the seconds from each key on it to its paint, and the MiB of the process."""
    terminal = Terminal(command, environment)
    terminal.until(b"Overview of")
    for key in way:
        terminal.settle()
        terminal.press(key)
    terminal.settle()
    keys = [terminal.press(key) for key in _KEYS]
    memory = terminal.memory()
    terminal.close()
    return keys, memory


def seconds_of(command: Sequence[str]) -> float:
    """Give the seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - began


def bare_import(environment: Mapping[str, str]) -> tuple[float, int]:
    """Give seconds and MiB of a process that only imports textual."""
    script = "import textual.app, textual.widgets; print(open('/proc/self/status').read())"
    began = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=environment)
    took = time.perf_counter() - began
    kilobytes = next(int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith("VmHWM"))
    return took, kilobytes >> 10


def main() -> int:
    """Measure and say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--packages", type=int, default=PACKAGES)
    parser.add_argument("--hosts", type=int, default=HOSTS)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as root:
        environment = fill(Path(root), chosen.packages, chosen.hosts)
        command = [sys.executable, "-m", "issbox", "tui"]
        paints = first_paints(command, environment, chosen.rounds)
        bare = [bare_import(environment) for _ in range(chosen.rounds)]
        with over_ssh(Path(root), environment) as clients:
            far = first_paints(clients[0], environment, chosen.rounds) if clients else []
            logins = [seconds_of(clients[1]) for _ in range(chosen.rounds)] if clients else []
        tables = {
            f"{chosen.packages} packages": keys_on_a_table(command, environment, (b"5", b"\r", b"\r", b"\r")),
            f"{chosen.hosts} hosts": keys_on_a_table(command, environment, (b"H",)),
        }
    first, imported = median(paints), median(seconds for seconds, _ in bare)
    print(f"first paint: {first:.2f} s (best {min(paints):.2f}), importing textual alone: {imported:.2f} s")
    if far:
        first = median(far)
        print(f"first paint over ssh: {first:.2f} s (best {min(far):.2f}), a login alone: {median(logins):.2f} s")
    good = first < FIRST_PAINT
    for name, (keys, memory) in tables.items():
        good = good and median(keys) < KEY_TO_PAINT and memory < MEMORY
        print(f"key to paint over {name}: median {median(keys) * 1e3:.0f} ms, most {max(keys) * 1e3:.0f} ms")
        print(f"memory after that: {memory} MiB, importing textual alone: {bare[0][1]} MiB")
    print(f"aims of {FIRST_PAINT:.0f} s, {KEY_TO_PAINT * 1e3:.0f} ms, {MEMORY} MiB: {'met' if good else 'NOT met'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
