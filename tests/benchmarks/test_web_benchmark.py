"""The benchmark of serving runs as a whole."""

import os
import subprocess
import sys
from pathlib import Path

from makers.nginx import needs_nginx

ROOT = Path(__file__).resolve().parents[2]


@needs_nginx
def test_a_small_benchmark_serves_in_three_ways() -> None:
    command = [sys.executable, "-m", "benchmarks.web", "--rounds", "1", "--seconds", "0.2"]
    environment = os.environ | {"PYTHONPATH": f"{ROOT}/tests"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    for piece in (
        "20.0 KiB",
        "1.0 MiB",
        "plain nginx: ",
        "built-in, one process: ",
        "nginx-config: ",
        "(aim 0.3)",
        "(aim 0.8)",
    ):
        assert piece in done.stdout
