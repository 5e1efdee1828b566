"""The image file or the drive that an image is read from: bytes at a place, by any number of threads."""

import os
import stat
from pathlib import Path
from typing import Self

from issbox.errors import BundleIncompleteError, IssboxError, NotABundleError, OperatingSystemError
from issbox.files import error_from_os

_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


class Medium:
    """An open image file or block device; it has no position, so that nobody disturbs anybody.

    It is closed with the last reference to it, so that a descriptor is never another file's.
    """

    def __init__(self, descriptor: int, path: Path, size: int) -> None:
        self._descriptor = descriptor
        self.path = path
        self.size = size
        """Bytes that are there, which for a drive may be more than the image has."""

    def __del__(self) -> None:
        os.close(self._descriptor)

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a regular file, a block device, or a link such as /dev/cdrom to a block device.

        Raises NotABundleError for anything else, and the translation of any other OSError, for example when there is
        no medium in the drive.
        """
        try:
            if path.is_symlink() and not path.is_block_device():
                raise NotABundleError(f"{path} is a link")
            kind = path.stat().st_mode
            if not (stat.S_ISREG(kind) or stat.S_ISBLK(kind)):
                raise NotABundleError(f"{path} is neither an image file nor a drive")
            # A drive opened without waiting would open without a medium, too.
            flags = _FLAGS & ~os.O_NONBLOCK if stat.S_ISBLK(kind) else _FLAGS | os.O_NOFOLLOW
            descriptor = os.open(path, flags)
        except FileNotFoundError:
            raise NotABundleError(f"{path} does not exist") from None
        except OSError as error:
            raise error_from_os(error) from None
        try:
            if stat.S_IFMT(os.fstat(descriptor).st_mode) != stat.S_IFMT(kind):
                raise NotABundleError(f"{path} became something else while it was opened")
            return cls(descriptor, path, os.lseek(descriptor, 0, os.SEEK_END))
        except BaseException as error:
            os.close(descriptor)
            if isinstance(error, OSError):
                raise _translated(error, path, "its size") from None
            raise

    def read_into(self, buffer: memoryview, offset: int, what: str) -> int:
        """Fill the buffer, or its beginning, from a place and give the bytes, at least one.

        Raises BundleIncompleteError at the end of the image, and OperatingSystemError when the medium cannot be
        read there, for example because it was taken out; both name `what`, which is being read.
        """
        try:
            count = os.preadv(self._descriptor, [buffer], offset)
        except OSError as error:
            raise _translated(error, self.path, what) from None
        if count == 0 and len(buffer):
            raise BundleIncompleteError(f"{what} is cut: {self.path} ends before it does", hint=_CUT)
        return count

    def read(self, offset: int, size: int, what: str) -> bytes:
        """Give bytes from a place, all of them; raises what `read_into` raises."""
        if offset + size > self.size:
            raise BundleIncompleteError(f"{what} is cut: {self.path} ends before it does", hint=_CUT)
        data = bytearray(size)
        done = 0
        while done < size:
            done += self.read_into(memoryview(data)[done:], offset + done, what)
        return bytes(data)


_CUT = "Copy the image again, or have it exported again, then retry."


def _translated(error: OSError, path: Path, what: str) -> IssboxError:
    error.filename = str(path)
    translated = error_from_os(error)
    if type(translated) is not OperatingSystemError:
        return translated
    return OperatingSystemError(
        f"{what} cannot be read from {path}: {error.strerror}",
        hint="Put the medium back, or clean it or copy it again if it is scratched, then retry.",
    )
