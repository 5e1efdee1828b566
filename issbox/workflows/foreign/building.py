"""One repository of a Pulp archive, put together as Pulp would publish it: packages, new repodata, kickstart tree."""

from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Protocol

from issbox.bundle.katello.content import PulpContent, PulpFile, PulpPart
from issbox.errors import BadManifestError
from issbox.files import BLOCK
from issbox.model import FileKind, Package, RepositoryFile
from issbox.store import Batch
from issbox.workflows.context import Context
from issbox.workflows.foreign.form import Taken, Target
from issbox.yum.rebuilding import BuildExtra, BuildPackage, build_repodata
from issbox.yum.repomd import REPOMD_PATH
from issbox.yum.retreeing import adapt_treeinfo
from issbox.yum.snapshot import Snapshot
from issbox.yum.treeinfo import MAX_TREEINFO_SIZE


class Sources(Protocol):
    """A repository to be built."""

    @property
    def content(self) -> PulpContent:
        """What it consists of."""

    def updateinfo(self, part: int) -> Iterator[bytes]:
        """Give updateinfo.xml of one of its parts."""

    def comps(self, part: int) -> Iterator[bytes]:
        """Give comps.xml of one of its parts."""


def build_repository(ctx: Context, batch: Batch, target: Target, sources: Sources, *, scratch: Path, at: int) -> Taken:
    """Write the repodata of a repository and everything inside it, and give all of its files.

    The artifacts are in the batch or the store. `scratch` is a directory to be made; `at` is the time that repomd.xml
    names, in seconds since 1970. Raises BadMetadataError and BadManifestError.
    """
    builder = _Builder(ctx, batch, target, sources)
    for number in range(len(sources.content.parts)):
        builder.add_part(number, scratch / f"part-{number}", at)
    builder.add_tree()
    return Taken(target, builder.snapshot.files(), builder.repomd[""])


class _Builder:
    def __init__(self, ctx: Context, batch: Batch, target: Target, sources: Sources) -> None:
        self._ctx = ctx
        self._batch = batch
        self._target = target
        self._sources = sources
        self.snapshot = Snapshot()
        self.repomd: dict[str, str] = {}
        """Digests of the repomd.xml written, by place."""

    def add_part(self, number: int, root: Path, at: int) -> None:
        part = self._sources.content.parts[number]
        packages = self._packages(part)
        self._ctx.progress.expect(files=len(packages), size=0)
        root.mkdir(parents=True)
        built = build_repodata(
            root,
            packages,
            self._extras(number, part),
            locate=self._batch.locate,
            at=at,
            advance=lambda: self._ctx.progress.advance(files=1),
        )
        for package in packages:
            described = built.packages[package.href]
            self._add(part.prefix + package.href, package.size, package.sha256, FileKind.PACKAGE, described)
        for path in built.paths:
            with (root / path).open("rb", buffering=0) as source:
                digest = self._batch.add(source)
            self._add(part.prefix + path, digest.size, digest.sha256, FileKind.METADATA)
            if path == REPOMD_PATH:
                self.repomd[part.prefix.rstrip("/")] = digest.sha256

    def add_tree(self) -> None:
        content = self._sources.content
        treeinfo = content.treeinfo
        for file in content.tree:
            if file is not treeinfo and not self._is_repodata(file.path):
                self._add(file.path, self._size(file.sha256), file.sha256, FileKind.KICKSTART)
        if treeinfo is not None:
            if self._size(treeinfo.sha256) > MAX_TREEINFO_SIZE:
                raise BadManifestError(f"{treeinfo.path} is larger than any real one")
            data = adapt_treeinfo(self._batch.locate(treeinfo.sha256).read_bytes(), self.repomd)
            digest = self._batch.add(BytesIO(data))
            self._add(treeinfo.path, digest.size, digest.sha256, FileKind.KICKSTART)

    def _is_repodata(self, path: str) -> bool:
        return any(path.startswith(f"{part.prefix}repodata/") for part in self._sources.content.parts)

    def _packages(self, part: PulpPart) -> list[BuildPackage]:
        """Give the packages at the places that Pulp gives them; of two at one place, the younger one stays."""
        chosen: dict[str, BuildPackage] = {}
        dropped = 0
        for package in part.packages:
            size = self._size(package.sha256)
            if package.size not in {0, size}:
                raise BadManifestError(f"{package.filename} has {size} bytes, its row says {package.size}")
            href = f"Packages/{package.filename[0].lower()}/{package.filename}"
            found = BuildPackage(href, package.sha256, size, package.nevra, package.changed_at)
            other = chosen.setdefault(href, found)
            if other is not found:
                dropped += 1
                chosen[href] = max(other, found, key=lambda each: (each.changed_at, each.sha256))
        if dropped:
            self._ctx.progress.note(
                f"{dropped} packages of {self._target.repository.key} have the file name of another one and were "
                "left out, as Pulp leaves them out when it publishes"
            )
        return list(chosen.values())

    def _extras(self, number: int, part: PulpPart) -> Iterator[BuildExtra]:
        yield BuildExtra("updateinfo", "updateinfo.xml", self._sources.updateinfo(number))
        yield BuildExtra("group", "comps.xml", self._sources.comps(number), compressed=False)
        yield BuildExtra("modules", "modules.yaml", self._modules(part.modules))
        for type_, file in part.extras:
            yield BuildExtra(type_, type_, self._parts(file), compressed=False)

    def _modules(self, modules: Sequence[str | PulpFile]) -> Iterator[bytes]:
        for module in modules:
            if isinstance(module, PulpFile):
                yield from self._parts(module)
            else:
                yield module.encode(errors="replace")
            yield b"\n"

    def _parts(self, file: PulpFile) -> Iterator[bytes]:
        with self._batch.locate(file.sha256).open("rb") as source:
            while block := source.read(BLOCK):
                yield block

    def _size(self, sha256: str) -> int:
        return self._batch.locate(sha256).stat().st_size

    def _add(self, path: str, size: int, sha256: str, kind: FileKind, package: Package | None = None) -> None:
        self.snapshot.add(RepositoryFile(path, size, sha256, kind, package))
