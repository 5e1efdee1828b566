"""Moving a bundle out of the inbox, or removing it, so that a kill at any point can be made good by calling again.

A move within a file system is one rename. Across file systems the thing is first renamed to a hidden name beside
itself, which takes it out of the inbox and proves that it may be moved; then it is copied, and appears in its new
place whole. The hidden name is made of the import's number, so the next attempt finds it.
"""

import errno
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

from issbox.files import error_from_os, remove_tree, require_space
from issbox.syncing import sync_directory, sync_filesystem

_NAME_BYTES: Final = 200
"""Longest name kept as it is; leaves room for what is appended."""


def relocate(
    source: Path, directory: Path, number: int, *, ours: Callable[[Path], bool], advance: Callable[[int], None]
) -> Path | None:
    """Move source into the directory and give its new path; None when it is nowhere to be found.

    `number` is that of the import. `ours` tells of a thing at the source or in the directory whether it is this
    bundle. What an earlier attempt moved is looked for first, since by now something else may lie at the source.
    `advance` is told the bytes of each file copied and may stop the copy by raising.
    Raises OSError or its translation; then the thing lies where it lay before, or, if something else has come there
    meanwhile, under its hidden name until the next call.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = _shortened(source.name)
    plain, numbered = directory / name, directory / f"{name}.{number}"
    hidden = _hidden(source, number)
    if os.path.lexists(hidden):
        _bring(hidden, source, numbered, advance)
        return numbered
    for moved in (numbered, plain):
        if os.path.lexists(moved) and ours(moved):
            return moved
    if not os.path.lexists(source) or not ours(source):
        return None
    target = numbered if os.path.lexists(plain) else plain
    if os.path.lexists(target):
        raise FileExistsError(errno.EEXIST, "something else has this name", str(target))
    if not _renamed(source, target):
        _refuse_special(source)
        _rename(source, hidden)
        target = numbered
        _bring(hidden, source, target, advance)
    sync_directory(source.parent)
    sync_directory(directory)
    return target


def remove(source: Path, number: int, *, ours: Callable[[Path], bool]) -> bool:
    """Remove what lies at source, if it is this bundle, or what an earlier attempt left; tell if there was anything.

    `number` is that of the import. The thing is out of the inbox at once. Raises OSError.
    """
    hidden = _hidden(source, number)
    if not os.path.lexists(hidden):
        if not os.path.lexists(source) or not ours(source):
            return False
        _rename(source, hidden)
        sync_directory(source.parent)
    remove_tree(hidden)
    return True


def _hidden(source: Path, number: int) -> Path:
    return source.with_name(f".issbox-{number}.leaving")


def _shortened(name: str) -> str:
    encoded = name.encode(errors="surrogateescape")
    return name if len(encoded) <= _NAME_BYTES else encoded[:_NAME_BYTES].decode(errors="ignore")


def _renamed(source: Path, target: Path) -> bool:
    """Rename and say whether it worked; False means another file system."""
    try:
        _rename(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        return False
    return True


def _rename(source: Path, target: Path) -> None:
    """Rename; a directory copied from read-only media may be closed even to its owner, who may open it again."""
    try:
        source.rename(target)
    except PermissionError:
        mode = source.lstat().st_mode
        if not stat.S_ISDIR(mode) or mode & stat.S_IWUSR:
            raise
        source.chmod(stat.S_IMODE(mode) | stat.S_IRWXU)
        source.rename(target)


def _refuse_special(source: Path) -> None:
    mode = source.lstat().st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OSError(errno.EOPNOTSUPP, "it cannot be copied to another file system", str(source))


def _bring(hidden: Path, source: Path, target: Path, advance: Callable[[int], None]) -> None:
    """Copy from the hidden place to the target, which appears whole, and remove the hidden place."""
    part = target.with_name(f".{target.name}.part")
    if not os.path.lexists(target):
        try:
            remove_tree(part)
            require_space(target.parent, _total(hidden), f"moving {source.name}")
            _copy(hidden, part, advance)
            sync_filesystem(target.parent)
            part.rename(target)
            sync_directory(target.parent)
        except BaseException as error:
            remove_tree(part)
            if not os.path.lexists(source):
                hidden.rename(source)
            if isinstance(error, RecursionError):
                raise OSError(errno.ENAMETOOLONG, "its directories are nested too deeply", str(source)) from None
            raise
    remove_tree(hidden)


def _total(path: Path) -> int:
    if path.is_symlink() or not path.is_dir():
        return path.lstat().st_size
    return sum(each.lstat().st_size for each in path.rglob("*") if not each.is_dir() or each.is_symlink())


def _copy(source: Path, target: Path, advance: Callable[[int], None]) -> None:
    """Copy a tree, a file or a link. Links stay links; pipes and devices in a tree are left out.

    Raises OSError, or its translation at the first file that cannot be copied: copytree would try all the others.
    """

    def copy_one(here: str, there: str) -> object:
        try:
            result = shutil.copy2(here, there, follow_symlinks=False)
            size = Path(here).lstat().st_size
        except OSError as error:
            raise error_from_os(error) from error
        advance(size)
        return result

    def specials(directory: str, names: list[str]) -> set[str]:
        return {name for name in names if _is_special(Path(directory, name))}

    if source.is_symlink() or not source.is_dir():
        copy_one(str(source), str(target))
    else:
        try:
            shutil.copytree(source, target, symlinks=True, ignore=specials, copy_function=copy_one)
        except shutil.Error as error:  # of directories, all in one
            raise OSError(errno.EIO, error.args[0][0][2], error.args[0][0][0]) from error


def _is_special(path: Path) -> bool:
    mode = path.lstat().st_mode
    return not (stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISLNK(mode))
