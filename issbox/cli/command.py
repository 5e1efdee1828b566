"""The way every command is made: --json, --verbose, an example in its help, errors translated, progress closed."""

import inspect
import json
import logging
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import click

from issbox.cli import failures, output
from issbox.cli.narration import Narrator, make_narrator
from issbox.cli.shapes import Shape
from issbox.errors import NotConfirmedError
from issbox.files import error_from_os

if TYPE_CHECKING:
    from issbox.workflows.context import Context

T = TypeVar("T")


class Run:
    """One run of a command: what it was asked to show, and where that goes."""

    def __init__(self, *, as_json: bool, verbose: bool) -> None:
        self.as_json = as_json
        self.verbose = verbose
        self.progress: Narrator = make_narrator()
        self._context: Context | None = None

    def open(self) -> "Context":
        """Open the box; raises NotInitializedError and whatever is wrong with configuration or database."""
        if self._context is None:
            from issbox.wiring import open_context

            self._context = open_context(progress=self.progress)
        return self._context

    def say(self, text: str) -> None:
        """Tell a person what happened, on standard error."""
        self.progress.say(text)

    def show(self, shape: Shape[T], thing: T) -> None:
        """Write one thing to standard output."""
        self.progress.close()
        document = output.to_json(shape.document(thing)) if self.as_json else output.details(shape.details(thing))
        output.write(document)

    def show_aside(self, shape: Shape[T], thing: T) -> None:
        """Write one thing to standard error, JSON in one line, since standard output carries something else."""
        self.progress.close()
        document = json.dumps(shape.document(thing)) if self.as_json else output.details(shape.details(thing)).rstrip()
        click.echo(document, err=True)

    def show_all(self, shape: Shape[T], things: Iterable[T]) -> None:
        """Write several things to standard output: a JSON array or a table."""
        self.progress.close()
        if self.as_json:
            output.write(output.to_json([shape.document(thing) for thing in things]))
        else:
            output.write(
                output.table(shape.headings(), [shape.row(thing) for thing in things], output.terminal_columns())
            )

    def confirm(self, question: str, *, yes: bool) -> None:
        """Go on only when --yes was given or a person at a terminal agrees; raises NotConfirmedError."""
        if yes:
            return
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            raise NotConfirmedError(f"{question} There is no terminal to ask at.", hint="Give the command --yes.")
        if not click.confirm(output.printable(question), err=True):
            raise NotConfirmedError("not confirmed: nothing was changed")


class IssboxCommand(click.Command):
    """A command of issbox; the reference is made from its attributes."""

    example: str = ""
    shape: Shape[Any] | None = None
    """What it shows, and --json gives."""
    many: bool = False
    """Whether it shows several of them."""
    instead: Mapping[str, Shape[Any]] = MappingProxyType({})
    """What it shows with an option such as --dry-run, when that is something else."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run it; errors of the operating system and interruptions leave as errors of issbox."""
        try:
            return super().invoke(ctx)
        except OSError as error:
            raise error_from_os(error) from error
        except KeyboardInterrupt:
            raise failures.interrupted() from None


def command(
    name: str,
    *,
    group: click.Group | None = None,
    example: str,
    shape: Shape[Any] | None = None,
    many: bool = False,
    instead: Mapping[str, Shape[Any]] | None = None,
) -> Callable[[Callable[..., object]], IssboxCommand]:
    """Make a command of a function whose first argument is the Run; its docstring is the help text.

    The function may give an exit code back; None is success.
    """

    def decorate(function: Callable[..., object]) -> IssboxCommand:
        def callback(*, as_json: bool, verbose: bool, **values: Any) -> object:
            if verbose:
                logging.basicConfig(
                    level=logging.DEBUG, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s"
                )
            run = Run(as_json=as_json, verbose=verbose)
            try:
                return function(run, **values)
            finally:
                run.progress.close()

        options = list(reversed(getattr(function, "__click_params__", [])))
        made = IssboxCommand(
            name,
            callback=callback,
            params=[*options, *_common_options()],
            help=f"{inspect.cleandoc(function.__doc__ or '')}\n\n\b\nExample:\n{textwrap.indent(example, '  ')}",
        )
        made.example, made.shape, made.many, made.instead = example, shape, many, instead or {}
        if group is not None:
            group.add_command(made)
        return made

    return decorate


def _common_options() -> list[click.Parameter]:
    return [
        click.Option(["--json", "as_json"], is_flag=True, help="Write JSON to standard output."),
        click.Option(["--verbose"], is_flag=True, help="Tell more on standard error, with stack traces of errors."),
    ]
