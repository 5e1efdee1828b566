"""`issbox cdn`: from a manifest and an exported tree to an enabled repository, and back."""

from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.manifests import BASEOS, manifest_authority, rhel, write_manifest
from makers.repodata import write_cdn

BASE = "content/dist/rhel9/9.4/x86_64/baseos/os"


@pytest.fixture
def export(tmp_path: Path) -> Path:
    return write_cdn(tmp_path / "an export", BASE)


@pytest.fixture
def box(issbox: CommandLine, tmp_path: Path) -> CommandLine:
    (tmp_path / "ca.pem").write_text(manifest_authority().root_pem)
    manifest = write_manifest(tmp_path / "manifest.zip", products=[rhel(BASEOS)])
    issbox("manifest", "import", manifest, "--ca", tmp_path / "ca.pem")
    return issbox


def test_a_box_reads_red_hat_content_from_an_export(box: CommandLine, export: Path) -> None:
    assert box.json("cdn", "info")["url"] == "https://cdn.redhat.com"
    plan = box.json("cdn", "update", "--type", "export-sync", "--url", export, "--dry-run")
    assert plan["after"]["url"] == export.as_uri()
    assert box.json("cdn", "info")["type"] == "redhat-cdn"
    made = box.json("cdn", "update", "--type", "export-sync", "--url", export)
    assert (made["type"], made["base"]) == ("export-sync", export.as_uri())
    tested = box.json("cdn", "test")
    assert (tested["failed"], tested["listing"]) == (None, ["content"])
    (choice,) = box.json("cdn", "choices")
    assert (choice["content"], choice["release"], choice["enabled"]) == (BASEOS.label, "9.4", False)
    enabled = box.json("cdn", "enable", BASEOS.label, "--release", "9.4")
    assert enabled["label"] == f"{BASEOS.label}_9_4"
    (again,) = box.json("cdn", "choices", "--release", "9.4")
    assert again["repository"] == f"{enabled['product']}/{enabled['label']}"
    box("repository", "synchronize", "--product", enabled["product"])
    assert (box.state / "content/ACME/Library" / BASE / "bash.rpm").read_bytes() == b"bash"
    box("cdn", "disable", BASEOS.label, "--release", "9.4", code=2)
    box("cdn", "disable", BASEOS.label, "--release", "9.4", "--yes")
    assert box.json("repository", "list") == []


def test_a_location_that_fails_says_at_which_step(box: CommandLine, tmp_path: Path) -> None:
    box("cdn", "update", "--type", "export-sync", "--url", tmp_path / "absent")
    result = box("cdn", "test", code=9)
    assert "FAILED  listing" in result.stderr
    assert "no such directory" in result.stderr
    box("cdn", "update", "--type", "custom-cdn", "--url", "https://127.0.0.1:1", "--no-manifest-certificate")
    assert "FAILED  server certificate: no connection to 127.0.0.1:1" in box("cdn", "test", code=9).stderr


def test_odd_locations_are_refused(box: CommandLine) -> None:
    for words in (
        ("--type", "network-sync", "--url", "https://box1"),
        ("--type", "custom-cdn", "--url", "ftp://x"),
        ("--upstream-content-view-label", "x"),
        ("--url", "https://elsewhere.example.com"),
    ):
        assert box.error("cdn", "update", *words, code=2)["code"] == "invalid-value"
    assert box.error("cdn", "update", "--ca", "absent", code=4)["code"] == "not-found"
    assert box.json("cdn", "info")["url"] == "https://cdn.redhat.com"
