"""The files of one repository version while it is put together: no two at the same path, none below another."""

from issbox.errors import BadMetadataError
from issbox.model import FileKind, RepositoryFile
from issbox.names import check_relative_path, clash_key


class Snapshot:
    """Collects files. A path named twice with the same bytes counts once."""

    def __init__(self) -> None:
        """Begin empty."""
        self._files: dict[str, RepositoryFile] = {}

    def __contains__(self, path: object) -> bool:
        return path in self._files

    def get(self, path: str) -> RepositoryFile | None:
        """Give the file at a path."""
        return self._files.get(path)

    def add(self, file: RepositoryFile) -> None:
        """Add a file. Raises BadMetadataError when another one has the path, UnsafePathError when it is too long."""
        check_relative_path(file.path)
        if self._files.setdefault(file.path, file).sha256 != file.sha256:
            raise BadMetadataError(f"the repository names {file.path} twice, with different contents")

    def files(self) -> tuple[RepositoryFile, ...]:
        """Give all files. Raises BadMetadataError when the path of one is a directory of another."""
        for path in self._files:
            end = path.rfind("/")
            while end > 0:
                if path[:end] in self._files:
                    raise BadMetadataError(f"the repository has both a file {path[:end]} and {path} below it")
                end = path.rfind("/", 0, end)
        return tuple(self._files.values())

    def packages(self) -> list[RepositoryFile]:
        """Give the packages among the files."""
        return [file for file in self._files.values() if file.kind is FileKind.PACKAGE]

    def clashes(self) -> list[tuple[str, str]]:
        """Give pairs of paths that a file system which ignores case cannot both keep."""
        seen: dict[str, str] = {}
        pairs = []
        for path in self._files:
            other = seen.setdefault(clash_key(path), path)
            if other != path:
                pairs.append((other, path))
        return pairs
