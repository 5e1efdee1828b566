"""Which imports and exports who asks may see: those of the organizations, and of the products, of its roles."""

from collections import Counter
from collections.abc import Callable, Iterable

from issbox.model import ContentExport, ContentImport
from issbox.workflows.context import Context, Permission


def seen_exports(ctx: Context, exports: Iterable[ContentExport]) -> list[ContentExport]:
    """Give the exports of which who asks may see every product."""
    reach = ctx.reach(Permission.CONTENT_READ)
    return [each for each in exports if reach.products(each.organization).cover(exported_products(each))]


def seen_imports(ctx: Context, imports: Iterable[ContentImport]) -> list[ContentImport]:
    """Give the imports into organizations that who asks may see; call it inside a session."""
    return list(filter(sees_import(ctx), imports))


def sees_import(ctx: Context) -> Callable[[ContentImport], bool]:
    """Give what tells whether who asks may see an import; call it inside a session."""
    seen = _seen_organizations(ctx)
    return lambda row: seen(row.organization)


def count_seen_imports(ctx: Context) -> dict[str, int]:
    """Give the number of these imports by state, as far as there are any; call it inside a session."""
    seen = _seen_organizations(ctx)
    counts: Counter[str] = Counter()
    for (organization, state), number in ctx.store.imports.count().items():
        if seen(organization):
            counts[state.value] += number
    return dict(counts)


def _seen_organizations(ctx: Context) -> Callable[[str | None], bool]:
    """Give what tells whether who asks may see the imports into an organization, or those not known yet into which."""
    reach = ctx.reach(Permission.CONTENT_READ)
    if reach.everywhere:
        return lambda _: True
    only = _only_organization(ctx)
    return lambda organization: bool(reach.products(organization or only))


def owner(ctx: Context, row: ContentImport) -> str | None:
    """Give the organization that a bundle goes into; call it inside a session.

    Of a bundle that has not been read yet it is the only organization of the box, and None when there are several.
    """
    return row.organization or _only_organization(ctx)


def exported_products(export: ContentExport) -> set[str]:
    """Give the labels of the products in an export."""
    return {repository.partition("/")[0] for repository in export.repositories}


def _only_organization(ctx: Context) -> str | None:
    organizations = ctx.store.organizations.list()
    return organizations[0].label if len(organizations) == 1 else None
