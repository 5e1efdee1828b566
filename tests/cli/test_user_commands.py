"""`issbox user`: what the commands change and show, and what they keep secret."""

from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository

PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr ann at her desk\n"
FINGERPRINT = "SHA256:sArVyTbDlP2ByuRNM59Xf/iwOUmdy69sxylyNl3iUQQ"


@pytest.fixture
def ann(issbox: CommandLine) -> CommandLine:
    """The command line of the user ann, who has no role yet."""
    issbox("user", "create", "--name", "ann", "--full-name", "Ann Other")
    line = CommandLine(issbox.directory)
    line.environ = {**issbox.environ, "ISSBOX_USER": "ann"}
    return line


def test_users(issbox: CommandLine) -> None:
    made = issbox.json("user", "create", "--name", "ann")
    assert {name: made[name] for name in ("name", "full_name", "disabled", "roles")} == {
        "name": "ann",
        "full_name": "ann",
        "disabled": False,
        "roles": [],
    }
    assert issbox.error("user", "create", "--name", "ann", code=5)["code"] == "already-exists"
    assert issbox.error("user", "create", "--name", "Ann", code=2)["code"] == "invalid-value"
    assert issbox.json("user", "update", "--name", "ann", "--full-name", "Ann Other")["full_name"] == "Ann Other"
    assert issbox.json("user", "update", "--name", "ann", "--disable")["disabled"] is True
    assert issbox.json("user", "update", "--name", "ann", "--enable")["disabled"] is False
    assert issbox.error("user", "update", "--name", "ann", code=2)["code"] == "usage"
    assert issbox.json("user", "list") == [issbox.json("user", "info", "--name", "ann")]
    assert issbox.error("user", "delete", "--name", "ann", code=2)["code"] == "not-confirmed"
    issbox("user", "delete", "--name", "ann", "--yes")
    assert issbox.error("user", "info", "--name", "ann", code=4)["code"] == "not-found"


def test_roles(issbox: CommandLine, ann: CommandLine) -> None:
    grant = ["user", "grant", "--name", "ann", "--role"]
    issbox(*grant, "exporter", "--organization", "ACME", "--product", "Tools", "--product", "Base", "--product", "Base")
    made = issbox.json(*grant, "viewer")  # the only organization need not be named
    assert made["roles"] == [
        {"role": "exporter", "organization": "ACME", "products": ["Base", "Tools"]},
        {"role": "viewer", "organization": "ACME", "products": []},
    ]
    assert "exporter of ACME (Base, Tools), viewer of ACME" in issbox("user", "list").stdout
    assert ann.json("user", "whoami")["roles"] == made["roles"]
    revoke = ["user", "revoke", "--name", "ann", "--role"]
    assert issbox.json(*revoke, "exporter", "--product", "Base")["roles"][0]["products"] == ["Tools"]
    assert issbox.json(*revoke, "exporter")["roles"] == made["roles"][1:]
    assert issbox.error(*revoke, "exporter", code=4)["code"] == "not-found"
    assert issbox.error(*grant, "viewer", code=5)["code"] == "already-exists"
    assert issbox.error(*grant, "viewer", "--organization", "None", code=4)["code"] == "not-found"
    assert issbox.error(*grant, "super-admin", "--organization", "ACME", code=2)["code"] == "invalid-value"
    assert issbox.error(*grant, "king", code=2)["code"] == "usage"
    assert issbox.json(*grant, "super-admin")["roles"][0] == {
        "role": "super-admin",
        "organization": None,
        "products": [],
    }
    assert ann.json("user", "list")[0]["name"] == "ann"


def test_several_products_are_granted_together_or_not_at_all(issbox: CommandLine, ann: CommandLine) -> None:
    grant = ["user", "grant", "--name", "ann", "--role", "exporter"]
    issbox(*grant, "--product", "Tools")
    issbox(*grant, "--product", "Base", "--product", "Tools", code=5)
    assert ann.json("user", "whoami")["roles"][0]["products"] == ["Tools"]


def test_who_i_am(issbox: CommandLine, ann: CommandLine) -> None:
    local = issbox.json("user", "whoami")
    assert (local["user"], local["origin"]) == (None, "local")
    assert local["roles"] == [{"role": "super-admin", "organization": None, "products": []}]
    ann.environ["SSH_CONNECTION"] = "2001:db8::7 50000 2001:db8::1 22"
    assert ann.json("user", "whoami") == {"actor": "ann", "origin": "2001:db8::7", "user": "ann", "roles": []}


def test_the_audit_log_names_the_user_and_where_it_came_from(issbox: CommandLine, ann: CommandLine) -> None:
    issbox("user", "grant", "--name", "ann", "--role", "org-admin")
    ann.environ["SSH_CONNECTION"] = "192.0.2.7 50000 192.0.2.1 22"
    ann("product", "create", "--name", "Tools")
    assert ann.error("organization", "create", "--name", "Mine", code=12)["code"] == "not-permitted"
    made, refused = issbox.json("audit", "list")[-2:]
    assert (made["actor"], made["origin"], made["action"]) == ("ann", "192.0.2.7", "product.create")
    assert (refused["actor"], refused["action"]) == ("ann", "permission.refuse")
    assert (refused["subject"], refused["organization"]) == ("organization.manage", None)
    issbox("audit", "verify")
    assert {entry["organization"] for entry in ann.json("audit", "list")} == {"ACME"}


def test_passwords(issbox: CommandLine, ann: CommandLine, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("correct horse battery\n")
    assert issbox.json("user", "password", "--name", "ann", "--file", secret) == {"user": "ann", "password": True}
    assert ann.json("user", "password", "--file", "-", stdin="another long password") == {
        "user": "ann",
        "password": True,
    }
    assert ann.json("user", "password", "--remove") == {"user": "ann", "password": False}
    assert ann.error("user", "password", "--remove", code=4)["code"] == "not-found"
    secret.write_text("hunter2hunter2\n" * 1000)
    attempts: list[list[str | Path]] = [["--file", secret], ["--remove", "--file", secret], []]
    for words in attempts:
        assert "hunter2" not in ann("user", "password", *words, code=2).stderr
    assert issbox.error("user", "password", code=2)["code"] == "usage"
    assert "correct horse" not in issbox("audit", "list", "--json").stdout


def test_tokens(issbox: CommandLine, ann: CommandLine) -> None:
    made = ann.json("user", "token", "create", "--token", "backup", "--expires-at", "2999-01-01T00:00:00+01:00")
    assert made["secret"].startswith("issbox_")
    assert made["expires_at"] == "2998-12-31T23:00:00Z"
    (listed,) = issbox.json("user", "token", "list", "--name", "ann")
    assert set(listed) == {"user", "name", "created_at", "expires_at", "used_at"}
    late = ["--token", "late", "--expires-at", "2001-01-01T00:00:00Z"]
    assert ann.error("user", "token", "create", *late, code=2)["code"] == "invalid-value"
    assert ann.error("user", "token", "create", "--token", "backup", code=5)["code"] == "already-exists"
    ann("user", "token", "revoke", "--token", "backup", "--yes")
    assert ann.json("user", "token", "list") == []
    assert ann.error("user", "token", "revoke", "--token", "backup", "--yes", code=4)["code"] == "not-found"


def test_ssh_keys(issbox: CommandLine, ann: CommandLine, tmp_path: Path) -> None:
    public = tmp_path / "ann.pub"
    public.write_text(SSH_KEY)
    added = issbox.json("user", "ssh-key", "add", public, "--name", "ann")
    assert (added["fingerprint"], added["comment"]) == (FINGERPRINT, "ann at her desk")
    issbox("user", "create", "--name", "bob")
    for name in ("ann", "bob"):
        assert issbox.error("user", "ssh-key", "add", public, "--name", name, code=5)["code"] == "already-exists"
    smuggled = f'command="/bin/sh" {SSH_KEY}'
    error = issbox.error("user", "ssh-key", "add", "-", "--name", "bob", "--json", code=2)
    assert error["code"] == "invalid-value"
    assert issbox("user", "ssh-key", "add", "-", "--name", "bob", stdin=smuggled, code=2).stdout == ""
    assert [each["user"] for each in issbox.json("user", "ssh-key", "list")] == ["ann"]
    assert ann.json("user", "ssh-key", "list") == issbox.json("user", "ssh-key", "list", "--name", "ann")
    assert issbox.json("user", "ssh-key", "list", "--name", "bob") == []
    remove = ["user", "ssh-key", "remove", FINGERPRINT, "--name", "ann"]
    assert ann.error(*remove, "--yes", code=12)["code"] == "not-permitted"
    assert issbox.error(*remove, code=2)["code"] == "not-confirmed"
    issbox(*remove, "--yes")
    assert issbox.json("user", "ssh-key", "list") == []


def synchronize(issbox: CommandLine, directory: Path) -> None:
    """Fill the repositories of both products."""
    write_repository(Repository(directory / "upstream", PACKAGES[:1], revision="1"))
    url = (directory / "upstream").as_uri()
    for product in ("Tools", "Base"):
        issbox("repository", "synchronize", "--product", product, "--label", "main", "--source-url", url)


def test_an_exporter_of_one_product(issbox: CommandLine, ann: CommandLine, tmp_path: Path) -> None:
    for product in ("Tools", "Base"):
        issbox("product", "create", "--name", product)
        issbox("repository", "create", "--product", product, "--name", "main")
    issbox("user", "grant", "--name", "ann", "--role", "exporter", "--product", "Tools")
    assert [each["label"] for each in ann.json("product", "list")] == ["Tools"]
    assert [each["product"] for each in ann.json("repository", "list")] == ["Tools"]
    export = ["content-export", "complete", "product", "--output", str(tmp_path)]
    assert ann.error(*export, "--product", "Tools", code=4)["code"] == "not-found"  # no version yet: that far it came
    synchronize(issbox, tmp_path)
    error = ann.error(*export, "--product", "Base", code=12)
    assert "Base" in error["message"]
    assert "cover only the product Tools" in error["message"]
    assert ann.error("product", "update", "--label", "Tools", "--name", "x", code=12)["code"] == "not-permitted"
    assert ann.json(*export, "--product", "Tools")["repositories"] == ["Tools/main"]
    issbox(*export, "--product", "Base")
    assert [each["repositories"] for each in ann.json("content-export", "list")] == [["Tools/main"]]
    assert ann.error("content-export", "info", "2", code=4)["code"] == "not-found"
    library = ["content-export", "complete", "library", "--output", str(tmp_path)]
    assert "Base" in ann.error(*library, code=12)["message"]
    assert ann.error("content-credential", "delete", "--label", "x", "--yes", code=4)["code"] == "not-found"
