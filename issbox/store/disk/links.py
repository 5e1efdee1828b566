"""What environments show: a symbolic link for each repository, swapped by rename, and listing files above them."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

from issbox.files import atomic_write, error_from_os, remove_tree, safe_join
from issbox.model import RepositoryKey
from issbox.names import check_label, is_label
from issbox.rules.bundles.layout import listings

_LISTING: Final = "listing"
_UNFINISHED: Final = (".", ".tmp")
"""Beginning and end of the names of links that are about to be renamed."""


class Links(ABC):
    """The links of environments below `content/<organization>/<environment>/`."""

    def __init__(self, content: Path) -> None:
        """Take the directory of all organizations."""
        self._content = content

    @abstractmethod
    def path(self, key: RepositoryKey, number: int) -> Path:
        """Give the tree that a link leads to."""

    def point(self, organization: str, environment: str, repository_path: str, key: RepositoryKey, number: int) -> None:
        """Let the environment show this repository version; a reader sees the old one or the new one."""
        root = self._environment(organization, environment)
        link = safe_join(root, repository_path)
        try:
            self._clear_way(link.parent)
            make_parents(self._content, link.parent)
            if link.is_dir() and not link.is_symlink():
                remove_tree(link)
            before, after = _UNFINISHED
            temporary = link.with_name(f"{before}{uuid4().hex}{after}")
            temporary.symlink_to(os.path.relpath(self.path(key, number), link.parent))
            temporary.replace(link)
        except OSError as error:
            raise error_from_os(error) from error

    def _clear_way(self, directory: Path) -> None:
        """Remove a link that stands where a directory has to be, left by a repository that is no more."""
        while directory != self._content:
            if directory.is_symlink() or (directory.exists() and not directory.is_dir()):
                directory.unlink()
            directory = directory.parent

    def unpoint(self, organization: str, environment: str, repository_path: str) -> None:
        """Take the repository out of the environment, if it is there."""
        root = self._environment(organization, environment)
        link = safe_join(root, repository_path)
        try:
            if link.is_symlink():
                link.unlink()
            remove_empty_parents(self._content, link.parent)
        except OSError as error:
            raise error_from_os(error) from error

    def pointed(self, organization: str, environment: str) -> dict[str, Path]:
        """Give what the environment shows: the tree that each link leads to, by repository path."""
        root = self._environment(organization, environment)
        return {
            str(link.relative_to(root)): Path(os.path.normpath(link.parent / link.readlink()))
            for link in _links(root)
            if not _unfinished(link)
        }

    def write_listings(self, organization: str, environment: str, repository_paths: Iterable[str]) -> None:
        """Write the listing file of every directory above these repositories; remove old ones and empty directories."""
        root = self._environment(organization, environment)
        wanted = listings(repository_paths)
        try:
            for directory, text in wanted.items():
                place = root / directory if directory else root
                make_parents(self._content, place)
                _write_listing(place / _LISTING, text.encode())
            _tidy(root, {root / directory if directory else root for directory in wanted})
            remove_empty_parents(self._content, root)
        except OSError as error:
            raise error_from_os(error) from error

    def clear(self, organization: str, environment: str) -> None:
        """Take everything out of an environment that is no more."""
        for path in self.pointed(organization, environment):
            self.unpoint(organization, environment, path)
        self.write_listings(organization, environment, ())

    def environments(self) -> Iterator[tuple[str, str]]:
        """Give organization and label of every environment that shows something."""
        for path in sorted(self._content.glob("*/*")):
            if path.is_dir() and not path.is_symlink() and is_label(path.name) and is_label(path.parent.name):
                yield path.parent.name, path.name

    def _environment(self, organization: str, environment: str) -> Path:
        return self._content / check_label(organization) / check_label(environment)


def _write_listing(path: Path, text: bytes) -> None:
    try:
        if path.read_bytes() == text:
            return
    except FileNotFoundError:
        pass
    with atomic_write(path) as out:
        out.write(text)


def _tidy(root: Path, kept: set[Path]) -> None:
    """Remove listing files outside of the kept directories, links that were never renamed, and empty directories."""
    for name, directories, files in os.walk(root, topdown=False):
        directory = Path(name)
        for entry in [*directories, *files]:
            path = directory / entry
            if (path.is_symlink() and _unfinished(path)) or (entry == _LISTING and directory not in kept):
                path.unlink()
        if directory != root and not any(directory.iterdir()):
            directory.rmdir()


def _links(root: Path) -> Iterator[Path]:
    for name, directories, files in os.walk(root):
        yield from (Path(name, entry) for entry in sorted([*directories, *files]) if Path(name, entry).is_symlink())


def _unfinished(link: Path) -> bool:
    before, after = _UNFINISHED
    return link.name.startswith(before) and link.name.endswith(after)


def make_parents(root: Path, directory: Path) -> None:
    """Make the directories from root to this one, readable by everybody whatever the umask."""
    if directory.is_dir():
        return
    if directory != root:
        make_parents(root, directory.parent)
    directory.mkdir(exist_ok=True)
    directory.chmod(0o755)


def remove_empty_parents(root: Path, directory: Path) -> None:
    """Remove directories from this one upwards as long as they are empty, never root itself."""
    while directory != root:
        try:
            directory.rmdir()
        except FileNotFoundError:
            pass
        except OSError:
            return
        directory = directory.parent
