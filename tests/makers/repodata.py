"""Repositories written by hand, so that every part of them can be wrong; and a place for what is mirrored."""

import gzip
import hashlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import quoteattr

import createrepo_c

from issbox.files import Digest, digest_file

NAMES = {"sha": "sha1"}


@dataclass(frozen=True)
class Listed:
    """A package as primary.xml lists it."""

    href: str
    content: bytes
    name: str = "sample"
    checksum_type: str = "sha256"
    base: str = ""
    size: int | None = None

    def xml(self) -> str:
        """Give its element."""
        checksum = digest(self.checksum_type, self.content)
        base = f" xml:base={quoteattr(self.base)}" if self.base else ""
        size = len(self.content) if self.size is None else self.size
        return (
            f'<package type="rpm"><name>{self.name}</name><arch>noarch</arch>'
            '<version epoch="0" ver="1.0" rel="1"/>'
            f'<checksum type="{self.checksum_type}" pkgid="YES">{checksum}</checksum>'
            f"<summary>A sample</summary><description>Nothing</description><packager/><url/>"
            f'<time file="1" build="1"/><size package="{size}" installed="1" archive="1"/>'
            f"<location{base} href={quoteattr(self.href)}/><format/></package>\n"
        )


def digest(type_: str, content: bytes) -> str:
    """Hash as metadata does."""
    return hashlib.new(NAMES.get(type_, type_), content).hexdigest()


def primary_xml(*packages: Listed) -> bytes:
    """Give a primary.xml."""
    body = "".join(package.xml() for package in packages)
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<metadata xmlns="http://linux.duke.edu/metadata/common" '
        f'xmlns:rpm="http://linux.duke.edu/metadata/rpm" packages="{len(packages)}">{body}</metadata>\n'
    ).encode()


def record_xml(type_: str, href: str, content: bytes, *, checksum_type: str = "sha256", extra: str = "") -> str:
    """Give a record of repomd.xml."""
    return (
        f'<data type="{type_}"><checksum type="{checksum_type}">{digest(checksum_type, content)}</checksum>'
        f"<location href={quoteattr(href)}/><size>{len(content)}</size>{extra}</data>\n"
    )


def repomd_xml(*records: str) -> bytes:
    """Give a repomd.xml."""
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<repomd xmlns="http://linux.duke.edu/metadata/repo">'
    return f"{head}<revision>7</revision>{''.join(records)}</repomd>\n".encode()


def write(root: Path, path: str, content: bytes) -> None:
    """Write a file below root."""
    place = root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)


def write_repository(
    root: Path,
    *packages: Listed,
    others: dict[str, bytes] | None = None,
    checksum_type: str = "sha256",
    primary: bytes | None = None,
) -> None:
    """Write a repository with these packages and more metadata files by type."""
    for package in packages:
        write(root, package.href, package.content)
    files = {"primary": gzip.compress(primary_xml(*packages), mtime=0) if primary is None else primary}
    files |= others or {}
    records = []
    for type_, content in files.items():
        href = f"repodata/{type_}"
        write(root, href, content)
        records.append(record_xml(type_, href, content, checksum_type=checksum_type))
    write(root, "repodata/repomd.xml", repomd_xml(*records))


def createrepo(root: Path, packages: list[Path], *, compression: int, checksum: int = createrepo_c.SHA256) -> None:
    """Write a repository of real packages as createrepo_c does."""
    for package in packages:
        write(root, f"Packages/{package.name[0]}/{package.name}", package.read_bytes())
    with createrepo_c.RepositoryWriter(
        str(root), num_packages=len(packages), compression=compression, checksum_type=checksum
    ) as writer:
        for package in packages:
            href = f"Packages/{package.name[0]}/{package.name}"
            writer.add_pkg(createrepo_c.package_from_rpm(str(root / href), checksum_type=checksum, location_href=href))


@dataclass
class DirectorySink:
    """Keeps what is mirrored in one directory; `stored` survives, the rest does not."""

    root: Path
    commits: int = 0
    staged: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        (self.root / "staging").mkdir(parents=True, exist_ok=True)
        (self.root / "blobs").mkdir(exist_ok=True)
        self.checksums: dict[tuple[str, str], Digest] = {}

    def has(self, sha256: str, size: int) -> bool:
        path = self.read(sha256)
        return path.is_file() and path.stat().st_size == size

    def known(self, checksum_type: str, checksum: str) -> Digest | None:
        return self.checksums.get((checksum_type, checksum))

    def temporary(self, name: str) -> Path:
        assert "/" not in name
        return self.root / "staging" / name

    def adopt(self, path: Path, digest: Digest) -> None:
        assert digest_file(path) == digest
        path.rename(self.root / "blobs" / digest.sha256)
        self.staged[digest.sha256] = digest.size

    def read(self, sha256: str) -> Path:
        return self.root / "blobs" / sha256

    def commit(self) -> None:
        with self.lock:
            self.commits += 1

    def partial(self) -> list[Path]:
        """Unfinished downloads."""
        return sorted((self.root / "staging").iterdir())


def write_cdn(root: Path, path: str) -> Path:
    """Write a directory laid out like the CDN, with one repository and the listing files above it, and give it."""
    write_repository(root / path, Listed("bash.rpm", b"bash"))
    parent = ""
    for segment in path.split("/"):
        write(root, f"{parent}listing", segment.encode())
        parent += f"{segment}/"
    return root
