"""Boxes driven as their users drive them: by the command `issbox`, and by nothing else."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ISSBOX = Path(sys.executable).parent / "issbox"


@dataclass(frozen=True)
class Box:
    """One box."""

    state: Path
    configuration: Path | None = None

    @property
    def inbox(self) -> Path:
        return self.state / "inbox"

    def environment(self) -> dict[str, str]:
        """Give the environment of its commands: nothing of the caller's configuration gets in."""
        kept = {
            key: value for key, value in os.environ.items() if not key.startswith("ISSBOX_") and key != "PYTHONPATH"
        }
        nowhere = self.state.parent / "no-configuration-here"
        kept |= {"ISSBOX_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(nowhere)}
        if self.configuration is not None:
            kept["ISSBOX_CONFIG"] = str(self.configuration)
        return kept

    def command(self, *words: str | Path) -> list[str]:
        """Give the command line for these words."""
        return [str(ISSBOX), *map(str, words)]

    def try_to(self, *words: str | Path, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        """Run a command that may fail."""
        return subprocess.run(
            self.command(*words),
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=timeout,
        )

    def run(self, *words: str | Path, timeout: float = 600) -> str:
        """Run a command and give its standard output; AssertionError with what it said when it fails."""
        done = self.try_to(*words, timeout=timeout)
        said = f"{' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        assert done.returncode == 0, said
        return done.stdout

    def ask(self, *words: str | Path) -> Any:
        """Run a command with --json and give its answer."""
        return json.loads(self.run(*words, "--json"))

    @contextmanager
    def serving(self) -> Iterator[subprocess.Popen[bytes]]:
        """Run `issbox serve` until the block ends; its log lies beside the state directory."""
        with self.log.open("ab") as log:
            process = subprocess.Popen(
                self.command("serve"), env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                raise

    @property
    def log(self) -> Path:
        return self.state.with_name(f"{self.state.name}-serve.log")

    def wait_for_import(self, state: str, *, count: int = 1, timeout: float = 120) -> list[dict[str, Any]]:
        """Ask until at least `count` imports are in a state, and give them, newest first."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            found = [row for row in self.ask("content-import", "list") if row["state"] == state]
            if len(found) >= count:
                return found
            time.sleep(0.2)
        log = self.log.read_text() if self.log.exists() else "no service ran"
        raise AssertionError(f"no import became {state}: {self.run('content-import', 'list')}\n{log}")


def make_box(state: Path, *, name: str, organization: str = "Demo", configuration: Path | None = None) -> Box:
    """Initialize a box with one organization."""
    box = Box(state, configuration)
    box.run("init", "--name", name, "--organization", organization)
    return box


def trust(box: Box, sender: Box) -> None:
    """Let a box accept what another one signs."""
    key = box.state.with_name(f"{sender.state.name}.pem")
    key.write_text(sender.run("box", "show", "--public-key"))
    box.run("trusted-key", "add", key, "--name", sender.state.name)


def make_repository(box: Box, url: str, *, product: str = "Tools", repository: str = "base") -> None:
    """Create product and repository of the organization Demo; nothing is fetched yet."""
    box.run("product", "create", "--organization", "Demo", "--name", product)
    box.run("repository", "create", "--organization", "Demo", "--product", product, "--name", repository, "--url", url)


def synchronize(box: Box, *, product: str = "Tools", repository: str = "base") -> Any:
    """Synchronize a repository and give the report."""
    return box.ask(
        "repository", "synchronize", "--organization", "Demo", "--product", product, "--repository", repository
    )


def export_words(output: Path, *, product: str = "Tools", repository: str = "base") -> list[str | Path]:
    """Give the words of the command that exports a repository completely to a directory."""
    words = ["content-export", "complete", "repository", "--organization", "Demo", "--product", product]
    return [*words, "--repository", repository, "--destination-server", "far", "--output", output]


def only_bundle(directory: Path) -> Path:
    """Give the one bundle in a directory."""
    (found,) = [path for path in directory.iterdir() if (path / "issbox-bundle.json").is_file()]
    return found


def content(box: Box, *, product: str = "Tools", repository: str = "base") -> Path:
    """Give where hosts find the repository."""
    return box.state / "content/Demo/Library/custom" / product / repository
