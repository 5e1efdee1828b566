"""`issbox --help` stays quick: what it must not import, in a real process."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from makers.command_line import CommandLine

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


@pytest.mark.parametrize("words", [["status"], ["tui", "--plain"]], ids=["status", "console"])
def test_a_box_on_sqlite_loads_neither_drivers_nor_forms_of_bundles(tmp_path: Path, words: list[str]) -> None:
    box = CommandLine(tmp_path)
    box("init", "--name", "near", "--organization", "ACME")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "issbox", *words],
        env={"PATH": "/usr/bin:/bin", "ISSBOX_STATE_DIR": str(box.state), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {match[1] for match in re.finditer(r"\|\s+(\S+)$", done.stderr, re.MULTILINE)}
    assert {"peewee", "issbox.workflows.box_status"} <= loaded
    unwanted = {"psycopg.pq", "pycdlib", "createrepo_c", "aiohttp", "huey", "textual", "playhouse.migrations"}
    assert (
        loaded & {*unwanted, "issbox.workflows.exports", "issbox.workflows.issuing", "issbox.console.first_run"}
        == set()
    )


def test_the_driver_of_postgresql_is_there_when_it_is_needed() -> None:
    script = """
import sys
from pathlib import Path
import issbox.store
import peewee
assert peewee.psycopg is None and "psycopg" not in sys.modules
from issbox.store.late_driver import load_psycopg
print(load_psycopg(), load_psycopg(), peewee.psycopg.__name__, peewee.Psycopg3Adapter.txn_idle.name)
"""
    pytest.importorskip("psycopg", reason="the PostgreSQL driver psycopg is not installed")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True", "psycopg", "IDLE"]


def test_a_missing_driver_of_postgresql_is_said() -> None:
    script = """
import sys
from pathlib import Path
sys.modules["psycopg"] = None
from pathlib import Path
from issbox.errors import ConfigurationError
from issbox.store.database import open_database
try:
    open_database(Path("x"), "postgresql://nobody@127.0.0.1/nothing")
except ConfigurationError as error:
    print(error, error.hint)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "psycopg is not installed" in done.stdout
