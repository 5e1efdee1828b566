"""The benchmark runs as a whole, and its meter counts what the kernel counts."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from makers.needs import needs_openssl
from makers.rpms import rpmbuild_is_missing

from benchmarks.images import digest, read, write
from benchmarks.measure import measure, middle

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(rpmbuild_is_missing(), reason="rpmbuild is not installed")
@needs_openssl
def test_a_small_benchmark_measures_every_step_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.crossing", "--packages", "4", "--size", "2KiB", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--directory", str(tmp_path)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for step in ("cp -a", "openssl sha256", "export", "import", "import again", "synchronize http://"):
        assert f"\n{step} " in done.stdout
    assert "repomd.xml as upstream: yes" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(rpmbuild_is_missing(), reason="rpmbuild is not installed")
@pytest.mark.skipif(shutil.which("xorriso") is None, reason="xorriso is not installed")
@needs_openssl
def test_a_small_benchmark_of_forms_compares_each_with_its_limit_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.forms", "--packages", "4", "--size", "2KiB", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--directory", str(tmp_path)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for form in ("tar", "tgz", "tar chunks", "tgz to a pipe", "iso", "iso volumes", "dir"):
        assert f"\n{form}: " in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_a_small_benchmark_of_imports_measures_every_form_and_increments_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.importing", "--packages", "4", "--size", "2KiB", "--rounds", "1"]
    done = subprocess.run(
        [*command, "--directory", str(tmp_path)],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for form in ("dir", "tar", "iso"):
        assert f"\n{form:8}" in done.stdout
    assert "import: 50 new packages in 4 take" in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_the_meter_counts_bytes_memory_and_time(tmp_path: Path) -> None:
    work = "import time; data = bytes(40_000_000); open(0, 'rb'); open('out', 'wb').write(data); time.sleep(0.1)"
    cost = measure(["sh", "-c", f'cd "$0" && "$1" -c "{work}"', tmp_path, sys.executable])
    assert 40_000_000 <= cost.written < 41_000_000
    direct = measure([sys.executable, "-c", "import time; data = b'x' * 40_000_000; time.sleep(0.2)"])
    assert 40_000_000 < direct.peak < 120_000_000
    assert direct.wall > 0.2
    assert direct.cpu < direct.wall


def test_a_command_that_fails_is_told_with_what_it_said() -> None:
    with pytest.raises(RuntimeError, match="ended with 3:\nit broke"):
        measure(["sh", "-c", "echo it broke >&2; exit 3"])


def test_medians_are_taken_number_by_number() -> None:
    costs = [measure(["true"]) for _ in range(3)]
    assert middle(costs).wall == sorted(cost.wall for cost in costs)[1]


def test_the_commands_for_images_write_and_compare_the_same_files(tmp_path: Path) -> None:
    tree, listing, image = tmp_path / "tree", tmp_path / "list", tmp_path / "volume.iso"
    (tree / "a").mkdir(parents=True)
    (tree / "a/b.rpm").write_bytes(b"package")
    digest(tree, listing)
    write(tree, listing, image)
    read(listing, image)
    image.write_bytes(image.read_bytes().replace(b"package", b"changed"))
    with pytest.raises(RuntimeError, match=r"a/b\.rpm"):
        read(listing, image)
