"""The Debian package on a clean root: installed with dpkg, it makes a box that belongs to its account. Slow."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.slow
DEBIAN = Path("/etc/os-release")


def run(*words: str | Path, timeout: float = 900) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ISSBOX_")}  # another box's
    command = list(map(str, words))
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=timeout, env=environ)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def release() -> tuple[str, str]:
    """Give code name and address of the packages of this machine's Debian; skips where they are not to be had."""
    if os.geteuid() != 0:
        pytest.skip("only root can install into another root")
    for program in ("dpkg-deb", "debootstrap", "chroot"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    name = re.search(r"^VERSION_CODENAME=(\w+)$", DEBIAN.read_text(), re.MULTILINE)
    sources = [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]
    text = "\n".join(path.read_text() for path in sources if path.is_file())
    address = re.search(r"^(?:deb |URIs: )(?:\[[^]]*\] )?(https?://\S+/debian)/?(?:\s|$)", text, re.MULTILINE)
    if name is None or address is None:
        pytest.skip("this is no Debian that says where its packages are")
    try:
        urlopen(f"{address[1]}/dists/{name[1]}/Release", timeout=30).close()
    except OSError as error:
        pytest.skip(f"Debian's packages are not to be had: {error}")
    return name[1], address[1]


def test_the_package_installs_on_a_clean_root_and_makes_a_box(tmp_path: Path) -> None:
    name, address = release()
    root = tmp_path / "root"
    run(
        "debootstrap",
        "--variant=minbase",
        "--include=python3,openssh-server,systemd,libglib2.0-0",
        name,
        root,
        address,
        timeout=1200,
    )
    version = run("chroot", root, "python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])").strip()
    if version != f"{sys.version_info[0]}.{sys.version_info[1]}":
        pytest.skip(f"the clean root has Python {version}, which is not the one that runs the tests")
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis")
    shutil.copytree(ROOT, source, ignore=ignored)
    built = run("sh", source / "packaging/debian/build-package", sys.executable, tmp_path / "out").split()[-1]
    shutil.copy(built, root / "issbox.deb")

    run("chroot", root, "dpkg", "-i", "/issbox.deb")
    assert run("chroot", root, "issbox", "--version").startswith("issbox ")
    run("chroot", root, "issbox", "init", "--name", "clean", "--organization", "ACME")
    owners = {path.stat().st_uid for path in (root / "var/lib/issbox").rglob("*")}
    account = next(line for line in (root / "etc/passwd").read_text().splitlines() if line.startswith("issbox:"))
    assert owners == {int(account.split(":")[2])}
    run("chroot", root, "issbox", "status", "--json")
    keys = run("chroot", root, "issbox", "ssh", "authorized-keys")
    assert keys == ""
    (root / "run/sshd").mkdir(exist_ok=True)
    run("chroot", root, "/usr/sbin/sshd", "-t")
    run("chroot", root, "systemd-analyze", "verify", "--man=no", "/usr/lib/systemd/system/issbox.service")
    assert (root / "usr/share/man/man1/issbox.1.gz").is_file()

    before = run("chroot", root, "issbox", "audit", "list", "--json")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n")
    # With /proc, from which programs learn where their libraries are; it goes away with the namespace.
    inside = 'mount -t proc proc "$0/proc" && exec chroot "$0" issbox-demo --directory /tmp/demo'
    shown = run("unshare", "--mount", "sh", "-c", inside, root)
    assert "as the metadata says" in shown or "Installed:" in shown, shown
    repomd = "content/Demo/Library/custom/Tools/base/repodata/repomd.xml"
    made = root / "tmp/demo"
    assert (made / "disconnected" / repomd).read_bytes() == (made / "upstream/repodata/repomd.xml").read_bytes()
    assert run("chroot", root, "issbox", "audit", "list", "--json") == before

    run("chroot", root, "dpkg", "-r", "issbox")
    assert not (root / "usr/bin/issbox").exists()
    assert (root / "var/lib/issbox/keys/signing.pem").is_file()
