"""The script and the package that set hosts up which have no subscription-manager."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from issbox.errors import ConfigurationError, IssboxError, MissingToolError
from issbox.files import error_from_os
from issbox.rules.entitlements.host_client import (
    SERVICE,
    TIMER,
    HostClient,
    check_server,
    host_script,
    package_name,
    package_spec,
)
from issbox.workflows.context import Context, Permission
from issbox.workflows.hosts.host_files import trusted_by_hosts

_SECONDS: Final = 120


def make_script(ctx: Context, organization: str, *, server: str = "", activation_keys: Sequence[str] = ()) -> str:
    """Give the script that sets a host of an organization up; whoever has it can use its activation keys.

    `server` is the address of the box; without it, that of [certificates] content_url. Raises NotFoundError for the
    organization and for activation keys, ConfigurationError, InvalidValueError.
    """
    return host_script(_client(ctx, organization, server, activation_keys))


def make_package(
    ctx: Context, organization: str, directory: Path, *, server: str = "", activation_keys: Sequence[str] = ()
) -> Path:
    """Write an RPM with the script and a timer into a directory, and give its file.

    Installed, it registers the host by its activation keys, if it has any, and keeps it up to date. Raises what
    `make_script` raises, and MissingToolError without rpmbuild.
    """
    client = _client(ctx, organization, server, activation_keys)
    if shutil.which("rpmbuild") is None:
        raise MissingToolError(
            "rpmbuild makes the package, but it is not installed: install rpm-build (rpm on Debian)",
            hint="Install it, or give hosts the script of `issbox consumer setup-script`.",
        )
    with tempfile.TemporaryDirectory() as place:
        work = Path(place)
        for name, text in (
            ("issbox-host", host_script(client)),
            ("issbox-host.service", SERVICE),
            ("issbox-host.timer", TIMER),
            ("host.spec", package_spec(client, ctx.clock().strftime("%Y%m%d%H%M%S"))),
        ):
            (work / name).write_text(text)
        _build(work)
        (made,) = work.glob(f"{package_name(client)}-*.rpm")
        try:
            directory.mkdir(parents=True, exist_ok=True)
            return Path(shutil.copy(made, directory / made.name))
        except OSError as error:
            raise error_from_os(error) from error


def _client(ctx: Context, organization: str, server: str, activation_keys: Sequence[str]) -> HostClient:
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        ctx.store.organizations.get(organization)
        for label in activation_keys:
            ctx.store.activation_keys.get(organization, label)
    known = server or ctx.settings.certificates.content_url.removesuffix("/").removesuffix("/content")
    if not known:
        raise ConfigurationError(
            "nobody has said under which address hosts reach this box",
            hint="Give --url https://NAME:PORT, or set content_url in [certificates].",
        )
    return HostClient(check_server(known), organization, trusted_by_hosts(ctx), tuple(activation_keys))


def _build(work: Path) -> None:
    definitions = {"_topdir": str(work / "top"), "_sourcedir": str(work), "_rpmdir": str(work), "_build_name_fmt": ""}
    definitions["_build_name_fmt"] = "%%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm"
    options = [word for name, value in definitions.items() for word in ("--define", f"{name} {value}")]
    command = ["rpmbuild", "-bb", "--quiet", *options, str(work / "host.spec")]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(work), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=_SECONDS, check=False
    )
    if done.returncode != 0:
        words = done.stderr.decode(errors="replace").strip().splitlines()[-3:]
        raise IssboxError(f"rpmbuild could not make the package: {' '.join(words)[:500]}")
