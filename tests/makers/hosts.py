"""A host that uses a repository as hosts do: with the stock dnf, into a root of its own."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import createrepo_c

DNF_IS_MISSING = shutil.which("dnf") is None
CANNOT_INSTALL = DNF_IS_MISSING or os.geteuid() != 0
"""rpm changes its root to install, which only root may."""


@dataclass(frozen=True)
class Host:
    """A host whose file system is the directory `root`."""

    root: Path

    def dnf(self, url: str, *words: str) -> str:
        """Run dnf with this one repository and give what it prints."""
        work = self.root.with_name(f"{self.root.name}-dnf")
        configuration = work / "dnf.conf"
        work.mkdir(exist_ok=True)
        configuration.write_text(
            f"[main]\nplugins=0\ngpgcheck=0\nreposdir={work}\ncachedir={work}/cache\nlogdir={work}\n"
            f"module_platform_id=platform:el9\n[box]\nname=box\nbaseurl={url}\n"
        )
        options = ["--quiet", "--assumeyes", "--config", str(configuration), "--releasever", "9"]
        command = ["dnf", *options, "--installroot", str(self.root), "--refresh", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def packages(self, url: str) -> set[str]:
        """Give name, epoch, version, release, architecture, place and checksum of every package that dnf sees."""
        form = "%{name} %{epoch} %{version} %{release} %{arch} %{location} %{chksum}"
        return set(self.dnf(url, "repoquery", "--queryformat", form).splitlines())


def read_packages(root: Path) -> set[str]:
    """Give the same facts of a local repository as createrepo_c reads them."""
    reader = createrepo_c.RepositoryReader.from_path(str(root))
    return {
        f"{each.name} {each.epoch} {each.version} {each.release} {each.arch} {each.location_href} {each.pkgId}"
        for each in reader.iter_packages()
    }
