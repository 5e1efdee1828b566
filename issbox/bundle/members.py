"""What the writers of all forms are given: files in the order they shall lie in, each with the bytes it must have."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from issbox.errors import DigestMismatchError
from issbox.files import Digest, Readable, Writable, copy_and_digest


@dataclass(frozen=True, slots=True)
class Member:
    """A file to be written into a volume."""

    path: str
    """Relative to the volume's root, safe by `names.path_problem`."""
    digest: Digest
    """Size and SHA-256 that its bytes must have."""
    open: Callable[[], AbstractContextManager[Readable]]
    """Opens the source when its turn has come."""


def copy_member(member: Member, out: Writable | None, *, advance: Callable[[int], None] | None = None) -> None:
    """Copy the member's bytes and digest them on the way; exactly `member.digest.size` bytes on success.

    Raises DigestMismatchError, after at most one block too many has been written, when the source is not what it
    must be, and what reading and writing raise.
    """
    with member.open() as source:
        found = copy_and_digest(source, out, advance=advance, limit=member.digest.size)
    if found != member.digest:
        raise DigestMismatchError(
            f"{member.path!r} has {found.size} bytes with SHA-256 {found.sha256}, "
            f"expected were {member.digest.size} with {member.digest.sha256}"
        )
