"""What an import needs: memory and disk from 1,000 to 100,000 files, and the cost of 50 new packages in 20,000.

Memory is the highest resident memory of the command. Disk is what the state directory takes, looked at all the time:
content once, the database beside it, and whatever is there for a while only. The increment stands beside what 50
packages cost in a repository of their own, and what reading the metadata of the large repository once costs. Packages
are small files with valid repodata. Run by `make bench`; all of it takes about ten minutes. Everything is written below
one directory, which is removed at the end.
"""

import gzip
import os
import random
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from makers.commands import Box, export_words, make_box, make_repository, synchronize, trust
from makers.repodata import Listed, digest, record_xml, repomd_xml, write

from benchmarks.cases import read_command_line, run_cases
from benchmarks.measure import Cost, measure, middle
from issbox.files import remove_tree
from issbox.names import format_size

CASES = {
    "thousand": (1_000, 256 << 10),
    "ten thousand": (10_000, 32 << 10),
    "hundred thousand": (100_000, 2 << 10),
    "increment": (20_000, 4 << 10),
}
"""Packages and bytes in each; the last one is measured another way."""
FORMS = ("dir", "tar", "iso")
NEW = 50
"""Packages that an increment brings."""
_READ = """
import sys
from pathlib import Path
from issbox.yum.primary import read_packages
print(sum(1 for _ in read_packages(Path(sys.argv[1]), 1 << 30, name="primary", scratch=Path(sys.argv[2]))))
"""
"""Reads primary metadata once."""
_DERIVED = {"published", "content"}
"""Directories of hard and symbolic links to what is counted elsewhere."""


def make_upstream(root: Path, numbers: range, size: int) -> None:
    """Write a repository of packages of random bytes; the same number has the same bytes."""
    elements = []
    for number in numbers:
        data = random.Random(number).randbytes(size)
        listed = Listed(f"Packages/{number % 26:02d}/sample-{number}-1.0-1.noarch.rpm", data, f"sample-{number}")
        if not (root / listed.href).exists():
            write(root, listed.href, data)
        elements.append(listed.xml())
    opening = '<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm"'
    primary = gzip.compress(f'{opening} packages="{len(elements)}">{"".join(elements)}</metadata>'.encode(), 1)
    for left in root.glob("repodata/*"):
        left.unlink()
    href = f"repodata/{digest('sha256', primary)}-primary.xml.gz"
    write(root, href, primary)
    write(root, "repodata/repomd.xml", repomd_xml(record_xml("primary", href, primary)))


@dataclass(frozen=True)
class DiskUse:
    """Bytes that a state directory takes."""

    database: int
    others: int

    @property
    def total(self) -> int:
        """Give all of them."""
        return self.database + self.others


class DiskWatch:
    """Looks at a state directory over and over while the block runs; afterwards `peak` is the most it took."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.peak = disk_use(state)

    def __enter__(self) -> "DiskWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.05):
            self.peak = max(self.peak, disk_use(self._state), key=lambda use: use.total)


def disk_use(state: Path) -> DiskUse:
    """Add up the bytes of the files, each once, even when it is renamed meanwhile."""
    database = others = 0
    seen = set()
    places = [os.fspath(state)]
    while places:
        with suppress(FileNotFoundError), os.scandir(places.pop()) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name not in _DERIVED:
                            places.append(entry.path)
                        continue
                    if entry.inode() in seen:
                        continue
                    seen.add(entry.inode())
                    size = entry.stat(follow_symlinks=False).st_size
                    if ".sqlite" in entry.name or ".db" in entry.name:
                        database += size
                    else:
                        others += size
    return DiskUse(database, others)


@contextmanager
def new_far(root: Path, near: Box) -> Iterator[Box]:
    """Give a box that trusts another one, gone at the end of the block."""
    far = make_box(root / "far", name="far")
    try:
        trust(far, near)
        yield far
    finally:
        remove_tree(far.state)


def export(box: Box, output: Path, form: str, *, incremental: bool = False) -> tuple[Cost, Path]:
    """Export the repository, and give the cost and the thing to import."""
    output.mkdir()
    words = ["content-export", "incremental" if incremental else "complete", *export_words(output)[2:]]
    cost = measure(box.command(*words, "--format", form), box.environment())
    (bundle,) = output.iterdir()
    images = [*bundle.glob("*.iso"), *bundle.glob("*.toc.json")]
    return cost, images[0] if images else bundle


def run_case(root: Path, count: int, size: int, rounds: int) -> None:
    """Measure imports of one number of files, or increments for the case that stands for them; both for any other."""
    root.mkdir()
    if (count, size) != CASES["increment"]:
        run_forms(root, count, size)
    if (count, size) == CASES["increment"] or (count, size) not in CASES.values():
        remove_tree(root)
        root.mkdir()
        run_increments(root, count, size, rounds)


def run_forms(root: Path, count: int, size: int) -> None:
    """Measure one import in each form, into an empty box."""
    make_upstream(root / "upstream", range(count), size)
    near = make_box(root / "near", name="near")
    make_repository(near, (root / "upstream").as_uri())
    synchronize(near)
    print(f"{'':8}{'export s':>10}{'peak MiB':>10}{'import s':>10}{'peak MiB':>10}{'content':>11}", end="")
    print(f"{'database':>11}{'afterwards':>12}{'most':>11}{'more':>11}")
    for form in FORMS:
        made, bundle = export(near, root / form, form)
        with new_far(root, near) as far:
            with DiskWatch(far.state) as watch:
                cost = measure(far.command("content-import", "run", bundle), far.environment())
            after = disk_use(far.state)
        remove_tree(root / form)
        print(f"{form:8}{made.wall:10.2f}{made.peak / 2**20:10.0f}{cost.wall:10.2f}{cost.peak / 2**20:10.0f}", end="")
        sizes = (count * size, after.database, after.total, watch.peak.total)
        more = max(0, watch.peak.others - after.others)
        print(
            "".join(
                f"{format_size(each):>{width}}"
                for each, width in zip((*sizes, more), (11, 11, 12, 11, 11), strict=True)
            )
        )


def run_increments(root: Path, count: int, size: int, rounds: int) -> None:
    """Measure increments of NEW packages, one after the other, beside their limit."""
    make_upstream(root / "upstream", range(count), size)
    make_upstream(root / "few", range(count, count + NEW), size)
    near, other = make_box(root / "near", name="near"), make_box(root / "other", name="other")
    make_repository(near, (root / "upstream").as_uri())
    make_repository(other, (root / "few").as_uri())
    synchronize(near)
    synchronize(other)
    _, complete = export(near, root / "complete", "dir")
    found: dict[str, list[Cost]] = {}

    def note(name: str, cost: Cost) -> None:
        found.setdefault(name, []).append(cost)

    with new_far(root, near) as far:
        far.run("content-import", "run", complete)
        for number in range(1, rounds + 1):
            make_upstream(root / "upstream", range(count + number * NEW), size)
            synchronize(near)
            made, bundle = export(near, root / f"increment-{number}", "dir", incremental=True)
            note("export", made)
            note("import", measure(far.command("content-import", "run", bundle), far.environment()))
            made, bundle = export(other, root / f"few-{number}", "dir")
            note("export of few", made)
            with new_far(root / f"few-{number}", other) as empty:
                note("import of few", measure(empty.command("content-import", "run", bundle), empty.environment()))
            (primary,) = root.glob("upstream/repodata/*primary*")
            note("reading", measure([sys.executable, "-c", _READ, primary, root]))
    costs = {name: middle(each) for name, each in found.items()}
    reading = costs["reading"].cpu
    print(f"reading the metadata of {count} packages once: {reading:.2f} s of processor time")
    for name in ("export", "import"):
        cost, few = costs[name], costs[f"{name} of few"]
        print(
            f"{name}: {NEW} new packages in {count} take {cost.cpu:.2f} s and {cost.peak / 2**20:.0f} "
            f"MiB, {NEW} alone {few.cpu:.2f} s; that is {cost.cpu / (few.cpu + reading):.2f} times the cost of "
            "these and of reading the metadata"
        )


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        os.umask(0o022)
        arguments = read_command_line(__doc__, CASES, "five")
        run_cases(arguments, CASES, run_case)
        sys.exit(0)
    sys.exit(130)
