"""The configuration: a TOML file and two environment variables become frozen settings.

Every key stands once in KEYS, with its default and the check of its value. All problems of a file are reported
together, each with file and key. `config/example.toml` says the same for users, and a test compares the two.
"""

import difflib
import json
import os
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import tomli

from issbox.errors import ConfigurationError, InvalidValueError
from issbox.files import error_from_os
from issbox.names import parse_size


class AfterImport(StrEnum):
    """What happens to a bundle of the inbox once it has been imported."""

    ARCHIVE = "archive"
    DELETE = "delete"
    KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxSettings:
    """Where bundles arrive and what happens to them."""

    path: Path
    polling: bool
    """Look at the directory again and again instead of waiting for the kernel's events, as NFS and SMB need it."""
    poll_interval_seconds: float
    quiet_for_seconds: float
    """How long a bundle must not change before it counts as copied."""
    incomplete_after_seconds: float
    """How long an incomplete bundle may stay quiet before it is refused."""
    rescan_seconds: float
    after_import: AfterImport
    archive_path: Path
    quarantine_path: Path
    max_bundle_size: int
    """Bytes; 0 means no limit."""
    max_files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSettings:
    """Where bundles are written."""

    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class SynchronizeSettings:
    """How upstream repositories are read."""

    downloads: int
    """Files fetched at once from one repository."""
    retries: int
    timeout_seconds: float
    proxy: str | None
    """For repositories without a proxy of their own."""
    max_metadata_size: int
    """Bytes that one uncompressed metadata file may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSettings:
    """How much history repositories keep."""

    keep: int
    """Newest versions kept of each repository, besides those in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """What the service writes into its log."""

    level: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be configured."""

    state_dir: Path
    database_url: str | None
    """PostgreSQL URL; None means SQLite in the state directory."""
    inbox: InboxSettings
    export: ExportSettings
    synchronize: SynchronizeSettings
    versions: VersionSettings
    log: LogSettings
    source: Path | None
    """The file that was read; None when there is none."""


Check = Callable[[object], object]
"""Gives the checked value, or raises ValueError with what was expected."""


def _show(value: object) -> str:
    """Say what was found, in the words of TOML and short enough for one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str):
        return repr(value if len(value) <= 80 else value[:77] + "...")
    if isinstance(value, int) and abs(value) > 10**30:
        return "a number beyond any sense"
    return str(value)


def _text(value: object, expected: str) -> str:
    if not isinstance(value, str) or any(unicodedata.category(c) in {"Cc", "Cs"} for c in value):
        raise ValueError(expected)
    return value


def _path(value: object) -> str:
    expected = "an absolute path or one relative to the file ('~' is not understood), or empty text for the usual place"
    if _text(value, expected).startswith("~"):
        raise ValueError(expected)
    return str(value)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def _whole(least: int, most: int) -> Check:
    def check(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return value

    return check


def _seconds(least: float, most: float) -> Check:
    def check(value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
            raise ValueError(f"a number of seconds from {least:g} to {most:g}")
        return float(value)

    return check


def _size(*, zero: bool) -> Check:
    expected = "a size such as 500GiB" + (", or 0 for no limit" if zero else ", more than 0")

    def check(value: object) -> int:
        try:
            size = parse_size(_text(value, expected + " (as text)"))
        except (InvalidValueError, OverflowError):
            raise ValueError(expected) from None
        if size == 0 and not zero:
            raise ValueError(expected)
        return size

    return check


def _choice(*choices: str) -> Check:
    def check(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return value

    return check


def _url(*schemes: str) -> Check:
    expected = "empty text, or a URL that begins with " + " or ".join(f"{scheme}://" for scheme in schemes)

    def check(value: object) -> str:
        text = _text(value, expected)
        if text and not any(text.startswith(f"{scheme}://") and len(text) > len(scheme) + 3 for scheme in schemes):
            raise ValueError(expected)
        return text

    return check


@dataclass(frozen=True, slots=True)
class Key:
    """A setting as it stands in the file."""

    default: object
    check: Check
    secret: bool = False
    """Its value may hold a password, so that it is never shown."""


KEYS: Final[Mapping[str, Mapping[str, Key]]] = {
    "": {
        "state_dir": Key("", _path),
        "database": Key("", _url("postgresql", "postgres"), secret=True),
    },
    "inbox": {
        "path": Key("", _path),
        "polling": Key(False, _flag),
        "poll_interval_seconds": Key(5, _seconds(0.05, 3600)),
        "quiet_for_seconds": Key(5, _seconds(0.05, 86400)),
        "incomplete_after_seconds": Key(600, _seconds(0.1, 7 * 86400)),
        "rescan_seconds": Key(60, _seconds(0.1, 86400)),
        "after_import": Key("archive", _choice(*AfterImport)),
        "archive_path": Key("", _path),
        "quarantine_path": Key("", _path),
        "max_bundle_size": Key("0", _size(zero=True)),
        "max_files": Key(2_000_000, _whole(1, 100_000_000)),
    },
    "export": {"path": Key("", _path)},
    "synchronize": {
        "downloads": Key(4, _whole(1, 64)),
        "retries": Key(3, _whole(0, 100)),
        "timeout_seconds": Key(60, _seconds(0.1, 86400)),
        "proxy": Key("", _url("http", "https"), secret=True),
        "max_metadata_size": Key("4GiB", _size(zero=False)),
    },
    "versions": {"keep": Key(3, _whole(1, 100_000))},
    "log": {"level": Key("info", _choice("debug", "info", "warning", "error"))},
}
"""Table -> key -> what it is; the table "" is the top of the file."""


def default_document() -> dict[str, Any]:
    """Give the configuration file that says exactly the defaults."""
    document: dict[str, Any] = {name: key.default for name, key in KEYS[""].items()}
    document |= {table: {name: key.default for name, key in keys.items()} for table, keys in KEYS.items() if table}
    return document


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the configuration file, if there is one, and apply ISSBOX_STATE_DIR.

    Raises ConfigurationError listing every unknown key and wrong value, or saying that the file named by
    ISSBOX_CONFIG is missing; PermissionDeniedError when a file may not be read.
    """
    named = environ.get("ISSBOX_CONFIG", "")
    source = Path(named).absolute() if named else default_config_path(environ)
    document = _read(source, required=bool(named))
    values = _check(source, document or {})
    return _settings(environ, values, source if document is not None else None)


def default_config_path(environ: Mapping[str, str]) -> Path:
    """Give the place of the configuration file when ISSBOX_CONFIG names none."""
    if os.geteuid() == 0:
        return Path("/etc/issbox/issbox.toml")
    return _xdg(environ, "XDG_CONFIG_HOME", ".config") / "issbox" / "issbox.toml"


def default_state_dir(environ: Mapping[str, str]) -> Path:
    """Give the state directory when neither file nor ISSBOX_STATE_DIR names one."""
    if os.geteuid() == 0:
        return Path("/var/lib/issbox")
    return _xdg(environ, "XDG_STATE_HOME", ".local/state") / "issbox"


def _xdg(environ: Mapping[str, str], variable: str, below_home: str) -> Path:
    """Give a folder of the XDG base directory specification, which says to ignore relative ones."""
    folder = Path(environ.get(variable, ""))
    if folder.is_absolute():
        return folder
    home = environ.get("HOME", "")
    return (Path(home) if home else Path.home()) / below_home


def _read(source: Path, *, required: bool) -> dict[str, Any] | None:
    try:
        return tomli.loads(source.read_bytes().decode())
    except FileNotFoundError:
        if required:
            raise ConfigurationError(
                f"{source}: there is no such file, but ISSBOX_CONFIG names it",
                hint="Correct ISSBOX_CONFIG, or unset it to use the usual place.",
            ) from None
        return None
    except OSError as error:
        raise error_from_os(error) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{source}: byte {error.start} is not valid UTF-8, which TOML requires") from None
    except ValueError as error:  # tomli's own error, or Python's for a number of thousands of digits
        raise ConfigurationError(f"{source}: this is not TOML: {error}") from None
    except RecursionError:
        raise ConfigurationError(f"{source}: this is not TOML that can be read: nested too deeply") from None


def _check(source: Path, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the checked value of every key by table; all problems are raised together."""
    values = {table: {name: key.check(key.default) for name, key in keys.items()} for table, keys in KEYS.items()}
    problems: list[str] = []
    for table, name, value in _flatten(document, problems):
        key = KEYS[table].get(name)
        where = f"[{table}] {_quote(name)}" if table else _quote(name)
        if key is None:
            problems.append(f"{where} is not a setting.{_suggest(table, name)}")
            continue
        try:
            values[table][name] = key.check(value)
        except ValueError as error:
            found = "something else, not shown since it may hold a password" if key.secret else _show(value)
            problems.append(f"{where}: expected {error}, found {found}")
    if problems:
        raise ConfigurationError("\n".join(f"{source}: {problem}" for problem in problems))
    return values


def _flatten(document: Mapping[str, Any], problems: list[str]) -> Iterator[tuple[str, str, Any]]:
    """Give table, key and value of every setting; tables that do not exist go to the problems."""
    for name, value in document.items():
        if name in KEYS and name:
            if isinstance(value, Mapping):
                yield from ((name, key, each) for key, each in value.items())
            else:
                problems.append(f"{name}: expected the table [{name}], found {_show(value)}")
        elif isinstance(value, Mapping) and name not in KEYS[""]:
            near = difflib.get_close_matches(name, [table for table in KEYS if table], 1)
            problems.append(
                f"[{_quote(name)}] is not a table of settings.{f' Did you mean [{near[0]}]?' if near else ''}"
            )
        else:
            yield "", name, value


def _quote(name: str) -> str:
    """Give a key as TOML wants it written: bare when it may be, otherwise quoted, on one line."""
    bare = name.isascii() and name.replace("-", "").replace("_", "").isalnum()
    return name if bare else json.dumps(name)


def _suggest(table: str, name: str) -> str:
    """Name the nearest setting: one of the same table, or else the same key of another table."""
    near = difflib.get_close_matches(name, list(KEYS[table]), 1)
    if near:
        return f" Did you mean {near[0]}?"
    everywhere = {key: other for other, keys in KEYS.items() for key in keys}
    near = difflib.get_close_matches(name, list(everywhere), 1)
    if not near:
        return ""
    other = everywhere[near[0]]
    return f" Did you mean {near[0]} in [{other}]?" if other else f" Did you mean {near[0]} at the top of the file?"


def _settings(environ: Mapping[str, str], values: dict[str, dict[str, Any]], source: Path | None) -> Settings:
    base = source.parent if source is not None else Path.cwd()
    named = environ.get("ISSBOX_STATE_DIR", "")
    state_dir = Path(named).absolute() if named else _place(base, values[""]["state_dir"], default_state_dir(environ))
    inbox = values["inbox"]
    places = {
        name: _place(base, inbox[name], state_dir / default)
        for name, default in (("path", "inbox"), ("archive_path", "archive"), ("quarantine_path", "quarantine"))
    }
    return Settings(
        state_dir=state_dir,
        database_url=values[""]["database"] or None,
        inbox=InboxSettings(**inbox | places | {"after_import": AfterImport(inbox["after_import"])}),
        export=ExportSettings(path=_place(base, values["export"]["path"], state_dir / "exports")),
        synchronize=SynchronizeSettings(
            **values["synchronize"] | {"proxy": values["synchronize"]["proxy"] or None}  # empty means none
        ),
        versions=VersionSettings(**values["versions"]),
        log=LogSettings(**values["log"]),
        source=source,
    )


def _place(base: Path, text: str, default: Path) -> Path:
    """Give the absolute path meant by a setting; relative ones start at the directory of the file."""
    return Path(os.path.normpath(base / text)) if text else default
