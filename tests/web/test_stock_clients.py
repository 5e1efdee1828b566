"""The stock dnf and zypper install over TLS with certificates issued here, through both servers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from makers.hosts import CANNOT_INSTALL
from makers.nginx import needs_nginx, nginx_in_front
from makers.serving import Service, issue, serve, write_certificate

from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.context import Context

NAMES = ("Library", "dev")
PATHS = [f"/acme/{name}/custom/tools/base" for name in NAMES]


@contextmanager
def through(kind: str, ctx: Context, directory: Path) -> Iterator[tuple[Service, int]]:
    if kind == "nginx":
        with nginx_in_front(ctx, directory) as front:
            yield front.service, front.port
    else:
        with serve(ctx, directory) as service:
            yield service, service.running.ports[0]


def dnf(directory: Path, port: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run dnf with the repositories of both environments, as a host of them has them."""
    sections = "".join(
        f"[{name}]\nname={name}\nbaseurl=https://localhost:{port}/content/acme/{name}/custom/tools/base\n"
        f"sslverify=1\nsslcacert={directory}/root.pem\nsslclientcert={directory}/client.pem\n"
        f"sslclientkey={directory}/client.key\nskip_if_unavailable=0\n"
        for name in NAMES
    )
    configuration = directory / "dnf.conf"
    configuration.write_text(
        f"[main]\nplugins=0\ngpgcheck=0\nreposdir={directory}\ncachedir={directory}/cache\nlogdir={directory}\n"
        f"module_platform_id=platform:el9\nretries=1\n{sections}"
    )
    options = ["--assumeyes", "--config", str(configuration), "--releasever", "9", "--refresh"]
    command = ["dnf", *options, "--installroot", str(directory / "root"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.skipif(CANNOT_INSTALL, reason="dnf is not installed, or not run as root")
@pytest.mark.parametrize("kind", ["built-in", pytest.param("nginx", marks=needs_nginx)])
def test_dnf_installs_what_the_certificate_grants_and_says_which_repository_it_does_not(
    served_box: Context, tmp_path: Path, kind: str
) -> None:
    with through(kind, served_box, tmp_path) as (service, port):
        authority = open_authority(service.ctx)
        write_certificate(tmp_path, issue(authority, PATHS))
        done = dnf(tmp_path, port, "install", "gap-greeting")
        assert done.returncode == 0, done.stdout + done.stderr
        listed = subprocess.run(["rpm", "--root", tmp_path / "root", "-qa"], capture_output=True, text=True, check=True)
        assert "gap-greeting-" in listed.stdout

        write_certificate(tmp_path, issue(authority, PATHS[1:]))
        done = dnf(tmp_path, port, "install", "gap-traveller")
        assert done.returncode != 0
        assert "Status code: 403" in done.stdout + done.stderr
        assert "for repo 'Library'" in done.stderr
        done = dnf(tmp_path, port, "--disablerepo", "Library", "install", "gap-traveller")
        assert done.returncode == 0, done.stdout + done.stderr


def zypper(directory: Path, *words: str) -> subprocess.CompletedProcess[str]:
    root = directory / "zypper"
    options = ["--non-interactive", "--no-gpg-checks", "--root", str(root)]
    environment = os.environ | {"ZYPP_LOCKFILE_ROOT": str(root), "HOME": str(directory)}
    command = ["zypper", *options, *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )


@pytest.mark.skipif(shutil.which("zypper") is None or os.geteuid() != 0, reason="zypper is not installed, or no root")
@pytest.mark.parametrize("kind", ["built-in", pytest.param("nginx", marks=needs_nginx)])
def test_zypper_installs_with_a_certificate(served_box: Context, tmp_path: Path, kind: str) -> None:
    with through(kind, served_box, tmp_path) as (service, port):
        write_certificate(tmp_path, issue(open_authority(service.ctx), PATHS[:1]))
        authorities = tmp_path / "ca"
        authorities.mkdir()
        shutil.copy(tmp_path / "root.pem", authorities / "root.pem")
        subprocess.run(["openssl", "rehash", str(authorities)], check=True, capture_output=True)
        for name in NAMES:
            query = f"ssl_clientcert={tmp_path}/client.pem&ssl_clientkey={tmp_path}/client.key&ssl_capath={authorities}"
            url = f"https://localhost:{port}/content/acme/{name}/custom/tools/base?{query}"
            added = zypper(tmp_path, "addrepo", url, name)
            assert added.returncode == 0, added.stdout + added.stderr
        done = zypper(tmp_path, "refresh", "Library")
        assert done.returncode == 0, done.stdout + done.stderr
        done = zypper(tmp_path, "install", "--repo", "Library", "--download-only", "gap-greeting")
        assert done.returncode == 0, done.stdout + done.stderr
        assert list(tmp_path.rglob("gap-greeting-*.rpm"))
        done = zypper(tmp_path, "refresh", "dev")
        assert done.returncode != 0
        assert "403" in done.stdout + done.stderr or "denied" in (done.stdout + done.stderr).lower()
