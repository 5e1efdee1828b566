"""The published trees: one directory of hardlinks for each repository version, ready to be served as it lies.

They are derived from the database: what is wrong or missing here can be removed and built again.
"""

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from issbox.errors import BadMetadataError, StoreDamagedError
from issbox.files import error_from_os, safe_join
from issbox.model import RepositoryKey
from issbox.names import check_label, check_relative_path
from issbox.store.disk.blobs import BlobStore
from issbox.store.disk.links import Links, make_parents, remove_empty_parents
from issbox.store.disk.staging import Staging
from issbox.syncing import sync_filesystem

_CANNOT_LINK: Final = {errno.EMLINK, errno.EXDEV, errno.EPERM}
"""Too many links, another file system, or one without hardlinks."""
_OF_VIEW: Final = "@"
"""Stands in a directory's name between a repository and the content view that filters it; no label has it."""


class Trees(Links):
    """Published trees, and the links of environments to them. Needs no session."""

    def __init__(self, root: Path, content: Path, staging: Path, blobs: BlobStore) -> None:
        """Take the directories of trees, links and unfinished files, all in the same file system."""
        super().__init__(content)
        self._root = root
        self._staging = staging
        self._blobs = blobs

    def path(self, key: RepositoryKey, number: int) -> Path:
        """Give the place of the tree of a repository version, whether it is there or not."""
        parents = (check_label(label) for label in (key.organization, key.product))
        name = check_label(key.label) + (f"{_OF_VIEW}{check_label(key.view)}" if key.view else "")
        return self._root.joinpath(*parents, name, str(number))

    def exists(self, key: RepositoryKey, number: int) -> bool:
        """Tell whether the tree is there; a tree that is there is whole."""
        return self.path(key, number).is_dir()

    def build(
        self, key: RepositoryKey, number: int, files: Iterable[tuple[str, str]], *, replace: bool = False
    ) -> None:
        """Build the tree of these paths and SHA-256 digests, unless it is there, or in its place with `replace`.

        Raises StoreDamagedError when a blob is missing, UnsafePathError, BadMetadataError for paths that exclude each
        other, and what the disk says.
        """
        target = self.path(key, number)
        if target.is_dir() and not replace:
            return
        try:
            with Staging(self._staging) as staging:
                tree = staging.path / "new"
                self._fill(tree, key, files)
                make_parents(self._root, target.parent)
                if target.is_dir():
                    if not replace:
                        return  # another process has built it meanwhile
                    target.rename(staging.path / "old")
                tree.rename(target)
        except OSError as error:
            raise error_from_os(error) from error

    def renew(self, key: RepositoryKey, worn: int, number: int, changes: Mapping[str, str | None]) -> None:
        """Make the tree of a version out of that of another one, which is gone then: it costs what differs.

        `changes` gives the SHA-256 of each path that is new or other, and None for one that goes. Nobody may show the
        worn one. Raises what `build` does.
        """
        target = self.path(key, number)
        try:
            with Staging(self._staging) as staging:
                tree = staging.path / "new"
                self.path(key, worn).rename(tree)
                for path in changes:
                    place = safe_join(tree, path)
                    with suppress(FileNotFoundError, NotADirectoryError, IsADirectoryError):
                        place.unlink()
                        remove_empty_parents(tree, place.parent)
                self._link_all(tree, key, ((path, sha256) for path, sha256 in changes.items() if sha256 is not None))
                if target.is_dir():
                    target.rename(staging.path / "old")
                tree.rename(target)
        except OSError as error:
            raise error_from_os(error) from error

    def _fill(self, tree: Path, key: RepositoryKey, files: Iterable[tuple[str, str]]) -> None:
        tree.mkdir()
        tree.chmod(0o755)
        self._link_all(tree, key, files)

    def _link_all(self, tree: Path, key: RepositoryKey, files: Iterable[tuple[str, str]]) -> None:
        made = {""}
        copied = False
        for path, sha256 in files:
            directory = check_relative_path(path).rpartition("/")[0]
            try:
                if directory not in made:
                    make_parents(tree, tree / directory)
                    made.add(directory)
                copied |= _link(self._blobs.place(sha256), f"{tree}/{path}")
            except (FileExistsError, NotADirectoryError, IsADirectoryError):
                raise BadMetadataError(
                    f"{path} in the repository {key} is listed twice, or as file and as directory"
                ) from None
            except FileNotFoundError:
                raise StoreDamagedError(f"{path} of the repository {key} is missing in the store ({sha256})") from None
        if copied:
            sync_filesystem(tree)

    def remove(self, key: RepositoryKey, number: int) -> None:
        """Remove a tree, if it is there, and the directories that are empty then."""
        target = self.path(key, number)
        try:
            if target.is_dir():
                with Staging(self._staging) as staging:
                    target.rename(staging.path / "old")
            remove_empty_parents(self._root, target.parent)
        except OSError as error:
            raise error_from_os(error) from error

    def list(self) -> Iterator[tuple[RepositoryKey, int]]:
        """Give all trees."""
        for path in sorted(self._root.glob("*/*/*/*")):
            if path.name.isdecimal() and path.is_dir():
                organization, product, name = path.relative_to(self._root).parts[:3]
                label, _, view = name.partition(_OF_VIEW)
                yield RepositoryKey(organization, product, label, view), int(path.name)


def _link(blob: str, place: str) -> bool:
    """Link a blob, or copy it where that is impossible; tells whether it was copied."""
    try:
        os.link(blob, place)
    except OSError as error:
        if error.errno not in _CANNOT_LINK:
            raise
        with Path(blob).open("rb") as source, Path(place).open("xb") as out:
            shutil.copyfileobj(source, out)
        Path(place).chmod(0o444)
        return True
    return False
