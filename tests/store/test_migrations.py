"""The schema: what the migrations make is what the tables say, and old stores are brought up to date safely."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from makers.stores import NOW, Place
from playhouse.schema_diff import diff_models

from issbox.errors import BusyError, DatabaseError, StoreTooNewError
from issbox.files import FileLock
from issbox.model import Actor, Box, RepositoryKey
from issbox.store import Store, create_store, open_store
from issbox.store.database import open_database, session
from issbox.store.migrating import DIRECTORY, Migrations
from issbox.store.tables.every import TABLES

BOX = Box("b2a6c2c8-0000-4000-8000-000000000001", "near", "ab" * 32, NOW)


def describe(database: Any) -> dict[str, Any]:
    """Give everything that the database knows of each table."""
    return {
        table: (
            [column._replace(default=None) for column in database.get_columns(table)],
            sorted((index.columns, index.unique) for index in database.get_indexes(table)),
            sorted((key.column, key.dest_table, key.dest_column) for key in database.get_foreign_keys(table)),
            database.get_primary_keys(table),
        )
        for table in database.get_tables()
        if table != "schema_migration"
    }


def test_migrated_from_the_first_schema_the_database_is_what_the_tables_say(
    empty_place: Place, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    store = create_store(empty_place.state_dir, empty_place.database_url)
    with store.session():
        assert not diff_models(store.database, TABLES)
        migrated = describe(store.database)
    url = empty_place.database_url and request.getfixturevalue("new_postgresql_database")(None)
    declared = open_database(tmp_path / "declared.db", url)
    with session(declared):
        declared.create_tables(TABLES)
        assert describe(declared) == migrated
    assert set(migrated) == {table._meta.table_name for table in TABLES}


def test_migrations_are_numbered_without_gaps_and_never_use_the_present_tables() -> None:
    files = sorted(path for path in DIRECTORY.glob("*.py") if path.name != "__init__.py")
    assert [int(path.name[:4]) for path in files] == list(range(1, len(files) + 1))
    assert not [path.name for path in files if "issbox" in path.read_text().replace('"issbox', "")]


def next_number() -> int:
    """Give the number that the next migration will have."""
    return len(list(DIRECTORY.glob("[0-9]*.py"))) + 1


@contextmanager
def with_migration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Iterator[None]:
    """Run as an issbox that has one migration more."""
    directory = tmp_path / "migrations"
    directory.mkdir()
    for path in DIRECTORY.glob("[0-9]*.py"):
        (directory / path.name).write_text(path.read_text())
    (directory / f"{next_number():04}_more.py").write_text(f"def up(migrator, db):\n    {body}\n")
    defaults = Migrations.__init__.__defaults__
    monkeypatch.setattr(Migrations.__init__, "__defaults__", (directory,))
    yield
    monkeypatch.setattr(Migrations.__init__, "__defaults__", defaults)


ADD_TABLE = "db.execute_sql('CREATE TABLE more (id INTEGER)')"


def test_an_older_store_is_upgraded_after_a_copy_of_it(
    empty_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = create_store(empty_place.state_dir, empty_place.database_url)
    with store.session():
        store.box.create(BOX)
    with with_migration(tmp_path, monkeypatch, ADD_TABLE):
        upgraded = open_store(empty_place.state_dir, empty_place.database_url)
        with upgraded.session():
            assert "more" in upgraded.database.get_tables()
            assert upgraded.box.get() == BOX
    copies = list(empty_place.state_dir.glob("issbox.db.before-*"))
    if empty_place.database_url is None:
        assert [copy.name for copy in copies] == [f"issbox.db.before-{next_number():04}"]
        assert copies[0].stat().st_mode & 0o777 == 0o600
        with closing(sqlite3.connect(copies[0])) as copy:
            assert copy.execute("SELECT name FROM box").fetchall() == [("near",)]
            assert copy.execute("SELECT name FROM sqlite_master WHERE name = 'more'").fetchall() == []
    else:
        assert copies == []


def test_a_store_of_a_newer_issbox_is_refused_untouched(
    empty_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with with_migration(tmp_path, monkeypatch, ADD_TABLE):
        create_store(empty_place.state_dir, empty_place.database_url)
    with pytest.raises(StoreTooNewError, match=f"{next_number():04}_more"):
        open_store(empty_place.state_dir, empty_place.database_url)
    with pytest.raises(StoreTooNewError):
        create_store(empty_place.state_dir, empty_place.database_url)


def test_a_migration_that_fails_changes_nothing(
    empty_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_store(empty_place.state_dir, empty_place.database_url)
    failing = f"{ADD_TABLE}; db.execute_sql('SELECT nonsense FROM nowhere')"
    with with_migration(tmp_path, monkeypatch, failing), pytest.raises(DatabaseError, match="nowhere"):
        open_store(empty_place.state_dir, empty_place.database_url)
    store = open_store(empty_place.state_dir, empty_place.database_url)
    with store.session():
        assert "more" not in store.database.get_tables()


def test_two_processes_do_not_upgrade_at_once(
    empty_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = create_store(empty_place.state_dir, empty_place.database_url)
    with (
        with_migration(tmp_path, monkeypatch, ADD_TABLE),
        FileLock(store.locks / "schema.lock"),
        pytest.raises(BusyError, match="upgrading"),
    ):
        open_store(empty_place.state_dir, empty_place.database_url)


def test_text_sorts_by_its_bytes_on_both_databases(store: Store) -> None:
    labels = ["b", "B", "a_b", "a-b", "A", "_", "-", "aB", "ab"]
    for label in labels:
        store.organizations.create(label, label)
    assert [organization.label for organization in store.organizations.list()] == sorted(labels)


def test_a_store_of_the_first_schema_keeps_its_repositories_and_environments(
    empty_place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = tmp_path / "first"
    directory.mkdir()
    (directory / "0001_initial.py").write_text((DIRECTORY / "0001_initial.py").read_text())
    defaults = Migrations.__init__.__defaults__
    monkeypatch.setattr(Migrations.__init__, "__defaults__", (directory,))
    store = create_store(empty_place.state_dir, empty_place.database_url)
    with store.session():
        database: Any = store.database
        for table, columns in OLD_ROWS:
            names, values = ", ".join(columns), ", ".join(map(literal, columns.values()))
            database.execute_sql(f"INSERT INTO {table} ({names}) VALUES ({values})")
        store.box.create(BOX)
        actor = Actor("ann", "local")
        with store.transaction():
            store.audit.append(at=NOW, actor=actor, action="box.initialize", subject="before")
            later, made = NOW + timedelta(hours=1), "organization.create"
            store.audit.append(at=later, actor=actor, action=made, subject="Example", organization="Example")
    monkeypatch.setattr(Migrations.__init__, "__defaults__", defaults)
    upgraded = open_store(empty_place.state_dir, empty_place.database_url)
    copies = [path.name for path in empty_place.state_dir.glob("issbox.db.before-*")]
    assert copies == (["issbox.db.before-0002"] if empty_place.database_url is None else [])
    with upgraded.session():
        assert upgraded.audit.verify() == 2
        assert upgraded.box.get() == BOX
    with upgraded.session():
        (repository,) = upgraded.repositories.list()
        assert repository.key == RepositoryKey("Example", "tools", "base")
        assert [(each.repository, each.number) for each in upgraded.promotions.list("Example", "Library")] == [
            (repository, 1)
        ]
        (library,) = upgraded.environments.list("Example")
        assert (library.label, library.description) == ("Library", "")
        assert library.created_at == library.updated_at == later
        assert upgraded.repositories.derive(replace(repository.key, view="servers")).path == repository.path


OLD_ROWS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("organization", {"label": "Example", "name": "Example"}),
    ("lifecycle_environment", {"organization_id": 1, "label": "Library", "name": "Library"}),
    ("product", {"organization_id": 1, "label": "tools", "name": "Tools", "kind": "custom", "description": ""}),
    (
        "content",
        {
            "organization_id": 1,
            "content_id": "x",
            "label": "tools_base",
            "name": "Base",
            "path": "/custom/tools/base",
            "type": "yum",
            "arches": "[]",
            "enabled": True,
        },
    ),
    (
        "repository",
        {
            "organization_id": 1,
            "product_id": 1,
            "content_id": 1,
            "label": "base",
            "name": "Base",
            "path": "custom/tools/base",
            "variables": "{}",
            "check_metadata": True,
            "check_packages": False,
        },
    ),
    (
        "repository_version",
        {
            "repository_id": 1,
            "number": 1,
            "created_at": "2026-01-01T00:00:00.000000+00:00",
            "repomd_sha256": "",
            "packages": 0,
            "files": 0,
            "size": 0,
            "origin": "import",
            "source": "",
        },
    ),
    ("promotion", {"environment_id": 1, "repository_id": 1, "version_id": 1}),
)


def literal(value: object) -> str:
    return str(value) if isinstance(value, bool | int) else f"'{value}'"
