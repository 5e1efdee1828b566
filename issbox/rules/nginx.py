"""The configuration of an nginx in front: it does TLS and sends files, and asks the guard of this box about each path.

The guard answers with the file to send, so that nothing is made of a path by nginx itself. What a client sends of the
headers that nginx uses towards the guard never arrives there.

Answers are kept by the SHA-1 of the certificate and its serial number: its text would cost more than the rest of the
question, and one with many contents would have no room in the key. nginx asks only about certificates that a trusted
authority has signed, and nobody can have a second one signed whose SHA-1 and serial number are those of the first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Final

from issbox.rules.content.media_types import BY_ENDING, OTHER
from issbox.rules.serving import CONTENT, GPG_KEYS, PKI, VIEWS, Site, parse_listen

GUARD_PATH: Final = "/.issbox/guard"
"""Where the server in front asks about a path; only there, never over TLS."""
PATH_HEADER: Final = "X-Issbox-Path"
"""The path that it asks about, as the client wrote it, without its query."""
CERTIFICATE_HEADER: Final = "X-Issbox-Client-Certificate"
"""The certificate in PEM, percent-encoded; believed only of the server in front."""
SITE_HEADER: Final = "X-Issbox-Site"
"""`organization/environment` when one environment is served at the root; believed only of the server in front."""
ADDRESS_HEADER: Final = "X-Issbox-Client-Address"
FILE_HEADER: Final = "X-Issbox-File"
REASON_HEADER: Final = "X-Issbox-Reason"
"""What it is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Front:
    """What the configuration depends on."""

    listen: Sequence[str]
    """Addresses and ports, as nginx writes them."""
    names: Sequence[str]
    sites: Sequence[Site]
    certificate: Path
    key: Path
    authorities: Path
    """File with the authorities of hosts."""
    verify_depth: int
    socket: Path
    """Where the guard answers."""
    user: str
    cache: Path
    logs: Path
    workers: str
    idle_seconds: float
    send_seconds: float


def nginx_config(front: Front) -> str:
    """Write the whole file."""
    by_name = [site.host for site in front.sites if ":" not in site.host]
    servers = [_server(front.listen, [*front.names, *by_name], "")]
    for site in front.sites:
        if ":" in site.host:
            host, port = parse_listen(site.host)
            address = f"[{host}]" if ":" in host else host
            servers.append(_server([f"{address}:{port}"], ["_"], f"{site.organization}/{site.environment}"))
    return _HEAD.format(
        user=front.user,
        workers=front.workers,
        logs=front.logs,
        cache=_quoted(front.cache),
        socket=_quoted(f"unix:{front.socket}"),
        certificate=_quoted(front.certificate),
        key=_quoted(front.key),
        authorities=_quoted(front.authorities),
        depth=front.verify_depth,
        idle=f"{front.idle_seconds:g}s",
        send=f"{front.send_seconds:g}s",
        types="\n".join(f"        {kind} {ending};" for ending, kind in _plain_types()),
        other=OTHER,
        servers="\n".join(servers),
    )


def _plain_types() -> list[tuple[str, str]]:
    return sorted((ending, kind.partition(";")[0]) for ending, kind in BY_ENDING.items())


def _server(listen: Sequence[str], names: Sequence[str], site: str) -> str:
    identity = _IDENTITY.format(site=site)
    return _SERVER.format(
        listen="\n".join(f"        listen {each} ssl;" for each in listen),
        names=" ".join(names),
        site=site,
        special=f"/{CONTENT}/[^/]+/(?:{VIEWS}|{GPG_KEYS})/",
        guard=GUARD_PATH,
        pki=PKI,
        identity=indent(identity, " " * 8),
        guard_identity=indent(identity, " " * 12),
        file=_variable(FILE_HEADER),
        reason=_variable(REASON_HEADER),
    )


def _variable(header: str) -> str:
    """Name what a header of the guard's answer is to nginx."""
    return "$upstream_http_" + header.lower().replace("-", "_")


def _quoted(path: Path | str) -> str:
    text = str(path).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


_HEAD = """\
# Written by `issbox web nginx-config`. Write it again when [web] of issbox changes, and reload nginx when the server's
# certificate or the authorities of hosts do.
user {user};
worker_processes {workers};
worker_rlimit_nofile 16384;
pcre_jit on;
error_log {logs}/error.log warn;

events {{
    worker_connections 4096;
}}

http {{
    types {{
{types}
    }}
    default_type {other};
    charset off;
    server_tokens off;
    sendfile on;
    tcp_nopush on;
    gzip off;
    merge_slashes off;
    keepalive_timeout {idle};
    keepalive_requests 100000;
    client_header_timeout {idle};
    send_timeout {send};
    client_max_body_size 16m;

    # Files that were sent lately stay open. What the guard names lies in the tree of one repository version, which
    # never changes; only a listing can be so much older. Answers of the guard are looked up anew when they expire.
    open_file_cache max=2000 inactive=20s;
    open_file_cache_valid 5s;

    # Some clients put the paths of their keys into the query: it is neither logged nor passed on.
    map $request_uri $issbox_path {{
        "~^(?<issbox_before_query>[^?]*)" $issbox_before_query;
    }}
    log_format issbox '$remote_addr $time_iso8601 $request_method $issbox_path $status $body_bytes_sent '
                      '$ssl_client_serial';
    access_log {logs}/access.log issbox buffer=64k flush=5s;

    upstream issbox {{
        server {socket};
        keepalive 64;
    }}
    proxy_http_version 1.1;
    proxy_cache_path {cache} levels=1:2 keys_zone=issbox_guard:20m max_size=200m inactive=1m use_temp_path=off;

    ssl_certificate {certificate};
    ssl_certificate_key {key};
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:issbox:20m;
    ssl_client_certificate {authorities};
    ssl_verify_client optional;
    ssl_verify_depth {depth};
{servers}}}
"""

_IDENTITY = f"""\
proxy_set_header Host $http_host;
proxy_set_header Connection "";
proxy_set_header {PATH_HEADER} $issbox_path;
proxy_set_header {CERTIFICATE_HEADER} $ssl_client_escaped_cert;
proxy_set_header {ADDRESS_HEADER} $remote_addr;
proxy_set_header {SITE_HEADER} "{{site}}";"""

_SERVER = """
    server {{
{listen}
        server_name {names};
        error_page 403 = @issbox_refused;
        error_page 495 496 = @issbox_certificate;
        set $issbox_reason "";

        # The client's headers that the guard believes are replaced here, whatever was sent.
{identity}
        location ^~ /.issbox/ {{
            return 404;
        }}
        location = {guard} {{
            internal;
            proxy_pass http://issbox{guard};
            proxy_pass_request_headers off;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
{guard_identity}
            proxy_cache issbox_guard;
            proxy_cache_key "$ssl_client_fingerprint $ssl_client_serial $http_host $issbox_path {site}";
            proxy_cache_valid 200 403 5s;
        }}
        location ~ ^{special} {{
            proxy_pass http://issbox;
        }}
        location ~ ^/(?:rhsm|candlepin|{pki}|api|healthz|metrics)(?:/|$) {{
            proxy_pass http://issbox;
        }}
        location ~ ^/ {{
            auth_request {guard};
            auth_request_set $issbox_file {file};
            auth_request_set $issbox_reason {reason};
            add_header X-Content-Type-Options nosniff;
            alias $issbox_file;
        }}
        location @issbox_refused {{
            types {{ }}
            default_type "text/plain; charset=utf-8";
            return 403 "$issbox_reason\\n";
        }}
        # A certificate that nginx refuses, one that has expired for example, is judged again by issbox, which says why.
        location @issbox_certificate {{
            if ($request_uri ~ ^/\\.issbox/) {{
                return 404;
            }}
            proxy_pass http://issbox;
        }}
    }}
"""
