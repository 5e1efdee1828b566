"""Options that several commands share, and what is made of them."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from issbox.errors import CommandLineError, InvalidValueError, NotFoundError
from issbox.files import error_from_input
from issbox.names import make_label

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])


class Named(Protocol):
    """Anything with a label and a name."""

    @property
    def label(self) -> str:
        """What paths and files carry."""

    @property
    def name(self) -> str:
        """What people call it."""


N = TypeVar("N", bound=Named)


def organization_option(function: F) -> F:
    """Add --organization."""
    option = click.option("--organization", metavar="LABEL", help="Organization. Not needed when there is only one.")
    return option(function)


def identity_options(what: str) -> Callable[[F], F]:
    """Add --label and --name as two ways to say which thing is meant."""

    def add(function: F) -> F:
        function = click.option("--name", metavar="NAME", help=f"Name of the {what}, instead of its label.")(function)
        return click.option("--label", metavar="LABEL", help=f"Label of the {what}.")(function)

    return add


def creation_options(what: str) -> Callable[[F], F]:
    """Add --name and --label of a new thing."""

    def add(function: F) -> F:
        text = f"Label of the {what}, for paths and files; never changes. Made from the name when left out."
        function = click.option("--label", metavar="LABEL", help=text)(function)
        return click.option("--name", metavar="NAME", help=f"Name of the {what} for people.")(function)

    return add


def yes_option(function: F) -> F:
    """Add --yes."""
    return click.option("--yes", is_flag=True, help="Do not ask for confirmation.")(function)


def id_option(what: str) -> Callable[[F], F]:
    """Add the number of a thing, as an argument or as --id."""

    def add(function: F) -> F:
        function = click.option("--id", "id_", type=int, metavar="ID", help=f"Number of the {what}.")(function)
        return click.argument("number", metavar="[ID]", type=int, required=False)(function)

    return add


def chosen_id(number: int | None, id_: int | None) -> int:
    """Give the number that was given in one of the two ways; raises CommandLineError unless there is exactly one."""
    given = [each for each in (number, id_) if each is not None]
    if len(given) != 1:
        raise CommandLineError("give one ID")
    return given[0]


def label_and_name(label: str | None, name: str | None) -> tuple[str, str]:
    """Give both when at least one of them was given; raises CommandLineError when none was."""
    if name is None and label is None:
        raise CommandLineError("neither --name nor --label was given", hint="Give at least --name.")
    return label if label is not None else make_label(name or ""), name if name is not None else label or ""


def chosen_organization(ctx: "Context", label: str | None) -> str:
    """Give the organization named, or the only one."""
    from issbox.workflows.content.catalog import choose_organization

    return choose_organization(ctx, label)


def pick(things: Sequence[N], *, label: str | None, name: str | None, what: str) -> N:
    """Give the one thing that label and name say.

    Raises CommandLineError when neither was given, NotFoundError when there is none, InvalidValueError when there
    are several of that name.
    """
    if label is None and name is None:
        raise CommandLineError(f"which {what}? Neither --label nor --name was given")
    found = [each for each in things if label in (None, each.label) and name in (None, each.name)]
    said = " and ".join(f"{word} {value!r}" for word, value in (("label", label), ("name", name)) if value is not None)
    if not found:
        raise NotFoundError(f"there is no {what} with the {said}", listed=f"{what.replace(' ', '-')} list")
    if len(found) > 1:
        labels = ", ".join(each.label for each in found)
        raise InvalidValueError(f"several are meant by the {said}: {labels}", hint="Say which one with --label.")
    return found[0]


def read_text_file(path: str, what: str, most: int) -> str:
    """Read a small text file, `-` for standard input; raises what `read_file` raises, also for a binary one."""
    data = read_file(path, what, most)
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise InvalidValueError(f"{path} is not text, so it cannot be {what}") from None


def read_file(path: str, what: str, most: int, *, hint: str | None = None) -> bytes:
    """Read a file of at most so many bytes, `-` for standard input.

    Raises NotFoundError when there is none, InvalidValueError with the hint for a large one, and what the disk says.
    """
    try:
        with click.open_file(path, "rb") as source:
            data: Any = source.read(most + 1)
    except OSError as error:
        raise error_from_input(error) from None
    if len(data) > most:
        raise InvalidValueError(f"{path} is too large to be {what}", hint=hint)
    return bytes(data)
