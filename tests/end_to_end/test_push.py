"""Two boxes and a real sshd between them: what is pushed, what is refused, and what a lost connection leaves."""

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from makers.command_line import CommandLine
from makers.commands import ISSBOX
from makers.far_ssh import SshServer, breaking_line, needs_sshd, serve_ssh
from makers.ports import free_port
from makers.repodata import Listed, write_repository

from issbox import ssh

pytestmark = needs_sshd

SMALL = (Listed("one.rpm", b"one"), Listed("two.rpm", b"two"))


@pytest.fixture
def near(tmp_path: Path) -> CommandLine:
    """A box with the repository Tools/base synchronized."""
    box = make_box(tmp_path, "near")
    publish(tmp_path, *SMALL)
    add_repository(box, tmp_path)
    return box


@pytest.fixture
def far(tmp_path: Path, near: CommandLine) -> CommandLine:
    """An empty box that trusts the other one."""
    box = make_box(tmp_path, "far")
    trust(box, near)
    trust(near, box)
    return box


@pytest.fixture
def server(tmp_path: Path, far: CommandLine) -> Iterator[SshServer]:
    environment = {name: str(far.environ[name]) for name in ("ISSBOX_STATE_DIR", "XDG_CONFIG_HOME")}
    with serve_ssh(tmp_path / "sshd", environment) as running:
        yield running


def make_box(tmp_path: Path, name: str) -> CommandLine:
    box = CommandLine(tmp_path / name)
    box("init", "--name", name, "--organization", "Demo")
    return box


def trust(box: CommandLine, sender: CommandLine) -> None:
    key = sender("box", "show", "--public-key").stdout
    box("trusted-key", "add", "-", "--name", sender.directory.name, stdin=key)


def add_repository(box: CommandLine, tmp_path: Path, organization: str = "Demo") -> None:
    of = ("--organization", organization)
    box("product", "create", *of, "--name", "Tools")
    url = (tmp_path / "upstream").as_uri()
    box("repository", "create", *of, "--product", "Tools", "--name", "base", "--url", url)
    box("repository", "synchronize", *of, "--product", "Tools")


def content(box: CommandLine) -> Path:
    return box.state / "content/Demo/Library/custom/Tools/base"


def publish(tmp_path: Path, *packages: Listed) -> None:
    write_repository(tmp_path / "upstream", *packages)


def words(server: SshServer, *more: str, url: str = "", **options: str) -> list[str]:
    return ["push", url or server.url, "--far-command", str(ISSBOX), *server.options(**options), *more]


def exports(box: CommandLine) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = box.json("content-export", "list")
    return found


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_the_other_box_gets_exactly_what_it_lacks(
    near: CommandLine, far: CommandLine, server: SshServer, tmp_path: Path
) -> None:
    first = near.json(*words(server))
    assert (first["result"], first["box"], first["destination"]) == ("imported", "far", "far")
    assert first["verified"]
    assert first["report"]["state"] == "imported"
    assert first["report"]["bundle_id"] == exports(near)[0]["bundle_id"]
    assert tree(content(far)) == tree(content(near))
    (export,) = exports(near)
    assert (export["state"], export["sequence"], export["id"]) == ("streamed", 1, first["export"])
    publish(tmp_path, *SMALL, Listed("three.rpm", b"three"))
    near("repository", "synchronize", "--product", "Tools")
    planned = near.json(*words(server, "--dry-run"))
    assert planned["result"] == "planned"
    second = near.json(*words(server, "--product", "Tools"))
    packages = {path for path in tree(content(near)) if path.endswith(".rpm")}
    assert packages == {"one.rpm", "two.rpm", "three.rpm"}
    metadata = sum(path.startswith("repodata/") for path in tree(content(near)))
    documents = 4  # three listings and metadata.json
    assert second["files"] == planned["files"] == metadata + documents + len(["three.rpm"])
    assert tree(content(far)) == tree(content(near))
    third = near.json(*words(server))
    assert (third["result"], third["files"], third["export"]) == ("up-to-date", 0, None)
    (kept,) = near.json("receipt", "list")
    assert (kept["imported"][0]["sequence"], kept["verified"]) == (2, True)
    assert len(exports(near)) == 2
    assert near.json(*words(server, "--force"))["result"] == "imported"
    assert len(far.json("content-import", "list")) == 3


def test_the_report_of_the_other_box_is_kept(near: CommandLine, server: SshServer) -> None:
    near(*words(server))
    (entry,) = [each for each in near.json("audit", "list") if each["action"] == "content-export.create"]
    pushed = entry["details"]["push"]
    assert (pushed["box"], pushed["target"]) == ("far", server.url)
    assert pushed["report"]["state"] == "imported"
    assert entry["subject"] == pushed["report"]["bundle_id"]
    near("audit", "verify")


def test_a_lost_connection_leaves_nothing_on_either_side(
    near: CommandLine, far: CommandLine, server: SshServer, tmp_path: Path
) -> None:
    publish(tmp_path, *SMALL, Listed("large.rpm", os.urandom(6 << 20)))
    near("repository", "synchronize", "--product", "Tools")
    with breaking_line(server.port, after=2 << 20) as port:
        server.know(port)
        error = near.error(*words(server, url=server.at(port)), code=9)
    assert error["code"] == "far-side-unreachable"
    assert "was lost while the bundle was sent" in error["message"]
    assert "Stage files" not in error["message"]
    assert "Push again" in error["hint"]
    assert exports(near) == []
    assert not content(far).exists()
    assert {each["state"] for each in far.json("content-import", "list")} <= {"refused"}
    assert near.json(*words(server))["result"] == "imported"
    assert {each["state"] for each in far.json("content-import", "list")} <= {"imported", "discarded"}
    assert far.json("status")["needs_attention"] == []
    assert exports(near)[0]["sequence"] == 1
    assert tree(content(far)) == tree(content(near))


def test_a_box_that_does_not_trust_refuses_in_its_own_words(
    near: CommandLine, far: CommandLine, server: SshServer
) -> None:
    far("trusted-key", "remove", "near", "--yes")
    error = near.error(*words(server), code=11)
    assert error["code"] == "far-side-failed"
    assert "unknown-key" in error["message"]
    assert error["hint"].startswith("On the other box: ")
    assert exports(near) == []
    assert not content(far).exists()


def test_an_untrusted_receipt_serves_but_acknowledges_nothing(near: CommandLine, server: SshServer) -> None:
    near("trusted-key", "remove", "far", "--yes")
    done = near(*words(server), "--json")
    assert not json.loads(done.stdout)["verified"]
    assert "acknowledge no export" in done.stderr


def test_an_organization_that_the_other_box_lacks(near: CommandLine, server: SshServer, tmp_path: Path) -> None:
    near("organization", "create", "--label", "Alone")
    add_repository(near, tmp_path, "Alone")
    error = near.error(*words(server, "--organization", "Alone"), code=4)
    assert "there is no organization" in error["message"]


def test_what_ssh_says_is_passed_on(near: CommandLine, server: SshServer, tmp_path: Path) -> None:
    (tmp_path / "nobody").touch()
    unknown = near.error(*words(server, UserKnownHostsFile=str(tmp_path / "nobody")), code=9)
    assert "Host key verification failed" in unknown["message"]
    refused = near.error(*words(server, url=server.at(free_port())), code=9)
    assert "Connection refused" in refused["message"]
    server.let_in('from="192.0.2.1"')
    denied = near.error(*words(server), code=9)
    assert "Permission denied" in denied["message"]


def test_without_a_client_it_is_said_what_to_install(near: CommandLine, server: SshServer, tmp_path: Path) -> None:
    near.environ["PATH"] = str(tmp_path)
    error = near.error(*words(server), code=6)
    assert error["code"] == "missing-tool"
    assert "openssh-client" in error["hint"]


def test_a_box_without_issbox_and_one_that_is_too_old(near: CommandLine, server: SshServer, tmp_path: Path) -> None:
    line = words(server)
    line[line.index("--far-command") + 1] = "/nowhere/issbox"
    assert near.error(*line, code=3)["code"] == "far-side-too-old"
    line[line.index("--far-command") + 1] = f"{ISSBOX} no-such-command"
    error = near.error(*line, code=3)
    assert error["code"] == "far-side-too-old"
    assert "no-such-command" in error["message"]


@pytest.mark.parametrize(
    "case",
    [
        ("echo nonsense", 1, "without a report that can be read"),
        ("echo '[1]'", 1, "without a report that can be read"),
        ("true", 1, "without a report that can be read"),
        (
            """echo '{"error": {"code": "no-space", "message": "full\\u001b[2J", "hint": "h"}}' >&2; exit 8""",
            8,
            "no-space",
        ),
        ("""echo '{"error": 7}' >&2; exit 77""", 1, "ended on"),
        ("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 5", 5, "xxx"),
        ("""echo '{"state": "waiting", "reason": "for an approval"}'; exit 13""", 13, "(waiting): for an approval"),
        ("yes", 1, "the answer of the far side has more than"),
        ("kill -9 $$", 9, "ssh says nothing"),
    ],
)
def test_whatever_the_other_box_answers_nothing_is_recorded(
    near: CommandLine, server: SshServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: tuple[str, int, str]
) -> None:
    answer, code, said = case
    monkeypatch.setattr(ssh, "MAX_ANSWER", 1 << 20)
    other = tmp_path / "other"
    other.write_text(
        f"#!/bin/sh\n[ $1 = content-import ] || exec {ISSBOX} \"$@\"\ncat > {tmp_path}/got; printf '' ; {answer}\n"
    )
    other.chmod(0o755)
    line = words(server)
    line[line.index("--far-command") + 1] = str(other)
    result = near(*line, code=code)
    assert said in result.stderr
    assert "\x1b" not in result.stderr
    assert result.stdout == ""
    assert exports(near) == []
    assert (tmp_path / "got").stat().st_size > 0


def test_an_answer_that_is_no_receipt(near: CommandLine, server: SshServer) -> None:
    line = words(server)
    line[line.index("--far-command") + 1] = "echo"
    assert near.error(*line, code=3)["code"] == "not-a-receipt"


def test_a_key_that_may_only_run_issbox_is_enough(
    near: CommandLine, far: CommandLine, server: SshServer, tmp_path: Path
) -> None:
    far("user", "create", "--name", "courier")
    far("user", "grant", "--name", "courier", "--role", "importer", "--organization", "Demo")
    far("user", "ssh-key", "add", server.directory / "key.pub", "--name", "courier")
    far("ssh", "authorized-keys", "--output", server.directory / "authorized_keys", "--program", ISSBOX)
    line = ["push", server.url, *server.options()]
    assert near.json(*line)["result"] == "imported"
    (imported,) = far.json("content-import", "list")
    assert imported["state"] == "imported"
    actors = {each["actor"] for each in far.json("audit", "list") if each["action"].startswith("content-import")}
    assert actors == {"courier"}
    far("user", "revoke", "--name", "courier", "--role", "importer", "--organization", "Demo")
    assert near.error(*line, "--force", code=4)["code"] == "far-side-failed"


def test_a_user_of_the_box_runs_no_other_programs(near: CommandLine, server: SshServer, tmp_path: Path) -> None:
    near("user", "create", "--name", "ann")
    near("user", "grant", "--name", "ann", "--role", "exporter", "--organization", "Demo")
    near.environ["ISSBOX_USER"] = "ann"
    made = tmp_path / "made"
    attempts = [
        ["--ssh-option", f"ProxyCommand=touch {made}"],
        ["--ssh-option", "PermitLocalCommand=yes", "--ssh-option", f"LocalCommand=touch {made}"],
        ["--far-command", f"touch {made} #"],
    ]
    for attempt in attempts:
        error = near.error("push", server.url, "--ssh-option", "BatchMode=yes", *attempt, code=12)
        assert "could run other programs" in error["message"]
    assert not made.exists()


def test_a_bundle_goes_through_pipes_to_another_disk_or_box(
    near: CommandLine, far: CommandLine, server: SshServer, tmp_path: Path
) -> None:
    """As documented: `ssh box issbox content-export ... --output - > file.tar`."""
    file = tmp_path / "bundle.tar"
    options = [word for word in server.options() if word != "--ssh-option"]
    ssh = ["ssh", "-p", str(server.port), *(word for option in options for word in ("-o", option)), "127.0.0.1"]
    near(*words(server))  # now the far box has something to give back
    far_words = [str(ISSBOX), "content-export", "complete", "library", "--output", "-"]
    with file.open("wb") as out:
        subprocess.run([*ssh, shlex.join(far_words)], stdout=out, check=True, stderr=subprocess.DEVNULL)
    near("verify", file)
    third = make_box(tmp_path, "third")
    trust(third, far)
    third("content-import", "run", file)
    assert tree(content(third)) == tree(content(near))


def test_lifecycle_environments_go_along_when_asked(near: CommandLine, far: CommandLine, server: SshServer) -> None:
    near("lifecycle-environment", "create", "--name", "Dev", "--label", "dev", "--prior", "Library")
    near("repository", "promote", "--product", "Tools", "--label", "base", "--to-environment", "dev")
    near(*words(server))
    assert [each["label"] for each in far.json("lifecycle-environment", "list")] == ["Library"]
    pushed = near.json(*words(server, "--with-lifecycle-environments"))
    assert pushed["result"] == "imported", "what it holds does not say which environments it has"
    (dev,) = [each for each in far.json("lifecycle-environment", "list") if each["label"] == "dev"]
    assert [each["repository"] for each in far.json("lifecycle-environment", "info", "--label", "dev")["content"]] == [
        "Tools/base"
    ]
    assert dev["prior"] == "Library"
