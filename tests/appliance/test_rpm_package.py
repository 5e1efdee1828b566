"""The RPM package is built from the spec, and holds what the Debian package holds. Slow: pip fetches the libraries."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from issbox import VERSION

ROOT = Path(__file__).parents[2]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("rpmbuild") is None, reason="rpmbuild is not installed"),
]
IGNORED = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")


def test_the_spec_makes_a_package(tmp_path: Path) -> None:
    source = tmp_path / f"issbox-{VERSION}"
    shutil.copytree(ROOT, source, ignore=IGNORED)
    subprocess.run(["tar", "-czf", tmp_path / f"{source.name}.tar.gz", "-C", tmp_path, source.name], check=True)
    defines = {"_topdir": tmp_path, "_sourcedir": tmp_path, "issbox_version": VERSION, "__python3": sys.executable}
    words = [word for name, value in defines.items() for word in ("--define", f"{name} {value}")]
    # Another system's names of what is needed to build, and no need to pack tightly.
    command = ["rpmbuild", "-bb", "--nodeps", "--define", "_binary_payload w1.gzdio", *words]
    done = subprocess.run([*command, source / "packaging/rpm/issbox.spec"], capture_output=True, text=True, check=False)
    if "No matching distribution" in done.stderr or "Could not find a version" in done.stderr:
        pytest.skip("the libraries are not to be had")
    assert done.returncode == 0, done.stderr[-3000:]
    (package,) = tmp_path.glob("RPMS/*/*.rpm")
    listed = subprocess.run(["rpm", "-qpl", package], capture_output=True, text=True, check=True).stdout.splitlines()
    assert {
        "/usr/bin/issbox",
        "/usr/bin/issbox-demo",
        "/usr/lib/issbox/bin/issbox",
        "/usr/lib/systemd/system/issbox.service.d/10-common.conf",
        "/usr/lib/systemd/system/issbox-.service.d/20-timed.conf",
        "/usr/share/issbox/demo/crossing.py",
        "/usr/share/man/man1/issbox.1",
    } <= {each.removesuffix(".gz") for each in listed}
    assert not [each for each in listed if "build-id" in each or each.endswith(".pyc")]
