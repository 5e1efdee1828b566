"""A box that sends and one that receives, in this process, with a repository that changes between two exports."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from issbox.files import remove_tree
from issbox.model import BundleForm, ContentExport, ContentImport, RepositoryKey
from issbox.workflows.appliance import boxes
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox import inbox
from makers.boxes import PACKAGES
from makers.exports import KEY, make_sender, write
from makers.inboxes import make_context, now
from makers.rpms import Extra, Recipe, Repository, updateinfo, write_repository

NAMES = [path.name.removesuffix(".rpm") for path in PACKAGES]
"""What the packages are called, in the order of their numbers."""
SMALL = 8 << 10
"""Bytes of a chunk, so that there are several for two demo packages."""


@dataclass(frozen=True)
class Crossing:
    """Both boxes."""

    root: Path
    sender: Context
    receiver: Context

    def publish(self, packages: Sequence[int], advisories: Sequence[int] = (), *, ballast: int = 0) -> None:
        """Let upstream hold these packages and advisories, by number, and synchronize it."""
        upstream = self.root / "upstream"
        remove_tree(upstream)
        extras = [Extra("updateinfo", "updateinfo.xml", updateinfo(Recipe(number, 1) for number in advisories))]
        if ballast:
            extras.append(Extra("productid", "productid", _noise(ballast), compressed=False))
        chosen = [PACKAGES[number] for number in packages]
        write_repository(Repository(upstream, chosen, extras, revision=f"{packages}{advisories}"))
        synchronize(self.sender, KEY)

    def export(self, form: BundleForm = BundleForm.DIRECTORY, **request: Any) -> list[Path]:
        """Export Library and give what a courier carries: bundle, volumes, or table of contents with its chunks."""
        return parts_of(write(self.sender, self.root / "media", form=form, destination="ship", **request))

    def drop(self, part: Path) -> ContentImport:
        """Take in what lies in the inbox, as the service does once it has settled."""
        with self.receiver.store.session():
            row = self.receiver.store.imports.add(str(part), inbox=True, first_seen=now())
        return inbox.finish_bundle(self.receiver, import_bundle(self.receiver, row.id))

    def seen(self, key: RepositoryKey = KEY) -> dict[str, bytes]:
        """Give what hosts see at the receiving side."""
        return shown(self.receiver, key)


def make_crossing(root: Path, **inbox: Any) -> Crossing:
    """Make both boxes; the repository acme/tools/base has been synchronized with two packages."""
    sender = make_sender(root)
    receiver = make_context(root / "receiver", trusted=boxes.signing_key(sender), **inbox)
    return Crossing(root, sender, receiver)


def shown(ctx: Context, key: RepositoryKey = KEY) -> dict[str, bytes]:
    """Give what hosts see of a repository in Library."""
    root = ctx.store.state_dir / "content" / key.organization / "Library/custom" / key.product / key.label
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def parts_of(export: ContentExport) -> list[Path]:
    """Give the parts of an export that are dropped one by one; of chunks all files, the table of contents first."""
    path = Path(export.path)
    if (path / "issbox-bundle.json").exists():
        return [path]
    found = sorted(path.iterdir())
    return sorted(found, key=lambda each: (not each.name.endswith(".toc.json"), each.name))


def _noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)
