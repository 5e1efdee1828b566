"""Another box that is reached over SSH: asking it for its receipt, giving it a bundle, and what its answers mean."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from issbox.errors import (
    CommandLineError,
    ExitCode,
    FarSideError,
    FarSideTooOldError,
    FarSideUnreachableError,
    NotPermittedError,
)
from issbox.model import ImportState
from issbox.rules.people.ssh_targets import SshTarget, check_ssh_option, is_harmless, ssh_command
from issbox.ssh import Ended, FarCommand, ask
from issbox.workflows.context import Context
from issbox.workflows.imports.importing import STEPS

FAR_COMMAND: Final = ("issbox",)
_SSH_FAILED: Final = 255
_NOT_THERE: Final = {126, 127}
_USUAL: Final = {ExitCode.OK, ExitCode.WAITING}
_SAID: Final = 6
"""How many of the last lines a message repeats."""


@dataclass(frozen=True, slots=True)
class FarSide:
    """How the issbox of another box is reached."""

    target: SshTarget
    options: tuple[str, ...] = ()
    """Options of ssh as `Name=value`."""
    command: tuple[str, ...] = FAR_COMMAND
    """What runs issbox there."""


def check_far_side(ctx: Context, far: FarSide) -> FarSide:
    """Give the far side back when who asks may reach it in this way.

    Anybody who may export may push with the SSH key of the box, but only the account that owns the box says what runs
    on either side. Raises InvalidValueError, NotPermittedError.
    """
    options = tuple(check_ssh_option(option) for option in far.options)
    if ctx.user is not None:
        refused = [option for option in options if not is_harmless(option)]
        refused += ["--far-command"] if far.command != FAR_COMMAND else []
        if refused:
            raise NotPermittedError(
                f"the user {ctx.user} may not push with {', '.join(refused)}: it could run other programs",
                hint="Have it written into ssh_config of the account that owns this box.",
            )
    return FarSide(far.target, options, far.command)


def fetch_receipt(ctx: Context, far: FarSide, organization: str) -> bytes:
    """Give the file of a receipt that says what the far side holds of the organization, every package included."""
    words = [*far.command, "receipt", "create", "--output", "-", "--with-packages", "--json"]
    words += ["--organization", organization]
    ended = ask(ssh_command(far.target, words, far.options), _hearer(ctx))
    _require(far, ended, "receipt create")
    return ended.answer


def far_import(ctx: Context, far: FarSide, organization: str, *, with_environments: bool = False) -> FarCommand:
    """Give the import on the far side that reads a bundle from the pipe; end it with `far_report`.

    With environments it takes over those that the bundle carries.
    """
    words = [*far.command, "content-import", "run", "-", "--json", "--organization", organization]
    words += ["--with-lifecycle-environments"] if with_environments else []
    return FarCommand(ssh_command(far.target, words, far.options), _hearer(ctx))


def far_report(far: FarSide, ended: Ended) -> Mapping[str, object]:
    """Give what the far side says of the import, which is done; raises FarSideError and its kin otherwise.

    A bundle that came down a pipe cannot wait for anything: it would have to come again.
    """
    _require_import(far, ended)
    report = _document(ended.answer)
    if not isinstance(report, dict):
        raise FarSideError(
            f"{far.target} ended its import without a report that can be read",
            hint="Look there with `issbox content-import list` what became of it.",
        )
    if report.get("state") != ImportState.IMPORTED:
        raise FarSideError(
            f"{far.target} did not import the bundle at once ({report.get('state')}): {report.get('reason')}",
            hint="When it has what it waits for, push again; or carry a bundle to its inbox, where it may wait.",
            exit_code=ExitCode.WAITING,
        )
    return report


def _require_import(far: FarSide, ended: Ended) -> None:
    """Raise what the end of an import means, unless it is good: that box was reached before, to ask for its receipt."""
    if _is_lost(ended) and _own_error(ended.said) is None:
        said = " ".join(line for line in ended.said if not _is_narration(line))
        raise FarSideUnreachableError(
            f"the connection to {far.target} was lost while the bundle was sent: {said or 'ssh says nothing'}",
            hint="Nothing of it is visible there. Push again.",
        )
    _require(far, ended, "content-import run -")


def _is_narration(line: str) -> bool:
    """Tell whether the far side's import says here how far it has come: a step, or a note."""
    words = line.partition(":")[0]
    return words == "note" or words.lower().replace(" ", "-") in STEPS


def _is_lost(ended: Ended) -> bool:
    return ended.code == _SSH_FAILED or ended.code < 0


def _require(far: FarSide, ended: Ended, what: str) -> None:
    """Raise what the end of a command means, unless it is good."""
    if ended.code in _USUAL:
        return
    error = _own_error(ended.said)
    if error is not None and error.get("code") == CommandLineError.code:
        raise FarSideTooOldError(f"the issbox of {far.target} does not know `{what}`: {error.get('message')}")
    if error is not None:
        raise FarSideError(
            f"{far.target}: {error.get('message')} ({error.get('code')})",
            hint=f"On the other box: {error.get('hint')}",
            exit_code=_exit_code(ended.code),
        )
    said = "\n".join(line for line in ended.said[-_SAID:])
    if _is_lost(ended):
        raise FarSideUnreachableError(f"the connection to {far.target} failed: {said or 'ssh says nothing'}")
    if ended.code in _NOT_THERE:
        raise FarSideTooOldError(f"{far.target} has no issbox where SSH looks for commands: {said}")
    raise FarSideError(
        f"`{what}` ended on {far.target} with {ended.code}: {said or 'it said nothing'}",
        hint="Run the command there by hand.",
        exit_code=_exit_code(ended.code),
    )


def _own_error(said: Sequence[str]) -> Mapping[str, object] | None:
    """Find the error that an issbox with --json writes as its last line."""
    for line in reversed(said):
        error = _as_error(line)
        if error is not None:
            return error
    return None


def _as_error(line: str) -> Mapping[str, object] | None:
    if not line.startswith('{"error":'):
        return None
    document = _document(line)
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else None


def _document(data: str | bytes) -> object:
    """Read JSON of the other box, whatever it sent; None for what is none, or is nested too deeply."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _exit_code(code: int) -> ExitCode:
    return ExitCode(code) if code in set(ExitCode) and code != ExitCode.OK else ExitCode.FAILURE


def _hearer(ctx: Context) -> Callable[[str], None]:
    """Pass on what the far side narrates; its error is told as our own."""

    def hear(line: str) -> None:
        if _as_error(line) is None:
            ctx.progress.note(f"other box: {line}")

    return hear
