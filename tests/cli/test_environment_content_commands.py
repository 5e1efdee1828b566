"""`issbox lifecycle-environment promote` and `set-content`, as an administrator uses them."""

import json
from pathlib import Path

import pytest
from makers.boxes import PACKAGES
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository

SET = ("lifecycle-environment", "set-content", "--label", "dev")


@pytest.fixture
def tools(issbox: CommandLine, tmp_path: Path) -> CommandLine:
    """A box with tools/base, tools/extra, the content view servers 1.0 of base, and Library > dev > qa."""
    write_repository(Repository(tmp_path / "upstream", PACKAGES[:2]))
    issbox("product", "create", "--name", "tools")
    for label in ("base", "extra"):
        url = (tmp_path / "upstream").as_uri()
        issbox("repository", "create", "--product", "tools", "--name", label, "--url", url)
        issbox("repository", "synchronize", "--label", label)
    issbox("content-view", "create", "--label", "servers")
    issbox("content-view", "add-repository", "--label", "servers", "--repository", "tools/base")
    issbox("content-view", "publish", "--label", "servers")
    issbox("lifecycle-environment", "create", "--label", "dev", "--prior", "Library")
    issbox("lifecycle-environment", "create", "--label", "qa", "--prior", "dev")
    return issbox


def content(tools: CommandLine, label: str = "dev") -> list[tuple[str, str | None]]:
    found = tools.json("lifecycle-environment", "info", "--label", label)["content"]
    return [(each["repository"], each["content_view_version"]) for each in found]


def test_set_content(tools: CommandLine, tmp_path: Path) -> None:
    wanted = ("--content-view", "servers=1.0", "--repository", "tools/extra=1")
    planned = tools.json(*SET, *wanted, "--dry-run")
    assert (planned["action"], planned["promotion"], len(planned["changes"])) == ("set", None, 2)
    assert content(tools) == []
    assert tools.json(*SET, *wanted)["promotion"] == 1
    assert content(tools) == [("tools/base", "1.0"), ("tools/extra", None)]
    again = tools(*SET, *wanted)
    assert "nothing to do" in again.stderr
    kept = tmp_path / "dev.json"
    kept.write_text(tools("lifecycle-environment", "info", "--label", "dev", "--json").stdout)
    tools(*SET, "--nothing")
    assert content(tools) == []
    tools(*SET, "--file", kept)
    assert content(tools) == [("tools/base", "1.0"), ("tools/extra", None)]
    assert tools.json("promotion", "list")[0]["action"] == "set"
    tools("promotion", "undo", "3")
    assert content(tools) == []


def test_set_content_says_what_is_wrong(tools: CommandLine, tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps({"content": [{"repository": "tools/base", "version": "1"}]}))
    for words, code, error in (
        ((), 2, "usage"),
        (("--nothing", "--repository", "tools/base=1"), 2, "usage"),
        (("--repository", "tools/base"), 2, "usage"),
        (("--repository", "tools/base=new"), 2, "invalid-value"),
        (("--repository", "tools/none=1"), 4, "not-found"),
        (("--content-view", "servers=new"), 2, "invalid-value"),
        (("--content-view", "servers=7.0"), 4, "not-found"),
        (("--repository", "tools/base=7"), 3, "promotion-refused"),
        (("--file", broken), 2, "invalid-value"),
        (("--file", tmp_path), 1, "operating-system"),
    ):
        assert tools.error(*SET, *words, code=code)["code"] == error, words
    assert content(tools) == []


def test_promote_everything(tools: CommandLine) -> None:
    promote = ("lifecycle-environment", "promote", "--label")
    tools(*promote, "Library", "--to-environment", "dev")
    assert tools.error(*promote, "Library", "--to-environment", "qa", code=3)["code"] == "promotion-refused"
    assert tools.json(*promote, "dev", "--to-environment", "qa")["subject"] == "everything in dev"
    assert len(content(tools, "qa")) == 2
    tools("lifecycle-environment", "remove-content", "--label", "dev", "--repository", "tools/extra")
    planned = tools.json(*promote, "dev", "--to-environment", "qa", "--exactly", "--dry-run")
    assert [(each["repository"], each["kind"]) for each in planned["changes"]] == [("tools/extra", "out")]
    assert len(content(tools, "qa")) == 2
