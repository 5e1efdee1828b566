"""What a Katello export would bring, read without taking anything in: packages, advisories, and bytes to copy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from issbox.bundle.katello.content import PulpContent, read_content, repository_directories
from issbox.model import Advisory, Package
from issbox.workflows.context import Context
from issbox.workflows.foreign.archive import ArchiveExport, ArchiveSources
from issbox.workflows.foreign.form import Export, Target, as_bundle_errors
from issbox.workflows.foreign.trees import TreesExport, is_stored, tree_path
from issbox.yum.listed import list_repository
from issbox.yum.primary import read_packages
from issbox.yum.repomd import REPOMD_PATH, parse_repomd
from issbox.yum.updateinfo import merge_advisories, read_updateinfo


@dataclass(frozen=True, slots=True)
class Contents:
    """What a repository of an export holds."""

    packages: list[Package]
    advisories: Mapping[str, Advisory]
    lacking: Mapping[str, int]
    """Bytes, by a name of its own, of each file that the export carries and the store lacks; at most so many."""


def read_contents(ctx: Context, export: Export, target: Target, scratch: Path) -> Contents:
    """Read what one repository of an export holds; `scratch` is a directory for metadata. Raises as `check` does."""
    with as_bundle_errors():
        if isinstance(export, TreesExport):
            return _of_trees(ctx, export, target, scratch)
        assert isinstance(export, ArchiveExport), "there are two forms"
        return _of_archive(ctx, export, target, scratch)


def _of_trees(ctx: Context, export: TreesExport, target: Target, scratch: Path) -> Contents:
    place, limit = tree_path(target.described), ctx.settings.synchronize.max_metadata_size
    lacking = {path: size for path, size in export.found.items() if path.startswith(f"{place}/")}

    def find(path: str) -> Path | None:
        return export.root / place / path if f"{place}/{path}" in export.found else None

    prefixes = [""]
    for listed in list_repository(find, limit, scratch=scratch):
        if is_stored(ctx.store, listed):
            lacking.pop(f"{place}/{listed.path}", None)
        prefix, found, _ = listed.path.rpartition("repodata/")
        if listed.is_metadata and found and prefix not in prefixes:
            prefixes.append(prefix)
    packages: list[Package] = []
    advisories: list[Iterator[Advisory]] = []
    for prefix in prefixes:
        head = find(prefix + REPOMD_PATH)
        for record in parse_repomd(head.read_bytes()).records if head is not None else ():
            path, name = find(prefix + record.href), f"{place}/{prefix}{record.href}"
            if path is not None and record.type == "primary":
                packages += [each.package for each in read_packages(path, limit, name=name, scratch=scratch)]
            elif path is not None and record.type == "updateinfo":
                advisories.append(read_updateinfo(path, limit, name=name))
    return Contents(packages, merge_advisories(chain.from_iterable(advisories)), lacking)


def _of_archive(ctx: Context, export: ArchiveExport, target: Target, scratch: Path) -> Contents:
    archive, name = export.archive, target.described.pulp_name
    with archive.blaming_damage():
        content = read_content(archive, name, repository_directories(archive)[name])
        artifacts = {digest: archive.artifacts.get(digest) for _, digest in content.files()}
        lacking = {
            digest: place.size
            for digest, place in artifacts.items()
            if place is not None and not ctx.store.blobs.has(digest, place.size)
        }
        sources = ArchiveSources(archive, content)
        advisories = [
            advisory
            for part in range(len(content.parts))
            for advisory in _advisories(ctx, sources, part, scratch / "updateinfo.xml")
        ]
        return Contents(list(_packages(content)), merge_advisories(advisories), lacking)


def _packages(content: PulpContent) -> Iterator[Package]:
    for part in content.parts:
        for package in part.packages:
            name, epoch, version, release, arch = package.nevra
            number = int(epoch) if epoch.isascii() and epoch.isdigit() else 0
            yield Package(name, number, version, release, arch, "sha256", package.sha256)


def _advisories(ctx: Context, sources: ArchiveSources, part: int, path: Path) -> Iterator[Advisory]:
    with path.open("wb") as out:
        size = 0
        for block in sources.updateinfo(part):
            out.write(block)
            size += len(block)
    if size:
        yield from read_updateinfo(path, ctx.settings.synchronize.max_metadata_size, name="updateinfo")
