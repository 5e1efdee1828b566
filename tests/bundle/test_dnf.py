"""Stock dnf installs nothing here, but lists a repository of a bundle where it lies."""

import shutil
import subprocess
from pathlib import Path

import pytest
from makers.bundles import SampleBundle, SampleRepository, make_bundle, trust
from makers.rpms import build_packages, rpmbuild_is_missing

from issbox.bundle.check import open_bundle
from issbox.bundle.signature import SigningKey


@pytest.mark.skipif(shutil.which("dnf") is None or rpmbuild_is_missing(), reason="dnf or rpmbuild is not installed")
def test_dnf_reads_a_repository_of_a_bundle_in_place(tmp_path: Path, key: SigningKey) -> None:
    (package,) = build_packages(tmp_path / "cache", count=1, size=1000)
    sample = SampleBundle((SampleRepository(packages={package.name: package.read_bytes()}),))
    bundle = make_bundle(tmp_path, key, sample)
    open_bundle(bundle, trust(key))
    repository = bundle / "custom/tools/base"
    options = [
        f"--repofrompath=carried,file://{repository}",
        "--repo=carried",
        f"--setopt=cachedir={tmp_path / 'dnf'}",
        f"--setopt=reposdir={tmp_path / 'none'}",
        f"--installroot={tmp_path / 'root'}",
        "--releasever=9",
        "--disableplugin=*",
    ]
    done = subprocess.run(
        ["dnf", "--quiet", *options, "repoquery", "--location"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"file://{repository}/Packages/{package.name}"]
