"""The benchmark of certificates runs as a whole."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_small_benchmark_issues_certificates_and_asks_a_path_tree() -> None:
    words = ["--certificates", "20", "--rounds", "2", "--key", "ec-p256", "--key", "rsa-2048"]
    command = [sys.executable, "-m", "benchmarks.certificates", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    for piece in ("ec-p256: ", "rsa-2048: ", "of signing (aim 0.85): ", "path tree of 1000 paths", "  decode: "):
        assert piece in done.stdout
