"""Moving the definitions of products and repositories in bulk, as CSV."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from issbox.errors import DefinitionsRefusedError, NotPermittedError, SourceRefusedError
from issbox.files import atomic_write
from issbox.model import Product, RepositoryKey
from issbox.rules.bundles.importing import Library
from issbox.rules.content.definition_table import Problem, read_table, write_table
from issbox.rules.content.definitions import (
    Change,
    DefinitionsPlan,
    describe_definitions,
    hides_secrets,
    plan_definitions,
)
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.upstreams import require_source
from issbox.workflows.context import Context, Permission
from issbox.workflows.imports.planning import library_of

_SHOWN: Final = 100
"""How many problems an error lists."""


@dataclass(frozen=True, slots=True)
class ExportedDefinitions:
    """The definitions of an organization."""

    text: str
    """CSV."""
    products: int
    repositories: int
    left_out: tuple[str, ...]
    """`product/repository` of those whose URL or proxy has a user, password or query that the text does not."""


def require_files(ctx: Context, organization: str, path: Path | None) -> None:
    """Go on only when who asks may manage content and name this file; None stands for standard input or output.

    Only the account that owns the box may name files of it: they hold keys, and those in its home decide who comes in.
    Raises NotPermittedError.
    """
    ctx.require_some(Permission.CONTENT_MANAGE, organization)
    if path is not None and ctx.user is not None:
        raise NotPermittedError(
            f"the user {ctx.user} may not read or write files of this box, such as {path}",
            hint="Give - instead of the file and redirect it on your side: ssh box issbox ... - < FILE.",
        )


def export_definitions(ctx: Context, organization: str, *, secrets: bool = False) -> ExportedDefinitions:
    """Give the products of an organization that who asks may manage, with their repositories, as CSV.

    Without `secrets`, users, passwords and queries of URLs are left out. Content credentials go by label.
    """
    managed = ctx.require_some(Permission.CONTENT_MANAGE, organization)
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        products = [each for each in ctx.store.products.list(organization) if each.label in managed]
        owned = [each for each in ctx.store.repositories.list(organization) if each.key.product in managed]
        details: dict[str, object] = {"products": len(products), "repositories": len(owned), "secrets": secrets}
        with ctx.store.transaction():
            ctx.audit("product.export-csv", organization, organization=organization, details=details)
    left_out = () if secrets else tuple(each.key.short for each in owned if hides_secrets(each))
    text = write_table(describe_definitions(products, owned, secrets=secrets))
    return ExportedDefinitions(text, len(products), len(owned), left_out)


def write_definitions(exported: ExportedDefinitions, path: Path, *, secrets: bool) -> None:
    """Write the CSV to a file, readable by the owner alone when it has secrets; see `require_files`."""
    with atomic_write(path, mode=0o600 if secrets else 0o644) as out:
        out.write(exported.text.encode())


def import_definitions(ctx: Context, organization: str, data: bytes, *, dry_run: bool = False) -> DefinitionsPlan:
    """Make and update products and repositories as a CSV says, in one transaction, and give what was changed.

    Nothing is deleted; what is as the CSV says already stays as it is. With `dry_run` only the plan is given. Raises
    DefinitionsRefusedError listing every problem with its line, and then nothing is changed.
    """
    ctx.require_some(Permission.CONTENT_MANAGE, organization)
    rows, problems = read_table(data)
    ctx.require(Permission.CONTENT_MANAGE, organization, {row["product"] for row in rows})
    with ctx.store.session(), ctx.store.transaction():
        library = library_of(ctx, organization)
        plan = plan_definitions(rows, library)
        problems += [*plan.problems, *_source_problems(ctx, organization, plan, library)]
        if problems:
            raise DefinitionsRefusedError(_words(problems))
        if not dry_run:
            for change in plan.changes:
                _apply(ctx, organization, change)
    return plan


def _source_problems(ctx: Context, organization: str, plan: DefinitionsPlan, library: Library) -> list[Problem]:
    """Ask for every new URL whether who asks may read it; what is no URL has been refused by the plan."""
    said = {(problem.line, problem.column) for problem in plan.problems}
    found = []
    for change in plan.changes:
        url = change.values.get("url")
        if url and (change.line, "url") not in said:
            product = library.products.get(change.product) or Product(organization, change.product, change.product)
            try:
                require_source(ctx, product, url)
            except SourceRefusedError as error:
                found.append(Problem(change.line, "url", str(error)))
    return found


def _words(problems: list[Problem]) -> str:
    listed = sorted(set(problems))
    lines = [f"problems in the table: {len(listed)}; nothing was changed", *map(str, listed[:_SHOWN])]
    if len(listed) > _SHOWN:
        lines.append(f"and {len(listed) - _SHOWN} more")
    return "\n".join(lines)


def _apply(ctx: Context, organization: str, change: Change) -> None:
    """Make or update one thing by its own use case, which checks it once more and writes the audit entry."""
    values: Mapping[str, Any] = change.values
    if not change.repository:
        work: Callable[..., object] = catalog.update_product if change.exists else catalog.create_product
        work(ctx, organization=organization, label=change.product, **values)
    elif change.exists:
        repositories.update_repository(ctx, RepositoryKey(organization, change.product, change.repository), **values)
    else:
        repositories.create_repository(
            ctx, organization=organization, product=change.product, label=change.repository, **values
        )
