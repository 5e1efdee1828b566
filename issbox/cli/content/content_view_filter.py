"""`issbox content-view filter`."""

from datetime import datetime, timedelta

import click

from issbox.cli.command import Run, command
from issbox.cli.content.views import view_option
from issbox.cli.options import chosen_organization, organization_option, yes_option
from issbox.cli.shapes import Field, Shape
from issbox.errors import CommandLineError, InvalidValueError
from issbox.model import ErratumDate, ErratumRule, ErratumType, FilterKind, PackageRule, ViewFilter
from issbox.names import parse_time

filter_ = click.Group("filter", help="Manage filters, which leave out packages when content views are published.")


def _package(each: ViewFilter) -> PackageRule:
    return each.rule if isinstance(each.rule, PackageRule) else PackageRule()


def _erratum(each: ViewFilter) -> ErratumRule:
    return each.rule if isinstance(each.rule, ErratumRule) else ErratumRule()


def _means(each: ViewFilter) -> str:
    """Say in words what a filter means."""
    package, erratum = _package(each), _erratum(each)
    dates = f"{each.rule.date} " if isinstance(each.rule, ErratumRule) else ""
    parts = (
        " or ".join(package.names),
        package.version and f"version {package.version}",
        package.min_version and f"from version {package.min_version}",
        package.max_version and f"up to version {package.max_version}",
        " or ".join(package.arches),
        " or ".join(erratum.ids),
        erratum.types and f"{' or '.join(erratum.types)} errata",
        erratum.start and f"{dates}from {erratum.start:%Y-%m-%d %H:%M}",
        erratum.end and f"{dates}until {erratum.end:%Y-%m-%d %H:%M}",
    )
    said = ", ".join(part for part in parts if part)
    return f"{said}; or no erratum names it" if each.without_errata else said


FILTER = Shape[ViewFilter](
    "content view filter",
    (
        Field("name", "unique in the content view", lambda each: each.name, column=True),
        Field("type", "`rpm` or `erratum`", lambda each: each.kind, column=True),
        Field("inclusion", "whether it includes; false when it excludes", lambda each: each.inclusion, column=True),
        Field("means", "what it means, in words", _means, column=True),
        Field("packages", "array of patterns for names of packages", lambda each: _package(each).names),
        Field("version", "exactly this version, or null", lambda each: _package(each).version),
        Field("min_version", "at least this version, or null", lambda each: _package(each).min_version),
        Field("max_version", "at most this version, or null", lambda each: _package(each).max_version),
        Field("architectures", "array; empty means any", lambda each: _package(each).arches),
        Field("errata_ids", "array; empty means any", lambda each: _erratum(each).ids),
        Field("errata_types", "array; empty means any", lambda each: [one.value for one in _erratum(each).types]),
        Field("start_date", "errata not before this time, or null", lambda each: _erratum(each).start),
        Field("end_date", "errata not after this time, or null", lambda each: _erratum(each).end),
        Field(
            "date_type",
            "date of errata that start and end are about, `updated` or `issued`; null for packages",
            lambda each: each.rule.date if isinstance(each.rule, ErratumRule) else None,
        ),
        Field(
            "original_packages",
            "whether it means packages that no erratum names, too",
            lambda each: each.without_errata,
        ),
        Field(
            "repositories",
            "array of `product/repository` that it looks at; empty means all of the content view",
            lambda each: each.repositories,
            column=True,
        ),
        Field("description", "free text", lambda each: each.description),
    ),
)


@command(
    "create",
    group=filter_,
    example='issbox content-view filter create --content-view base --name "No kernels" --package "kernel*"',
    shape=FILTER,
)
@organization_option
@view_option
@click.option("--name", required=True, metavar="NAME", help="Name of the filter, unique in the content view.")
@click.option(
    "--type",
    "kind",
    type=click.Choice([each.value for each in FilterKind]),
    default=FilterKind.PACKAGE.value,
    help="What it looks at: packages (rpm, the default), or the packages of errata.",
)
@click.option(
    "--inclusion",
    type=bool,
    default=False,
    metavar="BOOLEAN",
    help="true: only what it means stays. false, the default: what it means goes.",
)
@click.option("--package", "packages", multiple=True, metavar="PATTERN", help="Name, with *, ? and [a-z]. Repeatable.")
@click.option("--version", metavar="VERSION", help="Exactly this version: 1.2, 1.2-3.el9 or 0:1.2-3.el9.")
@click.option("--min-version", metavar="VERSION", help="At least this version.")
@click.option("--max-version", metavar="VERSION", help="At most this version.")
@click.option("--architecture", "arches", multiple=True, metavar="ARCH", help="Architecture. Repeatable.")
@click.option("--errata-id", "ids", multiple=True, metavar="ID", help="Id of an erratum. Repeatable.")
@click.option(
    "--errata-type",
    "types",
    multiple=True,
    type=click.Choice([each.value for each in ErratumType]),
    help="Type of errata. Repeatable.",
)
@click.option("--start-date", metavar="TIME", help="Errata not before this day (2026-11-01) or ISO 8601 time.")
@click.option("--end-date", metavar="TIME", help="Errata not after this day or time.")
@click.option(
    "--date-type",
    type=click.Choice([each.value for each in ErratumDate]),
    default=ErratumDate.UPDATED.value,
    help="Which date of errata start and end are about; updated is the default.",
)
@click.option(
    "--original-packages", is_flag=True, help="Whether it means packages that no erratum names, too, as first releases."
)
@click.option(
    "--repository", "repositories", multiple=True, metavar="PRODUCT/LABEL", help="Only this repository. Repeatable."
)
@click.option("--description", default="", metavar="TEXT", help="What it is for.")
def create(
    run: Run,
    *,
    organization: str | None,
    view: str,
    name: str,
    kind: str,
    inclusion: bool,
    packages: tuple[str, ...],
    version: str | None,
    min_version: str | None,
    max_version: str | None,
    arches: tuple[str, ...],
    ids: tuple[str, ...],
    types: tuple[str, ...],
    start_date: str | None,
    end_date: str | None,
    date_type: str,
    original_packages: bool,
    repositories: tuple[str, ...],
    description: str,
) -> None:
    """Add a filter to a content view.

    Without filters everything stays. Filters that include restrict each repository they look at to what any of them
    means; then those that exclude take away what any of them means. Within one filter, all that is given must be so,
    and of several names, ids or architectures one. Dependencies are not added. An erratum stays as long as one of its
    packages does. Parts of a version that are left out are not compared.
    """
    from issbox.rules.content.filtering import says_nothing
    from issbox.workflows.content import views

    of_packages = PackageRule(packages, version, min_version, max_version, arches)
    of_errata = ErratumRule(
        ids,
        tuple(map(ErratumType, types)),
        _read_day(start_date, end=False),
        _read_day(end_date, end=True),
        ErratumDate(date_type),
    )
    chosen, other = (of_packages, of_errata) if kind == FilterKind.PACKAGE else (of_errata, of_packages)
    if not says_nothing(other):
        raise CommandLineError(f"a filter of type {kind} does not look at what was given: choose the other --type")
    ctx = run.open()
    made = views.create_filter(
        ctx,
        chosen_organization(ctx, organization),
        view,
        ViewFilter(name, inclusion, chosen, original_packages, repositories, description),
    )
    run.say(f"Filter {made.name!r} added to the content view {view}; the next version is filtered by it.")
    run.show(FILTER, made)


@command("list", group=filter_, example="issbox content-view filter list --content-view base", shape=FILTER, many=True)
@organization_option
@view_option
def list_(run: Run, *, organization: str | None, view: str) -> None:
    """List the filters of a content view."""
    from issbox.workflows.content import views

    ctx = run.open()
    run.show_all(FILTER, views.get_view(ctx, chosen_organization(ctx, organization), view).filters)


@command(
    "delete",
    group=filter_,
    example='issbox content-view filter delete --content-view base --name "No kernels" --yes',
    shape=FILTER,
)
@organization_option
@view_option
@click.option("--name", required=True, metavar="NAME", help="Which filter.")
@yes_option
def delete(run: Run, *, organization: str | None, view: str, name: str, yes: bool) -> None:
    """Take a filter of a content view away. Versions that were published with it stay as they are."""
    from issbox.workflows.content import views

    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    run.confirm(f"Take the filter {name!r} of the content view {view} away?", yes=yes)
    gone = views.delete_filter(ctx, owner, view, name)
    run.say(f"Filter {name!r} of the content view {view} taken away.")
    run.show(FILTER, gone)


def _read_day(text: str | None, *, end: bool) -> datetime | None:
    """Read a time, or a day, which begins and ends in UTC."""
    if text is None:
        return None
    if len(text) == len("2026-11-01") and "T" not in text:
        try:
            day = parse_time(f"{text}T00:00:00Z")
        except InvalidValueError:
            raise InvalidValueError(f"{text!r} is neither a day such as 2026-11-01 nor an ISO 8601 time") from None
        return day + timedelta(days=1, microseconds=-1) if end else day
    return parse_time(text)
