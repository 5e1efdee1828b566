"""`issbox --help` stays quick: what it must not import, in a real process."""

import re
import subprocess
import sys

import pytest

FORBIDDEN = {"textual", "aiohttp", "peewee", "cryptography", "createrepo_c", "msgspec", "rich", "huey", "watchdog"}


def imported(*words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "issbox", *words], capture_output=True, text=True, check=True
    )
    assert done.stdout
    return {match[1] for match in re.finditer(r"\|\s+(\w+)[\w.]*$", done.stderr, re.MULTILINE)}


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["repository", "--help"], ["content-export", "-h"]])
def test_help_imports_nothing_heavy(words: list[str]) -> None:
    packages = imported(*words)
    assert {"click", "issbox"} <= packages
    assert packages & FORBIDDEN == set()


def test_help_imports_no_module_of_a_noun() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "issbox", "--help"], capture_output=True, text=True, check=True
    )
    assert "issbox.cli.index" in done.stderr
    assert "issbox.cli.repository" not in done.stderr
    assert "Make a box" in done.stdout


def test_loading_a_command_is_not_interrupted_to_look_for_garbage() -> None:
    script = """
import gc, sys
gc.collect()
gc.disable()
from issbox.cli import main
before = gc.get_stats()[0]["collections"]
gc.enable()
try:
    main()
except SystemExit:
    print(gc.get_stats()[0]["collections"] - before)
"""
    command = [sys.executable, "-c", script, "content-import", "run", "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout.splitlines()[-1]) <= 1
