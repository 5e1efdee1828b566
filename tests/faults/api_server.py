"""Serves the API of the box of ISSBOX_STATE_DIR on loopback, and kills itself with SIGKILL at a named step of a job.

Usage: api_server.py STEP; STEP is a step's name or `-` for none. Prints the port, and ends when its input ends.
"""

import os
import signal
import sys
from dataclasses import replace

from issbox.web.service import serving
from issbox.wiring import open_context
from issbox.workflows.job_progress import JobReporter


def kill_at(wanted: str) -> None:
    """Let no job get past this step."""
    real = JobReporter.step

    def step(self: JobReporter, name: str, message: str = "") -> None:
        if name == wanted:
            os.kill(os.getpid(), signal.SIGKILL)
        real(self, name, message)

    JobReporter.step = step  # type: ignore[method-assign]  # this process is made to be killed


if __name__ == "__main__":
    kill_at(sys.argv[1])
    ctx = open_context()
    web = replace(ctx.settings.web, listen=(("127.0.0.1", 0),), names=("localhost", "127.0.0.1"))
    with serving(replace(ctx, settings=replace(ctx.settings, web=web))) as running:
        assert running is not None
        sys.stdout.write(f"{running.ports[0]}\n")
        sys.stdout.flush()
        sys.stdin.read()
