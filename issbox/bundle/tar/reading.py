"""Opens tar streams for reading: from chunks that a table of contents lists, or from a pipe."""

from collections.abc import Iterator
from contextlib import contextmanager

from issbox.bundle.stages import ReadAhead
from issbox.bundle.tar.chunked_stream import ChunkedStream
from issbox.bundle.tar.gunzip import unpacked
from issbox.bundle.tar.tar_reader import TarReader
from issbox.errors import BundleError, DigestMismatchError
from issbox.files import Readable


@contextmanager
def reading_chunks(chunks: ChunkedStream, limit: int | None = None) -> Iterator[TarReader]:
    """Give the members in these chunks, which are read, digested and unpacked in a second thread.

    `limit` is how many bytes the unpacked stream may have. When anything in the stream makes no sense, be it here or
    to the caller (who raises a BundleError or DigestMismatchError inside the context), the chunk that was being read
    is read to its end; if that chunk is damaged, the BundleDamagedError that names it is raised instead. May be left
    early, for example after the manifest. Raises what `ChunkedStream.__enter__` and `TarReader` raise.
    """
    with chunks:
        try:
            with ReadAhead(unpacked(chunks)) as ahead:
                yield TarReader(ahead, limit)
        except (BundleError, DigestMismatchError):
            chunks.check_current()
            raise


def reading_pipe(source: Readable, limit: int | None = None) -> TarReader:
    """Give the members of a stream that can only be read once, for example `sys.stdin.buffer`; it may be a gzip.

    `limit` is how many bytes the unpacked stream may have. Iterated to its end, the source is read to its end.
    """
    return TarReader(unpacked(source), limit)
