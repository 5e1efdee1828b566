"""A repository of thousands of real packages goes from a web server over the gap to a host, unchanged."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import pytest
from makers.commands import Box, content, export_words, make_box, make_repository, only_bundle, synchronize, trust
from makers.hosts import CANNOT_INSTALL, DNF_IS_MISSING, Host, read_packages
from makers.rpms import Recipe, Repository, rpmbuild_is_missing, write_repository
from makers.rpms import make_repository as make_samples
from makers.web import WebServer, serve_directory

ENOUGH = 2000
"""Packages that cross."""

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "demo/packages").glob("*.rpm"))
"""What crosses where nothing can be built."""


@dataclass(frozen=True)
class Crossing:
    """What lies where after a crossing."""

    upstream: Path
    server: WebServer
    near: Box
    bundle: Path
    far: Box

    @property
    def places(self) -> list[Path]:
        """The same repository on its way."""
        return [content(self.near), self.bundle / "custom/Tools/base", content(self.far)]


@pytest.fixture(scope="module")
def crossing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crossing]:
    root = tmp_path_factory.mktemp("crossing")
    upstream = root / "upstream"
    if rpmbuild_is_missing():
        write_repository(Repository(upstream, SHIPPED))
    else:
        make_samples(upstream, root / "packages", count=ENOUGH, size=2048)
    configuration = root / "issbox.toml"
    configuration.write_text("[inbox]\nquiet_for_seconds = 0.5\n")
    with serve_directory(upstream) as server:
        near = make_box(root / "near", name="near")
        make_repository(near, server.url)
        synchronize(near)
        (root / "disk").mkdir()
        near.run(*export_words(root / "disk"))
        bundle = only_bundle(root / "disk")
        far = make_box(root / "far", name="far", configuration=configuration)
        trust(far, near)
        with far.serving():
            shutil.copytree(bundle, far.inbox / bundle.name)
            far.wait_for_import("imported")
            yield Crossing(upstream, server, near, bundle, far)


def test_the_service_imports_under_its_own_name(crossing: Crossing) -> None:
    (entry,) = [each for each in crossing.far.ask("audit", "list") if each["action"] == "content-import.import"]
    assert (entry["actor"], entry["origin"]) == ("inbox", "serve")


def test_enough_packages_cross(crossing: Crossing) -> None:
    expected = len(SHIPPED) if rpmbuild_is_missing() else ENOUGH
    (repository,) = crossing.far.ask("repository", "list")
    assert repository["label"] == "base"
    (version,) = crossing.far.ask("repository", "versions", "--product", "Tools", "--label", "base")
    assert version["packages"] == expected
    assert len(list((content(crossing.far) / "Packages").iterdir())) == expected


def test_every_file_is_identical_at_every_place(crossing: Crossing) -> None:
    expected = contents(crossing.upstream)
    assert any("primary" in name for name in expected)
    for place in crossing.places:
        assert contents(place) == expected, place


def contents(root: Path) -> dict[str, str]:
    """Give the digest of every file below a directory."""
    files = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.skipif(DNF_IS_MISSING, reason="dnf is not installed")
def test_dnf_lists_the_same_packages_with_the_same_checksums(crossing: Crossing, tmp_path: Path) -> None:
    upstream = Host(tmp_path / "outside").packages(crossing.server.url)
    assert len(upstream) == len(list((crossing.upstream / "Packages").iterdir()))
    for number, place in enumerate(crossing.places):
        assert Host(tmp_path / f"host-{number}").packages(place.as_uri()) == upstream


def test_a_reader_in_python_lists_the_same_packages(crossing: Crossing) -> None:
    upstream = read_packages(crossing.upstream)
    assert len(upstream) == len(list((crossing.upstream / "Packages").iterdir()))
    for place in crossing.places:
        assert read_packages(place) == upstream


@pytest.mark.skipif(CANNOT_INSTALL, reason="installing needs dnf and root")
@pytest.mark.skipif(rpmbuild_is_missing(), reason="rpmbuild is not installed")
def test_dnf_installs_a_package_and_what_it_needs(crossing: Crossing, tmp_path: Path) -> None:
    wanted, needed = Recipe(number=1007, size=2048), Recipe(number=1000, size=2048)
    host = Host(tmp_path / "host")
    host.dnf(content(crossing.far).as_uri(), "install", wanted.name)
    for recipe in (wanted, needed):
        assert (host.root / "usr/share" / recipe.name / "data.bin").stat().st_size == recipe.size
    assert "samples" in host.dnf(content(crossing.far).as_uri(), "module", "list")
    assert "Samples" in host.dnf(content(crossing.far).as_uri(), "group", "list")
    assert "SAMPLE-2023:001000" in host.dnf(content(crossing.far).as_uri(), "updateinfo", "list", "--all")


def test_listing_files_lead_to_the_repository(crossing: Crossing) -> None:
    for root in (crossing.bundle, crossing.far.state / "content/Demo/Library"):
        assert [(root / path / "listing").read_text() for path in ("", "custom", "custom/Tools")] == [
            "custom",
            "Tools",
            "base",
        ]


def test_a_second_synchronize_without_change_makes_one_request(crossing: Crossing) -> None:
    before = len(crossing.server.requests)
    (report,) = synchronize(crossing.near)
    assert report["result"] == "unchanged"
    assert crossing.server.requests[before:] == ["GET /repodata/repomd.xml"]


def test_dropping_an_imported_bundle_again_changes_nothing(crossing: Crossing) -> None:
    def held() -> tuple[object, ...]:
        versions = crossing.far.ask("repository", "versions", "--product", "Tools", "--label", "base")
        blobs = {path: path.stat().st_ino for path in (crossing.far.state / "blobs").rglob("*")}
        return versions, blobs, content(crossing.far).resolve()

    before = held()
    shutil.copytree(crossing.bundle, crossing.far.inbox / "once-more")
    newest = crossing.far.wait_for_import("imported", count=2)[0]
    assert "imported" in newest["reason"]
    assert held() == before
    assert crossing.far.ask("status")["needs_attention"] == []


def test_the_audit_log_of_both_sides_is_sound(crossing: Crossing) -> None:
    for box in (crossing.near, crossing.far):
        assert box.ask("audit", "verify")["sound"] is True
        assert len(box.ask("audit", "list")) > 2


def test_the_bundle_can_be_verified_without_a_box(crossing: Crossing, tmp_path: Path) -> None:
    key = tmp_path / "near.pem"
    key.write_text(crossing.near.run("box", "show", "--public-key"))
    report = Box(tmp_path / "no-box-here").ask("verify", crossing.bundle, "--public-key", key)
    assert report["signature_checked"] is True
    assert report["files"] >= len(contents(crossing.upstream))
