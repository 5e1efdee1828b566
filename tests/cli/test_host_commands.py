"""What an administrator does with certificates of hosts on the command line: revoke one, count them, plan a move."""

from pathlib import Path

import pytest
from makers.boxes import PACKAGES
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository


@pytest.fixture
def hosts(issbox: CommandLine, tmp_path: Path) -> CommandLine:
    """A box with tools/base in dev, and a host in no environment that has its certificate."""
    config = tmp_path / "hosts.toml"
    config.write_text('[certificates]\nauthority_key = "ec-p256"\nhost_key = "ec-p256"\n')
    issbox.environ["ISSBOX_CONFIG"] = str(config)
    write_repository(Repository(tmp_path / "upstream", PACKAGES[:1]))
    issbox("product", "create", "--name", "tools")
    url = (tmp_path / "upstream").as_uri()
    issbox("repository", "create", "--product", "tools", "--name", "base", "--url", url)
    issbox("repository", "synchronize", "--label", "base")
    for label, prior in (("dev", "Library"), ("qa", "dev")):
        issbox("lifecycle-environment", "create", "--label", label, "--prior", prior)
    issbox("repository", "promote", "--label", "tools/base", "--to-environment", "dev")
    issbox("consumer", "create", "--name", "web1", "--arch", "x86_64")
    return issbox


def uuid(hosts: CommandLine) -> str:
    (host,) = hosts.json("consumer", "list")
    return str(host["uuid"])


def test_a_certificate_is_revoked_once(hosts: CommandLine) -> None:
    (held,) = hosts.json("certificate", "list", "--consumer", uuid(hosts), "--issue")
    gone = hosts.json("certificate", "revoke", str(held["serial"]), "--yes")
    assert (gone["serial"], gone["kind"], gone["consumer"]) == (str(held["serial"]), "entitlement", uuid(hosts))
    assert gone["revoked_at"]
    assert hosts.json("ca", "crl")["serials"] == [int(held["serial"])]
    assert hosts.json("certificate", "list", "--consumer", uuid(hosts)) == []
    (other,) = hosts.json("certificate", "list", "--consumer", uuid(hosts), "--issue")
    assert other["serial"] != held["serial"]
    again = hosts.error("certificate", "revoke", str(held["serial"]), "--yes", code=5)
    assert again["code"] == "wrong-state"
    assert hosts.error("certificate", "revoke", "4711", "--yes", code=4)["code"] == "not-found"


def test_certificates_are_counted_by_their_end(hosts: CommandLine) -> None:
    found = {each["ends"]: each["certificates"] for each in hosts.json("certificate", "expiry")}
    assert found == {
        "ended": 0,
        "within 7 days": 0,
        "within 30 days": 0,
        "within 90 days": 0,
        "within a year": 0,
        "later": 1,
    }
    assert "later" in hosts("certificate", "expiry").stdout


def test_a_move_is_planned_and_nothing_is_moved(hosts: CommandLine) -> None:
    hosts("certificate", "list", "--consumer", uuid(hosts), "--issue")
    said = hosts("consumer", "move", uuid(hosts), "--environment", "qa", "--dry-run").stderr
    assert "1 of 1 host would change; certificates that would become stale: 1." in said
    assert "- tools_base" in said
    assert hosts.json("consumer", "info", uuid(hosts))["environments"] == []
    assert "0 of 1 host would change" in hosts("consumer", "move", uuid(hosts), "--no-environment", "--dry-run").stderr
    missing = hosts.error("consumer", "move", uuid(hosts), "--environment", "nowhere", "--dry-run", code=4)
    assert missing["code"] == "not-found"


def test_the_servers_certificate_is_shown_and_issued_again(hosts: CommandLine, tmp_path: Path) -> None:
    assert hosts.error("web", "certificate", code=4)["code"] == "not-found"
    first = hosts.json("web", "certificate", "--renew")
    assert first["by_box"] is True
    assert hosts.json("web", "certificate") == first
    assert hosts.json("web", "certificate", "--renew")["certificate"] != first["certificate"]
    own = tmp_path / "hosts.toml"
    own.write_text(own.read_text() + '[web]\ncertificate = "/site.pem"\ncertificate_key = "/site.key"\n')
    assert hosts.error("web", "certificate", "--renew", code=6)["code"]


def test_certificates_of_all_organizations_are_issued_by_one_command(hosts: CommandLine) -> None:
    hosts("organization", "create", "--name", "Globex")
    hosts("product", "create", "--organization", "Globex", "--name", "own")
    hosts("consumer", "create", "--organization", "Globex", "--name", "there", "--arch", "x86_64")
    done = hosts.json("certificate", "regenerate-all")
    assert {(each["about"], each["state"], each["done"]) for each in done} == {
        ("all of ACME", "done", 1),
        ("all of Globex", "done", 1),
    }
    assert hosts.json("certificate", "regenerate-all") == []
    jobs = hosts.json("certificate", "regenerate-all", "--unchanged", "--async")
    assert {(each["kind"], each["organization"]) for each in jobs} == {("regenerate", "ACME"), ("regenerate", "Globex")}


def test_an_activation_key_is_put_into_environments_and_out_of_them(hosts: CommandLine) -> None:
    made = hosts.json("activation-key", "create", "--label", "web", "--environment", "dev", "--product", "tools")
    assert (made["environments"], made["products"]) == (["dev"], ["tools"])
    moved = hosts.json("activation-key", "update", "--label", "web", "--environment", "qa", "--environment", "dev")
    assert (moved["environments"], moved["products"]) == (["qa", "dev"], ["tools"])
    out = hosts.json("activation-key", "update", "--label", "web", "--environment", "", "--product", "")
    assert (out["environments"], out["products"]) == ([], [])
    same = hosts.json("activation-key", "update", "--label", "web", "--product", "tools", "--product", "tools")
    assert (same["environments"], same["products"]) == ([], ["tools"])
    wrong = hosts.error("activation-key", "update", "--label", "web", "--description", "a\x1b[31m", code=2)
    assert wrong["code"] == "invalid-value"
    host = hosts.json("consumer", "create", "--name", "two", "--product", "tools", "--product", "tools")
    assert len(hosts.json("entitlement", "list", "--consumer", host["uuid"])) == 1
