"""A real PostgreSQL for the tests, started by them, and a store on each of the two databases."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from makers.stores import Place

from issbox.store import Store, create_store

settings.register_profile("untimed", deadline=None)  # a busy machine proves nothing
settings.load_profile("untimed")

pytest_plugins = ["makers.console_fixtures"]

_TEMPLATE = "issbox_template"
_numbers = count(1)


def _postgresql_program(name: str) -> str | None:
    installed = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: path.parts[-3])
    return shutil.which(name) or (str(installed[-1]) if installed else None)


def _server_account() -> dict[str, Any]:
    """PostgreSQL refuses to run as root: as whom to run it then, as arguments of Popen."""
    if os.getuid() != 0:
        return {}
    try:
        account = pwd.getpwnam("postgres")
    except KeyError:
        account = pwd.getpwnam("nobody")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _quick_directory() -> str | None:
    """A database is hundreds of files, made and removed for every test: memory is kinder to the disk."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 512 << 20
    return str(memory) if roomy else None


def _wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import psycopg

    for _ in range(200):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            if server.poll() is not None:
                break
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"PostgreSQL did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """URL of the administrative database of a PostgreSQL that runs as long as the tests."""
    initdb, postgres = _postgresql_program("initdb"), _postgresql_program("postgres")
    if initdb is None or postgres is None:
        pytest.skip("PostgreSQL is not installed (programs initdb and postgres), so the store is not tested on it")
    pytest.importorskip("psycopg", reason="the PostgreSQL driver psycopg is not installed")
    account = _server_account()
    root = Path(tempfile.mkdtemp(prefix="issbox-postgresql-", dir=_quick_directory()))
    if account:
        os.chown(root, account["user"], account["group"])
    data, log = root / "data", root / "log"
    options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"]
    # Words sort as in a dictionary where the server can do it, so that a query that relies on bytes is caught.
    for locale in (["--locale-provider=icu", "--icu-locale=en-US"], []):
        command = [initdb, "-D", str(data), *options, *locale]
        with log.open("wb") as out:
            if subprocess.run(command, check=False, stdout=out, stderr=out, cwd=root, **account).returncode == 0:
                break
    else:
        said = log.read_text()
        shutil.rmtree(root, ignore_errors=True)
        pytest.fail(f"initdb failed:\n{said}")
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(root),
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "shared_buffers": "32MB",
        "max_connections": "60",
    }
    arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    with log.open("wb") as out:
        server = subprocess.Popen([postgres, "-D", data, *arguments], stdout=out, stderr=out, cwd=root, **account)
    url = f"postgresql:///postgres?host={root}&user=postgres"
    try:
        _wait_for(url, server, log)
        yield url
    finally:
        server.send_signal(signal.SIGQUIT)  # at once: what it holds is thrown away
        server.wait(30)
        shutil.rmtree(root, ignore_errors=True)


def _sql(url: str, statement: str) -> None:
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def new_postgresql_database(postgresql_url: str) -> Iterator[Callable[[str | None], str]]:
    """Makes a database of its own for a test, empty or from a template, and gives its URL."""
    made = []

    def make(template: str | None = None) -> str:
        name = f"box_{next(_numbers)}"
        _sql(postgresql_url, f"CREATE DATABASE {name}" + (f" TEMPLATE {template}" if template else ""))
        made.append(name)
        return postgresql_url.replace("/postgres?", f"/{name}?")

    yield make
    for name in made:
        _sql(postgresql_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgresql_template(postgresql_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database with the tables of a store, which a test's own is copied from."""
    _sql(postgresql_url, f"CREATE DATABASE {_TEMPLATE}")
    create_store(tmp_path_factory.mktemp("template"), postgresql_url.replace("/postgres?", f"/{_TEMPLATE}?"))
    return _TEMPLATE


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place where no store is yet, once for each kind of database."""
    if request.param == "sqlite":
        return Place(tmp_path / "state", None)
    return Place(tmp_path / "state", request.getfixturevalue("new_postgresql_database")(None))


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """A place with the tables of a store already, once for each kind of database."""
    if request.param == "sqlite":
        return Place(tmp_path / "state", None)
    template = request.getfixturevalue("postgresql_template")
    return Place(tmp_path / "state", request.getfixturevalue("new_postgresql_database")(template))


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    """A new store in a session of the test's thread, once for each kind of database."""
    store = create_store(place.state_dir, place.database_url)
    with store.session():
        yield store
