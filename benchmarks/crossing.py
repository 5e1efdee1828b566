"""What it costs to carry a repository over the gap, beside what this machine can do at best. Run by `make bench`.

The limits are measured in the same rounds as the work: `cp -a` of the same tree, the same with the file system synced
afterwards (issbox syncs too), and OpenSSL's SHA-256 of the same bytes. Believe the ratios, not the seconds. Everything
is written below one directory, which is removed at the end.
"""

import os
import random
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from makers.commands import (
    ISSBOX,
    Box,
    content,
    export_words,
    make_box,
    make_repository,
    only_bundle,
    synchronize,
    trust,
)
from makers.rpms import make_repository as make_upstream
from makers.rpms import rpmbuild_is_missing
from makers.web import serve_directory

from benchmarks.cases import read_command_line, run_cases
from benchmarks.measure import Cost, measure, memory_to_touch, middle
from issbox.names import format_size

CASES = {"large": (1000, 1 << 20), "small": (5000, 20 << 10)}
"""Packages and bytes in each."""

LIMITS = ("cp -a", "cp -a, then sync", "openssl sha256")
LARGE = 1 << 20
"""Bytes of a package from which the speed in bytes is what counts."""

AIM_OF_LIMIT = 0.8
"""Of the slower of copying with sync and hashing: a perfect overlap of the two would reach 1."""
AIM_TIMES_COPY = 2.5
AIM_PEAK = 200_000_000

Step = Callable[[], Cost]


@dataclass(frozen=True)
class Workshop:
    """Everything one case needs, laid out once: the steps below can run in any order, again and again."""

    root: Path
    upstream: Path
    url: str
    near: Box
    bundle: Path
    warm: int
    """Bytes of memory to touch before each measurement."""

    def steps(self) -> dict[str, Step]:
        """Give the measurements of one round."""
        return {
            "cp -a": lambda: self._copy(["cp", "-a"]),
            "cp -a, then sync": lambda: self._copy(["sh", "-c", 'cp -a "$0" "$1" && sync -f "$1"']),
            "openssl sha256": lambda: measure(
                ["sh", "-c", 'find "$0" -type f -print0 | xargs -0 openssl dgst -sha256 >/dev/null', self.bundle],
                warm=self.warm,
            ),
            "export": self._export,
            "import": self._import,
            "import again": self._import_again,
            "list imports": lambda: self._issbox(self.near, "content-import", "list"),
            "synchronize file://": lambda: self._synchronize(self.upstream.as_uri()),
            "synchronize http://": lambda: self._synchronize(self.url),
            "synchronize again": lambda: self._issbox(
                self.near, "repository", "synchronize", "--product", "Tools", "--repository", "base"
            ),
        }

    def _issbox(self, box: Box, *words: str | Path) -> Cost:
        return measure(box.command(*words), box.environment(), warm=self.warm)

    def _copy(self, command: Sequence[str]) -> Cost:
        copy = self.root / "copy"
        try:
            return measure([*command, self.bundle, copy], warm=self.warm)
        finally:
            self._put_away(copy)

    def _put_away(self, tree: Path) -> None:
        """Give back the bytes of a tree, and keep its files until the end.

        ext4 passes over inodes that were freed in the last minutes, one by one, for each file it makes: whoever came
        after a removal of thousands of files would pay several times the processor time of the others.
        """
        used = self.root / "used"
        used.mkdir(exist_ok=True)
        tree = tree.rename(used / str(sum(1 for _ in used.iterdir())))
        for path in tree.rglob("*"):
            if path.is_file() and not path.is_symlink():
                path.chmod(0o600)
                os.truncate(path, 0)

    def _export(self) -> Cost:
        output = self.root / "output"
        output.mkdir()
        try:
            return self._issbox(self.near, *export_words(output))
        finally:
            self._put_away(output)

    def _import(self) -> Cost:
        far = self._far()
        try:
            return self._issbox(far, "content-import", "run", self.bundle)
        finally:
            self._put_away(far.state)

    def _import_again(self) -> Cost:
        far = self._far()
        try:
            far.run("content-import", "run", self.bundle)
            return self._issbox(far, "content-import", "run", self.bundle)
        finally:
            self._put_away(far.state)

    def _far(self) -> Box:
        far = make_box(self.root / "far", name="far")
        trust(far, self.near)
        return far

    def _synchronize(self, url: str) -> Cost:
        box = make_box(self.root / "mirror", name="mirror")
        make_repository(box, url)
        try:
            return self._issbox(box, "repository", "synchronize", "--product", "Tools", "--repository", "base")
        finally:
            self._put_away(box.state)


def main() -> int:
    """Measure and print."""
    arguments = read_command_line(__doc__, CASES, "eight")
    if rpmbuild_is_missing() or shutil.which("openssl") is None:
        print("The benchmark needs rpmbuild and openssl; packaging/install-debian-packages installs them on Debian.")
        return 1
    print_start(arguments.rounds)
    run_cases(arguments, CASES, run_case)
    return 0


def run_case(root: Path, count: int, size: int, rounds: int) -> None:
    """Build the packages, measure all rounds and print the table."""
    root.mkdir()
    started = time.monotonic()
    upstream = make_upstream(root / "upstream", root / "packages", count=count, size=size)
    with serve_directory(upstream) as server:
        near = make_box(root / "near", name="near")
        make_repository(near, server.url)
        synchronize(near)
        (root / "exported").mkdir()
        near.run(*export_words(root / "exported"))
        bundle = only_bundle(root / "exported")
        carried = sum(path.stat().st_size for path in bundle.rglob("*") if path.is_file())
        print(f"bundle of {format_size(carried)}, built and exported in {time.monotonic() - started:.0f} s", flush=True)
        steps = Workshop(root, upstream, server.url, near, bundle, memory_to_touch(carried)).steps()
        found: dict[str, list[Cost]] = {name: [] for name in steps}
        order = list(steps)
        for number in range(rounds):
            random.Random(number).shuffle(order)  # nobody profits from what ran before him
            for name in order:
                found[name].append(steps[name]())
        same = (
            content(near).joinpath("repodata/repomd.xml").read_bytes()
            == (upstream / "repodata/repomd.xml").read_bytes()
        )
    print_costs({name: middle(costs) for name, costs in found.items()}, carried, large=size >= LARGE)
    heads = sum((bundle / name).stat().st_size for name in ("issbox-bundle.json", "issbox-files.jsonl"))
    print(f"manifest and file table together: {format_size(heads)}; repomd.xml as upstream: {'yes' if same else 'NO'}")


def print_costs(costs: Mapping[str, Cost], size: int, *, large: bool) -> None:
    """Print what every step cost, beside the limits, and whether the aims are met."""
    columns = ("", "wall s", "cpu s", "peak MiB", "read", "written", "to disk", "x cp -a", "x cp+sync", "x sha256")
    print(f"{columns[0]:20}" + "".join(f"{column:>10}" for column in columns[1:]))
    for name, cost in costs.items():
        peak = f"{cost.peak / 2**20:.0f}" if name not in LIMITS else "-"
        cells = [f"{cost.wall:.2f}", f"{cost.cpu:.2f}", peak]
        cells += [in_bundles(number, size) for number in (cost.read, cost.written, cost.stored)]
        cells += [f"{cost.wall / costs[limit].wall:.2f}" for limit in LIMITS]
        print(f"{name:20}" + "".join(f"{cell:>10}" for cell in cells))
    slower = max(costs["cp -a, then sync"].wall, costs["openssl sha256"].wall)
    for name in ("export", "import"):
        print(f"{name}: {verdict(costs[name], slower, costs['cp -a'].wall, large=large)}")
    again, nothing = costs["import again"], costs["list imports"]
    print(
        f"import again: reads {format_size(again.read - nothing.read)} and writes "
        f"{format_size(again.written - nothing.written)} more than a command that only lists"
    )


def in_bundles(number: int, size: int) -> str:
    """Show bytes as a multiple of the bundle, or as bytes when they are few."""
    return f"{number / size:.2f} x" if number > size / 10 else format_size(number).replace(" ", "")


def verdict(cost: Cost, limit: float, copy: float, *, large: bool) -> str:
    """Say how a cost stands to the aims; with small packages it is names and rows that cost, not bytes."""
    aims = (
        (
            f"{limit / cost.wall:.2f} of the limit's speed (aim {AIM_OF_LIMIT})",
            limit / cost.wall >= AIM_OF_LIMIT if large else None,
        ),
        (f"{cost.wall / copy:.2f} times cp -a (aim {AIM_TIMES_COPY})", cost.wall / copy <= AIM_TIMES_COPY),
        (f"peak {cost.peak / 1e6:.0f} MB (aim {AIM_PEAK / 1e6:.0f})", cost.peak <= AIM_PEAK),
    )
    words = {True: ": met", False: ": MISSED", None: " for large packages"}
    return ", ".join(text + words[met] for text, met in aims)


def print_start(rounds: int) -> None:
    """Measure the start of the command against the bare interpreter."""
    found: dict[str, list[Cost]] = {"python -c pass": [], "issbox --help": []}
    for _ in range(2 * rounds + 1):
        found["python -c pass"].append(measure([sys.executable, "-c", "pass"]))
        found["issbox --help"].append(measure([ISSBOX, "--help"]))
    bare, command = (middle(costs).wall * 1000 for costs in found.values())
    print(f"start: python -c pass {bare:.0f} ms, issbox --help {command:.0f} ms: {command - bare:.0f} ms more")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        os.umask(0o022)
        sys.exit(main())
    sys.exit(130)
