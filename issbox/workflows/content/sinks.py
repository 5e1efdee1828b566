"""Where mirroring puts its files: a batch of the blob store."""

from pathlib import Path

from issbox.files import Digest
from issbox.store import Batch, Store


class BatchSink:
    """A sink of `issbox.yum.mirror` over a batch; what the store has without the batch is for subclasses to say."""

    def __init__(self, store: Store, batch: Batch) -> None:
        self._store = store
        self._batch = batch

    def has(self, sha256: str, size: int) -> bool:
        """Say whether the batch has a file."""
        return self._batch.has(sha256, size)

    def known(self, checksum_type: str, checksum: str) -> Digest | None:
        """Give size and SHA-256 of a package that any version lists under another checksum."""
        return self._store.versions.known_digest(checksum_type, checksum)

    def temporary(self, name: str) -> Path:
        """Give a place for a download."""
        return self._batch.temporary(name)

    def adopt(self, path: Path, digest: Digest) -> None:
        """Take over a finished file."""
        self._batch.adopt(path, digest)

    def read(self, sha256: str) -> Path:
        """Give the path of a file of the batch, or where the store has it."""
        return self._batch.locate(sha256) if self._batch.has(sha256) else self._store.blobs.path(sha256)

    def commit(self) -> None:
        """Make all that was adopted durable and part of the store."""
        self._batch.commit()
