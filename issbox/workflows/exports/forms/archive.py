"""Bundles as one tar stream, plain or as a gzip that compresses nothing, whole or in chunks."""

from pathlib import Path
from typing import Final

from issbox.bundle.head import Head, Layout
from issbox.bundle.staged import StagedDirectory
from issbox.bundle.tar.chunk_writer import ChunkWriter, chunk_digits
from issbox.bundle.tar.stored_gzip import stored_size
from issbox.bundle.tar.toc_checks import MAX_CHUNKS, MIN_DIGITS, SIGNATURE_SUFFIX, TOC_SUFFIX, Chunk, Compression
from issbox.bundle.tar.writing import END_SIZE, TarStream, member_size, tar_stream
from issbox.errors import RecutError, VolumeSizeError
from issbox.files import Writable, atomic_write
from issbox.model import BundleForm
from issbox.names import format_size
from issbox.workflows.exports.forms.form import Job, Style

_SUFFIXES: Final = (SIGNATURE_SUFFIX, TOC_SUFFIX)
KEPT_TOC: Final = ("toc.json.sig", "toc.json")
"""What signature and table of contents are called where they are kept."""


class ArchiveForm:
    """A directory with `NAME.tgz` or `NAME.tgz.001`, ..., the table of contents `NAME.toc.json` and its signature."""

    def __init__(self, style: Style) -> None:
        self.layout = Layout()
        self._compression = Compression.GZIP if style.form is BundleForm.TGZ else Compression.NONE
        self._chunk_size = style.volume_size

    def volume_sizes(self, head: Head) -> tuple[int, ...]:
        """Give the bytes of each chunk; raises VolumeSizeError when there would be too many of them."""
        size = self.total_size(head)
        if self._chunk_size is None:
            return (size,)
        whole, rest = divmod(size, self._chunk_size)
        if whole + bool(rest) > MAX_CHUNKS:
            raise VolumeSizeError(
                f"{format_size(size)} in chunks of {format_size(self._chunk_size)} would be more than {MAX_CHUNKS}"
            )
        return (self._chunk_size,) * whole + ((rest,) if rest else ())

    def total_size(self, head: Head) -> int:
        """Give the bytes of the stream."""
        size = END_SIZE + sum(member_size(member.path, member.digest.size) for member in head.members(1))
        size += sum(member_size(entry.path, entry.size) for entry in head.entries() if entry.carried)
        return stored_size(size) if self._compression is Compression.GZIP else size

    def write(self, job: Job, final: Path) -> tuple[int, ...]:
        """Write the archive; all of the stream is made even when only some chunks of it are kept."""
        with StagedDirectory(final.parent, final.name) as staged:
            if job.only is None or job.only:
                chunks = self._write_chunks(job, staged.path, final)
            else:  # of an archive that is there, only the table of contents is wanted
                chunks = ()
                _copy_kept_toc(job, staged.path)
            job.progress.step("finish-bundle")
            staged.finish(synced=True)
        return tuple(chunk.size for number, chunk in enumerate(chunks, start=1) if job.wants(number))

    def _write_chunks(self, job: Job, place: Path, final: Path) -> tuple[Chunk, ...]:
        with ChunkWriter(
            place,
            job.name,
            self._compression,
            self._chunk_size,
            shown=final,
            digits=MIN_DIGITS if self._chunk_size is None else self._digits(job.head),
            only=job.only,
        ) as chunks:
            self.stream(job, chunks)
            toc = chunks.finish(job.head.manifest.bundle.id, job.key)
        _keep_toc(job, place)
        return toc.chunks

    def stream(self, job: Job, out: Writable) -> None:
        """Write the stream: the head files, then the others sorted by path."""
        with tar_stream(out, self._compression, job.head.manifest.bundle.created_at) as tar:
            _add_all(job, tar)

    def _digits(self, head: Head) -> int:
        assert self._chunk_size is not None, "a stream in one piece has no number"
        return chunk_digits(self.total_size(head), self._chunk_size)


def _add_all(job: Job, tar: TarStream) -> None:
    for member in job.head.members(1):
        tar.add(member)
    for member in job.content(1):
        tar.add(member, advance=job.advance)


def _keep_toc(job: Job, place: Path) -> None:
    """Keep the table of contents, or compare it with the one kept when chunks are written again."""
    for suffix, name in zip(_SUFFIXES, KEPT_TOC, strict=True):
        data, kept = (place / f"{job.name}{suffix}").read_bytes(), job.kept / name
        if job.only is None:
            with atomic_write(kept) as out:
                out.write(data)
        elif kept.read_bytes() != data:
            raise RecutError(
                f"the stream of the bundle {job.head.manifest.bundle.id} does not become what it was, so single "
                "chunks of it are of no use"
            )


def _copy_kept_toc(job: Job, place: Path) -> None:
    for suffix, name in zip(_SUFFIXES, KEPT_TOC, strict=True):
        with atomic_write(place / f"{job.name}{suffix}") as out:
            out.write((job.kept / name).read_bytes())
