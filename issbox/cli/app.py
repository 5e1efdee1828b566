"""The command `issbox`: finds commands when they are used, and ends with a documented exit code whatever happens."""

import gc
import importlib
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

import click

from issbox import VERSION
from issbox.cli import failures
from issbox.cli.index import COMMANDS
from issbox.cli.output import OutputClosedError
from issbox.errors import ExitCode, IssboxError

_GARBAGE = 50_000
"""Objects made between two looks for garbage. Loading makes tens of thousands that all stay: Python's 700 would have
it look for garbage among them dozens of times."""


class Root(click.Group):
    """The first level of commands."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order of the table."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command and give the command."""
        del ctx
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        made = getattr(importlib.import_module(entry.module, "issbox.cli"), entry.attribute)
        if not isinstance(made, click.Command):
            raise TypeError(f"{entry.module}.{entry.attribute} is no command")
        return made

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which one may have been meant."""
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands from the table, importing none of them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry.help) for name, entry in COMMANDS.items()])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> NoReturn:
        """Run a command line and exit; errors are shown here in every mode."""
        del standalone_mode
        words = list(sys.argv[1:] if args is None else args)
        options = words[: words.index("--")] if "--" in words else words
        try:
            with _termination_as_interrupt():
                result = super().main(
                    words,
                    prog_name or "issbox",
                    complete_var,
                    standalone_mode=False,
                    windows_expand_args=windows_expand_args,
                    **extra,
                )
            code = int(result) if isinstance(result, int) else ExitCode.OK
        except OutputClosedError:
            code = ExitCode.OK  # for example `| head`: the work is done, its reader wants no more
        except click.exceptions.NoArgsIsHelpError as error:
            click.echo(error.format_message(), err=True)
            code = ExitCode.USAGE
        except Exception as error:
            code = _fail(error, as_json="--json" in options, verbose="--verbose" in options)
        sys.exit(int(code))


def _fail(error: Exception, *, as_json: bool, verbose: bool) -> ExitCode:
    if isinstance(error, click.exceptions.Abort):
        shown = failures.interrupted()
    elif isinstance(error, click.ClickException):
        shown = failures.from_click(error)
    elif isinstance(error, IssboxError):
        shown = error
    else:
        shown = failures.from_bug(error)
    if verbose:
        failures.show_trace(error)
    failures.report(shown, as_json=as_json)
    return shown.exit_code


@contextmanager
def _termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM and a lost terminal end work the way Ctrl-C does, so that it cleans up behind itself."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # what nohup or a service set stays as it is
            before[number] = signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@click.command(
    "issbox",
    cls=Root,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Every command has --help with an example, and --json. Configuration: see config/example.toml.",
)
@click.version_option(VERSION, message="issbox %(version)s")
def root() -> None:
    """Carry software repositories across an air gap."""


def main() -> NoReturn:
    """Run the command line of this process."""
    gc.set_threshold(_GARBAGE)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names that the terminal's encoding lacks must not stop a command
            stream.reconfigure(errors="backslashreplace")
    root.main()
