"""A real sshd on the loopback, with the configuration that is shipped, and stock clients that log in to it."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from makers.ports import free_port

SHIPPED = Path(__file__).parents[2] / "packaging/ssh/issbox.conf"
SSHD = shutil.which("sshd") or ("/usr/sbin/sshd" if Path("/usr/sbin/sshd").exists() else None)
PROGRAM = Path(sys.executable).with_name("issbox")
Done = subprocess.CompletedProcess[str]


def make_key(path: Path, comment: str) -> Path:
    """Make an Ed25519 key pair and give the private one."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path], check=True)
    return path


@dataclass(frozen=True)
class Server:
    """Where a running sshd listens, and how clients reach it."""

    directory: Path
    port: int

    def options(self, key: Path) -> list[str]:
        """Give the options that ssh, scp and sftp share."""
        settings = {
            "IdentitiesOnly": "yes",
            "IdentityFile": str(key),
            "UserKnownHostsFile": str(self.directory / "known_hosts"),
            "BatchMode": "yes",
            "LogLevel": "ERROR",
            "ConnectTimeout": "20",
        }
        return ["-F", "none", *(word for name, value in settings.items() for word in ("-o", f"{name}={value}"))]

    @property
    def account(self) -> str:
        return f"{getpass.getuser()}@127.0.0.1"

    def ssh(
        self,
        key: Path,
        *words: str,
        options: Sequence[str] = (),
        stdin: str = "",
        timeout: float = 60,
        environment: Mapping[str, str] | None = None,
    ) -> Done:
        """Run the stock client, with more variables if any are given; the words are what it sends as one command."""
        command = ["ssh", *self.options(key), "-p", str(self.port), *options, self.account, *words]
        return subprocess.run(
            command,
            input=stdin,
            env={**os.environ, **(environment or {})},
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def log(self) -> str:
        """Give what sshd has logged."""
        return (self.directory / "sshd.log").read_text(errors="replace")


def start_sshd(
    directory: Path, *, keys: Sequence[str], log_level: str = "INFO"
) -> tuple[Server, subprocess.Popen[bytes]]:
    """Start sshd with the shipped configuration, for this account; `keys` say where it finds keys."""
    assert SSHD is not None
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    port = free_port()
    host_key = make_key(directory / "host_key", "host")
    shipped = [line for line in SHIPPED.read_text().splitlines() if "AuthorizedKeys" not in line]
    lines = [
        f"Port {port}",
        "ListenAddress 127.0.0.1",
        f"HostKey {host_key}",
        f"PidFile {directory / 'sshd.pid'}",
        "UsePAM no",
        "StrictModes no",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "Subsystem sftp internal-sftp",
        f"LogLevel {log_level}",
        # What an administrator could carelessly allow, to see that sessions do not depend on it.
        "AcceptEnv LANG LC_* ISSBOX_* XDG_*",
        "AllowTcpForwarding yes",
        "AllowAgentForwarding yes",
        "X11Forwarding yes",
        *(line.replace("Match User issbox", f"Match User {getpass.getuser()}\n" + "\n".join(keys)) for line in shipped),
    ]
    configuration = directory / "sshd_config"
    configuration.write_text("\n".join(lines) + "\n")
    host = (directory / "host_key.pub").read_text().split()
    (directory / "known_hosts").write_text(f"[127.0.0.1]:{port} {host[0]} {host[1]}\n")
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", configuration], stderr=(directory / "sshd.log").open("wb"))
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Server(directory, port), process
        if process.poll() is not None:
            break
        time.sleep(0.05)
    process.kill()
    process.wait()
    raise AssertionError(f"sshd did not start: {(directory / 'sshd.log').read_text()}")
