"""A gap with a box on each side, its workflows run in processes of their own so that they can be killed."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from issbox.config import load_settings
from issbox.files import digest_file, remove_tree
from issbox.model import Actor, Repository, RepositoryKey
from issbox.progress import Silent
from issbox.wiring import now, open_context
from issbox.workflows.appliance import boxes
from issbox.workflows.content import catalog, repositories
from issbox.workflows.context import Context
from makers.rpms import Repository as Layout
from makers.rpms import write_repository

KEY = RepositoryKey("acme", "tools", "base")
ACTOR = Actor("test", "local")
ROOT = Path(__file__).resolve().parent.parent
DRIVER = ROOT / "faults/driver.py"
PACKAGES = sorted((ROOT.parent / "demo/packages").glob("*.rpm"))
"""Real packages that need no rpmbuild here."""


@dataclass(frozen=True)
class Side:
    """One box."""

    state: Path

    def environment(self) -> Mapping[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ISSBOX_")}
        if self.configuration.exists():
            kept["ISSBOX_CONFIG"] = str(self.configuration)
        return kept | {"ISSBOX_STATE_DIR": str(self.state), "XDG_CONFIG_HOME": str(self.state.parent / "nothing")}

    @property
    def configuration(self) -> Path:
        """Where its configuration file is, if it is to have one."""
        return self.state.with_name(f"{self.state.name}.toml")

    def use_database(self, url: str) -> None:
        """Let the box be, or become, one on PostgreSQL."""
        self.configuration.write_text(f'database = "{url}"\n')

    def context(self) -> Context:
        """Open the box in this process."""
        return open_context(environ=self.environment(), actor=ACTOR)

    def run(self, action: str, argument: object = "", *, kill: str = "-") -> list[str]:
        """Run a workflow in a process of its own and give the steps it passed; `kill` says where it dies."""
        command = [sys.executable, str(DRIVER), action, kill, str(argument)]
        done = subprocess.run(command, env=self.environment(), capture_output=True, text=True, check=False)
        expected = 0 if kill == "-" else -signal.SIGKILL
        assert done.returncode == expected, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout.split()

    def restart(self) -> None:
        """Do what every start of the service does."""
        self.run("reconcile")

    def tree(self) -> Path:
        """Give where hosts find the repository."""
        return self.state / "content/acme/Library/custom/tools/base"

    def repomd(self) -> bytes:
        """Give the repomd.xml that hosts see; nothing when there is none."""
        path = self.tree() / "repodata/repomd.xml"
        return path.read_bytes() if path.exists() else b""

    def versions(self) -> list[int]:
        """Give the numbers of the repository's versions, ascending."""
        ctx = self.context()
        with ctx.store.session():
            if not ctx.store.repositories.list(organization="acme"):
                return []
            return sorted(version.number for version in ctx.store.versions.list(KEY))

    def check(self) -> None:
        """Everything agrees: rows, blobs, trees and links; nothing unfinished lies about; the audit log is whole."""
        ctx = self.context()
        with ctx.store.session():
            ctx.store.audit.verify()
            repositories = ctx.store.repositories.list(organization="acme", derived=True)
            expected = {(each.key, one.number) for each in repositories for one in ctx.store.versions.list(each.key)}
            assert set(ctx.store.trees.list()) == expected
            for key, number in expected:
                self._check_tree(ctx, key, number)
            self._check_link(ctx, repositories)
        assert [path for path in (self.state / "tmp").iterdir() if path.suffix != ".lock"] == []

    def _check_tree(self, ctx: Context, key: RepositoryKey, number: int) -> None:
        tree = ctx.store.trees.path(key, number)
        wanted = {file.path: (file.size, file.sha256) for file in ctx.store.versions.files(key, number)}
        found = {str(path.relative_to(tree)): path for path in tree.rglob("*") if path.is_file()}
        assert set(found) == set(wanted)
        for name, (size, digest) in wanted.items():
            assert (digest_file(found[name]).size, digest_file(found[name]).sha256) == (size, digest)
            assert ctx.store.blobs.has(digest, size)

    def _check_link(self, ctx: Context, repositories: list[Repository]) -> None:
        latest = {each.key: each.latest for each in repositories if each.latest is not None}
        if not latest:
            assert not self.tree().exists()
            return
        number = latest[KEY]
        assert self.tree().resolve() == ctx.store.trees.path(KEY, number).resolve()
        version = ctx.store.versions.get(KEY, number)
        assert sha256(self.repomd()).hexdigest() == version.repomd_sha256


@dataclass(frozen=True)
class Gap:
    """An upstream repository, a box outside that mirrors it, a medium, and a box inside that trusts the other."""

    upstream: Path
    media: Path
    outside: Side
    inside: Side

    def change_upstream(self, packages: int) -> None:
        """Publish so many packages upstream."""
        remove_tree(self.upstream)
        write_repository(Layout(self.upstream, PACKAGES[:packages], revision=str(packages)))

    def export(self) -> Path:
        """Export the repository outside and give the new bundle."""
        before = set(self.media.iterdir())
        self.outside.run("export", self.media)
        (bundle,) = set(self.media.iterdir()) - before
        return bundle


def initialize_box(environ: Mapping[str, str], name: str) -> None:
    """Make a box with the organization acme and nothing in it."""
    boxes.initialize(
        load_settings(environ),
        name=name,
        organization_label="acme",
        organization_name="Acme",
        actor=ACTOR,
        clock=now,
        progress=Silent(),
    )


def make_gap(root: Path) -> Gap:
    """Make both boxes, with the repository acme/tools/base outside and nothing inside; nothing is synchronized yet."""
    gap = Gap(root / "upstream", root / "media", Side(root / "outside"), Side(root / "inside"))
    gap.media.mkdir()
    gap.change_upstream(2)
    for side in (gap.outside, gap.inside):
        initialize_box(side.environment(), side.state.name)
    boxes.add_trusted_key(gap.inside.context(), boxes.public_key(gap.outside.context()), "outside")
    outside = gap.outside.context()
    catalog.create_product(outside, organization="acme", label="tools", name="Tools")
    repositories.create_repository(
        outside, organization="acme", product="tools", label="base", name="Base", url=gap.upstream.as_uri()
    )
    return gap
