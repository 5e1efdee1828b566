"""A repository of the size of a distribution, in little memory. Peak memory is read in a process of its own."""

import gzip
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from makers.repodata import Listed, digest, record_xml, repomd_xml, write

PACKAGES = 20_000
LIMIT_MIB = 300

_RUN = """
import sys
from pathlib import Path
from makers.recorder import Recorder
from makers.repodata import DirectorySink
from issbox.yum.mirror import MirrorRequest, mirror
result = mirror(MirrorRequest(url=sys.argv[1]), DirectorySink(Path(sys.argv[2])), Recorder())
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(result.packages, int(peak) // 1024)
"""


def write_large_repository(root: Path) -> None:
    """Write 20,000 tiny packages with primary metadata as large as that of real ones."""
    relations = "".join(
        f'<rpm:entry name="libsample{number}.so.1()(64bit)" flags="EQ" epoch="0" ver="1.{number}"/>'
        for number in range(14)
    )
    form = f"<format><rpm:provides>{relations}</rpm:provides><rpm:requires>{relations}</rpm:requires></format>"
    chunks = []
    for number in range(PACKAGES):
        listed = Listed(f"Packages/{number % 26}/sample-{number}-1.0-1.noarch.rpm", b"%d" % number, f"sample-{number}")
        write(root, listed.href, listed.content)
        chunks.append(listed.xml().replace("<format/>", form))
    primary = (
        '<metadata xmlns="http://linux.duke.edu/metadata/common" xmlns:rpm="http://linux.duke.edu/metadata/rpm">'
        + "".join(chunks)
        + "</metadata>"
    ).encode()
    files = {"primary": gzip.compress(primary, 1), "filelists": random.Random(1).randbytes(50 << 20)}
    assert len(primary) > 40 << 20
    records = []
    for type_, content in files.items():
        href = f"repodata/{digest('sha256', content)}-{type_}"
        write(root, href, content)
        records.append(record_xml(type_, href, content))
    write(root, "repodata/repomd.xml", repomd_xml(*records))


@pytest.mark.slow
def test_twenty_thousand_packages_need_little_memory(tmp_path: Path) -> None:
    root = tmp_path / "upstream"
    write_large_repository(root)
    command = [sys.executable, "-c", _RUN, root.as_uri(), str(tmp_path / "sink")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(["tests", *sys.path])}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    packages, peak = map(int, done.stdout.split())
    assert packages == PACKAGES
    assert peak < LIMIT_MIB, f"{peak} MiB"
    print(f"peak {peak} MiB")  # noqa: T201 - shown by pytest -s, for who measures
