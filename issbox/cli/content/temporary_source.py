"""The options that have repositories synchronized from another place this once."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from issbox.errors import CommandLineError
from issbox.rules.content.urls import check_url

if TYPE_CHECKING:
    from issbox.workflows.content.upstreams import TemporarySource

F = TypeVar("F", bound=Callable[..., Any])

_NAMES = {
    "ca": "--ca",
    "client_certificate": "--client-certificate",
    "proxy": "--proxy",
    "check_metadata": "--check-metadata",
    "check_packages": "--check-packages",
    "unrelated": "--allow-unrelated",
}


def temporary_source_options(text: str) -> Callable[[F], F]:
    """Add --source-url with this help, and what goes with it."""
    options = [
        click.option("--source-url", metavar="URL", help=text),
        click.option("--ca", metavar="LABEL", help="With --source-url: content credential with the CA of that server."),
        click.option(
            "--client-certificate",
            metavar="LABEL",
            help="With --source-url: content credential shown to that server. That of the repository never is.",
        ),
        click.option(
            "--proxy", metavar="URL", help='With --source-url: proxy to that server; "" for none, not even the box\'s.'
        ),
        click.option(
            "--check-metadata/--no-check-metadata",
            default=None,
            help="With --source-url: whether repomd.xml must be signed by the repository's GPG key this once.",
        ),
        click.option(
            "--check-packages/--no-check-packages",
            default=None,
            help="With --source-url: whether every package must be signed by that key this once.",
        ),
        click.option(
            "--allow-unrelated",
            "unrelated",
            is_flag=True,
            help="With --source-url: also when it lists none of the packages that the repository has.",
        ),
    ]

    def add(function: F) -> F:
        for option in reversed(options):
            function = option(function)
        return function

    return add


def temporary_source(source_url: str | None, given: dict[str, Any]) -> "TemporarySource | None":
    """Give what the options say, None without --source-url; raises CommandLineError and InvalidValueError."""
    if source_url is None:
        said = [
            option
            for name, option in _NAMES.items()
            if given[name] is not None and (name != "unrelated" or given[name])
        ]
        if said:
            raise CommandLineError(
                f"{', '.join(said)} without --source-url",
                hint="To change it for good, use `issbox repository update`.",
            )
        return None
    from issbox.workflows.content.upstreams import TemporarySource

    return TemporarySource(check_url(source_url), **given)
