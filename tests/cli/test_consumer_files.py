"""Commands that write what a host without subscription-manager needs."""

import json
from pathlib import Path

from makers.command_line import CommandLine

URL = "https://box.example.com/content"


def names(issbox: CommandLine) -> list[str]:
    return [each["name"] for each in json.loads(issbox("consumer", "list", "--json").stdout)]


def test_the_key_of_a_host_is_never_overwritten_by_that_of_another(issbox: CommandLine, tmp_path: Path) -> None:
    place = tmp_path / "web1"
    issbox("consumer", "create", "--name", "web1", "--output", str(place), "--content-url", URL)
    key = (place / "key.pem").read_bytes()

    refused = issbox("consumer", "create", "--name", "web2", "--output", str(place), "--content-url", URL, code=5)

    assert "holds the key of another host" in refused.stderr
    assert (place / "key.pem").read_bytes() == key
    assert names(issbox) == ["web1"]


def test_no_host_is_registered_when_its_files_cannot_be_written(issbox: CommandLine, tmp_path: Path) -> None:
    refused = issbox("consumer", "create", "--name", "web1", "--output", str(tmp_path / "web1"), code=6)

    assert "--content-url" in refused.stderr
    assert names(issbox) == []


def test_the_files_of_a_host_are_written_again(issbox: CommandLine, tmp_path: Path) -> None:
    place = tmp_path / "web1"
    made = issbox("consumer", "create", "--name", "web1", "--output", str(place), "--content-url", URL, "--json")
    key = (place / "key.pem").read_bytes()
    (place / "issbox.repo").unlink()

    again = issbox("consumer", "files", json.loads(made.stdout)["uuid"], "--output", str(place), "--content-url", URL)

    assert "/etc/pki/issbox" in again.stderr
    assert (place / "key.pem").read_bytes() == key
    assert (place / "issbox.repo").is_file()
