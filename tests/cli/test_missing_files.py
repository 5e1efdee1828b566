"""A file that somebody names and that is not there is not found, whichever command reads it."""

from pathlib import Path

import pytest
from makers.command_line import CommandLine

READERS = (
    ("manifest", "import"),
    ("trusted-key", "add", "--name", "far"),
    ("content-credential", "create", "--name", "k", "--type", "gpg-key", "--file"),
    ("product", "import-csv"),
    ("receipt", "read"),
    ("content-export", "recut", "--slip"),
    ("content-export", "incremental", "library", "--from-receipt"),
    ("content-import", "run"),
    ("content-import", "preview"),
    ("certificate", "show"),
    ("ca", "trust-redhat"),
    ("verify",),
    ("verify", "--skip-signature"),
    ("scrub", "--from"),
)


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_a_missing_file_is_not_found(issbox: CommandLine, tmp_path: Path, words: tuple[str, ...]) -> None:
    missing = tmp_path / "no such file"
    before = issbox.json("audit", "list"), issbox.json("content-import", "list")
    error = issbox.error(*words, str(missing), code=4)
    assert error["code"] == "not-found"
    assert str(missing) in error["message"]
    assert error["hint"]
    assert (issbox.json("audit", "list"), issbox.json("content-import", "list")) == before


def test_a_missing_backup_or_passphrase_is_not_found(issbox: CommandLine, tmp_path: Path) -> None:
    present = tmp_path / "present"
    present.touch(mode=0o600)
    for words in (
        ("restore", "missing", "--passphrase-file", "present"),
        ("backup", "--output", "b", "--passphrase-file", "missing"),
    ):
        error = issbox.error(*(tmp_path / each if each in {"present", "missing"} else each for each in words), code=4)
        assert str(tmp_path / "missing") in error["message"]


def test_a_directory_in_the_place_of_a_file_is_no_bug(issbox: CommandLine, tmp_path: Path) -> None:
    assert issbox.error("trusted-key", "add", str(tmp_path), code=1)["code"] == "operating-system"
    assert issbox.error("manifest", "import", str(tmp_path), code=2)["code"] == "invalid-value"
