"""What the server asks of the system before it listens."""

import subprocess
import sys

_RAISED = """
import resource
from issbox.web.listening import allow_open_files
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 1000))
for connections in (10, 100, 10_000):
    allow_open_files(connections)
    print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_the_limit_of_open_files_is_raised_as_far_as_it_goes() -> None:
    done = subprocess.run([sys.executable, "-c", _RAISED], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["286 1000", "556 1000", "1000 1000"]
    assert done.stderr == "[web] max_connections needs 30256 open files, and the system allows 1000\n"
