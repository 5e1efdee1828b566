"""Options of the commands that write bundles."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from issbox.model import LIBRARY, BundleForm

F = TypeVar("F", bound=Callable[..., Any])


def common_options(function: F) -> F:
    """Add what every export takes."""
    for option in reversed(
        [
            click.option(
                "--organization",
                "organizations",
                multiple=True,
                metavar="LABEL",
                help="Organization; not needed when there is only one. Given several times, each gets a bundle.",
            ),
            click.option(
                "--destination-server",
                default="",
                metavar="NAME",
                help="For whom it is; bundles are numbered for each destination.",
            ),
            click.option(
                "--format",
                "form",
                type=click.Choice([form.value for form in BundleForm]),
                help="A directory, an archive (packages are not compressed again), or images to burn. By default a "
                "directory, and tar for a pipe.",
            ),
            click.option(
                "--volume-size",
                metavar="SIZE",
                help="Split into volumes of at most this size, such as 4380MiB, or cd, dvd, dvd-dl, bd, fat32.",
            ),
            click.option(
                "--udf", is_flag=True, help="Add UDF to images, so that Windows shows the long names of files."
            ),
            click.option(
                "--output",
                metavar="DIR|-",
                help="Write the bundle into this directory instead of the configured one, or as a tar or tgz to "
                "standard output. What is told, and --json, goes to standard error then.",
            ),
            click.option(
                "--with-lifecycle-environments",
                "with_environments",
                is_flag=True,
                help="Also say which lifecycle environments there are here and what is promoted to them, never which "
                "hosts. The other side takes that over only when it asks for it.",
            ),
            click.option(
                "--dry-run",
                is_flag=True,
                help="Only say what the bundle would hold: size of each volume, space and time needed.",
            ),
        ]
    ):
        function = option(function)
    return function


def base_options(function: F) -> F:
    """Add the ways to say what the other side has."""
    for option in reversed(
        [
            click.option("--since", metavar="TIME", help="It has what was here at this time, ISO 8601 with time zone."),
            click.option(
                "--from-export",
                "--from-history-id",
                "from_export",
                type=int,
                metavar="ID",
                help="It has what this export described. By default: what all exports to the destination described.",
            ),
            click.option(
                "--from-receipt",
                metavar="FILE|TEXT|ID",
                help="It has what this receipt of its box says: a file, `-`, the text itself, or the number of one "
                "that was read before.",
            ),
        ]
    ):
        function = option(function)
    return function


def environment_option(function: F) -> F:
    """Add the environment whose versions are taken."""
    text = "Take the versions that this lifecycle environment holds."
    return click.option("--lifecycle-environment", default=LIBRARY, show_default=True, metavar="LABEL", help=text)(
        function
    )
