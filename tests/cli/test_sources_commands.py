"""Commands that name another source: a bundle's directory, a base for a product, once or from now on."""

from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.repodata import Listed, write_repository


@pytest.fixture
def bundle(issbox: CommandLine, tmp_path: Path) -> Path:
    """A directory bundle of the repositories Tools/base and Tools/extras, made by the box."""
    issbox("product", "create", "--name", "Tools")
    for label in ("base", "extras"):
        write_repository(tmp_path / "upstream" / label, Listed(f"{label}.rpm", label.encode()))
        url = (tmp_path / "upstream" / label).as_uri()
        issbox("repository", "create", "--product", "Tools", "--name", label, "--url", url)
    issbox("repository", "synchronize", "--product", "Tools")
    words = ("--product", "Tools", "--output", tmp_path / "media")
    return Path(issbox.json("content-export", "complete", "product", *words)["path"])


@pytest.fixture
def far(tmp_path: Path) -> CommandLine:
    """Another box with the same repositories, without URLs, and one more."""
    box = CommandLine(tmp_path / "far")
    box("init", "--name", "Far", "--organization", "ACME")
    box("product", "create", "--name", "Tools")
    for label in ("base", "extras", "more"):
        box("repository", "create", "--product", "Tools", "--name", label)
    return box


def test_a_product_is_synchronized_from_a_bundle_as_it_lies(far: CommandLine, bundle: Path) -> None:
    outcomes = far.json("product", "synchronize", "--label", "Tools", "--source-url", bundle.as_uri())
    assert {each["repository"]: each["result"] for each in outcomes} == {
        "ACME/Tools/base": "new-version",
        "ACME/Tools/extras": "new-version",
        "ACME/Tools/more": "absent",
    }
    assert all(each["url"] is None for each in far.json("repository", "list"))
    (version,) = far.json("repository", "versions", "--product", "Tools", "--label", "base")
    assert version["source"] == f"{bundle.as_uri()}/custom/Tools/base"
    tree = far.state / "content/ACME/Library/custom/Tools/base"
    assert (tree / "base.rpm").read_bytes() == b"base"
    again = far.json("product", "synchronize", "--name", "Tools", "--source-url", f"{bundle.as_uri()}/")
    assert {each["result"] for each in again} == {"unchanged", "absent"}


def test_a_published_environment_works_as_a_base_too(issbox: CommandLine, far: CommandLine, bundle: Path) -> None:
    assert bundle.is_dir()
    base = (issbox.state / "content/ACME/Library").as_uri()
    outcomes = far.json("product", "synchronize", "--label", "Tools", "--source-url", base)
    assert [each["result"] for each in outcomes] == ["new-version", "new-version", "absent"]


def test_one_repository_of_several_that_fails_decides_the_exit_code(far: CommandLine, bundle: Path) -> None:
    (bundle / "custom/Tools/base/base.rpm").unlink()
    result = far("product", "synchronize", "--label", "Tools", "--source-url", bundle.as_uri(), code=9)
    assert "upstream-refused" in result.stdout
    assert "new-version" in result.stdout
    assert far("product", "synchronize", "--label", "Tools", code=4).stdout == ""


def test_a_temporary_source_of_one_repository(far: CommandLine, bundle: Path) -> None:
    of = ("--product", "Tools", "--label", "base", "--source-url", f"{bundle.as_uri()}/custom/Tools/base")
    (outcome,) = far.json("repository", "synchronize", *of)
    assert outcome["result"] == "new-version"
    several = ("repository", "synchronize", "--product", "Tools", "--source-url", bundle.as_uri())
    assert "issbox product synchronize" in far.error(*several, code=2)["hint"]
    alone = ("repository", "synchronize", "--product", "Tools", "--label", "base", "--client-certificate", "me")
    assert "--client-certificate without --source-url" in far.error(*alone, code=2)["message"]
    redhat = f"{bundle.as_uri()}/content/dist/rhel9/9/x86_64/os"
    of = ("--product", "Tools", "--label", "base", "--source-url", redhat)
    assert far.error("repository", "synchronize", *of, code=3)["code"] == "source-refused"


def test_a_product_is_pointed_to_a_base_after_its_plan_was_shown(far: CommandLine, bundle: Path) -> None:
    update = ("product", "update", "--label", "Tools", "--source-url", "https://me:hush@mirror.example.com/exports")
    plan = far.json(*update, "--dry-run")
    assert plan["repositories"][0] == {
        "repository": "Tools/base",
        "changed": True,
        "url": None,
        "new_url": "https://***@mirror.example.com/exports/custom/Tools/base",
        "ca": None,
        "client_certificate": None,
        "proxy": None,
    }
    assert "Tools/more from https://***@mirror" in far(*update, "--dry-run").stdout
    assert {each["url"] for each in far.json("repository", "list")} == {None}
    result = far(*update)
    assert "Repositories that come from another place now: 3 of 3." in result.stderr
    assert "hush" not in result.stdout + result.stderr
    assert "now: 0 of 3." in far(*update).stderr
    far("product", "update", "--label", "Tools", "--source-url", bundle.as_uri())
    assert {each["result"] for each in far.json("repository", "synchronize", "--label", "base")} == {"new-version"}
    taken = far("product", "update", "--label", "Tools", "--source-url", "")
    assert f"Tools/base from nowhere instead of {bundle.as_uri()}" in taken.stderr
    assert {each["url"] for each in far.json("repository", "list")} == {None}
    assert (
        "Tools/base stays at nowhere"
        in far("product", "update", "--label", "Tools", "--source-url", "", "--dry-run").stdout
    )
    assert far.error(*update, "--name", "New", code=2)["code"] == "usage"
    assert far.error("product", "update", "--label", "Tools", "--proxy", "http://p/", code=2)["code"] == "usage"


def test_architectures_of_a_repository_are_changed(far: CommandLine) -> None:
    update = ("repository", "update", "--product", "Tools", "--label", "base")
    assert far.json(*update, "--arch", "x86_64", "--arch", "noarch")["arches"] == ["x86_64", "noarch"]
    assert far.json(*update, "--name", "Base")["arches"] == ["x86_64", "noarch"]
    assert far.json(*update, "--arch", "")["arches"] == []
    assert far.error(*update, "--arch", "x86/64", code=2)["code"] == "invalid-value"
    assert far.error(*update, "--arch", "noarch", "--arch", "noarch", code=2)["code"] == "invalid-value"
