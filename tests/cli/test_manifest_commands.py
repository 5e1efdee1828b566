"""`issbox manifest` at the command line: what it says before, after, and when something is wrong with the file."""

from datetime import timedelta
from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.manifests import APPSTREAM, BASEOS, CREATED, manifest_authority, manifest_bytes, rhel, write_manifest

PRODUCT = "Red_Hat_Enterprise_Linux_for_x86_64"


@pytest.fixture
def authority(tmp_path: Path) -> Path:
    path = tmp_path / "candlepin.pem"
    path.write_text(manifest_authority().root_pem)
    return path


def test_a_manifest_comes_is_shown_and_goes(issbox: CommandLine, tmp_path: Path, authority: Path) -> None:
    file = write_manifest(tmp_path / "m.zip", products=[rhel()])
    planned = issbox.json("manifest", "import", file, "--ca", authority, "--dry-run")
    assert issbox.json("product", "list") == []
    done = issbox.json("manifest", "import", file, "--ca", authority)
    assert done == planned
    assert [each["id"] for each in done["contents_in"]] == [BASEOS.id, APPSTREAM.id]
    shown = issbox.json("manifest", "info")
    assert shown["products"] == {PRODUCT: 2}
    assert shown["certificates"][0]["serial"].isdigit()
    assert shown["subscriptions"][0]["quantity"] == 10
    assert "10 x Red Hat Enterprise Linux" in issbox("manifest", "info").stdout
    result = issbox("manifest", "delete", code=2)
    assert "2 contents can no longer be enabled" in result.stderr
    assert f"Products that go: {PRODUCT}." in result.stderr
    issbox("manifest", "delete", "--yes")
    assert [each["action"] for each in issbox.json("manifest", "history")] == ["delete", "import"]
    assert issbox.error("manifest", "info", code=4)["hint"] == "Import one with `issbox manifest import FILE.zip`."


@pytest.mark.parametrize(
    ("name", "data", "code", "words"),
    [
        ("absent", None, 4, "there is no file"),
        ("empty", b"", 7, "is no ZIP archive"),
        ("text", b"hello", 7, "is no ZIP archive"),
        ("cut", manifest_bytes(products=[rhel()])[:3000], 7, "is no ZIP archive, or its end is missing"),
        ("foreign", manifest_bytes(products=[rhel()], authority=manifest_authority(8)), 11, "none of the authorities"),
    ],
)
def test_files_that_are_no_manifest_are_refused_in_words(
    issbox: CommandLine, tmp_path: Path, authority: Path, *, name: str, data: bytes | None, code: int, words: str
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    error = issbox.error("manifest", "import", tmp_path / name, "--ca", authority, code=code)
    assert words in error["message"]
    assert error["hint"]
    assert issbox.json("product", "list") == []


def test_a_manifest_may_come_down_a_pipe(issbox: CommandLine, authority: Path) -> None:
    issbox("manifest", "import", "-", "--ca", authority, stdin=manifest_bytes(products=[rhel()]))
    assert issbox.json("product", "list") != []
    assert (
        "standard input is no ZIP" in issbox("manifest", "import", "-", "--ca", authority, stdin="hello", code=7).stderr
    )


def test_a_directory_is_no_file(issbox: CommandLine, tmp_path: Path) -> None:
    assert "is not a regular file" in issbox.error("manifest", "import", tmp_path, code=2)["message"]


def test_a_file_that_holds_no_authority_is_refused(issbox: CommandLine, tmp_path: Path) -> None:
    file = write_manifest(tmp_path / "m.zip", products=[rhel()])
    assert issbox.error("manifest", "import", file, "--ca", file, code=2)["message"].endswith("a CA certificate")
    (tmp_path / "x.pem").write_text("nothing")
    assert "is not PEM" in issbox.error("manifest", "import", file, "--ca", tmp_path / "x.pem", code=7)["message"]


def test_an_older_one_needs_force(issbox: CommandLine, tmp_path: Path, authority: Path) -> None:
    new = write_manifest(tmp_path / "new.zip", products=[rhel()], created=CREATED + timedelta(days=1))
    old = write_manifest(tmp_path / "old.zip", products=[rhel(APPSTREAM)])
    issbox("manifest", "import", new, "--ca", authority)
    error = issbox.error("manifest", "import", old, "--ca", authority, code=3)
    assert (error["code"], error["hint"]) == (
        "manifest-refused",
        "Export a new one. If going back is what you want, give --force older.",
    )
    done = issbox.json("manifest", "import", old, "--ca", authority, "--force", "older")
    assert (done["forced"], [each["id"] for each in done["contents_out"]]) == (["older"], [BASEOS.id])


def test_a_site_may_do_without_signatures(issbox: CommandLine, tmp_path: Path) -> None:
    configuration = tmp_path / "issbox.toml"
    configuration.write_text('[manifests]\nunsigned = "accept"\n')
    issbox.environ["ISSBOX_CONFIG"] = str(configuration)
    result = issbox("manifest", "import", write_manifest(tmp_path / "m.zip", products=[rhel()]))
    assert "Note: taken without a good signature: no authority that signs manifests is known here." in result.stderr
    assert issbox.json("manifest", "info")["signed_by"] == ""
