"""How commands end when something goes wrong, in real processes."""

import fcntl
import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from makers.command_line import CommandLine

from issbox.cli import app, failures
from issbox.cli.command import Run, command
from issbox.cli.index import COMMANDS, Entry
from issbox.errors import ExitCode, NotFoundError


def process(line: CommandLine, *words: str) -> list[str]:
    return [sys.executable, "-m", "issbox", *words]


def environment(line: CommandLine) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ISSBOX_")}
    return kept | {key: value for key, value in line.environ.items() if value is not None}


def test_usage_errors(empty: CommandLine) -> None:
    result = empty("content-imprt", code=2)
    assert result.stdout == ""
    assert "content-import" in result.stderr
    assert result.stderr.splitlines()[1:] == ["code: usage", "hint: Run `issbox --help`."]
    assert empty.error("product", "create", "--nam", "x", code=2)["hint"] == "Run `issbox product create --help`."
    assert empty("product", "create", "--name", code=2).stderr.startswith("error: ")
    assert empty.error("init", code=2)["code"] == "usage"
    assert empty("organization", "info", "--label", "x", "--", "--json", code=2).stderr.startswith("error: ")


def test_message_code_and_hint(issbox: CommandLine) -> None:
    result = issbox("organization", "info", "--label", "none", code=4)
    assert [line.split(":")[0] for line in result.stderr.splitlines()] == ["error", "code", "hint"]
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert "Traceback" in issbox("organization", "info", "--label", "none", "--verbose", code=4).stderr


def test_a_hostile_message_cannot_pose_as_a_hint(capsys: pytest.CaptureFixture[str]) -> None:
    failures.report(NotFoundError("x\ncode: fine\x1b[2J", hint="h"), as_json=False)
    assert capsys.readouterr().err == "error: x\n       code: fine\\x1b[2J\ncode: not-found\nhint: h\n"


def test_a_wrong_configuration(empty: CommandLine) -> None:
    (empty.directory / "x.toml").write_text("nonsense = 1\n[inbox]\npth = 2\n")
    empty.environ["ISSBOX_CONFIG"] = str(empty.directory / "x.toml")
    result = empty("status", code=6)
    assert "nonsense is not a setting" in result.stderr
    assert "Did you mean path?" in result.stderr
    assert empty("--help").exit_code == 0


@command("explode", example="issbox explode")
@click.argument("how")
def explode(run: Run, *, how: str) -> None:
    """Fail in the way asked for."""
    if how == "bug":
        raise ZeroDivisionError("secret \x1b[2J of the bug")
    if how == "disk":
        raise OSError(28, "No space left on device", "/some/file")
    if how == "gone":
        raise BrokenPipeError(32, "Broken pipe")
    if how == "interrupt":
        raise KeyboardInterrupt
    if how == "term":
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    if how == "abort":
        raise click.Abort


@pytest.fixture
def exploding(empty: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setitem(COMMANDS, "explode", Entry(__name__, "explode", "Fail."))
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])
    return empty


def test_a_bug_keeps_its_trace_in_the_state_directory(exploding: CommandLine) -> None:
    exploding.state.mkdir()
    error = exploding.error("explode", "bug", code=1)
    assert error["code"] == "bug"
    assert error["message"].startswith("issbox has a bug: ZeroDivisionError: secret")
    (kept,) = (exploding.state / "bugs").iterdir()
    assert str(kept) in error["message"]
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "Traceback" in kept.read_text()
    shown = exploding("explode", "bug", code=1).stderr
    assert "Traceback" not in shown
    assert "\x1b" not in shown
    assert "Traceback" in exploding("explode", "bug", "--verbose", code=1).stderr


def test_a_bug_without_a_state_directory_makes_none(exploding: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = exploding.directory / "scratch"
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    assert str(scratch) in exploding.error("explode", "bug", code=1)["message"]
    assert not exploding.state.exists()


@pytest.mark.parametrize(
    ("how", "code", "exit_code"),
    [
        ("disk", "no-space", ExitCode.NO_SPACE),
        ("gone", "operating-system", ExitCode.FAILURE),
        ("interrupt", "interrupted", ExitCode.INTERRUPTED),
        ("term", "interrupted", ExitCode.INTERRUPTED),
        ("abort", "interrupted", ExitCode.INTERRUPTED),
    ],
)
def test_errors_of_the_system_and_interruptions(
    exploding: CommandLine, how: str, code: str, exit_code: ExitCode
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert exploding.error("explode", how, code=exit_code)["code"] == code
    assert signal.getsignal(signal.SIGTERM) is before


def test_the_signals_are_given_back_after_a_command(empty: CommandLine) -> None:
    empty("--version")
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_reader_that_goes_away_is_no_failure(issbox: CommandLine) -> None:
    """Close the reading end before anything is written."""
    ours, theirs = os.pipe()
    os.close(ours)
    done = subprocess.run(
        process(issbox, "status"), stdout=theirs, stderr=subprocess.PIPE, env=environment(issbox), check=False
    )
    os.close(theirs)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_behind_standard_output(issbox: CommandLine) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            process(issbox, "status", "--json"),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(issbox),
            check=False,
        )
    assert done.returncode == ExitCode.NO_SPACE
    error = json.loads(done.stderr.decode().splitlines()[-1])["error"]
    assert error["message"] == "standard output: No space left on device"


def test_an_encoding_that_lacks_characters(issbox: CommandLine) -> None:
    issbox("organization", "create", "--label", "b", "--name", "日本")
    done = subprocess.run(
        process(issbox, "organization", "list"),
        env=environment(issbox) | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        capture_output=True,
        check=True,
    )
    assert rb"\u65e5\u672c" in done.stdout


def take_terminal() -> None:
    """Make standard input the controlling terminal, so that Ctrl-C typed there is a signal."""
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def ask(line: CommandLine, answer: bytes, *words: str) -> tuple[int, str]:
    """Run a command at a terminal, answer its question, and give exit code and what the terminal showed."""
    ours, theirs = pty.openpty()
    running = subprocess.Popen(
        process(line, *words),
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=theirs,
        env=environment(line),
        preexec_fn=take_terminal,  # noqa: PLW1509 - no thread runs here
    )
    os.close(theirs)
    seen, answered = b"", False
    while select.select([ours], [], [], 20)[0]:
        try:
            part = os.read(ours, 4096)
        except OSError:  # Linux says EIO when the other end is closed
            break
        seen += part
        if b"[y/N]" in seen and not answered:
            time.sleep(0.1)  # until it reads: Python may sleep through a Ctrl-C that comes a moment before
            os.write(ours, answer)
            answered = True
    os.close(ours)
    running.kill()  # it has ended already, unless it hangs
    return running.wait(), seen.decode()


def test_deleting_asks_at_a_terminal(issbox: CommandLine) -> None:
    issbox("organization", "create", "--label", "Old")
    delete = ["organization", "delete", "--label", "Old"]
    code, seen = ask(issbox, b"n\n", *delete)
    assert code == ExitCode.USAGE
    assert "not confirmed: nothing was changed" in seen
    assert ask(issbox, b"\x03", *delete)[0] == ExitCode.INTERRUPTED
    assert len(issbox.json("organization", "list")) == 2
    assert ask(issbox, b"y\n", *delete)[0] == 0
    assert len(issbox.json("organization", "list")) == 1


def test_every_command_of_the_table_is_a_command() -> None:
    context = click.Context(app.root)
    for name in COMMANDS:
        assert isinstance(app.root.get_command(context, name), click.Command)


def every_command(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    ctx = click.Context(group)
    for name in group.list_commands(ctx):
        found = group.get_command(ctx, name)
        assert found is not None
        if isinstance(found, click.Group):
            yield from every_command(found, (*words, name))
        else:
            yield (*words, name), found


def is_number(parameter: click.Parameter) -> bool:
    return isinstance(parameter.type, click.types.IntParamType)


def with_number(words: tuple[str, ...], of: click.Command, number: click.Parameter, value: str) -> Iterator[str]:
    """Give a command line with a value for one parameter, and something for each other that is required."""
    yield from words
    for each in of.params:
        if each is number or each.required:
            usual = next(iter(each.type.choices)) if isinstance(each.type, click.Choice) else "1"
            given = value if each is number else usual if is_number(each) or usual != "1" else "acme"
            yield from (given,) if isinstance(each, click.Argument) else (each.opts[0], given)
        elif "--yes" in each.opts:
            yield "--yes"


@pytest.mark.parametrize("value", ["9" * 25, str(1 << 40)])
def test_no_number_is_so_large_that_it_is_a_bug(issbox: CommandLine, value: str) -> None:
    tried = 0
    for words, each in every_command(app.root):
        for number in filter(is_number, each.params):
            result = CliRunner(env=issbox.environ).invoke(app.root, list(with_number(words, each, number, value)))
            assert "has a bug" not in result.stderr, (words, number.name, result.stderr)
            tried += 1
    assert tried > 40
