"""Every command, run as users who may not: what changes something is refused and changes nothing, nothing is shown."""

import hashlib
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from makers.command_line import CommandLine
from makers.deeds import CHANGING, ORGANIZATION, READING
from makers.manifests import manifest_authority, rhel, write_manifest
from makers.receipts import make_slip
from makers.rpms import Repository, write_repository

from issbox.bundle.slip import encode_slip
from issbox.cli.app import root
from issbox.job_running import work_through
from issbox.model import RepositoryKey, SlipItem, SlipReason
from issbox.wiring import open_context
from issbox.workflows.job_kinds.content import SynchronizeJob
from issbox.workflows.jobs import create_job

PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))
SSH_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGtra2tra2tra2tra2tra2tra2tra2tra2tra2tra2tr zoe@desk\n"
FINGERPRINT = "SHA256:sArVyTbDlP2ByuRNM59Xf/iwOUmdy69sxylyNl3iUQQ"
DEFINITIONS = "product,product_description\nQuuxtools,Quux\n"
FIRST = SlipItem(number=1, reason=SlipReason.MISSING)
GPG_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"
QUICK_KEYS = '[certificates]\nauthority_key = "ec-p256"\nhost_key = "ec-p256"\n'


class Story:
    """A box with users, and what fills the words of the deeds."""

    def __init__(self, admin: CommandLine) -> None:
        self.admin = admin
        self.tmp = admin.directory
        self.fixed = {"tmp": str(self.tmp), "fingerprint": FINGERPRINT, "upstream": (self.tmp / "upstream").as_uri()}
        for name, text in (
            ("gpg", GPG_KEY),
            ("password", "correct horse battery\n"),
            ("ssh_key", SSH_KEY),
            ("definitions", DEFINITIONS),
        ):
            self._file(name, text)
        self._file("own_key", admin("box", "show", "--public-key").stdout)
        self._fill()

    def _file(self, name: str, text: str) -> None:
        path = self.tmp / name
        path.write_text(text)
        self.fixed[name] = str(path)

    def _fill(self) -> None:
        admin, of = self.admin, ["--organization", ORGANIZATION]
        write_repository(Repository(self.tmp / "upstream", PACKAGES[:2], revision="1"))
        admin("product", "create", *of, "--name", "Quuxtools")
        url = ["--url", self.fixed["upstream"]]
        admin("repository", "create", *of, "--product", "Quuxtools", "--name", "quuxbase", *url)
        key = ["--name", "quux-lasting", "--type", "gpg-key", "--file", self.fixed["gpg"]]
        admin("content-credential", "create", *of, *key)
        admin("repository", "synchronize", *of, "--product", "Quuxtools", "--label", "quuxbase")
        exported = admin.json("content-export", "complete", "library", *of, "--output", self.tmp / "first")
        bundle = exported["path"]
        self._file("slip", encode_slip(replace(make_slip(FIRST), bundle_id=exported["bundle_id"])).decode())
        # Signed by a key that is not trusted here, so that it is refused and lies in quarantine after a scan.
        shutil.copytree(bundle, admin.state / "inbox" / ORGANIZATION / "quux-untrusted")
        view = ["--label", "quux-lasting"]
        admin("content-view", "create", *of, *view)
        admin("content-view", "add-repository", *of, *view, "--product", "Quuxtools", "--repository", "quuxbase")
        admin("content-view", "publish", *of, *view)
        admin("lifecycle-environment", "create", *of, *view, "--prior", "Library")
        where = ["--content-view", "quux-lasting", "--to-environment", "quux-lasting"]
        admin("content-view", "version", "promote", *of, *where)
        self._register(of)
        self._subscribe(of)
        admin("receipt", "read", self._carry(bundle), "--accept-untrusted")
        self._ask_for_work()
        for name in ("vic", "out", "nil"):
            admin("user", "create", "--name", name)
        admin("user", "grant", "--name", "vic", "--role", "viewer", *of)
        admin("user", "grant", "--name", "out", "--role", "org-admin", "--organization", "Other")

    def _ask_for_work(self) -> None:
        """Leave job 1, which is over, and job 2, which waits for a worker."""
        environ = {name: value for name, value in self.admin.environ.items() if value is not None}
        ctx = open_context(environ=environ)
        key = RepositoryKey(ORGANIZATION, "Quuxtools", "quuxbase")
        create_job(ctx, SynchronizeJob(key))
        work_through(ctx)
        create_job(ctx, SynchronizeJob(key))

    def _subscribe(self, of: list[str]) -> None:
        self._file("manifest_ca", manifest_authority().root_pem)
        self.fixed["manifest"] = str(write_manifest(self.tmp / "manifest.zip", products=[rhel()], api="http://portal"))
        self.admin("manifest", "import", *of, self.fixed["manifest"], "--ca", self.fixed["manifest_ca"])

    def _register(self, of: list[str]) -> None:
        """Register a host that is entitled to everything and has its certificate."""
        admin = self.admin
        admin("activation-key", "create", *of, "--label", "quux-lasting")
        files = self.tmp / "host"
        place = ["--environment", "quux-lasting", "--output", str(files), "--content-url", "https://box.example.com"]
        host = admin.json("consumer", "create", *of, "--name", "quuxhost", *place)["uuid"]
        (entitlement,) = admin.json("entitlement", "list", "--consumer", host)
        (content,) = admin.json("content", "status", *of, "--environment", "quux-lasting")
        self.fixed |= {"host": host, "entitlement": entitlement["id"], "content": content["label"]}
        self.fixed["certificate"] = str(files / "entitlement-1.pem")

    def _carry(self, bundle: str) -> Path:
        """Import the bundle into another box and give the receipt that it makes."""
        far = CommandLine(self.tmp / "far")
        far.environ["ISSBOX_CONFIG"] = self.admin.environ["ISSBOX_CONFIG"]
        far("init", "--name", "Far box", "--organization", ORGANIZATION)
        far("trusted-key", "add", self.fixed["own_key"])
        far("content-import", "run", bundle)
        receipt = self.tmp / "quux.receipt.json"
        far("receipt", "create", "--output", receipt)
        self.fixed["receipt"] = str(receipt)
        return receipt

    def user(self, name: str) -> CommandLine:
        """Give the command line of a user who comes in over SSH."""
        line = CommandLine(self.tmp)
        line.environ = {**self.admin.environ, "ISSBOX_USER": name, "SSH_CONNECTION": "192.0.2.7 50000 192.0.2.1 22"}
        return line

    def words(self, path: str, words: str) -> list[str]:
        """Give the words of a deed, filled in as things are now."""
        bundles = sorted((self.tmp / "exports").glob("*")) if (self.tmp / "exports").exists() else [self.tmp]
        refused = [row["id"] for row in self.admin.json("content-import", "list") if row["state"] == "refused"]
        now = self.fixed | {"bundle": str(bundles[0]), "refused": str(max(refused, default=0))}
        return [*path.split(), *(word.strip('"').format(**now) for word in words.split(" ") if word)]

    def everything(self) -> dict[str, str]:
        """Give what the box is made of: all rows but the audit log, and all files but the database's own."""
        with closing(sqlite3.connect(self.admin.state / "issbox.db")) as database:
            rows = [line for line in database.iterdump() if "audit_entry" not in line]
        files = {
            str(path): hashlib.sha256(path.read_bytes()).hexdigest()
            for root in (self.admin.state, self.tmp / "exports")
            for path in root.rglob("*")
            if path.is_file() and not path.name.startswith("issbox.db") and path.suffix != ".lock"
        }
        return files | {"rows": "\n".join(rows)}

    def deeds(self) -> list[tuple[str, str]]:
        """Give actor and action of every audit entry that is no refusal."""
        entries: list[dict[str, Any]] = self.admin.json("audit", "list")
        return [(each["actor"], each["action"]) for each in entries if each["action"] != "permission.refuse"]

    def refusals(self, name: str) -> int:
        """Give how often a user was refused."""
        entries: list[dict[str, Any]] = self.admin.json("audit", "list")
        return sum(each["action"] == "permission.refuse" and each["actor"] == name for each in entries)


@pytest.fixture
def story(empty: CommandLine) -> Story:
    """A box where Quuxcorp has content, vic may look, out administers the organization Other and nil may nothing."""
    configuration = empty.directory / "issbox.toml"
    configuration.write_text("[inbox]\nquiet_for_seconds = 0.1\nincomplete_after_seconds = 0.2\n" + QUICK_KEYS)
    empty.environ["ISSBOX_CONFIG"] = str(configuration)
    empty("init", "--name", "Test box", "--organization", ORGANIZATION)
    empty("organization", "create", "--label", "Other")
    return Story(empty)


IN_OWN = {"content-import run", "certificate regenerate-all"}
"""What who administers another organization does there."""


def test_what_changes_something_takes_a_role_and_without_it_nothing_changes(story: Story) -> None:
    vic, out, nil = (story.user(name) for name in ("vic", "out", "nil"))
    for path, deed in CHANGING.items():
        words = story.words(path, deed.words)
        before, done, refused = story.everything(), story.deeds(), story.refusals("vic")
        error = vic.error(*words, code=12)
        assert error["code"] == "not-permitted", (path, error)
        assert error["message"].startswith("the user vic may not "), path
        assert story.refusals("vic") == refused + 1, path
        for other in (nil, out) if path not in IN_OWN else (nil,):
            result = run(other, words)
            assert result.exit_code in {4, 12}, (path, result.stderr)
        assert story.everything() == before, path
        assert story.deeds() == done, path
        # The same words are right, so that it was the role and nothing else.
        result = run(story.admin, words)
        assert result.exit_code in deed.codes, (path, result.stderr)


def test_who_administers_another_organization_imports_nothing_here(story: Story) -> None:
    story.admin("trusted-key", "add", story.fixed["own_key"], "--name", "myself")
    of = ["--organization", ORGANIZATION]
    bundle = str(next((story.tmp / "first").iterdir()))
    before = story.admin.json("repository", "versions", *of, "--product", "Quuxtools", "--label", "quuxbase")
    for words in (["content-import", "run", bundle], ["content-import", "run", *of, bundle]):
        assert story.user("out").error(*words, code=4)["code"] == "not-found"
    assert story.admin.json("product", "list", "--organization", "Other") == []
    after = story.admin.json("repository", "versions", *of, "--product", "Quuxtools", "--label", "quuxbase")
    assert after == before


def test_an_importer_of_some_products_imports_only_those(story: Story) -> None:
    story.admin("trusted-key", "add", story.fixed["own_key"], "--name", "myself")
    bundle = str(next((story.tmp / "first").iterdir()))
    story.admin("user", "create", "--name", "ida")
    grant = ["user", "grant", "--name", "ida", "--role", "importer", "--organization", ORGANIZATION]
    story.admin(*grant, "--product", "Something")
    for words in (["content-import", "run", bundle], ["content-import", "run", "--repair", bundle]):
        error = story.user("ida").error(*words, code=12)
        assert "may not import content of the product Quuxtools" in error["message"]
    assert "content-import.import" not in {action for _, action in story.deeds()}
    story.admin(*grant, "--product", "Quuxtools")
    assert story.user("ida").json("content-import", "run", bundle)["state"] == "imported"
    # What is in a refused bundle is not certain, so that deciding on it takes the role for all products.
    story.admin("trusted-key", "remove", "myself", "--yes")
    story.admin("inbox", "scan", code=11)
    refused = story.words("content-import retry", "{refused}")
    assert story.user("ida").error(*refused, code=12)["code"] == "not-permitted"
    story.admin(*grant)
    assert story.user("ida").error(*refused, code=11)["code"] == "unknown-key"


def test_everybody_sees_what_the_own_roles_cover_and_nothing_else(story: Story) -> None:
    story.admin("inbox", "scan", code=11)
    for path, look in READING.items():
        words = story.words(path, look.words)
        story.admin(*words)
        assert run(story.user("vic"), words).exit_code == look.viewer, path
        for name in ("out", "nil"):
            result = run(story.user(name), words)
            assert result.exit_code in {0, 4, 12}, path
            assert "quux" not in result.stdout.lower(), path
            said = result.stderr.lower()
            for word in words:
                said = said.replace(word.lower(), "")
            assert "quux" not in said, path


def test_a_user_without_any_role_may_only_ask_who_it_is(story: Story) -> None:
    nil = story.user("nil")
    allowed = {path for path, look in READING.items() if run(nil, story.words(path, look.words)).exit_code == 0}
    assert allowed == {"organization list", "job list", "user ssh-key list", "user whoami", "completion"}
    assert nil.json("organization", "list") == []
    assert nil.json("user", "whoami") == {
        "actor": "nil",
        "origin": "192.0.2.7",
        "user": "nil",
        "roles": [],
    }


def test_no_user_makes_a_box_or_runs_the_service(story: Story) -> None:
    story.admin("user", "grant", "--name", "vic", "--role", "super-admin")
    for words in (["init", "--name", "x", "--organization", "x"], ["serve"]):
        assert story.user("vic").error(*words, code=12)["code"] == "not-permitted"


@pytest.mark.parametrize("name", ["eve", "", "Vic", "vic "])
def test_nobody_comes_in_as_somebody_else(story: Story, name: str) -> None:
    assert story.user(name).error("user", "whoami", code=12)["code"] == "not-permitted"
    story.admin("user", "update", "--name", "vic", "--disable")
    assert story.user("vic").error("user", "whoami", code=12)["code"] == "not-permitted"


def run(line: CommandLine, words: list[str]) -> Result:
    """Run a command with --json, however it ends."""
    return CliRunner(env=line.environ).invoke(root, [*words, "--json"])
