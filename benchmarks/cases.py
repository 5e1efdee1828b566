"""What the benchmarks of bundles have in common: their cases, their command line, and where they work."""

import argparse
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from issbox.files import remove_tree
from issbox.names import format_size, parse_size

Cases = Mapping[str, tuple[int, int]]
"""By name: packages, and bytes in each."""


def read_command_line(description: str | None, cases: Cases, times: str) -> argparse.Namespace:
    """Read the command line; `times` says how many times the bytes of a case the disk must hold."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--case", action="append", choices=sorted(cases), help="only this one; all when left out")
    parser.add_argument("--packages", type=int, help="a case of your own: so many packages")
    parser.add_argument("--size", default="20KiB", help="payload of each of them (20KiB)")
    parser.add_argument("--rounds", type=int, default=3, help="medians are of so many rounds (3)")
    place = f"where to work, on the disk to be measured; about {times} times the bytes are needed (/var/tmp)"
    parser.add_argument("--directory", type=Path, default=Path("/var/tmp"), help=place)
    return parser.parse_args(sys.argv[1:])


def run_cases(arguments: argparse.Namespace, cases: Cases, run: Callable[[Path, int, int, int], None]) -> None:
    """Run the chosen cases, each in a new directory of one that is gone at the end.

    `run` takes the directory to make, the number of packages, the bytes of each, and the number of rounds.
    """
    chosen = {name: cases[name] for name in arguments.case or cases}
    if arguments.packages:
        chosen = {"chosen": (arguments.packages, parse_size(arguments.size))}
    root = Path(tempfile.mkdtemp(prefix="issbox-bench-", dir=arguments.directory))
    try:
        for name, (count, size) in chosen.items():
            print(f"\n{name}: {count} packages of {format_size(size)}", flush=True)
            run(root / name, count, size, arguments.rounds)
    finally:
        remove_tree(root)
