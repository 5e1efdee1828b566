"""`issbox web`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.shapes import Field, Shape

web = noun("web")

if TYPE_CHECKING:
    from issbox.workflows.appliance.nginx import NginxConfig
    from issbox.workflows.certificates.server_certificate import ServerStatus

NGINX: "Shape[NginxConfig]" = Shape(
    "nginx configuration",
    (
        Field("config", "the whole configuration", lambda each: each.text),
        Field(
            "authorities", "file with the authorities of hosts, written by this command", lambda each: each.authorities
        ),
        Field("certificate", "file with the server's certificate", lambda each: each.certificate),
        Field("socket", "where nginx asks this box", lambda each: each.socket),
    ),
)


SERVER: "Shape[ServerStatus]" = Shape(
    "server certificate",
    (
        Field("subject", "its subject", lambda each: each.subject),
        Field("names", "array of the configured names of this box", lambda each: each.names),
        Field("valid_from", "since when it is valid", lambda each: each.valid.not_before),
        Field("valid_until", "until when it is valid", lambda each: each.valid.not_after),
        Field("by_box", "whether the authority of this box issued it", lambda each: each.place.by_box),
        Field("path", "file that holds it and those above it", lambda each: each.place.certificate),
        Field("certificate", "it and those above it, in PEM", lambda each: each.pem),
    ),
)


@command("certificate", group=web, example="issbox web certificate --renew", shape=SERVER)
@click.option("--renew", is_flag=True, help="Issue another one now, with a new key and the configured names.")
def certificate(run: Run, *, renew: bool) -> None:
    """Show the certificate that hosts see of this box, or issue another one."""
    from issbox.workflows.certificates import server_certificate

    ctx = run.open()
    made = (
        server_certificate.renew_server_certificate(ctx) if renew else server_certificate.show_server_certificate(ctx)
    )
    run.show(SERVER, made)


@command("nginx-config", group=web, example="issbox web nginx-config --listen 443 > /etc/nginx/nginx.conf", shape=NGINX)
@click.option(
    "--listen", multiple=True, default=("443",), show_default=True, metavar="ADDRESS", help="Where nginx listens."
)
@click.option("--user", default="www-data", show_default=True, metavar="USER", help="As whom its workers run.")
@click.option(
    "--cache",
    default="/var/cache/nginx-issbox",
    show_default=True,
    metavar="DIRECTORY",
    help="Where it keeps answers of the guard for some seconds.",
)
@click.option("--logs", default="/var/log/nginx", show_default=True, metavar="DIRECTORY", help="Where it writes logs.")
def nginx_config(run: Run, *, listen: tuple[str, ...], user: str, cache: str, logs: str) -> None:
    """Write a complete configuration of nginx in front of this box.

    nginx does TLS and sends the files; the guard of `issbox serve` decides at the socket of [web]. Run it again, and
    reload nginx, when the configuration or the authorities of hosts change.
    """
    from issbox.workflows.appliance.nginx import write_nginx_config

    made = write_nginx_config(run.open(), listen=listen, user=user, cache=Path(cache), logs=Path(logs))
    if run.as_json:
        run.show(NGINX, made)
    else:
        output.write(made.text)
