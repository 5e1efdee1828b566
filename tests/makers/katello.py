"""Exports as a Katello makes them: metadata.json with yum trees, or with a Pulp archive, whole or in chunks."""

import io
import json
import shutil
import tarfile
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from makers.pulp_rows import DOMAIN, Row, Rows

REAL = Path(__file__).resolve().parent.parent / "fixtures/katello"
"""Exports that a real Pulp made."""
EXPORT = "export-01a213e2-9ef8-7bf3-b1b4-9695dba6fd78-20261125_1805"
ORDER = (
    *("RpmRepositoryResource", "PackageResource", "ModulemdResource", "ModulemdDefaultsResource"),
    *("PackageGroupResource", "PackageCategoryResource", "PackageEnvironmentResource", "PackageLangpacksResource"),
    *("UpdateRecordResource", "RepoMetadataFileResource", "DistributionTreeResource"),
    *("DistributionTreeRepositoryResource", "ChecksumResource", "ImageResource", "AddonResource", "VariantResource"),
    *("UpdateReferenceResource", "UpdateCollectionResource", "UpdateCollectionPackageResource"),
    "ContentArtifactResource",
)
"""In which order an archive holds the resources of a repository."""


@dataclass(frozen=True, eq=False)
class Described:
    """A repository as metadata.json describes it."""

    label: str
    pulp_name: str = ""
    product: str = "gap"
    fields: Mapping[str, Any] = field(default_factory=dict)
    """More fields, or others."""

    @property
    def key(self) -> str:
        return self.pulp_name or f"{self.label}-7"

    def document(self) -> dict[str, Any]:
        return {
            "name": self.label.title(),
            "label": self.label,
            "description": None,
            "arch": "noarch",
            "content_type": "yum",
            "unprotected": True,
            "checksum_type": None,
            "os_versions": [],
            "major": None,
            "minor": None,
            "download_policy": "immediate",
            "mirroring_policy": "mirror_content_only",
            "product": {"label": self.product},
            "gpg_key": {},
            "content": {
                "id": "1646672979604",
                "label": f"Acme_{self.product}_{self.label}",
                "url": f"/custom/{self.product}/{self.label}",
            },
            "redhat": False,
            **self.fields,
        }


def metadata(described: Sequence[Described], /, **changes: Any) -> dict[str, Any]:
    """Give the metadata.json of an export of these repositories; `changes` replace its fields."""
    products = {each.product: bool(each.fields.get("redhat")) for each in described}
    document = {
        "organization": "Acme Shipping",
        "base_path": "/var/lib/pulp/exports",
        "repositories": {each.key: each.document() for each in described},
        "content_view": {
            "name": "Export-Library",
            "label": "Export-Library",
            "description": None,
            "generated_for": "library_export",
        },
        "content_view_version": {"major": 1, "minor": 0, "description": ""},
        "incremental": False,
        "format": "importable",
        "products": {
            label: {
                "name": label.title(),
                "label": label,
                "description": None,
                "cp_id": "433410920420",
                "gpg_key": {},
                "redhat": redhat,
            }
            for label, redhat in products.items()
        },
        "gpg_keys": {},
    }
    return document | changes


def write_metadata(export: Path, document: Mapping[str, Any]) -> None:
    (export / "metadata.json").write_text(json.dumps(document))


def change_metadata(export: Path, **changes: Any) -> None:
    """Replace fields of an export's metadata.json."""
    write_metadata(export, json.loads((export / "metadata.json").read_text()) | changes)


def write_syncable(
    root: Path, trees: Mapping[Described, Path], *, without: Collection[str] = (), **changes: Any
) -> Path:
    """Write yum trees with their metadata.json; `without` names packages that an increment does not carry."""
    for described, source in trees.items():
        place = root / described.document()["content"]["url"].lstrip("/").replace(" ", "_")
        shutil.copytree(source, place, ignore=lambda _, names: [name for name in names if name in without])
        for path in place.parents:
            if path != root.parent and path.is_relative_to(root):
                names = sorted(each.name for each in path.iterdir())
                (path / "listing").write_text("\n".join(names))
    write_metadata(root, metadata(list(trees), format="syncable", **changes))
    return root


@dataclass
class Archive:
    """A Pulp archive in the making: members in order, to be changed by whoever wants a hostile one."""

    members: list[tuple[tarfile.TarInfo, bytes]] = field(default_factory=list)

    def add(self, name: str, data: bytes, kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
        info = tarfile.TarInfo(name)
        info.size, info.type, info.linkname = len(data), kind, link
        self.members.append((info, data))

    def replace(self, name: str, change: Callable[[bytes], bytes]) -> None:
        """Change the bytes of the member whose name ends so."""
        for index, (info, data) in enumerate(self.members):
            if info.name.endswith(name):
                info.size = len(changed := change(data))
                self.members[index] = (info, changed)
                return
        raise LookupError(name)

    def rows(self, name: str, change: Callable[[list[Row]], object]) -> None:
        """Change the rows of the member whose name ends so."""

        def changed(data: bytes) -> bytes:
            rows = json.loads(data)
            change(rows)
            return json.dumps(rows).encode()

        self.replace(name, changed)

    def data(self) -> bytes:
        """Give the bytes of the tar."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w|") as tar:
            for info, data in self.members:
                tar.addfile(info, io.BytesIO(data))
        return out.getvalue()


def make_archive(repositories: Sequence[Rows], known: Collection[str] = ()) -> Archive:
    """Make an archive; artifacts that are `known` where it goes are not in it, as in an incremental export."""
    archive = Archive()
    versions = [{"component": "core", "version": "3.123.1"}, {"component": "rpm", "version": "3.39.4"}]
    archive.add("versions.json", json.dumps(versions).encode())
    artifacts = {key: data for rows in repositories for key, data in rows.artifacts.items() if key not in known}
    for key, data in artifacts.items():
        archive.add(f"artifact/{key[:2]}/{key[2:]}", data)
    listed = [_artifact_row(key, data) for key, data in artifacts.items()]
    archive.add("pulpcore.app.modelresource.ArtifactResource.json", json.dumps(listed).encode())
    named = [{"pulp_type": "rpm.rpm", "name": rows.name, "description": ""} for rows in repositories]
    archive.add("pulpcore.app.modelresource.RepositoryResource.json", json.dumps(named).encode())
    for number, rows in enumerate(repositories, 1):
        for name, data in _documents(rows, f"repository-{rows.name}_{number}"):
            archive.add(name, data)
    return archive


def _artifact_row(key: str, data: bytes) -> Row:
    digests = {"md5": "", "sha1": "", "sha224": "", "sha256": key, "sha384": "", "sha512": ""}
    return {"file": f"artifact/{key[:2]}/{key[2:]}", "size": str(len(data)), **digests, "pulp_domain": DOMAIN}


def _documents(rows: Rows, directory: str) -> Iterator[tuple[str, bytes]]:
    for resource in ORDER:
        if resource in rows.resources:
            plugin = "pulpcore" if resource == "ContentArtifactResource" else "pulp_rpm"
            name = f"{directory}/{plugin}.app.modelresource.{resource}.json"
            yield name, json.dumps(rows.resources[resource], ensure_ascii=False).encode()
    yield f"{directory}/content_mapping.json", json.dumps(rows.mapping).encode()


def write_archive(root: Path, data: bytes, *, chunk_size: int | None = None, checksum: str = "crc32") -> Path:
    """Write the bytes of a tar as Pulp does, with the table of contents; gives the latter's path."""
    root.mkdir(parents=True, exist_ok=True)
    chunks = {f"{EXPORT}.tar": data}
    if chunk_size is not None:
        starts = range(0, len(data), chunk_size)
        chunks = {f"{EXPORT}.tar.{number:04d}": data[start : start + chunk_size] for number, start in enumerate(starts)}
    for name, chunk in chunks.items():
        (root / name).write_bytes(chunk)
    meta: dict[str, object] = {"checksum_type": checksum}
    if chunk_size is not None:
        meta["chunk_size"] = chunk_size
    toc = root / f"{EXPORT}-toc.json"
    toc.write_text(json.dumps({"meta": meta, "files": {name: _sum(each, checksum) for name, each in chunks.items()}}))
    return toc


def _sum(data: bytes, checksum: str) -> str:
    return sha256(data).hexdigest() if checksum == "sha256" else f"{zlib.crc32(data):x}"


def write_importable(
    root: Path,
    repositories: Mapping[Described, Rows],
    *,
    known: Collection[str] = (),
    chunk_size: int | None = None,
    change: Callable[[Archive], object] = lambda _: None,
    **changes: Any,
) -> Path:
    """Write an importable export; `change` may do what it likes to the archive before it is written."""
    archive = make_archive(list(repositories.values()), known)
    change(archive)
    toc = write_archive(root, archive.data(), chunk_size=chunk_size)
    write_metadata(root, metadata(list(repositories), toc=toc.name, **changes))
    return root
