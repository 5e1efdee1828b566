"""The commands that write bundles: `content-export complete ...` and `content-export incremental ...`."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from issbox.cli.command import Run, command
from issbox.cli.export_shapes import EXPORT, PLAN
from issbox.cli.options import chosen_organization
from issbox.cli.repositories import find_repositories
from issbox.errors import CommandLineError
from issbox.manifest import ScopeKind
from issbox.model import LIBRARY, BundleForm

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., Any])

complete = click.Group("complete", help="Write bundles that hold everything.")
incremental = click.Group("incremental", help="Write bundles that hold what the other side lacks.")


def _common_options(function: F) -> F:
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
                default=BundleForm.DIRECTORY.value,
                show_default=True,
                help="A directory, an archive (packages are not compressed again), or images to burn.",
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
                metavar="DIR",
                help="Write the bundle into this directory instead of the configured one.",
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


def _base_options(function: F) -> F:
    """Add the three ways to say what the other side has."""
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
        ]
    ):
        function = option(function)
    return function


def _environment_option(function: F) -> F:
    text = "Take the versions that this lifecycle environment holds."
    return click.option("--lifecycle-environment", default=LIBRARY, show_default=True, metavar="LABEL", help=text)(
        function
    )


def _export(
    run: Run,
    scope: ScopeKind,
    common: dict[str, Any],
    describe: Callable[["Context", str], dict[str, Any]] = lambda _ctx, _organization: {},
    *,
    incremental: bool,
) -> None:
    """Plan, and unless it is a dry run write, a bundle for each organization; all are planned before one is written."""
    from issbox.names import parse_time
    from issbox.rules.volumes import volume_limits
    from issbox.workflows import exports

    ctx = run.open()
    form = BundleForm(common["form"])
    volume_size, largest_file = volume_limits(common["volume_size"], form)
    plans = []
    for label in common["organizations"] or (None,):
        organization = chosen_organization(ctx, label)
        since = common.get("since")
        request = exports.ExportRequest(
            organization=organization,
            scope=scope,
            destination=common["destination_server"],
            form=form,
            volume_size=volume_size,
            largest_file=largest_file,
            udf=common["udf"],
            incremental=incremental,
            since=None if since is None else parse_time(since),
            from_export=common.get("from_export"),
            **describe(ctx, organization),
        )
        plans.append(exports.plan_export(ctx, request))
    several = len(plans) > 1
    output = None if common["output"] is None else Path(common["output"])
    if common["dry_run"]:
        estimates = [exports.estimate(ctx, plan, output) for plan in plans]
        run.show_all(PLAN, estimates) if several else run.show(PLAN, estimates[0])
        return
    done = []
    for plan in plans:
        done.append(exports.export(ctx, plan, output))
        run.say(f"The bundle is complete: {done[-1].path}")
    run.show_all(EXPORT, done) if several else run.show(EXPORT, done[0])


Scoped = Callable[..., None]
"""Gets the Run, the values of the options, and whether the bundle is incremental."""


def _make(
    group: click.Group, name: str, help_text: str, example: str, *options: Callable[[Any], Any]
) -> Callable[[Scoped], Scoped]:
    """Make a command of a scope; its help says whether it is complete or incremental."""

    def decorate(function: Scoped) -> Scoped:
        is_incremental = group is incremental

        def run_it(run: Run, **values: Any) -> None:
            function(run, values, incremental=is_incremental)

        run_it.__doc__ = f"{help_text}\n\n{_INCREMENTAL if is_incremental else _COMPLETE}"
        decorated: Any = run_it
        for option in reversed([*options, *([_base_options] if is_incremental else []), _common_options]):
            decorated = option(decorated)
        command(
            name,
            group=group,
            example=example.format(kind="incremental" if is_incremental else "complete"),
            shape=EXPORT,
            dry_run=PLAN,
        )(decorated)
        return function

    return decorate


_COMPLETE = """The bundle is signed by this box and carries all files. A directory is a yum repository that dnf can
read as it is. It has its name only once it is whole. Carry it to the other side, as a whole or volume by volume, and
drop it into the inbox there."""

_INCREMENTAL = """The bundle is signed by this box and carries the files that the other side lacks; metadata travels
whole, and what upstream removed is removed there too. The result on the other side is the same as that of a complete
bundle. If files are missing there after all, the bundle waits and says which."""


def _scope_repository(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    product, repositories = values.pop("product"), values.pop("repositories")
    environment = values.pop("lifecycle_environment")
    if product is None and not repositories:
        raise CommandLineError("which repository? Neither --repository nor --product was given")

    def describe(ctx: "Context", organization: str) -> dict[str, Any]:
        keys = [each.key for each in find_repositories(ctx, organization, product, repositories)]
        return {"repositories": tuple(keys), "environment": environment}

    _export(run, ScopeKind.REPOSITORY, values, describe, incremental=incremental)


def _scope_product(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    products, environment = values.pop("products"), values.pop("lifecycle_environment")
    described = {"products": tuple(products), "environment": environment}
    _export(run, ScopeKind.PRODUCT, values, lambda _ctx, _organization: described, incremental=incremental)


def _scope_library(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    _export(run, ScopeKind.LIBRARY, values, incremental=incremental)


def _scope_environment(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    environment = values.pop("lifecycle_environment")
    _export(
        run,
        ScopeKind.LIFECYCLE_ENVIRONMENT,
        values,
        lambda _ctx, _organization: {"environment": environment},
        incremental=incremental,
    )


for _group in (complete, incremental):
    _make(
        _group,
        "repository",
        "Write a bundle with one repository or several.",
        "issbox content-export {kind} repository --product Tools --repository base --destination-server island",
        click.option(
            "--product", metavar="LABEL", help="Product of the repositories; without --repository, all of it."
        ),
        click.option(
            "--repository",
            "--name",
            "repositories",
            multiple=True,
            metavar="LABEL",
            help="Which repository, LABEL or PRODUCT/LABEL. May be given several times.",
        ),
        _environment_option,
    )(_scope_repository)
    _make(
        _group,
        "product",
        "Write a bundle with all repositories of one product or several.",
        "issbox content-export {kind} product --product Tools --destination-server island",
        click.option(
            "--product",
            "--label",
            "products",
            multiple=True,
            required=True,
            metavar="LABEL",
            help="Which product. May be given several times.",
        ),
        _environment_option,
    )(_scope_product)
    _make(
        _group,
        "library",
        "Write a bundle with every repository of an organization.",
        "issbox content-export {kind} library --destination-server island --format iso --volume-size dvd",
    )(_scope_library)
    _make(
        _group,
        "lifecycle-environment",
        "Write a bundle with what a lifecycle environment holds.",
        "issbox content-export {kind} lifecycle-environment --label production --destination-server island",
        click.option("--label", "lifecycle_environment", required=True, metavar="LABEL", help="Which environment."),
    )(_scope_environment)
