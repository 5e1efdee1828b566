"""An operator's day over a real sshd, in a real terminal, by keys alone.

Approve, promote twice, export, regenerate certificates, change where Red Hat content is read from, renew the authority.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from makers.boxes import KEY, Gap, make_gap
from makers.consoles import export_library
from makers.fleets import FACTS, quick
from makers.sshd import PROGRAM, SSHD, Server, make_key, start_sshd
from makers.terminals import PATIENCE, Tmux, in_tmux, terminal_environment

from issbox.model import LIBRARY, ExportState, ImportState, Role
from issbox.wiring import open_context
from issbox.workflows import history
from issbox.workflows.cdn import location
from issbox.workflows.certificates import certificates
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.hosts import consumers, registering
from issbox.workflows.people import audit_log, ssh_keys, users

pytestmark = [
    pytest.mark.skipif(SSHD is None or shutil.which("ssh") is None, reason="openssh-server is not installed"),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
CONFIGURATION = "[inbox]\napprovals = 1\nquiet_for_seconds = 0.5\nrescan_seconds = 30\n"


@dataclass(frozen=True)
class Site:
    """A box inside with its service and its sshd, and a bundle in its inbox that waits for an approval."""

    gap: Gap
    ctx: Context
    server: Server
    key: Path

    @contextmanager
    def terminal(self, directory: Path, kind: str) -> Iterator[Tmux]:
        """Give a terminal of this kind in which ada has come in over SSH."""
        words = ["ssh", *self.server.options(self.key), "-tt", "-p", str(self.server.port), self.server.account]
        with in_tmux(directory, words, terminal_environment(kind)) as tmux:
            yield tmux

    def done_by_ada(self) -> set[str]:
        """Give what the audit log says that she did from this machine."""
        entries = audit_log.list_audit(self.ctx)
        return {each.action for each in entries if (each.actor.name, each.actor.origin) == ("ada", "127.0.0.1")}


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    gap = make_gap(tmp_path)
    synchronize(gap.outside.context(), KEY)
    configuration = tmp_path / "inside.toml"
    configuration.write_text(CONFIGURATION)
    environment = {**gap.inside.environment(), "ISSBOX_CONFIG": str(configuration)}
    ctx = open_context(environ=environment)
    for label, name, prior in (("dev", "Development", LIBRARY), ("qa", "Quality", "dev")):
        environments.create_environment(ctx, organization="acme", label=label, name=name, prior=prior)
    users.create_user(ctx, name="ada", full_name="Ada Byron")
    users.grant_role(ctx, "ada", Role.ORG_ADMIN, organization="acme")
    users.grant_role(ctx, "ada", Role.SUPER_ADMIN)
    registering.register(quick(ctx), organization="acme", name="web1", facts=FACTS, environments=["dev"])
    key = make_key(tmp_path / "ada", "ada's laptop")
    ssh_keys.add_ssh_key(ctx, "ada", key.with_suffix(".pub").read_text())
    keys = tmp_path / "authorized_keys"
    words = ["ssh", "authorized-keys", "--output", str(keys), "--program", str(PROGRAM)]
    subprocess.run([PROGRAM, *words], env=environment, check=True, capture_output=True)
    bundle = export_library(gap)
    inbox = ctx.settings.inbox.path
    inbox.mkdir(exist_ok=True)
    server, sshd = start_sshd(tmp_path, keys=[f"AuthorizedKeysFile {keys}"])
    service = subprocess.Popen([PROGRAM, "serve"], env=environment, stderr=(tmp_path / "serve.log").open("wb"))
    try:
        shutil.copytree(bundle, inbox / "bundle")
        until = time.monotonic() + PATIENCE
        while [row.state for row in history.list_imports(ctx)] != [ImportState.WAITING]:
            assert time.monotonic() < until, (tmp_path / "serve.log").read_text()
            time.sleep(0.1)
        yield Site(gap, ctx, server, key)
    finally:
        for process in (service, sshd):
            process.terminate()
            process.wait(30)


def check(site: Site) -> None:
    """Everything was done, by ada, and hosts of both environments see it."""
    (row,) = history.list_imports(site.ctx)
    assert (row.state, row.approvals) == (ImportState.IMPORTED, ("ada",))
    for environment in ("dev", "qa"):
        tree = site.gap.inside.state / "content/acme" / environment / "custom/tools/base"
        assert (tree / "repodata/repomd.xml").is_file()
    (export,) = history.list_exports(site.ctx)
    assert (export.state, export.destination) == (ExportState.WRITTEN, "far")
    assert Path(export.path, "issbox-bundle.json").is_file()
    (host,) = consumers.list_consumers(site.ctx, "acme")
    (held,) = certificates.current_certificates(site.ctx, host.uuid)
    assert "/acme/dev/custom/tools/base" in certificates.decode(site.ctx, held.certificate.pem).paths
    assert location.get_location(site.ctx, "acme").url == "file:///srv/cdn"
    assert {
        "content-import.approve",
        "promotion.promote",
        "content-export.create",
        "certificate.issue",
        "cdn.update",
        "ca.renew",
    } <= site.done_by_ada()
    assert list(site.ctx.settings.inbox.path.iterdir()) == []


def test_full_screen_on_the_console_of_a_server(site: Site, tmp_path: Path) -> None:
    """TERM=linux, LANG=C, 80x24."""
    with site.terminal(tmp_path, "linux") as terminal:
        terminal.wait("ada on acme", "the service watches the inbox")
        terminal.keys("2")
        terminal.wait("acme #1 complete", "p look, a approve")
        terminal.keys("p")
        terminal.wait("What import 1 would change", "+ gap-greeting-1.0-1.noarch", "Esc: close")
        terminal.keys("Escape")
        terminal.wait("=: whole line  1/1")
        terminal.keys("a")
        terminal.wait("Approve import 1?", "y: Approve   n or Esc: leave it")
        terminal.keys("y")
        terminal.wait("Job 1", "finished")
        terminal.keys("Escape")
        terminal.wait("imported", "1/1")

        for job, keys, label in ((2, ("F2",), "dev"), (3, ("Down", "Right", "F2"), "qa")):
            terminal.keys("4")
            terminal.wait("Promotions of acme")
            terminal.keys("p")
            terminal.wait("< tools/base version 1, the newest >", "F2: OK")
            terminal.keys(*keys)
            terminal.wait(f"Promote tools/base version 1 into {label}?", "(+2 packages)")
            terminal.keys("y")
            terminal.wait(f"Job {job}", "finished")
            terminal.keys("Escape")
            terminal.wait("Promotions of acme", f"Job {job}: tools/base version 1 in {label}.")

        terminal.keys("6")
        terminal.wait("Exports of acme")
        terminal.keys("n")
        terminal.wait("New export", "< Library: every repository >")
        terminal.keys("Down", "f", "a", "r", "F2")
        terminal.wait("Write this bundle?", "carries 10 files")
        terminal.keys("y")
        terminal.wait("Job 4", "finished", "result: path")
        terminal.keys("Escape")
        terminal.wait("Exports of acme", "1/1", "far", "written")

        terminal.keys("H")
        terminal.wait("web1", "1 to issue")
        terminal.keys("r")
        terminal.wait("< this host, web1 >")
        terminal.keys("F2")
        terminal.wait("Issue certificates now?", "1 certificate of")
        terminal.keys("y")
        terminal.wait("Job 5", "finished")
        terminal.keys("Escape")
        terminal.wait("web1", "1 current")

        terminal.keys("D")
        terminal.wait("Read from https://cdn.redhat.com")
        terminal.keys("e")
        terminal.wait("< Red Hat's own CDN >")
        terminal.keys("Right", "Tab")
        terminal.wait("< another server or directory laid out like it >", "or a directory of this box")
        terminal.keys("C-u", "/srv/cdn", "F2")
        terminal.wait("Read Red Hat content from another location?", "to   file:///srv/cdn (custom-cdn)")
        terminal.keys("y")
        terminal.wait("Read from file:///srv/cdn (custom-cdn)")

        terminal.keys("C")
        terminal.wait("Authority of this box", "a root of its own")
        terminal.keys("n")
        terminal.wait("Renew the authority of this box?")
        terminal.keys("y")
        terminal.wait("The authority is valid until")
        terminal.keys("q")
    check(site)


def test_line_mode_on_a_terminal_that_can_do_nothing(site: Site, tmp_path: Path) -> None:
    """TERM=dumb, LANG=C, 80x24."""
    with site.terminal(tmp_path, "dumb") as terminal:

        def say(*lines: str) -> None:
            for line in lines:
                terminal.type(line)

        def watch(job: int) -> None:
            screen = terminal.wait(f"Job {job}", "Enter looks again, . goes on =>")
            while "finished" not in screen:
                say("")
                screen = terminal.wait(f"Job {job}", "Enter looks again, . goes on =>")
            say(".")

        terminal.wait("Overview of acme", "issbox (Overview) =>")
        say("g", "Inbox")
        terminal.wait("p look, a approve", "issbox (Inbox) =>")
        say("1", "Approve")
        terminal.wait("+ gap-greeting-1.0-1.noarch", "Approve? (y/n)")
        say("y")
        watch(1)
        terminal.wait("imported", "issbox (Inbox) =>")

        for job, number, label in ((2, "", "dev"), (3, "2", "qa")):
            say("g", "Promotions", "p")
            terminal.wait("Promote:", "tools/base version 1, the newest")
            say("", number, "", "for the line mode")
            terminal.wait(f"Promote tools/base version 1 into {label}?", "(y/n)")
            say("y")
            watch(job)
            terminal.wait(f"{label} ", "issbox (Promotions) =>")

        say("g", "Exports", "n")
        terminal.wait("What:", "Library: every repository")
        say("", "far", "", "", "", "", "", "")
        terminal.wait("carries 10 files", "(y/n)")
        say("y")
        watch(4)
        terminal.wait("far", "issbox (Exports) =>")

        say("g", "Hosts", "r")
        terminal.wait("Certificates of:", "all hosts")
        say("all hosts", "")
        terminal.wait("1 certificate of all of acme", "(y/n)")
        say("y")
        watch(5)
        terminal.wait("1 current", "issbox (Hosts) =>")

        say("g", "Red Hat CDN", "e")
        terminal.wait("Kind:", "another server or directory")
        say("2", "/srv/cdn", "", "", *[""] * 7)
        terminal.wait("to   file:///srv/cdn (custom-cdn)", "(y/n)")
        say("y")
        terminal.wait("Read from file:///srv/cdn", "issbox (Red Hat CDN) =>")

        say("g", "Authorities", "n")
        terminal.wait("Renew the authority of this box?", "(y/n)")
        say("y")
        terminal.wait("The authority is valid until", "issbox (Authorities) =>")
        say("q")
    check(site)
