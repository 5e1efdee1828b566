"""`issbox content-view` through to a real store."""

from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository

PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))


@pytest.fixture
def tools(issbox: CommandLine, tmp_path: Path) -> CommandLine:
    """The box with the synchronized repository tools/base."""
    write_repository(Repository(tmp_path / "upstream", PACKAGES[:2]))
    issbox("product", "create", "--name", "tools")
    url = (tmp_path / "upstream").as_uri()
    issbox("repository", "create", "--product", "tools", "--name", "base", "--url", url)
    issbox("repository", "synchronize", "--label", "base")
    return issbox


def test_content_views(tools: CommandLine) -> None:
    made = tools.json("content-view", "create", "--name", "Our servers", "--description", "x")
    assert made == {
        "organization": "ACME",
        "label": "Our_servers",
        "name": "Our servers",
        "latest": None,
        "repositories": [],
        "filters": [],
        "description": "x",
    }
    which = ("--label", "Our_servers")
    tools("content-view", "add-repository", *which, "--repository", "tools/base")
    assert tools.json("content-view", "info", "--name", "Our servers")["repositories"] == ["tools/base"]
    assert tools.error("repository", "delete", "--label", "base", "--yes", code=5)["code"] == "in-use"
    version = tools.json("content-view", "publish", *which, "--description", "First")
    assert version["version"] == "1.0"
    (pin,) = version["repositories"]
    assert pin == pin | {"repository": "tools/base", "version": 1, "filtered": False, "packages": 2}
    assert version["packages"] == 2
    assert "tools/base version 1" in tools("content-view", "version", "info", "--content-view", "Our_servers").stdout
    assert tools.json("content-view", "version", "list", "--content-view", "Our_servers") == [version]
    given = ("content-view", "version", "info", "--content-view", "Our_servers", "--version")
    assert tools.json(*given, "1") == tools.json(*given, "1.0") == version
    assert tools.error(*given, "2.0", code=4)["code"] == "not-found"
    tools("content-view", "remove-repository", *which, "--repository", "base")
    tools("content-view", "update", *which, "--name", "Servers")
    (listed,) = tools.json("content-view", "list")
    assert (listed["name"], listed["latest"], listed["repositories"]) == ("Servers", "1.0", [])
    delete = ("content-view", "version", "delete", "--content-view", "Our_servers", "--version", "1.0")
    assert tools.error(*delete, code=2)["code"] == "not-confirmed"
    tools(*delete, "--yes")
    assert (
        tools.error("content-view", "version", "info", "--content-view", "Our_servers", code=4)["code"] == "not-found"
    )
    assert tools.error("content-view", "publish", *which, code=4)["code"] == "not-found"
    tools("content-view", "delete", *which, "--yes")
    assert tools.json("content-view", "list") == []
