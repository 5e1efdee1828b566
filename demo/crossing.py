"""The whole way of a repository over the gap, on one machine: `make demo` runs this, or `issbox-demo` of the package.

It does what two administrators would type, shows it, and checks that it worked. It writes only below one temporary
directory, which it leaves for looking around.
"""

import argparse
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NoReturn
from urllib.error import HTTPError
from urllib.request import urlopen

import createrepo_c

HERE = Path(__file__).resolve().parent
PACKAGES = HERE / "packages"
INSTALLED = Path("/usr/share/issbox/demo") == HERE
"""Whether this is what the Debian or RPM package installs."""
PROGRAMS = Path("/usr/lib/issbox/bin") if INSTALLED else Path(sys.executable).parent
ISSBOX = PROGRAMS / "issbox"
CREATEREPO = [sys.executable, "-c", "import createrepo_c; createrepo_c.createrepo_c()"]
"""The program of the library, wherever its own entry point lies."""

PATIENCE = 60.0
"""Seconds that the service on the far side may take for a bundle of a few kilobytes."""


class FailedError(Exception):
    """A step of the demonstration did not do what it should."""


@dataclass(frozen=True)
class Box:
    """One issbox: where it keeps its state, and the prompt its commands are shown with."""

    side: str
    state: Path
    configuration: Path | None = None

    def environment(self) -> dict[str, str]:
        named = {} if self.configuration is None else {"ISSBOX_CONFIG": str(self.configuration)}
        return os.environ | {"ISSBOX_STATE_DIR": str(self.state)} | named

    def run(self, *words: str | Path, details: bool = False) -> None:
        """Show the command, run it and show what it tells; with details also the facts it prints."""
        run(f"{self.side}$", ["issbox", *map(str, words)], self.environment(), show=True, details=details)

    def ask(self, *words: str) -> object:
        """Give the answer of a command with --json, showing nothing."""
        answer: object = json.loads(run("", ["issbox", *words, "--json"], self.environment()))
        return answer


def run(
    prompt: str,
    command: Sequence[str],
    environment: dict[str, str] | None = None,
    *,
    show: bool = False,
    details: bool = True,
) -> str:
    """Run a command and give its standard output; FailedError with what it said when it fails."""
    if show:
        print(f"   {prompt} {shlex.join(command)}")
    program = [str(ISSBOX), *command[1:]] if command[0] == "issbox" else list(command)
    done = subprocess.run(
        program, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
    )
    if done.returncode != 0:
        said = textwrap.indent(done.stdout + done.stderr, "   ")
        raise FailedError(f"this command ended with exit code {done.returncode}:\n   {shlex.join(command)}\n{said}")
    if show:
        show_lines(done.stderr + (done.stdout if details else ""))
    return done.stdout


def show_lines(text: str, most: int = 14) -> None:
    lines = text.strip("\n").splitlines()
    for line in lines[:most]:
        print(f"     {line}".rstrip())
    if len(lines) > most:
        print(f"     ... and {len(lines) - most} more lines")


def step(number: int, title: str, explanation: str) -> None:
    print(f"\n{number}. {title}\n")
    print(textwrap.fill(explanation, 100, initial_indent="   ", subsequent_indent="   ") + "\n")


class QuietHandler(SimpleHTTPRequestHandler):
    """A web server's handler without a log."""

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name is the base class's
        """Say nothing."""


@contextmanager
def web_server(directory: Path) -> Iterator[str]:
    """Serve a directory on loopback; give its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(directory))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@contextmanager
def service(box: Box, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run `issbox serve` in the background, its output in a file."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [ISSBOX, "serve"], env=box.environment(), stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(what: str, probe: Callable[[], str | None], process: subprocess.Popen[bytes], log: Path) -> str:
    """Ask until there is an answer; fails when the service ends or nothing happens for too long."""
    started = time.monotonic()
    while time.monotonic() - started < PATIENCE:
        answer = probe()
        if answer is not None:
            print(f"     ... {what} after {time.monotonic() - started:.0f} s")
            return answer
        if process.poll() is not None:
            break
        time.sleep(0.5)
    raise FailedError(f"waited in vain: {what}. The service says:\n{textwrap.indent(log.read_text(), '   ')}")


def in_state(box: Box, state: str) -> str | None:
    """Give the id of the newest import in a state, if there is one."""
    imports = box.ask("content-import", "list")
    if not isinstance(imports, list):
        raise FailedError(f"content-import list gave {imports!r}")
    return next((str(found["id"]) for found in imports if found["state"] == state), None)


class Crossing:
    """The demonstration, one method a step."""

    def __init__(self, directory: Path) -> None:
        """Name everything; the process works in the directory, so that commands are shown with short paths."""
        self.directory = directory
        self.upstream = Path("upstream")
        self.connected = Box("connected", directory / "connected")
        self.disconnected = Box("disconnected", directory / "disconnected", directory / "disconnected.toml")
        self.port = free_port()
        self.log = Path("serve.log")

    def play(self) -> None:
        """Run all steps."""
        self.make_upstream()
        self.make_boxes()
        self.trust()
        with web_server(self.upstream) as url:
            self.synchronize(url)
        bundle = self.export()
        with service(self.disconnected, self.log) as process:
            self.carry_tampered(bundle, process)
            self.carry(bundle, process)
            self.compare()
            self.promote()
            self.register()
            self.install()
        self.farewell()

    def make_upstream(self) -> None:
        step(
            1,
            "A repository on the Internet",
            "Three small packages get the metadata that makes a folder a yum repository. A web server on this "
            "machine stands for the vendor's.",
        )
        print(f"   $ cd {self.directory}")
        shutil.copytree(PACKAGES, self.upstream)
        print(f"   $ createrepo_c {self.upstream}")
        run("", [*CREATEREPO, "--quiet", str(self.upstream)])
        show_lines("\n".join(sorted(path.name for path in self.upstream.glob("*.rpm"))))

    def make_boxes(self) -> None:
        step(
            2,
            "Two boxes, one on each side of the gap",
            "They share nothing: each has its own state directory, its own signing key and its own database. "
            "Both serve the organization Demo.",
        )
        configuration = Path("disconnected.toml")
        configuration.write_text(f'[web]\nlisten = ["127.0.0.1:{self.port}"]\nnames = ["localhost"]\n')
        print(f"   $ cat {configuration}")
        show_lines(configuration.read_text())
        for box in (self.connected, self.disconnected):
            named = f" ISSBOX_CONFIG={box.configuration}" if box.configuration else ""
            print(f"   {box.side}$ export ISSBOX_STATE_DIR={box.state}{named}")
            box.run("init", "--name", box.side, "--organization", "Demo")

    def trust(self) -> None:
        step(
            3,
            "The disconnected box learns whom to trust",
            "It will only accept bundles signed by keys it was given. This public key is carried over once, and the "
            "fingerprint compared by telephone.",
        )
        key = Path("connected.pem")
        command = ["issbox", "box", "show", "--public-key"]
        print(f"   connected$ {shlex.join(command)} > {key}")
        key.write_text(run("", command, self.connected.environment()))
        self.disconnected.run("trusted-key", "add", key, "--name", "connected")

    def synchronize(self, url: str) -> None:
        step(
            4,
            "Mirror the repository on the connected side",
            "Every file is checked against the checksums in the metadata, and the metadata is kept byte for byte. "
            "The result becomes visible only when it is complete.",
        )
        self.connected.run("product", "create", "--name", "Tools")
        self.connected.run("repository", "create", "--product", "Tools", "--name", "base", "--url", url)
        self.connected.run("repository", "synchronize", "--product", "Tools", "--repository", "base")

    def export(self) -> Path:
        step(
            5,
            "Write a bundle",
            "A bundle is a plain folder: a signed manifest, a table with the SHA-256 of every file, and the yum "
            "repository itself. Put it on any disk.",
        )
        disk = Path("disk")
        disk.mkdir()
        words = ["content-export", "complete", "repository", "--product", "Tools", "--repository", "base"]
        self.connected.run(*words, "--destination-server", "disconnected", "--output", disk)
        bundles = [path for path in disk.iterdir() if (path / "issbox-bundle.json").is_file()]
        if len(bundles) != 1:
            raise FailedError(f"expected one bundle in {disk}, found {len(bundles)}")
        print("   $ cd disk/*; find . -type f")
        files = sorted(str(path.relative_to(bundles[0])) for path in bundles[0].rglob("*") if path.is_file())
        show_lines("\n".join(name if len(name) < 90 else f"{name[:50]}...{name[-30:]}" for name in files), most=20)
        return bundles[0]

    def carry_tampered(self, bundle: Path, process: subprocess.Popen[bytes]) -> None:
        step(
            6,
            "A changed bundle is refused",
            "The disconnected side runs `issbox serve`, which watches its inbox folder. First it gets a copy in which "
            "somebody changed a single byte of a package. Once the copy has been quiet for a few seconds it is "
            "checked, moved to the quarantine, and nothing of it reaches the store.",
        )
        print("   disconnected$ issbox serve &")
        wait_for("it watches", lambda: "yes" if " started " in self.log.read_text() else None, process, self.log)
        changed = bundle.with_name("changed-on-the-way")
        shutil.copytree(bundle, changed)
        flip_byte(next(changed.rglob("gap-greeting-*.rpm")))
        self.drop(changed)
        wait_for("refused", lambda: in_state(self.disconnected, "refused"), process, self.log)
        reason = f"{self.disconnected.side}/quarantine/{changed.name}.reason.txt"
        run("disconnected$", ["cat", reason], show=True)

    def carry(self, bundle: Path, process: subprocess.Popen[bytes]) -> None:
        step(
            7,
            "The true bundle is imported",
            "Signature and every byte are checked, then product and repository appear on this side, all at once.",
        )
        self.drop(bundle)
        wait_for("imported", lambda: in_state(self.disconnected, "imported"), process, self.log)
        self.disconnected.run("repository", "list", details=True)

    def drop(self, folder: Path) -> None:
        run("disconnected$", ["cp", "-r", str(folder), f"{self.disconnected.side}/inbox/"], show=True)

    def content(self, box: Box) -> Path:
        return Path(box.side) / "content/Demo/Library/custom/Tools/base"

    def compare(self) -> None:
        step(
            8,
            "Both sides hold the same repository",
            "repomd.xml holds the checksums of all other metadata, which holds those of the packages. So one digest "
            "says it all.",
        )
        digests = set()
        for folder in (self.upstream, self.content(self.connected), self.content(self.disconnected)):
            path = folder / "repodata/repomd.xml"
            digest = sha256(path.read_bytes()).hexdigest()
            digests.add(digest)
            print(f"   $ sha256sum {path}\n     {digest}")
        if len(digests) != 1:
            raise FailedError("the digests of repomd.xml differ")

    def promote(self) -> None:
        step(
            9,
            "Hosts see what was promoted, and nothing else",
            "What came in lies in Library. A lifecycle environment holds what its hosts may have; promoting shows "
            "what changes.",
        )
        self.disconnected.run("lifecycle-environment", "create", "--name", "production", "--prior", "Library")
        words = ["repository", "promote", "--product", "Tools", "--label", "base", "--to-environment", "production"]
        self.disconnected.run(*words)

    def register(self) -> None:
        step(
            10,
            "A host gets a certificate of its own",
            "It lists exactly what its environment holds; the service lets nobody in without one.",
        )
        words = ["consumer", "create", "--name", "web1", "--environment", "production", "--arch", "x86_64"]
        self.disconnected.run(*words, "--output", "web1", "--content-url", f"https://localhost:{self.port}/content")
        if self.fetch(certificate=False) is not None:
            raise FailedError("content was given to a host that showed no certificate")
        if sha256(self.fetch(certificate=True) or b"").digest() != sha256(self.upstream_repomd()).digest():
            raise FailedError("a host with its certificate does not get the repomd.xml of the upstream server")
        print("     ... without a certificate the service refuses; with it, the host reads the same repomd.xml")

    def fetch(self, *, certificate: bool) -> bytes | None:
        """Read repomd.xml as the host does; None when the service refuses."""
        context = ssl.create_default_context(cafile="web1/ca.pem")
        if certificate:
            context.load_cert_chain("web1/entitlement-1.pem", "web1/key.pem")
        try:
            with urlopen(f"{self.url()}/repodata/repomd.xml", context=context) as answer:
                return bytes(answer.read())
        except HTTPError as error:
            if error.code != 403:
                raise
            return None

    def url(self) -> str:
        return f"https://localhost:{self.port}/content/Demo/production/custom/Tools/base"

    def upstream_repomd(self) -> bytes:
        return (self.upstream / "repodata/repomd.xml").read_bytes()

    def install(self) -> None:
        step(
            11,
            "The host installs with its own certificate",
            "The stock dnf, an empty folder as its host, and a repository file that points to the disconnected box, "
            "over HTTPS.",
        )
        if shutil.which("dnf") is None:
            self.read_without_dnf()
            return
        prefix = root_prefix()
        configuration = Path("dnf.conf")
        configuration.write_text(self.dnf_configuration())
        print(f"   $ cat {configuration}")
        show_lines(configuration.read_text())
        host = Path("host")
        dnf = [*(prefix or []), "dnf", "--quiet", "--assumeyes", "--config", str(configuration)]
        dnf += ["--installroot", str(host.absolute()), "--releasever", "9"]
        listed = run("$", [*dnf, "repoquery", "--queryformat", "%{name}-%{evr}"], show=True)
        if len(listed.splitlines()) != len(list(PACKAGES.glob("*.rpm"))):
            raise FailedError("dnf does not list the packages that were sent")
        if prefix is None:
            print("   Installing needs root, even into a folder of one's own: run the demonstration as root to see it.")
            return
        run("$", [*dnf, "install", "gap-traveller"], show=True)
        letter = host / "usr/share/gap-greeting/letter.txt"
        if not letter.is_file() or not (host / "usr/bin/gap-traveller").is_file():
            raise FailedError(f"dnf said it installed gap-traveller, but its files are not in {host}")
        run("$", ["cat", str(letter)], show=True)

    def dnf_configuration(self) -> str:
        return (
            f"[main]\nplugins=0\ngpgcheck=0\nreposdir=/dev/null\ncachedir={self.directory}/dnf-cache\n"
            "module_platform_id=platform:el9\n"
            f"[from-the-far-side]\nname=What came over\nbaseurl={self.url()}\n"
            f"sslcacert={self.directory}/web1/ca.pem\nsslclientcert={self.directory}/web1/entitlement-1.pem\n"
            f"sslclientkey={self.directory}/web1/key.pem\n"
        )

    def read_without_dnf(self) -> None:
        print("   dnf is not installed, so createrepo_c reads the repository instead, and every package is checked.")
        root = self.content(self.disconnected)
        for package in createrepo_c.RepositoryReader.from_path(str(root)).iter_packages():
            if sha256((root / package.location_href).read_bytes()).hexdigest() != package.pkgId:
                raise FailedError(f"{package.location_href} does not have the checksum that the metadata says")
            print(f"     {package.nevra()}  sha256 {package.pkgId[:16]}...  as the metadata says")

    def farewell(self) -> None:
        print(f"\nDone. Everything is in {self.directory}; nothing runs any more. To look around:\n")
        print(f"   export PATH={PROGRAMS}:$PATH ISSBOX_STATE_DIR={self.disconnected.state} \\")
        print(f"          ISSBOX_CONFIG={self.disconnected.configuration}")
        for words in ("status", "content-import list", "audit list", "repository list"):
            print(f"   issbox {words}")
        print(f"   cat {self.disconnected.state}/quarantine/*.reason.txt")
        print("   issbox serve    # and copy a bundle into the inbox yourself")
        print(f"\nThe connected side: export ISSBOX_STATE_DIR={self.connected.state}")
        print(f"When you have seen enough: rm -r {self.directory}")


def free_port() -> int:
    """Give a port of loopback that nobody listens at right now."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def flip_byte(path: Path) -> None:
    """Change one bit in the middle of a file; its size stays."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.chmod(0o644)
    path.write_bytes(content)


def root_prefix() -> list[str] | None:
    """Give what goes before a command so that it runs as root, at least within a folder; None when there is no way."""
    if os.geteuid() == 0:
        return []
    prefix = ["unshare", "--map-root-user"]
    try:
        works = subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
    except OSError:
        return None
    return prefix if works else None


def interrupted(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", type=Path, help="where to work; must not exist (default: a temporary directory)")
    chosen: Path | None = parser.parse_args().directory
    signal.signal(signal.SIGTERM, interrupted)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr] # a text stream, unless a test replaced it
    if chosen is not None:
        chosen.mkdir(parents=True)
    directory = (chosen or Path(tempfile.mkdtemp(prefix="issbox-demo-"))).resolve()
    started = time.monotonic()
    try:
        os.chdir(directory)
        Crossing(directory).play()
    except FailedError as error:
        print(f"\nThe demonstration failed: {error}\nWhat it made is in {directory}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"\nStopped. What was made is in {directory}; remove it with: rm -r {directory}", file=sys.stderr)
        return 130
    print(f"(It took {time.monotonic() - started:.0f} seconds.)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
