"""Hosts without subscription-manager: the script and the package that set them up, with real curl, tar and dnf."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from makers.fleets import quick
from makers.hosts import CANNOT_INSTALL
from makers.nginx import needs_nginx, nginx_in_front
from makers.rpms import rpmbuild_is_missing
from makers.serving import KEY, make_box, serve

from issbox.errors import ConfigurationError, InvalidValueError, MissingToolError, NotFoundError
from issbox.model import ActivationKey, ContentOverride, OverrideHolder, OverrideKind
from issbox.rules.entitlements.host_client import HostClient, check_server, host_script
from issbox.workflows.context import Context
from issbox.workflows.environments.promoting import plan_demotion, promote
from issbox.workflows.hosts import activation_keys, consumers, host_client, overrides

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")


class Host:
    """A host whose files lie below a directory of its own."""

    def __init__(self, directory: Path, ctx: Context, port: int) -> None:
        self.root = directory / "host"
        self.script = directory / "issbox-host"
        self.script.write_text(
            host_client.make_script(ctx, "acme", server=f"https://localhost:{port}/", activation_keys=["web"])
        )

    def run(self, *words: str, code: int = 0) -> str:
        """Run the script, which has to end like this, and give what it says."""
        done = subprocess.run(
            ["sh", str(self.script), *words],
            env=os.environ | {"ISSBOX_HOST_ROOT": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    @property
    def repositories(self) -> str:
        return (self.root / "etc/yum.repos.d/issbox.repo").read_text()

    @property
    def files(self) -> set[str]:
        place = self.root / "etc/pki/issbox"
        return {path.name for path in place.glob("*[!0-9]")}

    @property
    def authorities(self) -> set[str]:
        """Files that zypper knows the box by."""
        return {path.name for path in (self.root / "etc/pki/issbox").glob("*.[0-9]")}


@pytest.fixture
def box(tmp_path: Path) -> Context:
    ctx = quick(make_box(tmp_path / "own"))
    activation_keys.create_activation_key(ctx, ActivationKey("acme", "web", environments=("dev",)))
    return ctx


@pytest.fixture
def host(box: Context, tmp_path: Path) -> Iterator[Host]:
    with serve(box, tmp_path) as service:
        yield Host(tmp_path, box, service.running.ports[0])


def test_the_script_is_shell(tmp_path: Path) -> None:
    (tmp_path / "s").write_text(host_script(HostClient("https://box", "acme", "PEM", ("web",))))
    subprocess.run(["sh", "-n", str(tmp_path / "s")], check=True)


@needs_curl
def test_a_host_registers_follows_promotions_and_leaves(host: Host, box: Context) -> None:
    assert "is not registered" in host.run("refresh", code=1)
    assert "registered as" in host.run("register", "--name", "web1")
    (found,) = consumers.list_consumers(box, "acme")
    assert (found.name, found.environments, found.activation_key) == ("web1", ("dev",), "web")
    assert found.uuid in host.run("status")
    assert host.files == {"uuid", "identity.pem", "key.pem", "ca.pem", "entitlement-1.pem"}
    assert (host.root / "etc/pki/issbox/key.pem").stat().st_mode & 0o777 == 0o600
    assert "[tools_base]" in host.repositories
    assert "/content/acme/dev/custom/tools/base" in host.repositories
    override = ContentOverride("tools_base", "enabled", "0")
    overrides.change_overrides(box, OverrideHolder(OverrideKind.CONSUMER, found.uuid), put=[override])
    host.run("refresh")
    assert "enabled=0" in host.repositories
    promote(box, plan_demotion(box, "acme", "dev", [KEY]))
    assert "0 repositories" in host.run("refresh")
    assert host.repositories == ""
    assert "is registered as" in host.run("register", code=1)
    assert host.authorities
    assert "left" in host.run("unregister")
    assert (host.files | host.authorities, consumers.list_consumers(box, "acme")) == (set(), [])


@needs_curl
def test_what_goes_wrong_is_told_and_changes_nothing(host: Host, box: Context) -> None:
    assert "activation key" in host.run("register", "--activation-key", "none", code=1)
    assert "other characters" in host.run("register", "--name", 'a"b', code=1)
    assert "no activation key" in host.run("register", "--activation-key", "a&b", code=1)
    for words in ((), ("leave",), ("register", "--name")):
        assert "usage" in host.run(*words, code=1)
    assert host.files == set()
    host.run("register", "--name", "web1")
    before = host.repositories
    text = host.script.read_text()
    host.script.write_text(text.replace("https://localhost:", "https://localhost:1"))
    assert "cannot be asked" in host.run("refresh", code=1)
    assert "nothing was deleted" in host.run("unregister", code=1)
    assert host.repositories == before
    host.script.write_text(text)
    (found,) = consumers.list_consumers(box, "acme")
    consumers.delete_consumer(box, found.uuid)
    assert "was deleted" in host.run("refresh", code=1)
    assert "does not know" in host.run("unregister")
    assert host.files == set()


@needs_curl
def test_a_box_that_is_not_the_one_of_the_script_is_refused(host: Host, tmp_path: Path) -> None:
    other = make_box(tmp_path / "other")
    with serve(other, tmp_path) as service:
        text = host.script.read_text()
        port = text.split("https://localhost:")[1].split("\n")[0].strip("'")
        host.script.write_text(text.replace(f"localhost:{port}", f"localhost:{service.running.ports[0]}"))
        assert "cannot be asked" in host.run("register", "--name", "web1", code=1)


@pytest.mark.skipif(CANNOT_INSTALL, reason="dnf is not installed, or not run as root")
@pytest.mark.parametrize("kind", ["built-in", pytest.param("nginx", marks=needs_nginx)])
def test_dnf_installs_with_what_the_script_fetched(box: Context, tmp_path: Path, kind: str) -> None:
    if kind == "nginx":
        with nginx_in_front(box, tmp_path) as front:
            _install(Host(tmp_path, box, front.port), tmp_path)
    else:
        with serve(box, tmp_path) as service:
            _install(Host(tmp_path, box, service.running.ports[0]), tmp_path)


def _install(host: Host, directory: Path) -> None:
    host.run("register", "--name", "web1")
    configuration = directory / "dnf.conf"
    configuration.write_text(
        f"[main]\nplugins=0\nreposdir={host.root}/etc/yum.repos.d\ncachedir={directory}/cache\nlogdir={directory}\n"
        "module_platform_id=platform:el9\nskip_if_unavailable=0\n"
    )
    options = ["--assumeyes", "--config", str(configuration), "--releasever", "9", "--installroot", str(host.root)]
    done = subprocess.run(["dnf", *options, "install", "gap-greeting"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    listed = subprocess.run(["rpm", "--root", host.root, "-qa"], capture_output=True, text=True, check=True)
    assert "gap-greeting-" in listed.stdout


@pytest.mark.skipif(shutil.which("zypper") is None or os.geteuid() != 0, reason="zypper is not installed, or no root")
@pytest.mark.parametrize("kind", ["built-in", pytest.param("nginx", marks=needs_nginx)])
def test_zypper_installs_with_what_the_script_fetched(box: Context, tmp_path: Path, kind: str) -> None:
    if kind == "nginx":
        with nginx_in_front(box, tmp_path) as front:
            _install_with_zypper(Host(tmp_path, box, front.port), box)
    else:
        with serve(box, tmp_path) as service:
            _install_with_zypper(Host(tmp_path, box, service.running.ports[0]), box)


def _install_with_zypper(host: Host, box: Context) -> None:
    place = host.root / "etc/zypp"
    place.mkdir(parents=True)
    assert str(place) in host.run("register", "--name", "web1")
    assert not (host.root / "etc/yum.repos.d").exists()
    assert "1 repository of" in host.run("refresh")
    done = _zypper(host.root, "install", "gap-greeting")
    assert (host.root / "usr/share/gap-greeting/letter.txt").is_file(), done.stdout + done.stderr

    promote(box, plan_demotion(box, "acme", "dev", [KEY]))
    host.run("refresh")
    assert (place / "repos.d/issbox.repo").read_text() == ""
    host.run("unregister")
    assert not (place / "repos.d/issbox.repo").exists()


def _zypper(root: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ZYPP_LOCKFILE_ROOT": str(root), "HOME": str(root)}
    command = ["zypper", "--non-interactive", "--root", str(root), *words]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, env=environment
    )


@pytest.mark.skipif(
    CANNOT_INSTALL or rpmbuild_is_missing(), reason="dnf or rpmbuild is not installed, or not run as root"
)
def test_the_package_holds_the_script_and_a_timer_and_says_what_it_needs(box: Context, tmp_path: Path) -> None:
    made = host_client.make_package(
        box, "acme", tmp_path / "rpms", server="https://localhost:1", activation_keys=["web"]
    )
    assert made.name.startswith("issbox-host-acme-1-")
    root = tmp_path / "root"
    install = ["rpm", "--root", str(root), "--noscripts", "--nodeps", "-i", str(made)]
    root.mkdir()
    subprocess.run(install, check=True, capture_output=True)
    assert os.access(root / "usr/sbin/issbox-host", os.X_OK)
    assert (root / "usr/lib/systemd/system/issbox-host.timer").is_file()
    words = subprocess.run(
        ["rpm", "-qp", "--scripts", "--requires", made], capture_output=True, text=True, check=True
    ).stdout
    assert "issbox-host register" in words
    assert "curl" in words
    if shutil.which("systemd-analyze"):
        units = [str(root / f"usr/lib/systemd/system/issbox-host.{kind}") for kind in ("service", "timer")]
        for unit in units:  # its program is not where it will be
            Path(unit).write_text(Path(unit).read_text().replace("/usr/sbin/issbox-host", "/bin/true"))
        subprocess.run(["systemd-analyze", "verify", *units], check=True, capture_output=True)


def test_what_a_script_cannot_be_made_of_is_told(box: Context, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="address"):
        host_client.make_script(box, "acme")
    with pytest.raises(NotFoundError):
        host_client.make_script(box, "acme", server="https://box", activation_keys=["none"])
    with pytest.raises(NotFoundError):
        host_client.make_script(box, "nothing", server="https://box")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingToolError, match="rpm-build"):
        host_client.make_package(box, "acme", tmp_path, server="https://box")


@pytest.mark.parametrize(
    "url", ["http://box", "https://", "https://box/x", "https://a b", "https://b'x", "https://[::1]:1:2"]
)
def test_only_addresses_of_boxes_are_taken(url: str) -> None:
    with pytest.raises(InvalidValueError):
        check_server(url)


@given(st.text())
def test_an_address_that_is_taken_is_safe_in_a_script(url: str) -> None:
    try:
        found = check_server(f"https://{url}")
    except InvalidValueError:
        return
    assert not set(found) & set(" '\"$`\\;&|<>()\n*?~#")
