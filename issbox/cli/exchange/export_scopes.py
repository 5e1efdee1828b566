"""The commands that write bundles, one a scope: `content-export complete ...` and `content-export incremental ...`."""

from typing import TYPE_CHECKING, Any

import click

from issbox.cli.command import Run
from issbox.cli.content.repositories import find_repositories
from issbox.cli.content.views import version_option, view_option
from issbox.cli.exchange.export_options import environment_option
from issbox.cli.exchange.exporting import complete, export_scope, incremental, make_command
from issbox.errors import CommandLineError
from issbox.manifest import ScopeKind
from issbox.model import LIBRARY

if TYPE_CHECKING:
    from issbox.workflows.context import Context

__all__ = ["complete", "incremental"]


def _scope_repository(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    product, repositories = values.pop("product"), values.pop("repositories")
    environment = values.pop("lifecycle_environment")
    if product is None and not repositories:
        raise CommandLineError("which repository? Neither --repository nor --product was given")

    def describe(ctx: "Context", organization: str) -> dict[str, Any]:
        keys = [each.key for each in find_repositories(ctx, organization, product, repositories)]
        return {"repositories": tuple(keys), "environment": environment}

    export_scope(run, ScopeKind.REPOSITORY, values, describe, incremental=incremental)


def _scope_product(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    products, environment = values.pop("products"), values.pop("lifecycle_environment")
    described = {"products": tuple(products), "environment": environment}
    export_scope(run, ScopeKind.PRODUCT, values, lambda _ctx, _organization: described, incremental=incremental)


def _scope_library(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    export_scope(run, ScopeKind.LIBRARY, values, incremental=incremental)


def _scope_environment(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    environment = values.pop("lifecycle_environment")
    export_scope(
        run,
        ScopeKind.LIFECYCLE_ENVIRONMENT,
        values,
        lambda _ctx, _organization: {"environment": environment},
        incremental=incremental,
    )


def _scope_version(run: Run, values: dict[str, Any], *, incremental: bool) -> None:
    view, number, environment = (values.pop(name) for name in ("view", "number", "lifecycle_environment"))
    described = {
        "content_view": view,
        "content_view_version": "" if number is None else number if "." in number else f"{number}.0",
        "environment": environment or LIBRARY,
    }
    export_scope(
        run,
        ScopeKind.CONTENT_VIEW_VERSION,
        values,
        lambda _ctx, _organization: described,
        incremental=incremental,
    )


for _group in (complete, incremental):
    make_command(
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
        environment_option,
    )(_scope_repository)
    make_command(
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
        environment_option,
    )(_scope_product)
    make_command(
        _group,
        "library",
        "Write a bundle with every repository of an organization.",
        "issbox content-export {kind} library --destination-server island --format iso --volume-size dvd",
    )(_scope_library)
    make_command(
        _group,
        "version",
        "Write a bundle with a version of a content view.",
        "issbox content-export {kind} version --content-view base --version 3.0 --destination-server island",
        view_option,
        version_option(required=False),
        click.option(
            "--lifecycle-environment",
            metavar="LABEL",
            help="Take the version that this lifecycle environment holds, instead of naming its number.",
        ),
    )(_scope_version)
    make_command(
        _group,
        "lifecycle-environment",
        "Write a bundle with what a lifecycle environment holds.",
        "issbox content-export {kind} lifecycle-environment --label production --destination-server island",
        click.option("--label", "lifecycle_environment", required=True, metavar="LABEL", help="Which environment."),
    )(_scope_environment)
