"""`issbox receipt` between two boxes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from makers.boxes import PACKAGES
from makers.command_line import CommandLine
from makers.rpms import Repository, write_repository

from issbox.screen_text import has_blocks

BLOCKS = {"\u2580", "\u2584", "\u2588"}


@pytest.fixture
def far(issbox: CommandLine, tmp_path: Path) -> CommandLine:
    """A second box that has imported a bundle of the first; each trusts the other."""
    write_repository(Repository(tmp_path / "upstream", PACKAGES[:2]))
    issbox("product", "create", "--name", "Tools")
    issbox("repository", "create", "--product", "Tools", "--name", "base", "--url", f"file://{tmp_path}/upstream")
    issbox("repository", "synchronize", "--product", "Tools")
    made = issbox.json("content-export", "complete", "repository", "--product", "Tools", "--output", tmp_path / "disk")
    far = CommandLine(tmp_path / "far")
    far("init", "--name", "Far box", "--organization", "ACME")
    far("trusted-key", "add", "-", stdin=issbox("box", "show", "--public-key").stdout)
    issbox("trusted-key", "add", "-", stdin=far("box", "show", "--public-key").stdout)
    far("content-import", "run", made["path"])
    return far


def test_a_receipt_goes_back_as_a_file(issbox: CommandLine, far: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "far.receipt.json"
    made = far.json("receipt", "create", "--with-packages", "--output", file)
    assert (made["path"], made["repositories"], made["packages"]) == (str(file), 1, 2)
    kept = issbox.json("receipt", "read", file)
    assert (kept["form"], kept["verified"], kept["box_name"]) == ("file", True, "Far box")
    (repository,) = kept["repositories"]
    assert (repository["path"], repository["version"], repository["own_version"]) == ("custom/Tools/base", 1, 1)
    assert [each["sequence"] for each in kept["imported"]] == [1]
    assert issbox.json("receipt", "info", str(kept["id"])) == kept
    (listed,) = issbox.json("receipt", "list")
    assert (listed["id"], listed["packages"]) == (kept["id"], None)
    shown = issbox("receipt", "list").stdout
    assert "Far box" in shown
    assert "up to 1" in shown
    assert "custom/Tools/base" in issbox("receipt", "info", "--id", str(kept["id"])).stdout
    assert issbox.error("receipt", "delete", str(kept["id"]), code=2)["code"] == "not-confirmed"
    issbox("receipt", "delete", str(kept["id"]), "--yes")
    assert issbox.json("receipt", "list") == []
    assert issbox.error("receipt", "info", str(kept["id"]), code=4)["code"] == "not-found"
    actions = [entry["action"] for entry in issbox.json("audit", "list")]
    assert actions[-2:] == ["receipt.read", "receipt.delete"]
    assert far.json("audit", "list")[-1]["action"] == "receipt.create"


def test_a_receipt_goes_back_through_a_pipe(issbox: CommandLine, far: CommandLine) -> None:
    file = far("receipt", "create", "--output", "-").stdout
    assert json.loads(file)["format"] == "issbox-receipt"
    assert issbox.json("receipt", "read", "-", stdin=file)["verified"] is True


def test_a_receipt_goes_back_as_text(issbox: CommandLine, far: CommandLine) -> None:
    made = far.json("receipt", "create", "--short")
    assert made["path"] is None
    (short,) = far("receipt", "create", "--short").stdout.splitlines()
    assert [short] == made["short"]
    done = issbox("receipt", "read", short)
    assert "acknowledges no export" in done.stderr
    assert issbox.json("receipt", "list")[0]["form"] == "short"
    assert issbox.json("receipt", "read", made["compact"])["form"] == "compact"
    typed = issbox.json("receipt", "read", short.lower().replace("-", " "))
    assert typed["id"] == next(each["id"] for each in issbox.json("receipt", "list") if each["form"] == "short")
    wrong = short[:-1] + ("0" if short[-1] != "0" else "1")
    assert issbox.error("receipt", "read", wrong, code=2)["code"] == "mistyped"
    assert issbox.error("receipt", "read", "IB1", code=4)["code"] == "not-found"


def test_a_stranger(issbox: CommandLine, far: CommandLine) -> None:
    issbox("trusted-key", "remove", issbox.json("trusted-key", "list")[0]["name"], "--yes")
    text = far.json("receipt", "create", "--qr")["compact"]
    error = issbox.error("receipt", "read", text, code=11)
    assert error["code"] == "untrusted-receipt"
    assert "--accept-untrusted" in error["hint"]
    assert issbox.json("receipt", "read", text, "--accept-untrusted")["verified"] is False


def test_qr_codes_on_the_terminal(far: CommandLine, tmp_path: Path) -> None:
    far.environ |= {"LC_ALL": "C.UTF-8", "TERM": "xterm"}
    blocks = far("receipt", "create", "--qr").stdout
    assert set(blocks) <= BLOCKS | {" ", "\n"}
    assert set(far("receipt", "create", "--qr", "--inverse").stdout) >= BLOCKS
    assert set(far("receipt", "create", "--qr", "--ascii").stdout) == {"#", " ", "\n"}
    far.environ["TERM"] = "linux"
    assert set(far("receipt", "create", "--qr").stdout) == {"#", " ", "\n"}
    for name in ("qr.png", "qr.svg"):
        far("receipt", "create", "--qr-image", tmp_path / name)
        assert (tmp_path / name).stat().st_size > 500
    assert far.error("receipt", "create", "--qr-image", tmp_path / "qr.jpg", code=2)["code"] == "usage"
    assert [path.name for path in tmp_path.glob("qr.*")] in (["qr.png", "qr.svg"], ["qr.svg", "qr.png"])


def test_in_the_locale_c_a_code_is_ascii(far: CommandLine) -> None:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG", "PYTHON"))}
    environment = kept | {"LANG": "C", "TERM": "xterm", "ISSBOX_STATE_DIR": str(far.state)}
    done = subprocess.run(
        [sys.executable, "-m", "issbox", "receipt", "create", "--qr"], env=environment, capture_output=True, check=True
    )
    assert set(done.stdout) == set(b"# \n")


@pytest.mark.parametrize(
    ("environ", "encoding", "blocks"),
    [
        ({"LANG": "de_DE.UTF-8"}, "utf-8", True),
        ({"LANG": "C.UTF-8"}, "utf-8", True),
        ({"LC_ALL": "C.UTF-8"}, "UTF-8", True),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, "utf-8", False),
        ({"LC_CTYPE": "en_GB.utf8"}, "utf-8", True),
        ({"LANG": "de_DE.UTF-8@euro"}, "utf-8", True),
        ({"LANG": "de_DE.UTF-8"}, "iso-8859-1", False),
        ({"LANG": "de_DE.UTF-8"}, None, False),
        ({"LANG": "de_DE"}, "utf-8", False),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "C"}, "utf-8", False),
        ({"LANG": "de_DE.UTF-8", "TERM": "linux"}, "utf-8", False),
        ({}, "utf-8", False),
    ],
)
def test_where_half_blocks_can_be_shown(environ: dict[str, str], encoding: str | None, blocks: bool) -> None:
    assert has_blocks(environ, encoding) is blocks


def test_a_box_that_imported_nothing_has_no_short_text(issbox: CommandLine) -> None:
    done = issbox("receipt", "create", "--short")
    assert done.stdout == ""
    assert "no short text" in done.stderr
    assert issbox.error("receipt", "create", "--organization", "none", code=4)["code"] == "not-found"


def test_several_short_texts_are_told_apart(issbox: CommandLine, far: CommandLine, tmp_path: Path) -> None:
    words = ("content-export", "complete", "repository", "--product", "Tools", "--destination-server", "ship")
    far("content-import", "run", issbox.json(*words, "--output", tmp_path / "more")["path"], "--allow-older")
    made = far("receipt", "create", "--short")
    assert len(made.stdout.splitlines()) == 2
    told = [line for line in made.stderr.splitlines() if line.startswith("For what the box ")]
    assert [line.rpartition(" makes for ")[2] for line in told] == ["no destination:", "ship:"]
    shown = far.json("receipt", "create")
    assert [each["destination"] for each in shown["imported"]] == ["", "ship"]
    assert shown["short"] == made.stdout.splitlines()


def test_a_receipt_is_not_taken_for_a_slip(issbox: CommandLine, far: CommandLine, tmp_path: Path) -> None:
    file = tmp_path / "far.receipt.json"
    made = far.json("receipt", "create", "--output", file)
    for given, stdin in ((str(file), ""), ("-", made["compact"]), ("-", made["short"][0])):
        said = issbox("content-export", "recut", "--slip", given, stdin=stdin, code=3).stderr
        assert "error: this is a receipt and not a re-request slip" in said
        assert "issbox receipt read" in said
    file.write_text("{}")
    assert (
        "$: object missing required field format"
        in issbox.error("content-export", "recut", "--slip", file, code=3)["message"]
    )
