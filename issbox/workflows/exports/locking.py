"""What writing bundles has in common: no two at once, no garbage collection meanwhile, and damage in words."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from issbox.errors import DigestMismatchError, StoreDamagedError
from issbox.files import FileLock
from issbox.workflows.context import Context


@contextmanager
def alone(ctx: Context) -> Iterator[None]:
    """Hold off garbage collection and other exports; raises BusyError."""
    with ExitStack() as stack:
        stack.enter_context(
            FileLock(ctx.store.locks / "content.lock", shared=True, busy="garbage collection is running in this box")
        )
        stack.enter_context(
            FileLock(
                ctx.store.locks / "export.lock", busy="another export is running; two would share a sequence number"
            )
        )
        yield


@contextmanager
def damage_in_words() -> Iterator[None]:
    """Say of a source that is not what it must be that the store is damaged."""
    try:
        yield
    except DigestMismatchError as error:
        raise StoreDamagedError(f"a stored file is damaged: {error}") from error
