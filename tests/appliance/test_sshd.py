"""What a key that may export, and nothing else, gets out of a real sshd: its own commands, and no way around them."""

import json
import os
import shutil
import socket
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository
from makers.sshd import PROGRAM, SSHD, Done, Server, make_key, start_sshd

pytestmark = pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="openssh-server is not installed")
PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))
PERMISSION = 12


class Visit:
    """The box, and an exporter's way in."""

    def __init__(self, box: CommandLine, server: Server, key: Path) -> None:
        self.box = box
        self.server = server
        self.key = key

    def __call__(self, command: str, *, stdin: str = "", options: tuple[str, ...] = ()) -> Done:
        return self.server.ssh(self.key, command, stdin=stdin, options=options)

    def json(self, command: str) -> Any:
        done = self(f"{command} --json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refusals(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.box.json("audit", "list")
        return [each for each in entries if each["action"] == "ssh.refuse"]


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visit]:
    directory = tmp_path_factory.mktemp("visit")
    box = CommandLine(directory)
    box("init", "--name", "near", "--organization", "ACME")
    box("organization", "create", "--label", "Secret", "--name", "Secret")
    write_repository(Repository(directory / "upstream", PACKAGES[:1], revision="1"))
    url = (directory / "upstream").as_uri()
    for organization in ("ACME", "Secret"):
        box("product", "create", "--organization", organization, "--name", f"Of{organization}")
    where = ["--organization", "ACME", "--product", "OfACME"]
    box("repository", "create", *where, "--name", "base", "--url", url)
    box("repository", "synchronize", *where, "--label", "base")
    box("lifecycle-environment", "create", "--organization", "ACME", "--name", "dev", "--prior", "Library")
    box("user", "create", "--name", "exa")
    box("user", "grant", "--name", "exa", "--role", "exporter", "--organization", "ACME")
    key = make_key(directory / "exa", "exa's laptop")
    box("user", "ssh-key", "add", f"{key}.pub", "--name", "exa")
    keys = directory / "authorized_keys"
    box("ssh", "authorized-keys", "--output", keys, "--program", PROGRAM)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600
    server, process = start_sshd(directory, keys=[f"AuthorizedKeysFile {keys}"])
    try:
        yield Visit(box, server, key)
    finally:
        process.terminate()
        process.wait(20)


def test_the_key_acts_as_its_user(visit: Visit) -> None:
    assert visit.json("user whoami")["user"] == "exa"
    assert visit.json("issbox user whoami")["user"] == "exa"
    assert visit.json("status")["organizations"] == 1


def test_it_exports_and_gets_receipts_by_standard_output(visit: Visit) -> None:
    made = visit.json("content-export complete library --destination-server far")
    assert Path(made["path"]).is_relative_to(visit.box.state)
    entry = visit.box.json("audit", "list")[-1]
    assert (entry["action"], entry["actor"], entry["origin"]) == ("content-export.create", "exa", "127.0.0.1")


@pytest.mark.parametrize(
    "command",
    ["sh -c id", "status; id", "$(id)", "status | id", "scp -t /tmp", "ssh session --user root", "serve", "'unclosed"],
)
def test_it_gets_no_shell_and_no_other_program(visit: Visit, command: str) -> None:
    before = len(visit.refusals())
    done = visit(command, stdin="id\n")
    assert done.returncode in {PERMISSION, 2}, done
    assert "uid=" not in done.stdout + done.stderr
    assert "root:" not in done.stdout
    if done.returncode == PERMISSION:
        refused = visit.refusals()[before:]
        assert [(each["actor"], each["origin"]) for each in refused] == [("exa", "127.0.0.1")]
        assert refused[0]["subject"] in {command, ascii(command)}


def test_the_words_of_a_shell_are_words(visit: Visit, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for command in (f"product list > {mark}", f"product list `touch {mark}`", f"product list $(touch {mark})"):
        assert visit(command).returncode != 0
    assert not mark.exists()


def test_without_a_command_no_shell_opens(visit: Visit) -> None:
    for options in ((), ("-tt",)):
        done = visit.server.ssh(visit.key, options=("-o", "RequestTTY=no", *options), stdin="id\nq\n\x11")
        assert "uid=" not in done.stdout + done.stderr


@pytest.mark.parametrize("old", [False, True], ids=["sftp", "scp"])
def test_it_copies_no_file_in_or_out(visit: Visit, tmp_path: Path, old: bool) -> None:
    place = visit.server.account
    options = ["-P", str(visit.server.port), *(["-O"] if old else []), *visit.server.options(visit.key)]
    source = tmp_path / "in"
    source.write_text("x")
    for words in ([f"{place}:/etc/hostname", str(tmp_path / "out")], [str(source), f"{place}:{tmp_path}/placed"]):
        done = subprocess.run(["scp", *options, *words], capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode != 0
    assert {path.name for path in tmp_path.iterdir()} == {"in"}


def test_sftp_is_refused(visit: Visit) -> None:
    options = ["-P", str(visit.server.port), *visit.server.options(visit.key)]
    done = subprocess.run(
        ["sftp", *options, visit.server.account],
        input="ls /\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "etc" not in done.stdout


def test_it_forwards_no_port(visit: Visit) -> None:
    with socket.create_server(("127.0.0.1", 0)) as service:
        port = service.getsockname()[1]
        done = visit.server.ssh(visit.key, options=("-W", f"127.0.0.1:{port}"))
        assert done.returncode != 0
        service.settimeout(0.2)
        with pytest.raises(TimeoutError):
            service.accept()


def test_it_opens_no_port_on_the_box(visit: Visit) -> None:
    options = ("-R", "0:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes")
    done = visit.server.ssh(visit.key, "user", "whoami", options=options)
    assert done.returncode != 0
    assert "exa" not in done.stdout


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Path]:
    """The socket of a running ssh-agent."""
    socket_path = tmp_path / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", socket_path], stdout=subprocess.DEVNULL)
    until = time.monotonic() + 20
    while not socket_path.is_socket():
        assert time.monotonic() < until, "ssh-agent did not start"
        time.sleep(0.02)
    yield socket_path
    process.terminate()
    process.wait(20)


def test_no_agent_and_no_display_come_along(visit: Visit, agent: Path, tmp_path: Path) -> None:
    keys = visit.server.directory / "authorized_keys"
    server, process = start_sshd(tmp_path, keys=[f"AuthorizedKeysFile {keys}"], log_level="DEBUG1")
    try:
        asked = {"SSH_AUTH_SOCK": str(agent), "DISPLAY": "127.0.0.1:99"}
        done = server.ssh(visit.key, "user", "whoami", options=("-A", "-X", "-v"), environment=asked)
    finally:
        process.terminate()
        process.wait(20)
    assert done.returncode == 0, done.stderr
    assert "Requesting authentication agent forwarding" in done.stderr
    assert "Requesting X11 forwarding" in done.stderr
    assert "agent forwarding disabled" in server.log()
    assert "X11 forwarding request failed" in done.stderr


FILES = [
    "verify /etc/passwd",
    "user password --file /etc/passwd",
    "content-import run {bundle}",
    "content-export complete library --destination-server far --output={place}",
    "receipt create --output {place}",
    "repository create --product OfACME --name x --url file:///etc",
]


@pytest.mark.parametrize("command", FILES)
def test_it_reads_and_writes_no_file(visit: Visit, tmp_path: Path, command: str) -> None:
    place = tmp_path / "place"
    before = len(visit.refusals())
    done = visit(command.format(place=place, bundle=tmp_path))
    assert done.returncode == PERMISSION, done
    assert "not-over-ssh" in done.stderr
    assert "root:" not in done.stdout + done.stderr
    assert not place.exists()
    assert len(visit.refusals()) == before + 1


def test_it_promotes_nothing(visit: Visit) -> None:
    command = "repository promote --product OfACME --label base --to-environment dev"
    done = visit(command)
    assert done.returncode == PERMISSION
    assert "not-permitted" in done.stderr
    assert not (visit.box.state / "content/ACME/dev/custom").exists()
    assert visit.box.json("audit", "list")[-1]["action"] == "permission.refuse"


def test_it_sees_no_other_organization(visit: Visit) -> None:
    shown = json.dumps(visit.json("organization list")) + visit("product list").stdout
    for command in ("product list --organization Secret", "content-view list --organization Secret"):
        done = visit(command)
        assert done.returncode == 4, done
        shown += done.stdout
    done = visit("content-export complete library --organization Secret --destination-server far")
    assert done.returncode == 4
    assert "Secret" not in shown
    assert not list(visit.box.state.rglob("*Secret*far*"))


@pytest.mark.parametrize("name", ["ISSBOX_USER", "ISSBOX_STATE_DIR", "ISSBOX_CONFIG", "XDG_CONFIG_HOME"])
def test_it_chooses_neither_user_nor_box(visit: Visit, tmp_path: Path, name: str) -> None:
    done = visit("user whoami --json", options=("-o", f"SetEnv={name}={tmp_path}"))
    assert done.returncode == PERMISSION if name == "ISSBOX_USER" else json.loads(done.stdout)["user"] == "exa"


def test_the_log_of_it_all_is_sound(visit: Visit) -> None:
    visit("cat /etc/passwd")
    assert visit.box.json("audit", "verify")["sound"]


def test_a_disabled_user_is_kept_out_by_the_session_too(visit: Visit) -> None:
    visit.box("user", "update", "--name", "exa", "--disable")
    try:
        assert visit("user whoami").returncode == PERMISSION
    finally:
        visit.box("user", "update", "--name", "exa", "--enable")
    assert visit("user whoami").returncode == 0


def owned_by_root(path: Path) -> bool:
    """Tell whether sshd would run this: every directory above belongs to root and nobody else may write there."""
    parts = [path, *path.parents]
    return all(each.stat().st_uid == 0 and not each.stat().st_mode & 0o022 for each in parts)


@pytest.mark.skipif(
    os.geteuid() != 0 or not owned_by_root(PROGRAM), reason="sshd runs only programs that root alone can change"
)
def test_sshd_asks_the_box_for_keys_at_every_login(visit: Visit, tmp_path: Path) -> None:
    command = f"{PROGRAM} ssh authorized-keys %f --state-dir {visit.box.state}"
    settings = ["AuthorizedKeysFile none", f"AuthorizedKeysCommand {command}", "AuthorizedKeysCommandUser root"]
    server, process = start_sshd(tmp_path, keys=settings)
    try:
        asked = Visit(visit.box, server, visit.key)
        assert asked.json("user whoami")["user"] == "exa"
        stranger = make_key(tmp_path / "stranger", "nobody's")
        assert server.ssh(stranger, "user", "whoami").returncode == 255
        visit.box("user", "update", "--name", "exa", "--disable")
        assert asked("user whoami").returncode == 255
    finally:
        visit.box("user", "update", "--name", "exa", "--enable")
        process.terminate()
        process.wait(20)
