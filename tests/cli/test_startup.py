"""`issbox --help` stays quick: what it must not import, in a real process."""

import ast
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest
from makers.command_line import CommandLine

import issbox
from issbox.store import Store
from issbox.store.nouns import Nouns

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
    assert "issbox.cli.content.repository" not in done.stderr
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


UNUSED_BY_MOST = {
    *("psycopg.pq", "pycdlib", "createrepo_c", "aiohttp", "huey", "textual", "playhouse.migrations", "cryptography"),
    *("issbox.model.receipts", "issbox.model.reports", "issbox.model.slips", "issbox.store.receipts"),
    *("issbox.store.disk.trees", "issbox.store.reports", "issbox.store.tables.receipts", "issbox.store.tables.every"),
    *(
        "issbox.workflows.exports",
        "issbox.workflows.certificates.issuing",
        "issbox.console.first_run",
        "issbox.yum.repomd",
    ),
    "issbox.manifest",
}
"""What most commands do without."""
MAY_LOAD = {"tui": {"issbox.model.receipts", "issbox.model.slips"}}
"""What is done to them is on the screens of the console."""


@pytest.mark.parametrize(
    "words", [["organization", "list"], ["status"], ["tui", "--plain"]], ids=["list", "status", "console"]
)
def test_a_box_on_sqlite_loads_only_what_a_command_needs(tmp_path: Path, words: list[str]) -> None:
    box = CommandLine(tmp_path)
    box("init", "--name", "near", "--organization", "ACME")
    script = """
import sys
from issbox.cli import main
try:
    main()
finally:
    print(*sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *words],
        env={"PATH": "/usr/bin:/bin", "ISSBOX_STATE_DIR": str(box.state), "HOME": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = set(done.stderr.split())
    assert {"peewee", "issbox.store.boxes", "issbox.store.tables.catalog"} <= loaded
    assert loaded & UNUSED_BY_MOST <= MAY_LOAD.get(words[0], set())


@pytest.mark.parametrize("package", ["issbox.model", "issbox.store", "issbox.store.tables"])
def test_every_name_of_a_package_that_loads_on_demand_is_there(package: str) -> None:
    """The names that modules take from it, by which type checkers and the program could differ."""
    taken = set()
    for path in Path(issbox.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module == package:
                taken |= {each.name for each in node.names}
    assert len(taken) > 5
    module = importlib.import_module(package)
    assert {name for name in taken if not hasattr(module, name)} == set()
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        module.Nonsense  # noqa: B018 - asked for, not used


def test_every_noun_of_a_store_can_be_loaded(store: Store) -> None:
    assert len(Nouns.__annotations__) > 30
    for name, kind in Nouns.__annotations__.items():
        noun = getattr(store, name)
        assert f"{type(noun).__module__}.{type(noun).__name__}" == kind
        assert getattr(store, name) is noun
    with pytest.raises(AttributeError, match="'Store' object has no attribute 'nonsense'"):
        store.nonsense  # type: ignore[attr-defined]  # noqa: B018 - asked for, not used


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
