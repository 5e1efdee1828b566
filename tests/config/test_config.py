"""The configuration: every key, every kind of mistake, and the places it is read from."""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import tomli
from hypothesis import given
from hypothesis import strategies as st

from issbox import config
from issbox.config import AfterImport, Settings, default_document, load_settings
from issbox.config.keys import KEYS
from issbox.config.reading import check_document
from issbox.errors import ConfigurationError, OperatingSystemError

EXAMPLE = Path(__file__).parents[2] / "config" / "example.toml"


def load(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "issbox.toml"
    file.write_text(text)
    return load_settings({"ISSBOX_CONFIG": str(file), "HOME": str(tmp_path), **environ})


def refusal(tmp_path: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    message = str(caught.value)
    assert str(tmp_path / "issbox.toml") in message
    return message


def test_the_example_holds_every_key_with_its_default() -> None:
    assert tomli.loads(EXAMPLE.read_text()) == default_document()


def test_every_key_of_the_example_has_a_comment_before_its_paragraph() -> None:
    for paragraph in EXAMPLE.read_text().split("\n\n"):
        lines = [line for line in paragraph.splitlines() if not line.startswith("[")]
        assert lines[0].startswith("#"), paragraph


def test_the_example_gives_the_same_settings_as_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"ISSBOX_STATE_DIR": str(tmp_path), "HOME": str(tmp_path)}
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    plain = load_settings(environ)
    example = load_settings(environ | {"ISSBOX_CONFIG": str(EXAMPLE)})
    assert plain.source is None
    assert example.source == EXAMPLE
    assert plain.inbox == example.inbox
    assert (plain.state_dir, plain.export, plain.synchronize) == (
        example.state_dir,
        example.export,
        example.synchronize,
    )


def test_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, "", ISSBOX_STATE_DIR=str(tmp_path / "state"))
    assert settings.state_dir == tmp_path / "state"
    assert settings.database_url is None
    assert settings.inbox.path == tmp_path / "state/inbox"
    assert settings.inbox.quarantine_path == tmp_path / "state/quarantine"
    assert settings.inbox.after_import is AfterImport.ARCHIVE
    assert settings.inbox.max_bundle_size == 0
    assert settings.synchronize.max_metadata_size == 4 << 30
    assert settings.synchronize.proxy is None


def test_values_are_read(tmp_path: Path) -> None:
    settings = load(
        tmp_path,
        """
        state_dir = "../var"
        database = "postgresql://me:secret@db/issbox"
        [inbox]
        path = "/srv/inbox"
        quiet_for_seconds = 0.5
        after_import = "keep"
        max_bundle_size = "25GiB"
        [export]
        path = "out"
        """,
    )
    assert settings.state_dir == tmp_path.parent / "var"
    assert settings.database_url == "postgresql://me:secret@db/issbox"
    assert settings.inbox.path == Path("/srv/inbox")
    assert settings.inbox.archive_path == tmp_path.parent / "var/archive"
    assert settings.inbox.quiet_for_seconds == 0.5
    assert settings.inbox.after_import is AfterImport.KEEP
    assert settings.inbox.max_bundle_size == 25 << 30
    assert settings.export.path == tmp_path / "out"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[inbox]\nquiet_for_secs = 5", "[inbox] quiet_for_secs is not a setting. Did you mean quiet_for_seconds?"),
        ("stat_dir = 'x'", "stat_dir is not a setting. Did you mean state_dir?"),
        ("[inbx]\npath = 'x'", "[inbx] is not a table of settings. Did you mean [inbox]?"),
        ("[zzzzzz]\npath = 'x'", "[zzzzzz] is not a table of settings."),
        ("polling = true", "polling is not a setting. Did you mean polling in [inbox]?"),
        ("[inbox]\ndatabase = ''", "[inbox] database is not a setting. Did you mean database at the top of the file?"),
        ("inbox = 3", "inbox: expected the table [inbox], found 3"),
        ("[state_dir]\nx = 1", "state_dir: expected an absolute path"),
        ("[inbox]\npolling = 1", "[inbox] polling: expected true or false, found 1"),
        ("[inbox]\npolling = 'yes'", "[inbox] polling: expected true or false, found 'yes'"),
        ("[inbox]\npath = '~/inbox'", "found '~/inbox'"),
        ('[inbox]\npath = "a\\u0000b"', "[inbox] path: expected"),
        ("[inbox]\nquiet_for_seconds = nan", "[inbox] quiet_for_seconds: expected a number of seconds"),
        ("[inbox]\nquiet_for_seconds = inf", "found inf"),
        ("[inbox]\nquiet_for_seconds = true", "found true"),
        ("[inbox]\nafter_import = 'burn'", "expected one of archive, delete, keep, found 'burn'"),
        ("[inbox]\nmax_bundle_size = 'big'", "expected a size such as 500GiB, or 0 for no limit, found 'big'"),
        ("[inbox]\nmax_bundle_size = 5", "(as text), found 5"),
        ("[synchronize]\nmax_metadata_size = '0'", "more than 0, found '0'"),
        ("[synchronize]\ndownloads = 0", "[synchronize] downloads: expected a whole number from 1 to 64, found 0"),
        ("[synchronize]\ndownloads = 2.5", "found 2.5"),
        ("[versions]\nkeep = []", "[versions] keep: expected a whole number from 1 to 100000, found a list"),
        ("[log]\nlevel = 'loud'", "expected one of debug, info, warning, error"),
        ("a = = 1", "this is not TOML"),
        ("[versions]\nkeep = 0x" + "f" * 6000, "found a number beyond any sense"),
        ("[versions]\nkeep = 1" + "0" * 6000, "this is not TOML"),
        ("a = " + "[" * 100000, "this is not TOML"),
    ],
)
def test_mistakes_name_file_key_and_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    assert said in refusal(tmp_path, text)


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    message = refusal(tmp_path, "nonsense = 1\n[inbox]\npolling = 3\n[versions]\nkept = 2\n")
    assert [line.split(": ")[1].split(" ")[0] for line in message.splitlines()] == ["nonsense", "[inbox]", "[versions]"]


@pytest.mark.parametrize("text", ["database = 'mysql://me:secret@db'", "[synchronize]\nproxy = 'ftp://me:secret@p'"])
def test_passwords_are_not_shown(tmp_path: Path, text: str) -> None:
    assert "secret" not in refusal(tmp_path, text)


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "issbox.toml"
    file.write_bytes(b"state_dir = '\xff'")
    with pytest.raises(ConfigurationError, match="byte 13 is not valid UTF-8"):
        load_settings({"ISSBOX_CONFIG": str(file)})


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        load_settings({"ISSBOX_CONFIG": str(tmp_path / "missing.toml")})


def test_a_directory_in_place_of_the_file_is_told_without_a_trace(tmp_path: Path) -> None:
    with pytest.raises(OperatingSystemError, match=str(tmp_path)):
        load_settings({"ISSBOX_CONFIG": str(tmp_path)})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, "state_dir = '/elsewhere'", ISSBOX_STATE_DIR=str(tmp_path))
    assert settings.state_dir == tmp_path


def test_a_state_directory_of_the_environment_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load(tmp_path, "", ISSBOX_STATE_DIR="here").state_dir == tmp_path / "here"


def test_places_of_a_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    home = {"HOME": "/home/ann"}
    assert config.default_config_path(home) == Path("/home/ann/.config/issbox/issbox.toml")
    assert config.default_state_dir(home) == Path("/home/ann/.local/state/issbox")
    xdg = home | {"XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": "not/absolute"}
    assert config.default_config_path(xdg) == tmp_path / "issbox/issbox.toml"
    assert config.default_state_dir(xdg) == Path("/home/ann/.local/state/issbox")
    (tmp_path / "issbox").mkdir()
    (tmp_path / "issbox/issbox.toml").write_text("[versions]\nkeep = 7\n")
    assert load_settings(xdg).versions.keep == 7


def test_places_of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert config.default_config_path({"HOME": "/root"}) == Path("/etc/issbox/issbox.toml")
    assert config.default_state_dir({"HOME": "/root"}) == Path("/var/lib/issbox")


def known_keys() -> list[tuple[str, str]]:
    return [(table, key) for table, keys in KEYS.items() for key in keys]


toml_values = st.one_of(
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


@given(place=st.sampled_from(known_keys()), value=toml_values)
def test_any_value_is_either_taken_or_refused_with_its_key(place: tuple[str, str], value: Any) -> None:
    table, key = place
    with suppress(ValueError):  # anything else fails the test
        assert type(KEYS[table][key].check(value)) in {str, bool, int, float, tuple}


@given(
    document=st.dictionaries(
        st.one_of(st.text(max_size=8), st.sampled_from([*KEYS, *KEYS[""]])),
        st.one_of(toml_values, st.dictionaries(st.text(max_size=8), toml_values, max_size=3)),
        max_size=4,
    )
)
def test_any_document_gives_settings_or_a_configuration_error(document: dict[str, Any]) -> None:
    message = ""
    try:
        values = check_document(Path("/x/issbox.toml"), document)
        assert {table: set(keys) for table, keys in values.items()} == {
            table: set(keys) for table, keys in KEYS.items()
        }
    except ConfigurationError as error:
        message = str(error)
    assert all(line.startswith("/x/issbox.toml: ") for line in message.splitlines())


def test_the_web_server_has_addresses_sites_and_networks(tmp_path: Path) -> None:
    text = """
[web]
listen = ["0.0.0.0:8443", "[::1]:443", "box.example.com:0"]
names = ["box.example.com", "192.0.2.1"]
certificate = "tls/server.pem"
sites = ["CDN.example.com=ACME/Library", "127.0.0.1:8444=ACME/dev"]
metrics_from = ["192.0.2.0/24"]
"""
    web = load(tmp_path, text).web
    assert web.listen == (("0.0.0.0", 8443), ("::1", 443), ("box.example.com", 0))
    assert [(each.host, each.organization, each.environment) for each in web.sites] == [
        ("cdn.example.com", "ACME", "Library"),
        ("127.0.0.1:8444", "ACME", "dev"),
    ]
    assert (web.certificate, web.certificate_key, web.socket) == (tmp_path / "tls/server.pem", None, None)
    assert [str(each) for each in web.metrics_from] == ["192.0.2.0/24"]
    for wrong in ('listen = "0.0.0.0:8443"', 'listen = ["8443"]', 'listen = ["x:99999"]', 'sites = ["a=b"]'):
        assert "[web]" in refusal(tmp_path, f"[web]\n{wrong}\n")
    for wrong in ('names = ["a b"]', 'metrics_from = ["all"]', "verify_depth = 2", 'sites = ["a=b/c/d"]'):
        assert "[web]" in refusal(tmp_path, f"[web]\n{wrong}\n")
