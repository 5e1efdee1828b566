"""Looking through long tables, and looking for packages and CVEs in everything at once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from issbox.model import Advisory, AuditEntry, AuditSearch, PackageSearch, RepositoryFile, RepositoryKey
from issbox.workflows.context import Context, Permission

MOST_FOUND: Final = 1000
"""Most packages that a search gives."""


@dataclass(frozen=True, slots=True)
class PackagePages:
    """Packages of one repository version: a long table."""

    ctx: Context
    key: RepositoryKey
    number: int
    wanted: PackageSearch

    def count(self) -> int:
        """Give how many there are."""
        with self.ctx.store.session():
            return self.ctx.store.browsing.count_packages(self.key, self.number, self.wanted)

    def page(self, after: Any, number: int) -> Sequence[tuple[Any, RepositoryFile]]:
        """Give those after a key."""
        with self.ctx.store.session():
            return self.ctx.store.browsing.packages(self.key, self.number, self.wanted, after, number)

    def skip(self, after: Any, number: int) -> Any:
        """Give the key of the package so many further on."""
        with self.ctx.store.session():
            return self.ctx.store.browsing.skip_packages(self.key, self.number, self.wanted, after, number)


@dataclass(frozen=True, slots=True)
class AuditPages:
    """Entries of the audit log: a long table."""

    ctx: Context
    wanted: AuditSearch

    def count(self) -> int:
        """Give how many there are."""
        with self.ctx.store.session():
            return self.ctx.store.browsing.count_audit(self.wanted)

    def page(self, after: Any, number: int) -> Sequence[tuple[Any, AuditEntry]]:
        """Give those after a key."""
        with self.ctx.store.session():
            return self.ctx.store.browsing.audit(self.wanted, after, number)

    def skip(self, after: Any, number: int) -> Any:
        """Give the key of the entry so many further on."""
        with self.ctx.store.session():
            return self.ctx.store.browsing.skip_audit(self.wanted, after, number)


@dataclass(frozen=True, slots=True)
class Found:
    """A package that was looked for, in the newest version of a repository."""

    repository: RepositoryKey
    file: RepositoryFile


@dataclass(frozen=True, slots=True)
class FoundAdvisory:
    """An advisory that was looked for, in the newest version of a repository."""

    repository: RepositoryKey
    number: int
    advisory: Advisory


def browse_packages(ctx: Context, key: RepositoryKey, number: int, wanted: PackageSearch) -> PackagePages:
    """Give the wanted packages of a repository version; raises NotFoundError, NotPermittedError."""
    ctx.require(Permission.CONTENT_READ, key.organization, [key.product])
    with ctx.store.session():
        ctx.store.versions.get(key, number)
    return PackagePages(ctx, key, number, wanted)


def browse_audit(ctx: Context, wanted: AuditSearch) -> AuditPages:
    """Give the wanted audit entries that who asks may read; raises NotPermittedError when there can be none."""
    ctx.require_anywhere(Permission.AUDIT_READ)
    reach = ctx.reach(Permission.AUDIT_READ)
    if reach.everywhere:
        return AuditPages(ctx, wanted)
    with ctx.store.session():
        labels = [each.label for each in ctx.store.organizations.list()]
    mine = tuple(label for label in labels if reach.products(label).cover(()))
    return AuditPages(ctx, replace(wanted, organizations=mine))


def find_packages(ctx: Context, organization: str, search: str) -> list[Found]:
    """Give packages whose name or file has the text in it, at most MOST_FOUND, by name."""
    products = ctx.require_some(Permission.CONTENT_READ, organization)
    with ctx.store.session():
        found = ctx.store.browsing.find_packages(organization, search, MOST_FOUND)
        return [Found(key, file) for key, file in found if products.cover([key.product])]


def find_advisories(ctx: Context, organization: str, search: str) -> list[FoundAdvisory]:
    """Give advisories with this id, or that fix this CVE, in the newest versions; raises BadMetadataError."""
    from issbox.workflows.content.comparing import read_advisories, updateinfo_of

    products = ctx.require_some(Permission.CONTENT_READ, organization)
    word = search.strip().upper()
    found: list[FoundAdvisory] = []
    with ctx.store.session():
        for repository in ctx.store.repositories.list(organization):
            if repository.latest is None or not products.cover([repository.key.product]):
                continue
            ctx.progress.advance()
            updateinfo = updateinfo_of(ctx, repository.key, repository.latest)
            found.extend(
                FoundAdvisory(repository.key, repository.latest, advisory)
                for advisory in read_advisories(ctx, updateinfo).values()
                if word in (advisory.id.upper(), *(cve.upper() for cve in advisory.cves))
            )
    return found
