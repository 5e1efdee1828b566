"""What the forms of a Katello export have in common: an identity, a size, and repositories to take in."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final, Protocol

from issbox.bundle.katello.metadata import KatelloRepository
from issbox.errors import (
    BadManifestError,
    BadMetadataError,
    BundleDamagedError,
    BundleIncompleteError,
    DigestMismatchError,
    OversizedError,
    RepositorySignatureError,
    UnreachableError,
    UntrustedBundleError,
    UpstreamError,
)
from issbox.model import LIBRARY, Repository, RepositoryFile, RepositoryVersion
from issbox.names import format_size
from issbox.store import Batch
from issbox.workflows.context import Context

HEAD_ROOM: Final = 16 << 20
"""Bytes kept free besides the content, for directories and the database."""


@dataclass(frozen=True, slots=True)
class Target:
    """A repository of the export and the one of this box that it fills."""

    described: KatelloRepository
    repository: Repository


@dataclass(frozen=True, slots=True)
class Taken:
    """What the next version of a repository consists of; every file is staged or stored."""

    target: Target
    files: Sequence[RepositoryFile]
    repomd_sha256: str


class Export(Protocol):
    """An export that lies on a medium."""

    @property
    def identity(self) -> str:
        """The same for the same export, wherever it lies, and for no other."""

    @property
    def files(self) -> int:
        """Number of files it carries."""

    @property
    def size(self) -> int:
        """Their bytes."""

    def check(self, targets: Sequence[KatelloRepository]) -> None:
        """Look whether everything of these repositories is there, before anything is read whole."""

    def missing(self, ctx: Context, targets: Sequence[Target]) -> list[str]:
        """Name every file that these repositories need and neither the export nor this box has."""

    def take(self, ctx: Context, batch: Batch, targets: Sequence[Target]) -> Iterator[Taken]:
        """Stage the files that the store lacks and give each repository that is another one than it was."""


def check_limits(ctx: Context, export: Export) -> None:
    """Raise OversizedError when the export is larger than the configuration allows."""
    inbox = ctx.settings.inbox
    if inbox.max_bundle_size and export.size > inbox.max_bundle_size:
        raise OversizedError(
            f"the export has {format_size(export.size)}, more than the {format_size(inbox.max_bundle_size)} allowed",
            hint="Raise [inbox] max_bundle_size if it is meant to be so.",
        )


def shown_latest(ctx: Context, target: Target) -> RepositoryVersion | None:
    """Give the newest version of a repository if Library holds it; it may hold an older one since a rollback."""
    key = target.repository.key
    latest = ctx.store.versions.latest(key) if target.repository.latest else None
    held = {each.key: number for each, number in ctx.store.versions.promoted(key.organization, LIBRARY)}
    return latest if latest is not None and held.get(key) == latest.number else None


def same_as_latest(ctx: Context, taken: Taken, ignored: Sequence[str]) -> bool:
    """Tell whether Library holds these files already, but for those whose names end in an ignored way."""
    latest = shown_latest(ctx, taken.target)
    if latest is None:
        return False
    new = {file.path: file.sha256 for file in taken.files if not file.path.endswith(tuple(ignored))}
    for file in ctx.store.versions.files(latest.repository, latest.number):
        if not file.path.endswith(tuple(ignored)) and new.pop(file.path, None) != file.sha256:
            return False
    return not new


def package_keys(ctx: Context, target: Target) -> tuple[str, ...]:
    """Give the GPG keys that packages must be signed with, as the box knows them, not as the export brings them.

    Empty unless the repository is there already and its packages are to be checked.
    """
    repository = target.repository
    if repository.latest is None or not repository.upstream.check_packages:
        return ()
    organization = repository.key.organization
    present = ctx.store.repositories.get(repository.key)
    label = present.gpg_key or ctx.store.products.get(organization, repository.key.product).gpg_key
    return () if label is None else (ctx.store.credentials.get(organization, label).content,)


@contextmanager
def as_bundle_errors() -> Iterator[None]:
    """Turn what is said about an upstream repository into what is said about a bundle: this one is not asked again."""
    try:
        yield
    except (UpstreamError, UnreachableError) as error:
        raise BundleIncompleteError(str(error)) from error
    except DigestMismatchError as error:
        raise BundleDamagedError(str(error)) from error
    except BadMetadataError as error:
        raise BadManifestError(str(error), hint="Have the export made again.") from error
    except RepositorySignatureError as error:
        raise UntrustedBundleError(str(error), hint=error.hint) from error
