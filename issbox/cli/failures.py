"""What a person or a program sees of an error: message, code and hint on standard error, never a stack trace."""

import json
import os
import sys
import tempfile
import traceback
from datetime import UTC, datetime
from pathlib import Path

import click

from issbox.cli.output import printable
from issbox.errors import BugError, CommandLineError, InterruptedByUserError, IssboxError
from issbox.files import atomic_write


def report(error: IssboxError, *, as_json: bool) -> None:
    """Write the error to standard error: three lines for people, or one line with a JSON object."""
    if as_json:
        facts = {"code": error.code, "message": str(error), "hint": error.hint, "exit_code": int(error.exit_code)}
        _write(json.dumps({"error": facts}))
        return
    # Lines after the first are indented, so that a name from a bundle cannot pose as a code or hint.
    for name, text in (("error", str(error)), ("code", error.code), ("hint", error.hint)):
        if text:
            _write(f"{name}: " + "\n       ".join(printable(line) for line in text.split("\n")))


def from_click(error: click.ClickException) -> IssboxError:
    """Translate what click says about a command line."""
    hint = None
    if isinstance(error, click.UsageError) and error.ctx is not None:
        hint = f"Run `{error.ctx.command_path} --help`."
    return CommandLineError(error.format_message(), hint=hint)


def interrupted() -> IssboxError:
    """Give the error of Ctrl-C and SIGTERM."""
    return InterruptedByUserError("interrupted")


def from_bug(error: BaseException) -> IssboxError:
    """Keep the stack trace of an unforeseen error in a file and give the error that names it."""
    what = f"issbox has a bug: {type(error).__name__}: {error}".split("\n")[0]
    trace = "".join(traceback.format_exception(error))
    try:
        return BugError(f"{what} (details in {_keep(trace)})")
    except OSError as problem:
        return BugError(
            f"{what} (the details could not be kept: {problem})", hint="Run it again with --verbose and report it."
        )


def show_trace(error: BaseException) -> None:
    """Write the stack trace of an error, for --verbose."""
    for line in "".join(traceback.format_exception(error)).splitlines():
        _write(printable(line))


def _keep(trace: str) -> Path:
    name = f"bug-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{os.getpid()}.txt"
    text = f"issbox {' '.join(sys.argv[1:2])}\n{trace}".encode(errors="backslashreplace")
    for directory in (_state_directory(), Path(tempfile.gettempdir())):
        if directory is None:
            continue
        try:
            directory.mkdir(mode=0o700, exist_ok=True)
            with atomic_write(directory / name, mode=0o600) as out:
                out.write(text)
        except OSError:
            continue
        return directory / name
    raise OSError("neither the state directory nor the directory for temporary files can be written")


def _state_directory() -> Path | None:
    """Give the place for bug reports in the state directory, if there is one."""
    from issbox.config import load_settings

    try:
        state_dir = load_settings(os.environ).state_dir
    except IssboxError:
        return None
    return state_dir / "bugs" if state_dir.is_dir() else None


def _write(text: str) -> None:
    try:
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    except (OSError, ValueError):
        pass  # nobody is there to read it
