"""Mirroring what a kickstart tree has besides its main repository: images, and repositories inside the tree."""

from collections import Counter
from collections.abc import Callable
from typing import Final

from issbox.files import Digest
from issbox.model import FileKind, RepositoryFile
from issbox.names import first_of
from issbox.yum.checksums import WEAK
from issbox.yum.fetch import Fetcher, Wanted
from issbox.yum.repository import RepositoryMirror
from issbox.yum.request import MirrorRequest
from issbox.yum.snapshot import Snapshot
from issbox.yum.treeinfo import MAX_TREEINFO_SIZE, TREEINFO_NAMES, TreeFile, TreeInfo, parse_treeinfo

_MAX_IMAGE_SIZE: Final = 64 << 30
_NAMED: Final = 5
"""How many files a note names."""


class KickstartMirror:
    """Mirrors the tree around a repository into the same snapshot."""

    def __init__(
        self, request: MirrorRequest, fetcher: Fetcher, snapshot: Snapshot, note: Callable[[str], None]
    ) -> None:
        """Prepare."""
        self._request = request
        self._fetcher = fetcher
        self._snapshot = snapshot
        self._note = note

    async def fetch(self) -> None:
        """Fetch the tree, if there is one.

        A file or inner repository that .treeinfo names but upstream does not have is left out and noted: published
        trees are known to name images they lack. Repositories outside the tree are noted, not followed.
        """
        info = await self._fetch_treeinfo()
        if info is None:
            return
        inner = [path for path in info.repositories if await self._fetch_inner(path)]
        if info.outside:
            self._note(f"the kickstart tree names repositories outside itself, not fetched: {_some(info.outside)}")
        skipped = tuple(f"{path}/repodata/" for path in info.repositories if path not in inner)
        await self._fetch_files([file for file in info.files if not file.path.startswith(skipped)])

    async def _fetch_treeinfo(self) -> TreeInfo | None:
        for name in TREEINFO_NAMES:
            digest = await self._fetcher.get(Wanted(name, None, None, limit=MAX_TREEINFO_SIZE), optional=True)
            if digest is not None:
                info = parse_treeinfo(self._fetcher.sink.read(digest.sha256).read_bytes(), name)
                self._add(name, digest)
                return info
        return None

    async def _fetch_inner(self, path: str) -> bool:
        mirror = RepositoryMirror(self._request, self._fetcher, self._snapshot, self._note, f"{path}/")
        head = await mirror.fetch_head(optional=True)
        if head is None:
            self._note(f"the kickstart tree names a repository {path}, which upstream does not have; it is left out")
            return False
        await mirror.fetch_packages(await mirror.fetch_metadata(head))
        return True

    async def _fetch_files(self, files: list[TreeFile]) -> None:
        wanted = [file for file in files if not self._present(file)]
        unchecked = [file.path for file in wanted if file.checksum is None]
        digests = await self._fetcher.get_all(
            [Wanted(file.path, file.checksum, None, limit=_MAX_IMAGE_SIZE) for file in wanted], optional=True
        )
        absent = []
        for file, digest in zip(wanted, digests, strict=True):
            if digest is None:
                absent.append(file.path)
            else:
                self._add(file.path, digest)
        if absent:
            self._note(f"the kickstart tree names files that upstream does not have; left out: {_some(absent)}")
        unchecked = [path for path in unchecked if path not in absent]
        if unchecked:
            self._note(f"files of the kickstart tree without a checksum, taken unchecked: {_some(unchecked)}")
        weak = Counter(file.checksum.type for file in wanted if file.checksum and file.checksum.type in WEAK)
        for type_, count in sorted(weak.items()):
            self._note(f"upstream gives only {type_} checksums for {count} files of the kickstart tree")

    def _present(self, file: TreeFile) -> bool:
        """Whether the file is in the snapshot as metadata or package; then that checksum has been checked."""
        present = self._snapshot.get(file.path)
        if present is None:
            return False
        if file.checksum is not None and file.checksum.type == "sha256" and file.checksum.value != present.sha256:
            self._note(f".treeinfo has an outdated checksum of {file.path}; the repository's own is kept")
        return True

    def _add(self, path: str, digest: Digest) -> None:
        self._snapshot.add(RepositoryFile(path, digest.size, digest.sha256, FileKind.KICKSTART))


def _some(paths: list[str] | tuple[str, ...]) -> str:
    return first_of([ascii(path)[1:-1] for path in paths], _NAMED)
