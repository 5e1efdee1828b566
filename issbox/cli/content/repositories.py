"""Repositories on the command line: which one is meant, and what is shown of it."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

import click

from issbox.cli.options import pick
from issbox.cli.shapes import Field, Shape, size
from issbox.errors import InvalidValueError
from issbox.model import Repository, RepositoryVersion
from issbox.rules.content.urls import mask_url

if TYPE_CHECKING:
    from issbox.workflows.context import Context

F = TypeVar("F", bound=Callable[..., object])


def _source(version: RepositoryVersion) -> str:
    return mask_url(version.source) if "://" in version.source else version.source


REPOSITORY = Shape[Repository](
    "repository",
    (
        Field("organization", "label of its organization", lambda each: each.key.organization),
        Field("product", "label of its product", lambda each: each.key.product, column=True),
        Field("label", "label, unique in the product", lambda each: each.key.label, column=True),
        Field("name", "name for people", lambda each: each.name, column=True),
        Field("latest", "number of the newest version, or null", lambda each: each.latest, column=True),
        Field(
            "library",
            "number of the version that Library holds, or null; older than the newest after a rollback",
            lambda each: each.library,
            column=True,
        ),
        Field(
            "url",
            "where it is synchronized from, or null; user, password and query are shown as `***`",
            lambda each: mask_url(each.upstream.url) if each.upstream.url else None,
            column=True,
        ),
        Field("path", "where hosts find it, below an environment", lambda each: each.path),
        Field("content_id", "id of its content", lambda each: each.content.id),
        Field("content_label", "label of its content", lambda each: each.content.label),
        Field("content_path", "path of its content with variables", lambda each: each.content.path),
        Field("arches", "array of architectures; empty means any", lambda each: each.content.arches),
        Field("enabled", "whether hosts have it enabled by default", lambda each: each.content.enabled),
        Field("variables", "object: values of the variables in the content path", lambda each: each.variables),
        Field("gpg_key", "content credential, or null", lambda each: each.gpg_key),
        Field("ca", "content credential of the server's CA, or null for the system's", lambda each: each.upstream.ca),
        Field(
            "client_certificate",
            "content credential shown to the server, or null",
            lambda each: each.upstream.client_certificate,
        ),
        Field(
            "proxy",
            "proxy URL, or null; user and password are shown as `***`",
            lambda each: mask_url(each.upstream.proxy) if each.upstream.proxy else None,
        ),
        Field(
            "check_metadata",
            "whether a GPG key demands a signature of repomd.xml",
            lambda each: each.upstream.check_metadata,
        ),
        Field(
            "check_packages",
            "whether the signature of every package is checked",
            lambda each: each.upstream.check_packages,
        ),
        Field("unprotected", "whether hosts may read it without a certificate", lambda each: each.unprotected),
    ),
)

VERSION = Shape[RepositoryVersion](
    "repository version",
    (
        Field("repository", "`organization/product/repository`", lambda each: str(each.repository)),
        Field("number", "1, 2, 3, ... in the repository", lambda each: each.number, column=True),
        Field("created_at", "when it was made", lambda each: each.created_at, column=True),
        Field("packages", "number of packages", lambda each: each.packages, column=True),
        Field("files", "number of files, metadata included", lambda each: each.files, column=True),
        Field("size", "bytes of all files", lambda each: each.size, column=True, show=size),
        Field(
            "origin",
            "`synchronize`, `import`, or `publish` for what filters made",
            lambda each: each.origin,
            column=True,
        ),
        Field(
            "source",
            "URL it was synchronized from, id of the bundle, or what it was filtered from",
            _source,
            column=True,
        ),
        Field("repomd_sha256", "SHA-256 of its repomd.xml", lambda each: each.repomd_sha256),
    ),
)


def find_repositories(
    ctx: "Context", organization: str, product: str | None, labels: Sequence[str]
) -> list[Repository]:
    """Give the repositories named `LABEL` or `PRODUCT/LABEL`; without labels, all of the product or organization."""
    from issbox.workflows.content import repositories

    if not labels:
        return repositories.list_repositories(ctx, organization, product)
    return [find_repository(ctx, organization, product, label=label, name=None) for label in labels]


def find_repository(
    ctx: "Context", organization: str, product: str | None, *, label: str | None, name: str | None
) -> Repository:
    """Give the one repository meant by label (`PRODUCT/LABEL` too) or name; the product may be left out."""
    from issbox.workflows.content import repositories

    if label is not None and "/" in label:
        given, _, label = label.partition("/")
        if product not in (None, given):
            raise InvalidValueError(f"{given}/{label} is not a repository of the product {product}")
        product = given
    labelled = [_Labelled(each) for each in repositories.list_repositories(ctx, organization, product)]
    return pick(labelled, label=label, name=name, what="repository").repository


class _Labelled:
    """A repository as `pick` sees it."""

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        self.label = repository.key.label
        self.name = repository.name


product_option = click.option(
    "--product",
    metavar="LABEL",
    help="Product of the repository. Not needed when the repository is the only one so named.",
)


def check_metadata_option(*, default: bool | None) -> Callable[[F], F]:
    """Add --check-metadata and --no-check-metadata."""
    return click.option(
        "--check-metadata/--no-check-metadata",
        default=default,
        help="With a GPG key, whether repomd.xml must be signed by it, as it must unless switched off. Switch it off "
        "for an upstream that signs only its packages, as RHEL and EPEL do, and use --check-packages.",
    )


def check_packages_option(*, default: bool | None) -> Callable[[F], F]:
    """Add --check-packages and --no-check-packages."""
    return click.option(
        "--check-packages/--no-check-packages",
        default=default,
        help="Whether every package must be signed by the GPG key.",
    )
