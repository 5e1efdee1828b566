"""Tells whether what lies at the place of an export is that bundle and nothing else, so that it may be deleted."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from issbox.bundle.iso.medium import Medium
from issbox.bundle.iso.volume import read_volume
from issbox.bundle.tar.toc import decode_toc
from issbox.bundle.tar.toc_checks import SIGNATURE_SUFFIX, TOC_SUFFIX
from issbox.bundle.tree import walk
from issbox.errors import IssboxError
from issbox.manifest import MANIFEST_NAME, part_path
from issbox.model import BundleForm, ContentExport
from issbox.workflows.context import Context
from issbox.workflows.exports.kept import kept_bundle

_MAX_TOC: Final = 64 << 20


def foreign_content(ctx: Context, export: ContentExport) -> str | None:
    """Say why the directory of an export must not be deleted, or None when all in it is what this box wrote there."""
    path = Path(export.path)
    try:
        if path.is_symlink() or not path.is_dir():
            return "it is no directory any more"
        if export.form is BundleForm.DIRECTORY:
            return _in_directory(ctx, export, path)
        return _in_images(export, path) if export.form is BundleForm.ISO else _in_archive(export, path)
    except (IssboxError, OSError) as error:
        return f"it cannot be told whether it is this bundle: {error}"


def _in_directory(ctx: Context, export: ContentExport, path: Path) -> str | None:
    kept = kept_bundle(ctx, export)
    count = len(kept.head.manifest.volumes)
    roots = {number: path / f"{path.name}.v{number:03d}" if count > 1 else path for number in range(1, count + 1)}
    few = {member.path for number in roots for member in kept.head.members(number)}
    for entry in kept.head.entries():
        few.update(part_path(entry.path, index) for index in range(1, len(entry.parts) + 1))
    names = {root.name for root in roots.values()}
    unknown = _unknown((each.name for each in path.iterdir()), names) if count > 1 else None
    for root in (each for each in roots.values() if each.exists()):
        if (root / MANIFEST_NAME).read_bytes() != kept.head.data:
            return "another bundle lies there"
        listed = (entry.path for entry in kept.head.entries())
        unknown = unknown or _unknown(_not_listed((file.path for file in walk(root)), listed), few)
    return unknown


def _not_listed(found: Iterator[str], listed: Iterator[str]) -> Iterator[str]:
    """Give the paths found that are not listed; both come sorted."""
    current = next(listed, None)
    for path in found:
        while current is not None and current < path:
            current = next(listed, None)
        if path != current:
            yield path


def _in_images(export: ContentExport, path: Path) -> str | None:
    pattern = re.compile(rf"{re.escape(path.name)}(\.v\d{{3,4}})?\.iso")
    for image in path.iterdir():
        if not pattern.fullmatch(image.name):
            return f"it holds {image.name!r}, which the export did not write"
        if read_volume(Medium.open(image)).set_id != export.bundle_id:
            return f"{image.name!r} is an image of another bundle"
    return None


def _in_archive(export: ContentExport, path: Path) -> str | None:
    toc_path = path / f"{path.name}{TOC_SUFFIX}"
    with toc_path.open("rb") as source:
        toc = decode_toc(source.read(_MAX_TOC), toc_path.name)
    if toc.bundle_id != export.bundle_id:
        return "another bundle lies there"
    names = {chunk.name for chunk in toc.chunks} | {toc_path.name, f"{path.name}{SIGNATURE_SUFFIX}"}
    return _unknown((each.name for each in path.iterdir()), names)


def _unknown(found: Iterator[str], own: set[str]) -> str | None:
    for name in found:
        if name not in own:
            return f"it holds {name!r}, which the export did not write"
    return None
