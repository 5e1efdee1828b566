"""Red Hat content from a CDN over the gap: two boxes with the same manifest, and what is said where one is missing."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers.authority import Authority, serve_tls
from makers.command_line import CommandLine
from makers.hosts import CANNOT_INSTALL
from makers.manifests import APPSTREAM, BASEOS, manifest_authority, rhel, write_manifest
from makers.repodata import write
from makers.rpms import Repository, write_repository
from makers.serving import serve, with_web
from makers.upstream import Upstream

from issbox.model import LIBRARY
from issbox.wiring import open_context

PACKAGES = sorted((Path(__file__).resolve().parents[2] / "demo/packages").glob("*.rpm"))
PATH = "content/dist/rhel9/9/x86_64/baseos/os"
PRODUCT = "Red_Hat_Enterprise_Linux_for_x86_64"


def box_at(directory: Path) -> CommandLine:
    directory.mkdir()
    box = CommandLine(directory)
    box("init", "--name", directory.name, "--organization", "ACME")
    return box


def shown(box: CommandLine) -> dict[str, bytes]:
    """Give what hosts of a box see of the repository."""
    root = box.state / "content/ACME" / LIBRARY / PATH
    return {str(each.relative_to(root)): each.read_bytes() for each in sorted(root.rglob("*")) if each.is_file()}


@dataclass(frozen=True)
class Gap:
    """A CDN that only certificates of manifests open, a box on each side, and the files of an administrator."""

    cdn: Upstream
    tree: Path
    outside: CommandLine
    inside: CommandLine
    manifest: Path
    authority: Path

    def take_manifest(self, box: CommandLine) -> None:
        box("manifest", "import", self.manifest, "--ca", self.authority)

    def fill(self) -> None:
        """Let the box outside have the repository."""
        box = self.outside
        self.take_manifest(box)
        box("cdn", "update", "--type", "custom-cdn", "--url", self.cdn.url, "--ca", "cdn", "--manifest-certificate")
        box("cdn", "enable", BASEOS.label, "--release", "9")
        box("repository", "synchronize", "--product", PRODUCT)

    def export(self) -> Path:
        made = self.outside.json("content-export", "complete", "library", "--output", self.manifest.parent / "disk")
        return Path(made["path"])


@pytest.fixture
def gap(tmp_path: Path) -> Iterator[Gap]:
    tree = tmp_path / "cdn"
    write_repository(Repository(tree / PATH, PACKAGES[:2], revision="1"))
    parent = ""
    for segment in PATH.split("/"):
        write(tree, f"{parent}listing", segment.encode())
        parent += f"{segment}/"
    manifest = write_manifest(tmp_path / "manifest.zip", products=[rhel()])
    authority = tmp_path / "candlepin.pem"
    authority.write_text(manifest_authority().root_pem)
    server = Authority(tmp_path, "cdn")
    (tmp_path / "cdn.pem").write_text(server.pem)
    outside, inside = box_at(tmp_path / "outside"), box_at(tmp_path / "inside")
    outside(
        "content-credential", "create", "--label", "cdn", "--type", "ca-certificate", "--file", tmp_path / "cdn.pem"
    )
    (tmp_path / "outside.key").write_text(outside("box", "show", "--public-key").stdout)
    inside("trusted-key", "add", tmp_path / "outside.key", "--name", "outside")
    with serve_tls(tree, server, clients=True, client_ca=manifest_authority().root_pem) as cdn:
        yield Gap(cdn, tree, outside, inside, manifest, authority)


def test_what_a_manifest_opens_crosses_the_gap_and_is_the_same(gap: Gap) -> None:
    gap.fill()
    bundle = gap.export()
    assert not [each for each in bundle.rglob("*") if each.is_file() and b"PRIVATE KEY" in each.read_bytes()]
    gap.take_manifest(gap.inside)
    gap.inside("cdn", "update", "--type", "export-sync", "--url", "")
    gap.inside("cdn", "enable", BASEOS.label, "--release", "9")
    report = gap.inside.json("content-import", "run", bundle)
    assert report["state"] == "imported"
    assert shown(gap.inside) == shown(gap.outside)
    assert {each.name for each in PACKAGES[:2]} <= {Path(path).name for path in shown(gap.inside)}
    (repository,) = gap.inside.json("repository", "list")
    assert (repository["product"], repository["content_path"]) == (PRODUCT, f"/{PATH}".replace("/9/", "/$releasever/"))


@pytest.mark.skipif(CANNOT_INSTALL, reason="dnf is not installed, or not run as root")
def test_a_host_beyond_the_gap_installs_a_package(gap: Gap) -> None:
    gap.fill()
    gap.take_manifest(gap.inside)
    gap.inside("cdn", "enable", BASEOS.label, "--release", "9", "--no-check")
    gap.inside("content-import", "run", gap.export())
    environ = {name: value for name, value in gap.inside.environ.items() if value is not None}
    ctx = with_web(open_context(environ=environ), listen=(("127.0.0.1", 0),), names=("localhost",))
    files = gap.inside.directory / "host"
    with serve(ctx, gap.inside.directory) as service:
        url = f"https://localhost:{service.running.ports[0]}/content"
        words: list[str | Path] = ["--name", "h", "--environment", LIBRARY, "--output", files, "--content-url", url]
        gap.inside("consumer", "create", *words)
        told = (files / "issbox.repo").read_text()
        assert f"[{BASEOS.label}]" in told
        assert f"gpgkey={BASEOS.gpg_url}" in told
        (files / "issbox.repo").write_text(told.replace("/etc/pki/issbox", str(files)))
        options = ["--assumeyes", "--nogpgcheck", "--setopt", f"reposdir={files}", "--setopt", "plugins=0"]
        options += ["--setopt", f"cachedir={files}/cache", "--setopt", f"logdir={files}", "--releasever", "9"]
        options += ["--setopt", "module_platform_id=platform:el9", "--installroot", str(files / "root")]
        command = ["dnf", *options, "install", "gap-greeting"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(["rpm", "--root", files / "root", "-qa"], capture_output=True, text=True, check=True)
    assert "gap-greeting-" in listed.stdout


def test_without_the_certificate_the_cdn_stays_shut(gap: Gap) -> None:
    gap.fill()
    gap.outside("cdn", "update", "--no-manifest-certificate")
    error = gap.outside("repository", "synchronize", "--product", PRODUCT, code=9)
    assert "TLS" in error.stderr or "lost" in error.stderr


def test_each_missing_step_is_named_and_the_bundle_goes_in_when_it_is_done(gap: Gap) -> None:
    gap.fill()
    bundle = gap.export()
    box = gap.inside
    refused = box.error("content-import", "run", bundle, code=3)
    assert "has no subscription manifest" in refused["message"]
    assert "issbox manifest import FILE.zip --organization ACME" in refused["hint"]
    assert box.json("product", "list") == []
    other = write_manifest(gap.manifest.parent / "other.zip", products=[rhel(APPSTREAM)], uuid="other")
    box("manifest", "import", other, "--ca", gap.authority)
    refused = box.error("content-import", "run", bundle, code=3)
    assert f"does not offer the content {BASEOS.id}" in refused["message"]
    box("manifest", "delete", "--yes")
    gap.take_manifest(box)
    refused = box.error("content-import", "run", bundle, code=3)
    assert "is not enabled in the organization ACME" in refused["message"]
    command = refused["hint"].partition("`issbox ")[2].partition("`")[0]
    box(*command.split())
    assert box.json("content-import", "run", bundle)["state"] == "imported"
    assert shown(box) == shown(gap.outside)


def test_another_release_is_another_repository(gap: Gap) -> None:
    gap.fill()
    gap.take_manifest(gap.inside)
    gap.inside("cdn", "enable", BASEOS.label, "--release", "9.4", "--no-check")
    refused = gap.inside.error("content-import", "run", gap.export(), code=3)
    assert "--release 9 " in refused["hint"]
    assert shown(gap.inside) == {}


def test_a_manifest_that_shrinks_leaves_the_repository_and_takes_the_key_away(gap: Gap) -> None:
    gap.fill()
    before = shown(gap.outside)
    gap.outside("manifest", "delete", "--yes")
    assert shown(gap.outside) == before
    (status,) = gap.outside.json("content", "status", "--environment", LIBRARY)
    assert status["states"] == ["dangling"]
    error = gap.outside("repository", "synchronize", "--product", PRODUCT, code=4)
    assert "no subscription manifest" in error.stderr
