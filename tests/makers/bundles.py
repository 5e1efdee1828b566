"""Small real bundles: a yum repository made by createrepo_c, written and signed as an export does it."""

import hashlib
import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import createrepo_c

from issbox.bundle.head import Head, Layout, OpenEntry, prepare_head, volume_members
from issbox.bundle.katello import METADATA_NAME, katello_metadata
from issbox.bundle.signature import SigningKey, generate_key
from issbox.bundle.staged import StagedDirectory
from issbox.bundle.tree_writer import TreeWriter
from issbox.manifest import (
    FORMAT,
    FORMAT_VERSION,
    MANIFEST_NAME,
    SIGNATURE_NAME,
    TABLE_NAME,
    BundleIdentity,
    BundleKind,
    BundleSource,
    EntryKind,
    FileEntry,
    Manifest,
    ManifestCredential,
    ManifestOrganization,
    ManifestProduct,
    ManifestRepository,
    ManifestVersion,
    TableReference,
    Totals,
)
from issbox.model import Content, ProductKind
from issbox.rules.bundles.layout import listings

NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)
PACKAGES: Mapping[str, bytes] = {"bell-1.0-1.noarch.rpm": b"ding" * 50, "drum-2.0-1.noarch.rpm": b"boom" * 70}

# Anything that can be JSON; tests change manifests and lines freely.
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SampleRepository:
    """A repository of a sample bundle; packages are arbitrary bytes by file name NAME-VERSION-RELEASE.ARCH.rpm."""

    product: str = "tools"
    label: str = "base"
    packages: Mapping[str, bytes] = field(default_factory=lambda: PACKAGES)
    number: int = 1
    """Repository version in the sending box."""
    gpg_key: str | None = None
    kind: ProductKind = ProductKind.CUSTOM
    extra: Mapping[str, bytes] = field(default_factory=dict)
    """More files by relative path; those below `repodata/` count as metadata, others as kickstart files."""

    @property
    def path(self) -> str:
        return f"custom/{self.product}/{self.label}"


@dataclass(frozen=True, slots=True)
class SampleBundle:
    """What a sample bundle says about itself."""

    repositories: Sequence[SampleRepository] = (SampleRepository(),)
    organization: str = "acme"
    bundle_id: str = "0d5cbe8e-52b1-4a0a-9f5c-000000000001"
    box_id: str = "5a6f2c1e-7e0c-4d6e-8a3a-00000000000a"
    destination: str = "ship"
    sequence: int = 1
    credentials: tuple[ManifestCredential, ...] = ()


def new_key() -> SigningKey:
    """Give a fresh signing key."""
    return SigningKey(generate_key())


def trust(*keys: SigningKey) -> Callable[[str], str | None]:
    """Give the function that finds the public keys of these keys by id."""
    return {key.key_id: key.public_pem for key in keys}.get


@dataclass(frozen=True, slots=True)
class SampleContent:
    """The files of a sample bundle in memory, and the manifest they need."""

    manifest: Manifest
    files: Mapping[str, tuple[EntryKind, int | None, bytes]]
    """Kind, index of the repository and bytes by path."""

    def entries(self) -> list[FileEntry]:
        """Give the entries sorted by path, all of them to be carried."""
        return [
            FileEntry(
                path=path,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                kind=kind,
                repository=index,
                volume=1,
            )
            for path, (kind, index, data) in sorted(self.files.items())
        ]

    def open(self, entry: FileEntry) -> AbstractContextManager[io.BytesIO]:
        """Open the bytes of an entry."""
        return nullcontext(io.BytesIO(self.files[entry.path][2]))

    def digest_parts(self, entry: FileEntry, sizes: Sequence[int]) -> list[str]:
        """Give the digests of the parts of a file."""
        source = io.BytesIO(self.files[entry.path][2])
        return [hashlib.sha256(source.read(size)).hexdigest() for size in sizes]

    def head(self, key: SigningKey, scratch: Path, layout: Layout | None = None) -> Head:
        """Sign the head."""
        table = scratch / f".table-{uuid4().hex}"
        return prepare_head(self.manifest, self.entries, key, table, layout=layout, digest_parts=self.digest_parts)


def sample_content(sample: SampleBundle | None = None) -> SampleContent:
    """Give what a sample bundle holds."""
    sample = sample or SampleBundle()
    trees = [yum_tree(repository.packages) | dict(repository.extra) for repository in sample.repositories]
    manifest = sample_manifest(sample, trees)
    files: dict[str, tuple[EntryKind, int | None, bytes]] = {
        f"{repository.path}/{path}": (_kind(path), index, data)
        for index, (repository, tree) in enumerate(zip(sample.repositories, trees, strict=True))
        for path, data in tree.items()
    }
    for directory, text in listings(repository.path for repository in sample.repositories).items():
        files[f"{directory}/listing".lstrip("/")] = (EntryKind.LISTING, None, text.encode())
    files[METADATA_NAME] = (EntryKind.DOCUMENT, None, katello_metadata(manifest))
    return SampleContent(manifest, files)


def make_bundle(parent: Path, key: SigningKey, sample: SampleBundle | None = None, *, name: str = "bundle") -> Path:
    """Write a complete, valid, signed bundle to parent/name."""
    content = sample_content(sample)
    with tempfile.TemporaryDirectory() as scratch:
        return write_directory(parent, name, content.head(key, Path(scratch)), content.open)


def write_volumes(
    parent: Path,
    name: str,
    content: SampleContent,
    key: SigningKey,
    layout: Layout,
    *,
    held: SampleContent | None = None,
) -> list[Path]:
    """Write a bundle as directories, one a volume; of what is `held` already only the metadata travels."""
    known = {entry.sha256 for entry in held.entries()} if held is not None else set()

    def entries() -> list[FileEntry]:
        return [
            replace(entry, volume=None) if entry.kind is EntryKind.PACKAGE and entry.sha256 in known else entry
            for entry in content.entries()
        ]

    manifest = content.manifest
    if held is not None:
        bundle = replace(manifest.bundle, kind=BundleKind.INCREMENTAL, base={"kind": "export"})
        manifest = replace(manifest, bundle=bundle)
    parent.mkdir(exist_ok=True)
    table = parent / f".table-{uuid4().hex}"
    head = prepare_head(manifest, entries, key, table, layout=layout, digest_parts=content.digest_parts)
    made = []
    for number in range(1, len(head.manifest.volumes) + 1):
        with (
            StagedDirectory(parent, f"{name}.v{number:03d}") as staged,
            TreeWriter(staged.path, staged.final) as writer,
        ):
            for member in [*volume_members(head, number, content.open), *head.members(number)]:
                writer.add(member)
            made.append(staged.finish())
    table.unlink()
    return made


def write_directory(parent: Path, name: str, head: Head, open_entry: OpenEntry) -> Path:
    """Write a head and the files it lists as a directory bundle, as an export does."""
    with StagedDirectory(parent, name) as staged, TreeWriter(staged.path, staged.final) as writer:
        for member in [*volume_members(head, 1, open_entry), *head.members(1)]:
            writer.add(member)
        return staged.finish()


def sample_manifest(sample: SampleBundle, trees: Sequence[Mapping[str, bytes]]) -> Manifest:
    """Give the manifest of a sample, without what the writer fills in."""
    products = {repository.product: repository for repository in sample.repositories}
    return Manifest(
        format=FORMAT,
        format_version=FORMAT_VERSION,
        bundle=BundleIdentity(
            id=sample.bundle_id,
            kind=BundleKind.COMPLETE,
            created_at=NOW,
            destination=sample.destination,
            sequence=sample.sequence,
        ),
        source=BundleSource(box_id=sample.box_id, box_name="shore", key_id="", software="issbox 0.1.0"),
        organization=ManifestOrganization(label=sample.organization, name="Acme Shipping"),
        content_credentials=sample.credentials,
        products=tuple(
            ManifestProduct(label=label, name=label.title(), kind=first.kind) for label, first in products.items()
        ),
        repositories=tuple(
            _manifest_repository(repository, tree) for repository, tree in zip(sample.repositories, trees, strict=True)
        ),
        files=Totals(count=0, size=0, carried_count=0, carried_size=0),
        table=TableReference(path=TABLE_NAME, size=0, sha256=""),
        volumes=(),
    )


def _manifest_repository(repository: SampleRepository, tree: Mapping[str, bytes]) -> ManifestRepository:
    return ManifestRepository(
        product=repository.product,
        label=repository.label,
        name=repository.label.title(),
        content=Content(
            id=f"id-{repository.product}-{repository.label}",
            label=f"{repository.product}_{repository.label}",
            name=repository.label.title(),
            path=f"/{repository.path}",
        ),
        path=repository.path,
        version=ManifestVersion(
            number=repository.number,
            created_at=NOW,
            repomd_sha256=hashlib.sha256(tree["repodata/repomd.xml"]).hexdigest(),
            packages=sum(_kind(path) is EntryKind.PACKAGE for path in tree),
        ),
        files=0,
        size=0,
        gpg_key=repository.gpg_key,
    )


def yum_tree(packages: Mapping[str, bytes]) -> dict[str, bytes]:
    """Give the files of a yum repository that lists these packages, with metadata that createrepo_c wrote.

    The same packages give the same bytes, although createrepo_c puts the time into its metadata.
    """
    return dict(_yum_tree(tuple(packages.items())))


@cache
def _yum_tree(items: tuple[tuple[str, bytes], ...]) -> Mapping[str, bytes]:
    packages = dict(items)
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        with createrepo_c.RepositoryWriter(str(root), num_packages=len(packages)) as writer:
            for filename, data in packages.items():
                writer.add_pkg(_package(filename, data))
        tree = {f"repodata/{file.name}": file.read_bytes() for file in (root / "repodata").iterdir()}
    return tree | {f"Packages/{filename}": data for filename, data in packages.items()}


def _package(filename: str, data: bytes) -> createrepo_c.Package:
    package = createrepo_c.Package()
    stem, package.arch, _ = filename.rsplit(".", 2)
    package.name, package.version, package.release = stem.rsplit("-", 2)
    package.epoch = "0"
    package.pkgId, package.checksum_type = hashlib.sha256(data).hexdigest(), "sha256"
    package.size_package = len(data)
    package.location_href = f"Packages/{filename}"
    package.summary = package.description = "A sample"
    package.rpm_license, package.rpm_sourcerpm = "MIT", f"{stem}.src.rpm"
    package.time_file = package.time_build = int(NOW.timestamp())
    return package


def _kind(path: str) -> EntryKind:
    if path.startswith("repodata/"):
        return EntryKind.METADATA
    return EntryKind.PACKAGE if path.endswith(".rpm") else EntryKind.KICKSTART


def read_manifest(bundle: Path) -> Document:
    """Give a bundle's manifest as plain JSON."""
    document: Document = json.loads((bundle / MANIFEST_NAME).read_bytes())
    return document


def read_lines(bundle: Path) -> list[Document]:
    """Give the lines of a bundle's file table as plain JSON."""
    return [json.loads(line) for line in (bundle / TABLE_NAME).read_bytes().splitlines()]


def sign_again(bundle: Path, key: SigningKey, manifest: Document | bytes) -> None:
    """Replace a bundle's manifest and sign the new one."""
    data = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    (bundle / MANIFEST_NAME).write_bytes(data)
    (bundle / SIGNATURE_NAME).write_bytes(key.sign(data))


def sign_table(bundle: Path, key: SigningKey, lines: Sequence[Document] | bytes) -> None:
    """Replace a bundle's file table, and make and sign a manifest that fits it."""
    if isinstance(lines, bytes):
        data, listed = lines, read_lines(bundle)
    else:
        data, listed = b"".join(json.dumps(line).encode() + b"\n" for line in lines), list(lines)
    (bundle / TABLE_NAME).write_bytes(data)
    manifest = read_manifest(bundle)
    manifest["table"] |= {"size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    carried = [line for line in listed if line.get("volume") is not None]
    size = sum(line["size"] for line in carried)
    manifest["files"] = {
        "count": len(listed),
        "size": sum(line["size"] for line in listed),
        "carried_count": len(carried),
        "carried_size": size,
    }
    manifest["volumes"] = [{"number": 1, "size": size, "count": len(carried)}]
    for index, repository in enumerate(manifest["repositories"]):
        own = [line for line in listed if line.get("repository") == index]
        repository |= {"files": len(own), "size": sum(line["size"] for line in own)}
        repository["version"]["packages"] = sum(line["kind"] == "package" for line in own)
    sign_again(bundle, key, manifest)


def flip_byte(path: Path, offset: int) -> None:
    """Change one byte of a file so that it is certainly another one."""
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x01
    path.write_bytes(data)
