"""`issbox repository synchronize` and `issbox product synchronize`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from issbox.cli.command import Run, command
from issbox.cli.content.repositories import find_repositories, find_repository, product_option
from issbox.cli.content.temporary_source import temporary_source, temporary_source_options
from issbox.cli.options import chosen_organization, identity_options, organization_option, pick
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import CommandLineError, ExitCode, InterruptedByUserError, IssboxError, NotFoundError
from issbox.files import error_from_os
from issbox.model import Product, Repository

if TYPE_CHECKING:
    from issbox.workflows.content.synchronize import SynchronizeReport
    from issbox.workflows.content.upstreams import TemporarySource
    from issbox.workflows.context import Context


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one repository."""

    repository: Repository
    report: "SynchronizeReport | None"
    error: IssboxError | None = None
    absent: bool = False
    """Whether the source says that it does not hold it."""

    @property
    def result(self) -> str:
        """One word for it."""
        if self.report is None:
            return "absent" if self.absent else "failed"
        return "unchanged" if self.report.version is None else "new-version"

    def of_report(self, name: str) -> object:
        """Give a value of the report, or None when there is none."""
        return getattr(self.report, name) if self.report is not None else None


OUTCOME = Shape[Outcome](
    "synchronization",
    (
        Field("repository", "`organization/product/repository`", lambda each: str(each.repository.key), column=True),
        Field(
            "result",
            "`new-version`, `unchanged` or `failed`; of a product also `absent`, when the base does not hold it",
            lambda each: each.result,
            column=True,
        ),
        Field(
            "version",
            "number of the new version, or null",
            lambda each: each.report.version.number if each.report and each.report.version else None,
            column=True,
        ),
        Field(
            "packages",
            "packages of the repository, or null when it failed or is absent",
            lambda each: each.of_report("packages"),
            column=True,
        ),
        Field(
            "downloaded", "bytes fetched, or null", lambda each: each.of_report("downloaded"), column=True, show=size
        ),
        Field(
            "reused",
            "bytes the box had already, or null",
            lambda each: each.of_report("reused"),
            column=True,
            show=size,
        ),
        Field("notes", "array of remarks, for example on weak checksums", lambda each: each.of_report("notes") or ()),
        Field(
            "error_code",
            "code of the error, or null",
            lambda each: each.error.code if each.error else None,
            column=True,
        ),
        Field("error", "message of the error, or null", lambda each: str(each.error) if each.error else None),
    ),
)


@command(
    "synchronize",
    example="issbox repository synchronize --product Tools --label base",
    shape=OUTCOME,
    many=True,
)
@organization_option
@product_option
@click.option(
    "--label",
    "--repository",
    "labels",
    multiple=True,
    metavar="LABEL",
    help="Which repository, LABEL or PRODUCT/LABEL. May be given several times.",
)
@click.option("--name", metavar="NAME", help="Name of the repository, instead of its label.")
@click.option("--all", "everything", is_flag=True, help="All repositories of the organization that have a source URL.")
@temporary_source_options("Read it from here this once; for one repository only. What is stored stays as it is.")
@click.option(
    "--repair", is_flag=True, help="Check every file the box has, and fetch those again that are damaged or missing."
)
def synchronize(
    run: Run,
    *,
    organization: str | None,
    product: str | None,
    labels: tuple[str, ...],
    name: str | None,
    everything: bool,
    source_url: str | None,
    repair: bool,
    **once: Any,
) -> ExitCode:
    """Fetch what is new in the source of one repository or several.

    With --product alone all repositories of the product are taken, with --all those of the organization. A new version
    is visible only when it is complete. When one repository of several fails the others are still synchronized; the
    exit code is that of the first failure.

    The new version is what the source lists, with --source-url too: what it does not list is not in it any more. An
    increment that lists everything but carries only what is new will do when this box has the rest; one that lists
    nothing of what the repository has is refused. The version before stays.
    """
    source = temporary_source(source_url, once)
    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = _choose(ctx, owner, product, labels, name, everything=everything)
    if source is not None and len(chosen) != 1:
        raise CommandLineError(
            f"--source-url is for one repository, but {len(chosen)} are meant",
            hint="For all of a product, `issbox product synchronize` takes the place that they lie below.",
        )
    return _show(run, [_one(run, ctx, each, source, repair=repair, alone=len(chosen) == 1) for each in chosen])


@command(
    "synchronize",
    example="issbox product synchronize --label Tools --source-url file:///media/usb/bundle/",
    shape=OUTCOME,
    many=True,
)
@organization_option
@identity_options("product")
@temporary_source_options(
    "Read them from below here this once: a bundle's directory, an exported tree, a mounted medium, or a server. Each "
    "repository lies at its path there, as in exports: custom/PRODUCT/REPOSITORY."
)
@click.option(
    "--repair", is_flag=True, help="Check every file the box has, and fetch those again that are damaged or missing."
)
def synchronize_product(
    run: Run,
    *,
    organization: str | None,
    label: str | None,
    name: str | None,
    source_url: str | None,
    repair: bool,
    **once: Any,
) -> ExitCode:
    """Fetch what is new in the sources of all repositories of a product.

    With --source-url the `listing` files there tell which repositories it holds; the others stay as they are. Nothing
    of it is stored. Each repository becomes what the source lists, as with `repository synchronize`.
    """
    from issbox.workflows.content import catalog

    source = temporary_source(source_url, once)
    ctx = run.open()
    owner = chosen_organization(ctx, organization)
    chosen = pick(catalog.list_products(ctx, owner), label=label, name=name, what="product")
    return _show(run, _synchronize_product(run, ctx, chosen, source, repair=repair))


def _synchronize_product(
    run: Run,
    ctx: "Context",
    product: Product,
    source: "TemporarySource | None",
    *,
    repair: bool,
) -> list[Outcome]:
    from issbox.workflows.content import sources

    owner = product.organization
    if source is None:
        chosen = [each for each in find_repositories(ctx, owner, product.label, ()) if each.upstream.url is not None]
        if not chosen:
            raise NotFoundError(
                f"no repository of the product {owner}/{product.label} has a URL to synchronize from",
                hint="Give --source-url, or set them with `issbox product update --source-url`.",
            )
        return [_one(run, ctx, each, None, repair=repair, alone=len(chosen) == 1) for each in chosen]
    outcomes = []
    found = sources.find_sources(ctx, owner, product.label, source)
    for each in found:
        if each.source is None:
            run.say(f"{each.repository.key}: the source does not hold {each.unlisted}")
            outcomes.append(Outcome(each.repository, None, absent=True))
        else:
            outcomes.append(_one(run, ctx, each.repository, each.source, repair=repair, alone=len(found) == 1))
    return outcomes


def _show(run: Run, outcomes: Sequence[Outcome]) -> ExitCode:
    run.show_all(OUTCOME, outcomes)
    return next((each.error.exit_code for each in outcomes if each.error is not None), ExitCode.OK)


def _choose(
    ctx: "Context", owner: str, product: str | None, labels: Sequence[str], name: str | None, *, everything: bool
) -> list[Repository]:
    if name is not None:
        if labels or everything:
            raise CommandLineError("--name goes without --label and --all")
        return [find_repository(ctx, owner, product, label=None, name=name)]
    if labels:
        if everything:
            raise CommandLineError("--label goes without --all")
        return find_repositories(ctx, owner, product, labels)
    if product is None and not everything:
        raise CommandLineError("which repository? None of --label, --name, --product and --all was given")
    return [each for each in find_repositories(ctx, owner, product, ()) if each.upstream.url is not None]


def _one(
    run: Run,
    ctx: "Context",
    repository: Repository,
    source: "TemporarySource | None",
    *,
    repair: bool,
    alone: bool,
) -> Outcome:
    from issbox.workflows.content.synchronize import synchronize as work

    try:
        report = work(ctx, repository.key, source=source, repair=repair)
    except OSError as error:
        failure = error_from_os(error)
    except InterruptedByUserError:
        raise
    except IssboxError as error:
        failure = error
    else:
        run.say(f"{repository.key}: {_words(report)}")
        return Outcome(repository, report)
    if alone:
        raise failure
    run.say(f"{repository.key}: failed: {failure} ({failure.code})")
    return Outcome(repository, None, failure)


def _words(report: "SynchronizeReport") -> str:
    return "unchanged" if report.version is None else f"version {report.version.number} with {report.packages} packages"
