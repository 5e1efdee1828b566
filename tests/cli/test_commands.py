"""The nouns and verbs, through to a real store: what they change, write and refuse."""

import re
import shutil
import ssl
import subprocess
from pathlib import Path

import pytest
from makers.certificates import authority_of
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository

from issbox import VERSION
from issbox.store import create_store

PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
GPG_KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"

HOSTS = {"content_prefix": "/$org/$env", "access": "Basic", "environments_by": "super-admin"}
"""What a new organization says about its hosts and environments."""


def certificate(directory: Path, *, name: str = "client", passphrase: str = "") -> tuple[Path, Path]:
    """Make a real certificate and its key with OpenSSL."""
    directory.mkdir(exist_ok=True)
    pem, key = directory / f"{name}.pem", directory / f"{name}.key"
    protection = ["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-days", "2"]
    subprocess.run(
        [*words, "-subj", f"/CN={name}", "-keyout", key, "-out", pem, *protection], check=True, capture_output=True
    )
    return pem, key


def test_version_and_help(empty: CommandLine) -> None:
    assert empty("--version").stdout == f"issbox {VERSION}\n"
    assert "Commands:" in empty("--help").stdout
    assert "Commands:" in empty(code=2).stderr


def test_init(empty: CommandLine) -> None:
    box = empty.json("init", "--name", "Box at the border", "--organization-name", "ACME Corporation")
    assert set(box) == {"id", "name", "key_id", "created_at", "state_dir", "public_key"}
    assert TIME.fullmatch(box["created_at"])
    assert box["state_dir"] == str(empty.state)
    assert empty.json("box", "show") == box
    assert empty("box", "show", "--public-key").stdout == box["public_key"]
    organization = {"label": "ACME_Corporation", "name": "ACME Corporation", "client_cas": [], **HOSTS}
    assert empty.json("organization", "list") == [organization]
    assert empty.error("init", "--name", "again", "--organization", "B", code=5)["code"] == "already-exists"
    assert empty.json("box", "show") == box


def test_init_wants_an_organization(empty: CommandLine) -> None:
    assert empty.error("init", "--name", "x", code=2)["code"] == "usage"
    assert empty.error("init", "--name", "x", "--organization", "not a label", code=2)["code"] == "invalid-value"
    assert not empty.state.exists()


@pytest.mark.parametrize("words", [["status"], ["organization", "list"], ["box", "show"], ["repository", "list"]])
def test_without_a_box(empty: CommandLine, words: list[str]) -> None:
    error = empty.error(*words, code=6)
    assert error["code"] == "not-initialized"
    assert "issbox init" in error["hint"]
    assert not empty.state.exists()


def test_a_half_made_box_is_none(empty: CommandLine) -> None:
    create_store(empty.state, None)  # what an interrupted `issbox init` leaves
    assert empty.error("organization", "list", code=6)["code"] == "not-initialized"


def test_organizations(issbox: CommandLine) -> None:
    made = issbox.json("organization", "create", "--name", "Büro 2")
    assert made == {"label": "Buro_2", "name": "Büro 2", "client_cas": [], **HOSTS}
    assert issbox.error("organization", "create", "--label", "Buro_2", code=5)["code"] == "already-exists"
    assert issbox.json("organization", "info", "--name", "Büro 2") == made
    assert issbox.json("organization", "update", "--label", "Buro_2", "--name", "x")["name"] == "x"
    assert issbox.error("organization", "info", "--label", "none", code=4)["code"] == "not-found"
    assert issbox.error("organization", "info", code=2)["code"] == "usage"
    assert issbox.error("organization", "delete", "--label", "Buro_2", code=2)["code"] == "not-confirmed"
    issbox("organization", "delete", "--label", "Buro_2", "--yes")
    assert [each["label"] for each in issbox.json("organization", "list")] == ["ACME"]


def test_the_organization_must_be_named_when_there_are_several(issbox: CommandLine) -> None:
    issbox("organization", "create", "--label", "Second")
    error = issbox.error("product", "list", code=2)
    assert "ACME, Second" in error["message"]
    assert "--organization" in error["hint"]
    assert issbox.json("product", "list", "--organization", "Second") == []
    assert issbox.error("product", "list", "--organization", "Third", code=4)["code"] == "not-found"


def test_products(issbox: CommandLine) -> None:
    made = issbox.json("product", "create", "--name", "My tools", "--description", "for all")
    assert made == {
        "organization": "ACME",
        "label": "My_tools",
        "name": "My tools",
        "kind": "custom",
        "description": "for all",
        "gpg_key": None,
        "number": "",
    }
    assert issbox.json("product", "list") == [made]
    assert issbox.json("product", "update", "--label", "My_tools", "--description", "")["description"] == ""
    assert issbox.error("product", "create", "--name", "x", "--gpg-key", "none", code=4)["code"] == "not-found"
    assert issbox.json("product", "delete", "--name", "My tools", "--yes")["label"] == "My_tools"
    assert issbox.json("product", "list") == []


def test_two_things_of_one_name(issbox: CommandLine) -> None:
    for label in ("a", "b"):
        issbox("product", "create", "--name", "Same", "--label", label)
    assert "a, b" in issbox.error("product", "info", "--name", "Same", code=2)["message"]


def test_repositories(issbox: CommandLine) -> None:
    issbox("product", "create", "--name", "Tools")
    url = "https://ann:secret@mirror.example.com/base/?token=hidden"
    made = issbox.json("repository", "create", "--product", "Tools", "--name", "base", "--url", url, "--arch", "x86_64")
    assert made["url"] == "https://***@mirror.example.com/base/?***"
    assert (made["path"], made["content_path"]) == ("custom/Tools/base", "/custom/Tools/base")
    assert (made["latest"], made["arches"], made["content_label"]) == (None, ["x86_64"], "Tools_base")
    assert issbox.json("repository", "list", "--product", "Tools") == [made]
    for words in (["--label", "base"], ["--label", "Tools/base"], ["--product", "Tools", "--name", "base"]):
        assert issbox.json("repository", "info", *words) == made
    assert (made["check_metadata"], made["check_packages"]) == (True, False)
    changed = issbox.json(
        "repository", "update", "--label", "base", "--proxy", "http://u:p@proxy:3128", "--check-packages"
    )
    assert (changed["proxy"], changed["check_packages"], changed["url"]) == ("http://***@proxy:3128", True, made["url"])
    assert changed["check_metadata"] is True
    changed = issbox.json("repository", "update", "--label", "base", "--no-check-metadata")
    assert (changed["check_metadata"], changed["check_packages"]) == (False, True)
    assert issbox.json("repository", "update", "--label", "base", "--url", "", "--proxy", "")["url"] is None
    assert issbox.json("repository", "info", "--label", "base")["check_metadata"] is False
    assert issbox.json("repository", "update", "--label", "base", "--check-metadata")["check_metadata"] is True
    vendor = ["repository", "create", "--product", "Tools", "--name", "vendor", "--no-check-metadata"]
    assert issbox.json(*vendor)["check_metadata"] is False
    issbox("repository", "delete", "--label", "vendor", "--yes")
    assert issbox.json("repository", "versions", "--label", "base") == []
    assert issbox.error("product", "delete", "--label", "Tools", "--yes", code=5)["code"] == "in-use"
    issbox("repository", "delete", "--label", "base", "--yes")
    assert issbox.json("repository", "list") == []
    assert "secret" not in (log := issbox("audit", "list", "--json").stdout)
    assert "hidden" not in log
    assert "u:p@" not in log


@pytest.mark.parametrize(
    "url", ["ftp://x/y", "https://", "file:relative", "http://a b/", "http://x:port/", "x", "http://h/#f"]
)
def test_urls_that_are_not_accepted(issbox: CommandLine, url: str) -> None:
    issbox("product", "create", "--name", "Tools")
    error = issbox.error("repository", "create", "--product", "Tools", "--name", "base", "--url", url, code=2)
    assert error["code"] == "invalid-value"


def test_which_repositories_to_synchronize(issbox: CommandLine) -> None:
    issbox("product", "create", "--name", "Tools")
    issbox("repository", "create", "--product", "Tools", "--name", "only-imported")
    assert issbox.error("repository", "synchronize", code=2)["code"] == "usage"
    assert issbox.error("repository", "synchronize", "--all", "--label", "x", code=2)["code"] == "usage"
    assert issbox.error("repository", "synchronize", "--label", "nothing", code=4)["code"] == "not-found"
    assert issbox.json("repository", "synchronize", "--all") == []


def test_synchronizing_goes_on_after_a_failure(issbox: CommandLine) -> None:
    issbox("product", "create", "--name", "Tools")
    for name in ("one", "two"):
        url = f"file://{issbox.directory}/{name}-is-missing/"
        issbox("repository", "create", "--product", "Tools", "--name", name, "--url", url)
    result = issbox("repository", "synchronize", "--product", "Tools", code=4)
    assert [line.split()[:2] for line in result.stdout.splitlines()[1:]] == [
        ["ACME/Tools/one", "failed"],
        ["ACME/Tools/two", "failed"],
    ]
    assert issbox.error("repository", "synchronize", "--label", "one", code=4)["code"] == "not-found"


def test_gpg_keys(issbox: CommandLine) -> None:
    made = issbox.json(
        "content-credential", "create", "--name", "key", "--type", "gpg-key", "--file", "-", stdin=GPG_KEY
    )
    assert made["type"] == "gpg-key"
    assert made["content"] == GPG_KEY
    issbox("product", "create", "--name", "Tools", "--gpg-key", "key")
    assert issbox.error("content-credential", "delete", "--label", "key", "--yes", code=5)["code"] == "in-use"
    issbox("product", "update", "--label", "Tools", "--gpg-key", "")
    issbox("content-credential", "delete", "--label", "key", "--yes")
    assert issbox.json("content-credential", "list") == []


def test_certificates(issbox: CommandLine, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path / "tls")
    issbox("content-credential", "create", "--name", "ca", "--type", "ca-certificate", "--file", pem)
    create = ["content-credential", "create", "--type", "client-certificate", "--name", "me"]
    assert "private key" in issbox.error(*create, "--file", pem, code=2)["message"]
    made = issbox.json(*create, "--file", pem, "--key-file", key)
    stored = issbox.state / "keys/credentials/ACME/me.key"
    assert stored.stat().st_mode & 0o777 == 0o600
    assert stored.read_bytes() == key.read_bytes()
    assert "PRIVATE" not in str(made)
    assert "PRIVATE" not in issbox("audit", "list", "--json").stdout
    assert issbox.error(*create, "--file", pem, "--key-file", key, code=5)["code"] == "already-exists"
    assert stored.read_bytes() == key.read_bytes()
    issbox("product", "create", "--name", "Tools")
    repository = ["repository", "create", "--product", "Tools", "--name", "base"]
    assert "not a client-certificate" in issbox.error(*repository, "--client-certificate", "ca", code=2)["message"]
    assert issbox.json(*repository, "--client-certificate", "me", "--ca", "ca")["client_certificate"] == "me"
    issbox("repository", "delete", "--label", "base", "--yes")
    issbox("content-credential", "delete", "--label", "me", "--yes")
    assert not stored.exists()


def test_a_certificate_and_key_in_one_file(issbox: CommandLine, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path / "tls")
    both = tmp_path / "both.pem"
    both.write_text(key.read_text() + pem.read_text())
    made = issbox.json("content-credential", "create", "--type", "client-certificate", "--name", "me", "--file", both)
    assert made["content"] == pem.read_text()
    assert (issbox.state / "keys/credentials/ACME/me.key").read_text() == key.read_text()
    ssl.create_default_context().load_cert_chain(pem, issbox.state / "keys/credentials/ACME/me.key")


def test_credentials_that_are_not_accepted(issbox: CommandLine, tmp_path: Path) -> None:
    pem, key = certificate(tmp_path / "tls")
    other, _ = certificate(tmp_path / "tls", name="other")
    locked_pem, locked_key = certificate(tmp_path / "tls", name="locked", passphrase="sesame")
    create = ["content-credential", "create", "--name", "x", "--type"]
    cases = [
        ([*create, "gpg-key", "--file", str(pem)], "no armored GPG public key"),
        ([*create, "ca-certificate", "--file", str(key)], "holds a private key"),
        ([*create, "ca-certificate", "--file", "/dev/null"], "no PEM certificate"),
        ([*create, "client-certificate", "--file", str(other), "--key-file", str(key)], "cannot be used together"),
        ([*create, "client-certificate", "--file", str(locked_pem), "--key-file", str(locked_key)], "passphrase"),
        ([*create, "ca-certificate", "--file", str(pem), "--key-file", str(key)], "has no private key"),
        ([*create, "gpg-key", "--file", "/dev/zero"], "too large"),
    ]
    for words, said in cases:
        assert said in issbox.error(*words, code=2)["message"]
    assert issbox.error(*create, "gpg-key", "--file", str(tmp_path / "none"), code=4)["code"] == "not-found"
    assert issbox.json("content-credential", "list") == []


def test_trusted_keys(issbox: CommandLine, tmp_path: Path) -> None:
    pem = issbox("box", "show", "--public-key").stdout
    added = issbox.json("trusted-key", "add", "-", "--name", "other box", stdin=pem)
    assert issbox.json("trusted-key", "list") == [added]
    assert added["public_key"] == pem
    issbox("trusted-key", "add", "-", stdin=pem, code=5)
    issbox("trusted-key", "remove", added["key_id"][:8], code=2)
    shown = issbox("trusted-key", "list").stdout.splitlines()[1]
    assert added["key_id"][:8] + " " + added["key_id"][8:16] in shown
    issbox("trusted-key", "remove", f"{added['key_id'][:8]} {added['key_id'][8:16]}", "--yes")
    assert issbox.json("trusted-key", "list") == []
    assert issbox.json("trusted-key", "add", "-", stdin=pem)["name"] == f"box-{added['key_id'][:8]}"
    assert issbox.error("trusted-key", "remove", "nobody", "--yes", code=4)["code"] == "not-found"


def test_a_private_key_is_not_added(issbox: CommandLine) -> None:
    error = issbox.error("trusted-key", "add", str(issbox.state / "keys/signing.pem"), code=2)
    assert "private key" in error["message"]


def test_audit(issbox: CommandLine) -> None:
    issbox("product", "create", "--name", "Tools")
    entries = issbox.json("audit", "list")
    assert [entry["action"] for entry in entries] == ["box.initialize", "organization.create", "product.create"]
    assert [entry["number"] for entry in entries] == [1, 2, 3]
    assert all(TIME.fullmatch(entry["at"]) for entry in entries)
    assert [entry["number"] for entry in issbox.json("audit", "list", "--limit", "1")] == [3]
    assert [entry["number"] for entry in issbox.json("audit", "list", "--organization", "ACME")] == [2, 3]
    checked = issbox.json("audit", "verify")
    assert checked == {"entries": 3, "heads": 0, "signed_at": None, "unsigned": 3, "sound": True}


def test_status(issbox: CommandLine) -> None:
    status = issbox.json("status")
    assert status["box"] == "Test box"
    assert (status["organizations"], status["repositories"], status["needs_attention"]) == (1, 0, [])
    assert status["free"] <= status["total"]


def test_store(issbox: CommandLine) -> None:
    assert set(issbox.json("store", "reconcile").values()) == {0}
    nothing = {"versions": 0, "blobs": 0, "size": 0, "jobs": 0, "regenerations": 0, "dry_run": True}
    assert issbox.json("store", "cleanup", "--dry-run") == nothing
    assert issbox.json("store", "cleanup")["dry_run"] is False


def test_exports_and_imports_of_an_empty_box(issbox: CommandLine, tmp_path: Path) -> None:
    for noun in ("content-export", "content-import"):
        assert issbox.json(noun, "list") == []
        assert issbox.error(noun, "info", "1", code=4)["code"] == "not-found"
        assert issbox.error(noun, "info", "--id", "1", code=4)["code"] == "not-found"
        assert issbox.error(noun, "info", code=2)["code"] == "usage"
    assert issbox.json("content-import", "list", "--state", "refused", "--limit", "3") == []
    assert issbox.error("content-import", "retry", "1", code=4)["code"] == "not-found"
    assert issbox.error("content-import", "discard", "1", "--yes", code=4)["code"] == "not-found"
    assert issbox.error("content-import", "run", str(tmp_path / "none"), code=4)["code"] == "not-found"
    assert issbox.error("content-import", "run", str(tmp_path), code=3)["code"] == "not-a-bundle"
    assert [each["state"] for each in issbox.json("content-import", "list")] == ["discarded"]
    assert not any("refused" in each for each in issbox.json("status")["problems"])
    rows = issbox.json("content-import", "list")
    assert "nothing came" in issbox.error("content-import", "run", "-", code=7)["message"]
    assert issbox.json("content-import", "list") == rows
    assert issbox.json("inbox", "list") == []
    issbox("product", "create", "--name", "Tools")
    issbox("repository", "create", "--product", "Tools", "--name", "base")
    export = ["content-export", "complete", "repository"]
    assert issbox.error(*export, code=2)["code"] == "usage"
    assert issbox.error(*export, "--product", "Tools", code=4)["code"] == "not-found"


def test_a_refused_bundle_in_the_inbox(issbox: CommandLine) -> None:
    configuration = issbox.directory / "issbox.toml"
    configuration.write_text("[inbox]\nquiet_for_seconds = 0.2\nincomplete_after_seconds = 0.1\n")
    issbox.environ["ISSBOX_CONFIG"] = str(configuration)
    bundle = issbox.state / "inbox" / "evil\x1b[2J"
    bundle.mkdir(parents=True)
    (bundle / "issbox-bundle.json").write_text("{}")
    (bundle / "issbox-bundle.json.sig").write_bytes(bytes(64))
    (bundle / "issbox-files.jsonl").write_text("")
    result = issbox("inbox", "scan", code=3)
    assert "\x1b" not in result.stdout + result.stderr
    assert r"evil\x1b[2J" in result.stdout
    (row,) = issbox.json("inbox", "list")
    assert (row["state"], row["error_code"]) == ("refused", "bad-manifest")
    assert "\x1b" in row["paths"][0]
    (refused,) = issbox.json("status")["needs_attention"]
    assert (refused["id"], refused["path"]) == (row["id"], row["paths"][0])
    assert "1 refused bundle:" in issbox("status").stdout
    assert issbox.error("content-import", "retry", str(row["id"]), code=3)["code"] == "bad-manifest"
    issbox("content-import", "discard", str(row["id"]), "--yes")
    assert issbox.json("inbox", "list") == []


def test_verify_without_a_box(empty: CommandLine, tmp_path: Path) -> None:
    error = empty.error("verify", str(tmp_path), code=6)
    assert "--public-key" in error["hint"]
    assert empty.error("verify", str(tmp_path), "--skip-signature", code=3)["code"] == "not-a-bundle"
    assert empty.error("verify", str(tmp_path), "--skip-signature", "--public-key", "x", code=2)["code"] == "usage"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(empty: CommandLine, shell: str) -> None:
    script = empty("completion", shell).stdout
    assert "_ISSBOX_COMPLETE" in script
    assert empty.json("completion", shell) == {"shell": shell, "script": script}


def test_completing_words(empty: CommandLine) -> None:
    empty.environ |= {"_ISSBOX_COMPLETE": "bash_complete", "COMP_WORDS": "issbox repository sy", "COMP_CWORD": "2"}
    assert empty().stdout == "plain,synchronize\n"


def test_a_crossing(issbox: CommandLine, tmp_path: Path) -> None:
    upstream = tmp_path / "upstream"
    write_repository(Repository(upstream, PACKAGES))
    issbox("product", "create", "--name", "Tools")
    issbox("repository", "create", "--product", "Tools", "--name", "base", "--url", f"file://{upstream}")
    (synchronized,) = issbox.json("repository", "synchronize", "--product", "Tools")
    assert (synchronized["result"], synchronized["version"]) == ("new-version", 1)
    (version,) = issbox.json("repository", "versions", "--label", "base")
    assert version["packages"] == synchronized["packages"] == len(PACKAGES)
    export = ["content-export", "complete", "repository", "--repository", "Tools/base", "--output", f"{tmp_path}/disk"]
    plan = issbox.json(*export, "--dry-run")
    assert plan["repositories"] == ["Tools/base:1"]
    assert not (tmp_path / "disk").exists()
    made = issbox.json(*export, "--destination-server", "far")
    assert (made["repositories"], made["destination"], made["sequence"]) == (["Tools/base"], "far", 1)
    assert issbox.json("content-export", "list") == [made] == [issbox.json("content-export", "info", str(made["id"]))]

    pem = tmp_path / "a.pem"
    pem.write_text(issbox("box", "show", "--public-key").stdout)
    other = CommandLine(tmp_path / "other")
    assert other.json("verify", made["path"], "--public-key", pem)["signature_checked"] is True
    assert other.json("verify", made["path"], "--skip-signature")["signature_checked"] is False
    assert issbox.json("verify", made["path"])["packages"] == len(PACKAGES)
    assert issbox.json("verify", tmp_path / "disk") == issbox.json("verify", made["path"])
    other("init", "--name", "far", "--organization", "ACME")
    assert other.error("verify", made["path"], code=11)["code"] == "unknown-key"
    assert other.error("content-import", "run", made["path"], code=11)["code"] == "unknown-key"
    other("trusted-key", "add", pem)
    done = other.json("content-import", "run", made["path"])
    assert (done["state"], done["bundle_id"]) == ("imported", made["bundle_id"])
    assert other.json("content-import", "info", "--id", str(done["id"])) == done

    folder = Path(issbox.json(*export, "--volume-size", "56KiB")["path"])
    volumes = sorted(folder.iterdir())
    read = other.json("verify", folder)
    assert [each["volume"] for each in read] == list(range(1, len(volumes) + 1)) != [1]
    assert "Name one of them: " in other.error("content-import", "preview", folder, code=2)["hint"]
    damaged = next(volumes[1].rglob("*.rpm"))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    said = other("verify", folder, code=7)
    assert f"{volumes[1]}: " in said.stderr
    assert "missing or damaged here: 2\n" in said.stderr
    assert len(said.stdout.splitlines()) == len(volumes)  # with one for the head of the table

    increment = (
        "content-export",
        "incremental",
        "repository",
        "--repository",
        "Tools/base",
        "--destination-server",
        "far",
    )
    assert "Nothing of ACME is new for far: " in issbox(*increment, "--dry-run").stderr
    shutil.rmtree(upstream / "repodata")
    shutil.rmtree(upstream / "Packages")
    write_repository(Repository(upstream, PACKAGES[1:]))
    issbox("repository", "synchronize", "--product", "Tools")
    assert "is new for far" not in issbox(*increment, "--dry-run").stderr
    assert other.json("repository", "versions", "--label", "base")[0]["repomd_sha256"] == version["repomd_sha256"]


def test_who_may_read_what_without_the_authority_of_the_box(issbox: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text(authority_of().root_pem)
    (tmp_path / "key.asc").write_text("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n")
    for name, kind, file in (("site", "ca-certificate", "ca.pem"), ("key", "gpg-key", "key.asc")):
        words = ["content-credential", "create", "--name", name, "--type", kind, "--file", str(tmp_path / file)]
        issbox(*words)
    update = ("organization", "update", "--label", "ACME")
    assert issbox.json(*update, "--client-ca", "site")["client_cas"] == ["site"]
    assert issbox.json(*update, "--name", "Acme")["client_cas"] == ["site"]
    assert issbox.error(*update, "--client-ca", "key", code=2)["code"] == "invalid-value"
    assert issbox.error("content-credential", "delete", "--label", "site", "--yes", code=5)["code"] == "in-use"
    assert issbox.json(*update, "--client-ca", "")["client_cas"] == []
    issbox("product", "create", "--name", "Tools")
    issbox("repository", "create", "--product", "Tools", "--name", "base")
    opened = ("repository", "update", "--product", "Tools", "--label", "base")
    assert issbox.json(*opened, "--unprotected")["unprotected"] is True
    assert issbox.json(*opened, "--name", "Base")["unprotected"] is True
    assert issbox.json(*opened, "--protected")["unprotected"] is False
    environment = ("lifecycle-environment", "update", "--label", "Library")
    assert issbox.json(*environment, "--cdn")["cdn"] is True
    assert issbox.json(*environment, "--no-cdn")["cdn"] is False


def test_planned_exports_of_several_organizations_are_a_table(issbox: CommandLine, tmp_path: Path) -> None:
    write_repository(Repository(tmp_path / "upstream", PACKAGES[:1]))
    issbox("organization", "create", "--name", "Beta")
    for label in ("ACME", "Beta"):
        of = ("--organization", label, "--product", "Tools")
        issbox("product", "create", "--organization", label, "--name", "Tools")
        issbox("repository", "create", *of, "--name", "base", "--url", f"file://{tmp_path}/upstream")
        issbox("repository", "synchronize", *of)
    words = ("content-export", "complete", "library", "--organization", "ACME", "--organization", "Beta", "--dry-run")
    head, *rows = issbox(*words).stdout.splitlines()
    assert head.split() == ["ORGANIZATION", "DESTINATION", "SCOPE", "FILES", "SIZE", "NEEDED", "FREE", "SECONDS"]
    assert [row.split()[0] for row in rows] == ["ACME", "Beta"]


def test_who_looks_after_environments_is_said_in_the_words_of_roles(issbox: CommandLine) -> None:
    shown = issbox.json("organization", "update", "--label", "ACME", "--environments-by", "org-admin")
    assert shown["environments_by"] == "org-admin"
    shown = issbox.json("organization", "update", "--label", "ACME", "--environments-by", "super-admin")
    assert shown["environments_by"] == "super-admin"
