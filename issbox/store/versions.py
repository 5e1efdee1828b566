"""Rows of repository versions: immutable snapshots kept as ranges, so that a version costs what it changes."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from heapq import merge
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from issbox.errors import NotFoundError
from issbox.files import Digest
from issbox.model import (
    LIBRARY,
    Repository,
    RepositoryFile,
    RepositoryKey,
    RepositoryVersion,
    VersionOrigin,
)
from issbox.store.database import Noun, execute, rows, transaction
from issbox.store.drafts import Draft, latest_number, read_file
from issbox.store.organizations import environment_id
from issbox.store.promotions import Promotions, hold_newest
from issbox.store.ranges import close_and_open, drop_unneeded
from issbox.store.repositories import repository_id
from issbox.store.repository_rows import read_repository, repository_query
from issbox.store.tables import (
    DraftFileRow,
    FileRow,
    OrganizationRow,
    PackageRow,
    PinRow,
    ProductRow,
    PromotionRow,
    RepositoryRow,
    VersionRow,
)
from issbox.store.version_files import file_rows, outline_rows

_PART: Final = 500
"""Digests in one statement."""
_PAGE: Final = 1000
"""Rows read at once; no cursor stays open between pages."""
_TOTALS: Final = """
    SELECT COUNT(*), COALESCE(SUM(size), 0), COALESCE(SUM(CASE WHEN kind = 'package' THEN 1 ELSE 0 END), 0)
    FROM repository_file WHERE repository_id = ? AND removed_in IS NULL"""


class Versions(Noun):
    """Repository versions, and which of them environments hold."""

    def __init__(self, staging: Path) -> None:
        """Take the directory where drafts keep their locks."""
        self._staging = staging

    def get(self, key: RepositoryKey, number: int) -> RepositoryVersion:
        """Give one version; raises NotFoundError."""
        found = _read(key, (VersionRow.repository == repository_id(key)) & (VersionRow.number == number))
        if not found:
            raise NotFoundError(f"the repository {key} has no version {number}", listed="repository versions")
        return found[0]

    def latest(self, key: RepositoryKey) -> RepositoryVersion | None:
        """Give the newest version, or None when there is none yet; raises NotFoundError."""
        number = latest_number(repository_id(key))
        return self.get(key, number) if number else None

    def files(self, key: RepositoryKey, number: int, *, packages: bool = True) -> Iterator[RepositoryFile]:
        """Give the files of a version ordered by path, a page in memory at a time; raises NotFoundError.

        Without `packages` those are left out.
        """
        self.get(key, number)
        yield from map(read_file, file_rows(repository_id(key), number, packages=packages))

    def outline(self, key: RepositoryKey, number: int) -> Iterator[tuple[str, int, str, str]]:
        """Give path, size, SHA-256 and kind of the files of a version, ordered by path: a third of the work of `files`.

        Raises NotFoundError.
        """
        self.get(key, number)
        yield from outline_rows(repository_id(key), number)

    def count_packages(self, key: RepositoryKey, number: int) -> int:
        """Give the number of packages of a version; raises NotFoundError."""
        return self.get(key, number).packages

    def known_digest(self, checksum_type: str, checksum: str) -> Digest | None:
        """Give size and SHA-256 of the package file that metadata knows under another checksum, or None.

        None too when two files are known under it, as can be with broken checksums such as MD5.
        """
        query = (
            FileRow.select(FileRow.size, FileRow.sha256)
            .join(PackageRow)
            .where(PackageRow.checksum == checksum, PackageRow.checksum_type == checksum_type)
        )
        found = rows(query.distinct().limit(2))
        return Digest(*found[0]) if len(found) == 1 else None

    def draft(self, key: RepositoryKey) -> Draft:
        """Begin the next version of a repository, which may be created later."""
        return Draft(key, self._staging)

    def commit(
        self,
        drafts: Sequence[Draft],
        *,
        created_at: datetime,
        origin: VersionOrigin,
        source: str | Mapping[RepositoryKey, str],
        repomd: Mapping[RepositoryKey, str],
        environment: str | None = LIBRARY,
    ) -> list[RepositoryVersion]:
        """Make versions of drafts and put them into the environment, all in one transaction or in the outer one.

        Without an environment they are made only. Every blob must be stored already. `repomd` gives the SHA-256 of
        each repomd.xml, `source` where each version comes from, or one for all. Raises NotFoundError when a repository
        or the environment does not exist.
        """
        with transaction():
            versions = []
            for draft in drafts:
                repository, number = repository_id(draft.key), draft.next_number
                close_and_open(repository, draft.id, number, based=draft.based)
                VersionRow.insert(
                    repository=repository,
                    number=number,
                    created_at=created_at,
                    repomd_sha256=repomd[draft.key],
                    origin=origin.value,
                    source=source if isinstance(source, str) else source[draft.key],
                    **_totals(repository),
                ).execute()
                if environment is not None:
                    self.promote(environment, draft.key, number)
                versions.append(self.get(draft.key, number))
            return versions

    def promote(self, environment: str, key: RepositoryKey, number: int) -> None:
        """Let the environment hold this version of the repository; raises NotFoundError."""
        with transaction():
            hold_newest(environment, key, number)

    def demote(self, environment: str, key: RepositoryKey) -> None:
        """Let the environment hold no version of the repository; raises NotFoundError."""
        with transaction():
            place, repository = environment_id(key.organization, environment), repository_id(key)
            held = (PromotionRow.environment == place) & (PromotionRow.repository == repository)
            PromotionRow.delete().where(held).execute()

    def shown(self, key: RepositoryKey) -> set[int]:
        """Give the versions that environments and content view versions hold: hosts may read these."""
        repository = repository_id(key)
        return {
            number
            for table in (PromotionRow, PinRow)
            for (number,) in rows(
                table.select(VersionRow.number).join(VersionRow).where(table.repository == repository)
            )
        }

    def prunable(self, key: RepositoryKey, keep: int, spared: Collection[int] = ()) -> list[int]:
        """Give the versions that `prune` would delete.

        No environment and no content view version holds them, no environment would hold them again if its last change
        were taken back, and they are neither among the newest `keep` nor spared.
        """
        numbers = [version.number for version in self.list(key)]
        held = self.shown(key) | Promotions().undoable(key)
        return [number for number in numbers[: -max(1, keep)] if number not in held and number not in spared]

    def prune(
        self,
        keys: Iterable[RepositoryKey],
        keep: int,
        spared: Mapping[RepositoryKey, Collection[int]] = MappingProxyType({}),
    ) -> list[tuple[RepositoryKey, int]]:
        """Delete old versions of repositories (see `prunable`) with the rows that only they needed, and give them."""
        with transaction():
            pruned: list[tuple[RepositoryKey, int]] = []
            changed = []
            for key in keys:
                numbers = self.prunable(key, keep, spared.get(key, ()))
                if numbers:
                    repository = repository_id(key)
                    dead = (VersionRow.repository == repository) & VersionRow.number.in_(numbers)
                    VersionRow.delete().where(dead).execute()
                    changed.append(repository)
                    pruned += [(key, number) for number in numbers]
            drop_unneeded(changed)
            return pruned

    def promoted(self, organization: str, environment: str) -> list[tuple[Repository, int]]:
        """Give the repositories that an environment holds, each with the version; raises NotFoundError."""
        place = environment_id(organization, environment)
        query = (
            repository_query()
            .select_extend(VersionRow.number.alias("promoted_number"))
            .join(PromotionRow, on=(PromotionRow.repository == RepositoryRow.id))
            .join(VersionRow, on=(PromotionRow.version == VersionRow.id))
            .where(PromotionRow.environment == place)
            .order_by(RepositoryRow.path)
        )
        return [(read_repository(row), row["promoted_number"]) for row in query.dicts()]

    def with_repomd(self, organization: str, digests: Collection[str]) -> Iterator[tuple[Repository, int, str]]:
        """Give the versions of an organization whose repomd.xml has one of these digests.

        Of each digest those that no filter made come first, and of them the newest.
        """
        wanted = sorted(digests)
        for start in range(0, len(wanted), _PART):
            part = wanted[start : start + _PART]
            query = (
                repository_query()
                .select_extend(VersionRow.number.alias("found_number"), VersionRow.repomd_sha256.alias("found_repomd"))
                .join(VersionRow, on=(VersionRow.repository == RepositoryRow.id))
                .where(OrganizationRow.label == organization, VersionRow.repomd_sha256.in_(part))
                .order_by(RepositoryRow.view, VersionRow.number.desc())
            )
            for row in query.dicts():
                yield read_repository(row), row["found_number"], row["found_repomd"]

    def in_use(self) -> set[tuple[RepositoryKey, int]]:
        """Give all versions that there are."""
        return _keyed(_version_query())

    def shown_anywhere(self) -> set[tuple[RepositoryKey, int]]:
        """Give all versions that environments and content view versions hold."""
        return {
            each
            for table in (PromotionRow, PinRow)
            for each in _keyed(_version_query().where(VersionRow.id.in_(table.select(table.version))))
        }

    def referenced_digests(self) -> Iterator[str]:
        """Give the SHA-256 of every file of a version or a draft, ascending, each once, a page in memory at a time."""
        previous = ""
        for digest in merge(_digests(FileRow), _digests(DraftFileRow)):
            if digest != previous:
                yield digest
            previous = digest

    def list(self, key: RepositoryKey) -> list[RepositoryVersion]:
        """Give the versions of a repository, oldest first; raises NotFoundError."""
        return _read(key, VersionRow.repository == repository_id(key))


def _version_query() -> Any:
    return (
        VersionRow.select(
            OrganizationRow.label, ProductRow.label, RepositoryRow.label, RepositoryRow.view, VersionRow.number
        )
        .join(RepositoryRow)
        .join(ProductRow)
        .join(OrganizationRow)
    )


def _keyed(query: Any) -> set[tuple[RepositoryKey, int]]:
    return {(RepositoryKey(*labels), number) for *labels, number in rows(query)}


def _digests(table: Any) -> Iterator[str]:
    after = ""
    while page := rows(
        table.select(table.sha256).where(table.sha256 > after).distinct().order_by(table.sha256).limit(_PAGE)
    ):
        yield from (digest for (digest,) in page)
        after = page[-1][0]


def _totals(repository: int) -> dict[str, int]:
    """Add up the files of the newest version, which ends nowhere yet."""
    files, size, packages = execute(_TOTALS, (repository,)).fetchone()
    return {"files": files, "size": int(size), "packages": packages}


def _read(key: RepositoryKey, condition: Any) -> list[RepositoryVersion]:
    query = VersionRow.select(
        VersionRow.number,
        VersionRow.created_at,
        VersionRow.repomd_sha256,
        VersionRow.packages,
        VersionRow.files,
        VersionRow.size,
        VersionRow.origin,
        VersionRow.source,
    )
    return [
        RepositoryVersion(key, number, created_at, repomd, packages, files, size, VersionOrigin(origin), source)
        for number, created_at, repomd, packages, files, size, origin, source in rows(
            query.where(condition).order_by(VersionRow.number)
        )
    ]
