"""What an nginx in front of this box needs: its configuration, and the file with the authorities of hosts."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.errors import ConfigurationError
from issbox.files import atomic_write, error_from_os
from issbox.rules.nginx import Front, nginx_config
from issbox.workflows.appliance.serving import read_overview
from issbox.workflows.certificates.server_certificate import server_certificate, server_names
from issbox.workflows.context import Context, Permission

AUTHORITIES: Final = Path("keys", "web", "authorities.pem")
"""Where the authorities of hosts lie in the state directory for nginx."""


@dataclass(frozen=True, slots=True)
class NginxConfig:
    """The configuration, and the files that it names."""

    text: str
    authorities: Path
    certificate: Path
    socket: Path


def write_nginx_config(
    ctx: Context, *, listen: tuple[str, ...], user: str, cache: Path, logs: Path, workers: str = "auto"
) -> NginxConfig:
    """Write the authorities of hosts for nginx to a file, and give the configuration.

    Raises ConfigurationError when [web] socket is not set, and what issuing the server's certificate raises.
    """
    ctx.require(Permission.BOX_MAINTAIN)
    web = ctx.settings.web
    if web.socket is None:
        raise ConfigurationError(
            "nginx has nowhere to ask: [web] socket is not set",
            hint='Set it, for example to "/run/issbox/web.sock", with socket_group, and restart `issbox serve`.',
        )
    found = server_certificate(ctx)
    front = Front(
        listen=listen,
        names=server_names(ctx),
        sites=web.sites,
        certificate=found.certificate,
        key=found.key,
        authorities=write_authorities(ctx),
        verify_depth=web.verify_depth,
        socket=web.socket,
        user=user,
        cache=cache,
        logs=logs,
        workers=workers,
        idle_seconds=web.idle_seconds,
        send_seconds=web.send_seconds,
    )
    return NginxConfig(nginx_config(front), front.authorities, front.certificate, front.socket)


def write_authorities(ctx: Context) -> Path:
    """Write the authorities of hosts as they are now, and give the file."""
    place = ctx.store.state_dir / AUTHORITIES
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with atomic_write(place) as out:
            out.write(read_overview(ctx).trust.pem().encode())
    except OSError as error:
        raise error_from_os(error) from error
    return place
