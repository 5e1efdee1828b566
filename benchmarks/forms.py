"""What it costs to export in each form, beside what stock programs take for the same files. Run by `make bench`.

An export reads every file and compares it with its SHA-256, writes it, digests each chunk of an archive a second time,
makes all of it durable, signs and records it. No stock program does all of that; each limit reads the files of the
exported bundle, and does as much as this beside it:

* `tar | openssl`, for archives: digests the stream once. It writes nothing, and makes nothing durable.
* `tar | tee | openssl, then sync`: digests the stream once, writes it, and makes it durable. It compares nothing.
* `xorriso`, for images: writes one. It digests nothing; only what is called `then sync` makes it durable.
* `cp -a`, for directories: writes them. It digests nothing; only what is called `then sync` makes them durable.

So an archive in a file beside `tar | openssl` does twice the digesting and all of the writing besides, and an archive
to a pipe, of which nobody makes chunks, is the like of it. Aims are set beside the limits that write least. Believe the
ratios, not the seconds. Everything is written below one directory, which is removed at the end.
"""

import os
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from makers.commands import Box, export_words, make_box, make_repository, only_bundle, synchronize
from makers.rpms import make_repository as make_upstream
from makers.rpms import rpmbuild_is_missing

from benchmarks.cases import read_command_line, run_cases
from benchmarks.images import xorriso
from benchmarks.measure import Cost, measure, memory_to_touch, middle
from issbox.errors import NoSpaceError
from issbox.files import remove_tree, require_space
from issbox.names import format_size

CASES = {"large": (1100, 4 << 20), "small": (5000, 20 << 10)}
"""Packages and bytes in each. The large one fills a DVD, so that the start of a command, 0.3 s, is a twentieth of what
an export takes; in the small one, it is nearly all of what `tar | openssl` takes for everything."""
ROOM = 3.5
"""Times the bytes that the disk must hold: in the box, exported, what is being measured, and some besides."""
TAR = "tar | openssl"
XORRISO = "xorriso"
COPY = "cp -a"
PIPE = "to a pipe"
SYNCED = ", then sync"
"""Ends the name of a limit that makes durable what it wrote."""
TEE = f"tar | tee | openssl{SYNCED}"
AIMS = {
    "tar": (TAR, 0.8),
    "tgz": (TAR, 0.8),
    "tar chunks": (TAR, 0.8),
    "tgz chunks": (TAR, 0.8),
    f"tar {PIPE}": (TAR, 0.8),
    f"tgz {PIPE}": (TAR, 0.8),
    "iso": (XORRISO, 1.0),
    "iso volumes": (XORRISO, 1.0),
    "dir": (COPY, None),
}
"""The limit of each form, and how much of its speed is aimed at."""

Step = Callable[[], Cost]


@dataclass(frozen=True)
class Workshop:
    """A box with a synchronized repository, and the bundle of it as a directory."""

    root: Path
    box: Box
    bundle: Path
    carried: int
    warm: int

    def steps(self) -> dict[str, Step]:
        """Give the measurements of one round."""
        tar = 'tar -C "$0" -cf - . | openssl dgst -sha256 >/dev/null'
        chunk = str(max(1 << 20, self.carried // 5))
        return {
            TAR: lambda: measure(["sh", "-c", tar, self.bundle], warm=self.warm),
            TEE: lambda: self._stock('tar -C "$0" -cf - . | tee "$1/t" | openssl dgst -sha256 && sync -f "$1"'),
            XORRISO: self._xorriso,
            f"{XORRISO}{SYNCED}": lambda: self._xorriso(sync=True),
            COPY: lambda: self._stock('cp -a "$0" "$1"'),
            f"{COPY}{SYNCED}": lambda: self._stock('cp -a "$0" "$1" && sync -f "$1"'),
            "tar": lambda: self._export("tar"),
            "tgz": lambda: self._export("tgz"),
            "tar chunks": lambda: self._export("tar", chunk),
            "tgz chunks": lambda: self._export("tgz", chunk),
            f"tar {PIPE}": lambda: self._pipe("tar"),
            f"tgz {PIPE}": lambda: self._pipe("tgz"),
            "iso": lambda: self._export("iso"),
            "iso volumes": lambda: self._export("iso", chunk),
            "dir": lambda: self._export("dir"),
        }

    def _stock(self, line: str) -> Cost:
        with self._output() as output:
            return measure(["sh", "-c", line, self.bundle, output], warm=self.warm)

    def _xorriso(self, *, sync: bool = False) -> Cost:
        with self._output() as output:
            words = xorriso(self.bundle, output / "x.iso")
            return measure(["sh", "-c", f'"$@" 2>&1{" && sync -f ." if sync else ""}', "sh", *words], warm=self.warm)

    def _export(self, form: str, size: str | None = None) -> Cost:
        with self._output() as output:
            words = [*export_words(output), "--format", form, *([] if size is None else ["--volume-size", size])]
            return measure(self.box.command(*words), self.box.environment(), warm=self.warm)

    def _pipe(self, form: str) -> Cost:
        words = [*export_words(Path("-")), "--format", form]
        line = ["sh", "-c", '"$@" 2>&1 >/dev/null', "sh", *self.box.command(*words)]
        return measure(line, self.box.environment(), warm=self.warm)

    def _output(self) -> "Output":
        return Output(self.root / "output")


class Output:
    """A new directory, gone at the end of the block."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Path:
        self._path.mkdir()
        return self._path

    def __exit__(self, *_: object) -> None:
        remove_tree(self._path)


def main() -> int:
    """Measure and print."""
    arguments = read_command_line(__doc__, CASES, str(ROOM))
    lacking = [name for name in ("tar", "openssl", "xorriso") if shutil.which(name) is None]
    if rpmbuild_is_missing() or lacking:
        print("The benchmark needs rpmbuild, tar, openssl and xorriso; on Debian, packaging/install-debian-packages.")
        return 1
    try:
        run_cases(arguments, CASES, run_case)
    except NoSpaceError as error:
        print(f"{error}. Choose another --directory, or fewer --packages.")
        return 1
    return 0


def run_case(root: Path, count: int, size: int, rounds: int) -> None:
    """Build the packages, measure all rounds and print the table; NoSpaceError when the disk has no room for it."""
    require_space(root.parent, int(ROOM * count * size), "the benchmark")
    root.mkdir()
    upstream = make_upstream(root / "upstream", root / "packages", count=count, size=size)
    box = make_box(root / "near", name="near")
    make_repository(box, upstream.as_uri())
    synchronize(box)
    for built in (root / "upstream", root / "packages"):
        remove_tree(built)
    (root / "exported").mkdir()
    box.run(*export_words(root / "exported"))
    bundle = only_bundle(root / "exported")
    carried = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
    print(f"bundle of {format_size(carried)}", flush=True)
    steps = Workshop(root, box, bundle, carried, memory_to_touch(carried)).steps()
    found: dict[str, list[Cost]] = {name: [] for name in steps}
    order = list(steps)
    for number in range(rounds):
        random.Random(number).shuffle(order)  # nobody profits from what ran before him
        for name in order:
            found[name].append(steps[name]())
    print_costs({name: middle(costs) for name, costs in found.items()}, carried)


def print_costs(costs: Mapping[str, Cost], carried: int) -> None:
    """Print what every step cost, and how much of the speed of its limit it reaches."""
    print(f"{'':26}{'wall s':>8}{'cpu s':>8}{'MiB/s':>8}{'peak MiB':>10}")
    for name, cost in costs.items():
        peak = f"{cost.peak / 2**20:.0f}" if name in AIMS and PIPE not in name else "-"  # there it is the shell's
        print(f"{name:26}{cost.wall:8.2f}{cost.cpu:8.2f}{carried / cost.wall / 2**20:8.0f}{peak:>10}")
    synced = {TAR: TEE, XORRISO: f"{XORRISO}{SYNCED}", COPY: f"{COPY}{SYNCED}"}
    for name, (limit, aim) in AIMS.items():
        reached, durable = (costs[each].wall / costs[name].wall for each in (limit, synced[limit]))
        words = "" if aim is None else f" (aim {aim}: {'met' if reached >= aim else 'MISSED'})"
        print(f"{name}: {reached:.2f} of the speed of {limit}{words}, {durable:.2f} of {synced[limit]}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        os.umask(0o022)
        sys.exit(main())
    sys.exit(130)
