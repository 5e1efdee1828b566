"""What mirroring is asked for, what it gives, and where its files go."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from issbox.files import Digest
from issbox.model import RepositoryFile

STEPS: Final = ("fetch-metadata", "fetch-packages", "fetch-kickstart", "check-signatures", "store-files")
"""What mirroring announces, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorRequest:
    """One upstream repository and how to reach it."""

    url: str
    """http, https or file; may hold `user:password@` and a query, which no message shows."""
    ca_pem: str | None = None
    """The only certificate authorities to trust; None means the system's."""
    client_certificate: Path | None = None
    client_key: Path | None = None
    proxy: str | None = None
    gpg_keys: tuple[str, ...] = ()
    """Armored."""
    check_metadata: bool = True
    """When there are keys, repomd.xml must be signed by one of them."""
    check_packages: bool = False
    """Check the signature of every package with those keys."""
    downloads: int = 4
    """Files fetched at once."""
    retries: int = 3
    """Attempts after the first one, for what may pass by itself."""
    retry_delay_seconds: float = 1.0
    """Pause before the first of them; it doubles each time, up to half a minute."""
    timeout_seconds: float = 60.0
    """Without a single byte."""
    known_repomd: str | None = None
    """SHA-256 of the repomd.xml already here; None means look at everything."""
    max_metadata_size: int = 4 << 30
    """Bytes of one metadata file, decompressed or not."""


@dataclass(frozen=True, slots=True)
class MirrorResult:
    """What upstream holds, all of it now in the sink."""

    unchanged: bool
    """Whether repomd.xml is the known one; then nothing else was looked at and `files` is empty."""
    repomd_sha256: str
    files: tuple[RepositoryFile, ...] = ()
    packages: int = 0
    size: int = 0
    """Bytes of all files."""
    downloaded: int = 0
    """Bytes that came from upstream."""
    reused: int = 0
    """Bytes that were here already."""
    notes: tuple[str, ...] = field(default=())
    """What a person should know, for example that upstream has only weak checksums."""


class Sink(Protocol):
    """Where files go. `has`, `known` and `read` are called in the thread that called `mirror`, the rest in any."""

    def has(self, sha256: str, size: int) -> bool:
        """Say whether a file is here, stored or staged."""

    def known(self, checksum_type: str, checksum: str) -> Digest | None:
        """Give size and SHA-256 of a package known under another checksum."""

    def temporary(self, name: str) -> Path:
        """Give a place for a download; one whose name ends with `.part` is there again after a crash."""

    def adopt(self, path: Path, digest: Digest) -> None:
        """Take over a finished file that lies in a temporary place."""

    def read(self, sha256: str) -> Path:
        """Give the path of a stored or staged file; it need not exist."""

    def commit(self) -> None:
        """Make all that was adopted durable."""
