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


def test_promotions_through_environments(tools: CommandLine) -> None:
    create = ("lifecycle-environment", "create", "--name")
    made = tools.json(*create, "Development", "--label", "dev", "--prior", "Library", "--description", "First")
    assert len(made.pop("id")) == 32
    assert made == {
        "organization": "ACME",
        "label": "dev",
        "type": "",
        "content_prefix": "",
        "name": "Development",
        "prior": "Library",
        "description": "First",
        "cdn": False,
    }
    tools(*create, "prod", "--prior", "dev")
    assert tools.error(*create, "custom", "--prior", "dev", code=2)["code"] == "invalid-value"
    assert tools.json("lifecycle-environment", "paths") == [{"environments": ["Library", "dev", "prod"]}]
    assert "Library > dev > prod" in tools("lifecycle-environment", "paths").stdout
    assert [each["label"] for each in tools.json("lifecycle-environment", "list")] == ["Library", "dev", "prod"]
    tools("content-view", "create", "--name", "base")
    tools("content-view", "add-repository", "--label", "base", "--repository", "base")
    tools("content-view", "publish", "--label", "base")
    promote = ("content-view", "version", "promote", "--content-view", "base", "--to-environment")
    assert tools.error(*promote, "prod", code=3)["code"] == "promotion-refused"
    assert tools.error(*promote, "nowhere", code=4)["code"] == "not-found"
    planned = tools.json(*promote, "dev", "--dry-run")
    assert (planned["dry_run"], planned["promotion"]) == (True, None)
    done = tools.json(*promote, "dev", "--version", "1.0")
    assert done == planned | {"dry_run": False, "promotion": 1}
    (change,) = done["changes"]
    after = {
        "version": 1,
        "filtered": False,
        "enabled": None,
        "content_view": "base",
        "content_view_version": "1.0",
    }
    assert (change["repository"], change["kind"], change["before"], change["after"]) == (
        "tools/base",
        "in",
        None,
        after,
    )
    assert len(change["packages_added"]) == 2
    shown = tools("content-view", "version", "promote", "--content-view", "base", "--to-lifecycle-environment", "prod")
    assert "tools/base in: nothing -> version 1 of base 1.0 (packages added 2)" in shown.stdout
    info = tools.json("lifecycle-environment", "info", "--label", "prod")
    assert info["content"] == [{"repository": "tools/base", "path": "custom/tools/base", **after}]
    assert tools.json("content-view", "version", "info", "--content-view", "base")["environments"] == ["dev", "prod"]
    assert "already" in tools(*promote, "dev").stderr
    assert tools.error("content-view", "delete", "--label", "base", "--yes", code=5)["code"] == "in-use"
    assert [each["id"] for each in tools.json("promotion", "list")] == [2, 1]
    assert tools.json("promotion", "undo", "2")["promotion"] == 3
    assert tools.json("promotion", "info", "2")["undone_by"] == 3
    assert tools.json("lifecycle-environment", "info", "--name", "prod")["content"] == []
    removed = tools.json("lifecycle-environment", "remove-content", "--label", "dev", "--content-view", "base")
    assert [each["kind"] for each in removed["changes"]] == ["out"]
    assert tools.error("lifecycle-environment", "remove-content", "--label", "dev", code=2)["code"] == "usage"
    alone = tools.json("repository", "promote", "--label", "base", "--to-environment", "dev", "--version", "1")
    assert alone["subject"] == "tools/base version 1"
    tools("lifecycle-environment", "update", "--label", "dev", "--name", "Dev")
    delete = ("lifecycle-environment", "delete", "--label", "dev")
    assert tools.json(*delete, "--dry-run")["followers"] == ["prod"]
    assert tools.error(*delete, "--yes", code=5)["code"] == "in-use"
    assert tools.json(*delete, "--yes", "--force")["prior"] == "Library"
    assert [each["prior"] for each in tools.json("lifecycle-environment", "list")] == [None, "Library"]


def test_filters(tools: CommandLine) -> None:
    tools("content-view", "create", "--name", "base")
    tools("content-view", "add-repository", "--label", "base", "--repository", "base")
    create = ("content-view", "filter", "create", "--content-view", "base", "--name")
    made = tools.json(*create, "No greetings", "--package", "gap-greeting", "--repository", "tools/base")
    assert made == {
        "name": "No greetings",
        "type": "rpm",
        "inclusion": False,
        "means": "gap-greeting",
        "packages": ["gap-greeting"],
        "version": None,
        "min_version": None,
        "max_version": None,
        "architectures": [],
        "errata_ids": [],
        "errata_types": [],
        "start_date": None,
        "end_date": None,
        "date_type": None,
        "original_packages": False,
        "repositories": ["tools/base"],
        "description": "",
    }
    assert tools.error(*create, "No greetings", "--package", "a", code=5)["code"] == "already-exists"
    assert tools.error(*create, "x", code=2)["code"] == "invalid-value"
    assert tools.error(*create, "x", "--errata-id", "A", code=2)["code"] == "usage"
    assert tools.error(*create, "x", "--type", "erratum", "--start-date", "soon", code=2)["code"] == "invalid-value"
    bad_day = tools.error(*create, "x", "--type", "erratum", "--end-date", "2026-13-01", code=2)["message"]
    assert bad_day == "'2026-13-01' is neither a day such as 2026-11-01 nor an ISO 8601 time"
    version = tools.json("content-view", "publish", "--label", "base")
    assert [(pin["filtered"], pin["packages"]) for pin in version["repositories"]] == [(True, 1)]
    errata = ("--type", "erratum", "--inclusion", "true", "--errata-type", "security", "--original-packages")
    dates = ("--start-date", "2026-01-01", "--end-date", "2026-01-31", "--date-type", "issued")
    made = tools.json(*create, "security", *errata, *dates)
    assert (made["inclusion"], made["errata_types"], made["original_packages"]) == (True, ["security"], True)
    assert (made["start_date"], made["end_date"]) == ("2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z")
    assert made["date_type"] == "issued"
    words = "security errata, issued from 2026-01-01 00:00, issued until 2026-01-31 23:59; or no erratum names it"
    assert made["means"] == words
    assert words in tools("content-view", "filter", "list", "--content-view", "base").stdout
    versions = tools.json(
        *create, "new", "--package", "a", "--package", "b*", "--min-version", "2", "--max-version", "3"
    )
    assert versions["means"] == "a or b*, from version 2, up to version 3"
    tools("content-view", "filter", "delete", "--content-view", "base", "--name", "new", "--yes")
    listed = tools.json("content-view", "filter", "list", "--content-view", "base")
    assert [each["name"] for each in listed] == ["No greetings", "security"]
    delete = ("content-view", "filter", "delete", "--content-view", "base", "--name", "security")
    assert tools.error(*delete, code=2)["code"] == "not-confirmed"
    assert tools.json(*delete, "--yes") == made
    assert tools.json("content-view", "info", "--label", "base")["filters"] == ["No greetings"]
