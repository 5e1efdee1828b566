"""`issbox ssh`: what sshd calls to find the keys that open this box, and to run what their owners ask for."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.index import COMMANDS, noun
from issbox.cli.shapes import Field, Shape
from issbox.errors import CommandLineError, RemoteRefusedError
from issbox.files import atomic_write
from issbox.names import plural

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])

ssh = noun("ssh")

_CONSOLE = "tui"
_ASKED = "SSH_ORIGINAL_COMMAND"

_KEYS = Shape[list[str]](
    "authorized keys", (Field("lines", "array of the lines of an authorized_keys file", lambda each: each),)
)


def _box_options(function: F) -> F:
    """Add what says which box is meant: sshd hands over next to no environment."""
    function = click.option("--config", metavar="FILE", help="Configuration file of the box.")(function)
    return click.option("--state-dir", metavar="DIR", help="State directory of the box.")(function)


def _choose_box(state_dir: str | None, config: str | None) -> None:
    for name, value in (("ISSBOX_STATE_DIR", state_dir), ("ISSBOX_CONFIG", config)):
        if value is not None:
            os.environ[name] = value


@command(
    "authorized-keys",
    group=ssh,
    example="issbox ssh authorized-keys --output /var/lib/issbox/.ssh/authorized_keys",
    shape=_KEYS,
)
@click.argument("fingerprint", required=False)
@click.option("--output", "destination", metavar="FILE", help="Write them to this file, whole and with mode 0600.")
@click.option("--program", metavar="FILE", help="The issbox that keys run. By default the one that runs now.")
@_box_options
def authorized_keys(
    run: Run,
    *,
    fingerprint: str | None,
    destination: str | None,
    program: str | None,
    state_dir: str | None,
    config: str | None,
) -> None:
    """Print the lines of an authorized_keys file: each lets one key open the console or run commands as one user.

    sshd calls it by AuthorizedKeysCommand with the FINGERPRINT of the key offered (%f), so that a key that was removed
    and a user who was disabled stay out from then on.
    """
    from issbox.rules.people.authorized_keys import authorized_line
    from issbox.wiring import require_local_administrator
    from issbox.workflows.people import ssh_keys

    require_local_administrator(os.environ)
    _choose_box(state_dir, config)
    ctx = run.open()
    words = session_words(ctx, program)
    lines = [authorized_line(each, words) for each in ssh_keys.keys_that_open(ctx, fingerprint)]
    if run.as_json:
        run.show(_KEYS, lines)
        return
    text = "".join(f"{line}\n" for line in lines)
    if destination is None:
        output.write(text)
        return
    path = Path(destination)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)  # what sshd asks of the directory .ssh
    with atomic_write(path, mode=0o600) as out:
        out.write(text.encode())
    run.say(f"{plural(len(lines), 'key')} written to {destination}.")


def session_words(ctx: "Context", program: str | None) -> list[str]:
    """Give the words that open a session on this very box, whatever environment sshd hands over."""
    run = Path(program) if program is not None else Path(sys.argv[0]).absolute()
    words = [str(run), "ssh", "session", "--state-dir", str(ctx.settings.state_dir)]
    return words if ctx.settings.source is None else [*words, "--config", str(ctx.settings.source)]


@command("session", group=ssh, example="issbox ssh session --user ann --state-dir /var/lib/issbox")
@click.option("--user", required=True, metavar="NAME", help="As whom.")
@_box_options
def session(run: Run, *, user: str, state_dir: str | None, config: str | None) -> int:
    """Open the console as a user, or run the one command that it gave to ssh; sshd calls it.

    It is the forced command of every key. Only commands of issbox are run, as far as the user's roles allow, on no
    files but standard input and output. Whatever else is asked for is refused and written into the audit log.
    """
    from issbox.wiring import require_local_administrator

    require_local_administrator(os.environ)
    asked = os.environ.get(_ASKED, "")
    _settle_environment(user, state_dir, config)
    ctx = run.open()  # refuses a user who is disabled or unknown
    words = _checked(ctx, asked) if asked.strip() else _console()
    run.progress.close()
    return _run(words)


def _settle_environment(user: str, state_dir: str | None, config: str | None) -> None:
    """Let nothing that came with the connection choose the box, the configuration or the user."""
    for name in [each for each in os.environ if each.startswith(("ISSBOX_", "_ISSBOX_", "XDG_", "PYTHON"))]:
        del os.environ[name]
    os.environ.pop(_ASKED, None)
    os.environ["ISSBOX_USER"] = user
    _choose_box(state_dir, config)
    os.chdir("/")


def _checked(ctx: "Context", asked: str) -> list[str]:
    """Give the words of a command that may be run; raises RemoteRefusedError once that is written down."""
    from issbox.cli.remote import check_remote
    from issbox.rules.people.remote import split_command
    from issbox.workflows.people.ssh_keys import refuse_remote

    try:
        words = split_command(asked)
        check_remote(words)
    except RemoteRefusedError as error:
        refuse_remote(ctx, asked, str(error))
        raise
    return words


def _console() -> list[str]:
    if _CONSOLE not in COMMANDS:
        raise CommandLineError(
            "this issbox has no console", hint="Give ssh a command, for example: ssh issbox@box status"
        )
    return [_CONSOLE]


def _run(words: list[str]) -> int:
    """Run a command as if it had been called by itself, and give its exit code."""
    from issbox.cli.app import root

    sys.argv[1:] = words
    try:
        root.main(words)
    except SystemExit as end:
        return int(end.code) if isinstance(end.code, int) else 1
