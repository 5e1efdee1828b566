"""Reading the configuration file. All problems of it are reported together, each with file and key."""

import difflib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli

from issbox.config.checks import show_value
from issbox.config.keys import KEYS
from issbox.config.settings import (
    AfterImport,
    CertificateSettings,
    ExportSettings,
    HealthSettings,
    HookSettings,
    InboxSettings,
    JobSettings,
    LogSettings,
    ManifestSettings,
    Settings,
    SynchronizeSettings,
    UnsignedKatello,
    UnsignedManifest,
    VersionSettings,
    WebSettings,
)
from issbox.errors import ConfigurationError
from issbox.files import error_from_os


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read the configuration file, if there is one, and apply ISSBOX_STATE_DIR.

    Raises ConfigurationError listing every unknown key and wrong value, or saying that the file named by
    ISSBOX_CONFIG is missing; PermissionDeniedError when a file may not be read.
    """
    named = environ.get("ISSBOX_CONFIG", "")
    source = Path(named).absolute() if named else default_config_path(environ)
    document = _read(source, required=bool(named))
    values = check_document(source, document or {})
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


def check_document(source: Path, document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
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
            found = "something else, not shown since it may hold a password" if key.secret else show_value(value)
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
                problems.append(f"{name}: expected the table [{name}], found {show_value(value)}")
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
    choices = {
        "after_import": AfterImport(inbox["after_import"]),
        "accept_unsigned_katello": UnsignedKatello(inbox["accept_unsigned_katello"]),
    }
    return Settings(
        state_dir=state_dir,
        database_url=values[""]["database"] or None,
        inbox=InboxSettings(**inbox | places | choices),
        export=ExportSettings(
            **values["export"] | {"path": _place(base, values["export"]["path"], state_dir / "exports")}
        ),
        synchronize=SynchronizeSettings(
            **values["synchronize"] | {"proxy": values["synchronize"]["proxy"] or None}  # empty means none
        ),
        web=_web(base, values["web"]),
        versions=VersionSettings(**values["versions"]),
        jobs=JobSettings(**values["jobs"]),
        health=HealthSettings(**values["health"]),
        hooks=HookSettings(**values["hooks"]),
        certificates=CertificateSettings(
            **values["certificates"]
            | {
                "passphrase_file": _place(
                    base, values["certificates"]["passphrase_file"], state_dir / "keys" / "authority" / "passphrase"
                )
            }
        ),
        manifests=_manifests(base, values["manifests"]),
        log=LogSettings(**values["log"]),
        source=source,
    )


def _web(base: Path, values: dict[str, Any]) -> WebSettings:
    places = {
        name: base / values[name] if values[name] else None for name in ("certificate", "certificate_key", "socket")
    }
    return WebSettings(**values | places)


def _manifests(base: Path, values: dict[str, Any]) -> ManifestSettings:
    places = {name: base / values[name] if values[name] else None for name in ("ca_file", "portal_ca_file")}
    return ManifestSettings(unsigned=UnsignedManifest(values["unsigned"]), **places)


def _place(base: Path, text: str, default: Path) -> Path:
    """Give the absolute path meant by a setting; relative ones start at the directory of the file."""
    return Path(os.path.normpath(base / text)) if text else default
