"""Places for stores, and short ways to describe and make repository versions in them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from issbox.model import (
    Content,
    FileKind,
    Package,
    Repository,
    RepositoryFile,
    RepositoryKey,
    RepositoryVersion,
    VersionOrigin,
)
from issbox.store import Store

NOW = datetime(2026, 11, 1, 12, 30, 15, 123456, tzinfo=UTC)
KEY = RepositoryKey("Example", "tools", "base")


def sha256(text: str) -> str:
    """Give the digest that stands for some bytes."""
    return hashlib.sha256(text.encode()).hexdigest()


def package(number: int, release: str = "1", *, checksum_type: str = "sha256") -> RepositoryFile:
    """Describe a package file; another release is another file at the same path."""
    digest = sha256(f"{number}-{release}")
    checksum = digest if checksum_type == "sha256" else hashlib.sha1(digest.encode()).hexdigest()
    described = Package(f"p{number}", number % 3, "1.0", release, "noarch", checksum_type, checksum)
    return RepositoryFile(f"Packages/p{number:06}.rpm", 100 + number, digest, FileKind.PACKAGE, described)


def metadata(text: str, path: str = "repodata/repomd.xml") -> RepositoryFile:
    """Describe a metadata file."""
    return RepositoryFile(path, len(text), sha256(text), FileKind.METADATA)


def repository(key: RepositoryKey = KEY, **changes: object) -> Repository:
    """Describe a custom repository."""
    path = f"custom/{key.product}/{key.label}"
    content = Content(f"id-{key}", key.label, f"{key.label} content", f"/{path}", arches=("x86_64", "noarch"))
    facts: dict[str, object] = {"key": key, "name": "Base tools", "content": content, "path": path}
    return Repository(**{**facts, **changes})  # type: ignore[arg-type]  # the tests give fields by name


@dataclass(frozen=True)
class Library:
    """A store with repositories to fill."""

    store: Store

    def publish(self, files: Iterable[RepositoryFile], key: RepositoryKey = KEY) -> RepositoryVersion:
        """Make the next version of a repository."""
        with self.store.versions.draft(key) as draft:
            draft.add(files)
            (version,) = self.store.versions.commit(
                [draft],
                created_at=NOW,
                origin=VersionOrigin.SYNCHRONIZE,
                source="https://example.com/base",
                repomd={key: sha256("repomd")},
            )
        return version

    def files(self, number: int, key: RepositoryKey = KEY) -> list[RepositoryFile]:
        """Give the files of a version."""
        return list(self.store.versions.files(key, number))


@dataclass(frozen=True)
class Place:
    """Where a test may make a store."""

    state_dir: Path
    database_url: str | None


class UndoError(Exception):
    """Raised by a test to leave a block in the middle."""
