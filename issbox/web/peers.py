"""Who is at the other end of a connection, and which certificate was shown: by TLS itself or by the server in front."""

import asyncio
import ssl
from dataclasses import dataclass
from urllib.parse import unquote

from aiohttp import web

from issbox.certs import pem
from issbox.errors import BadCertificateError, InvalidValueError
from issbox.rules.nginx import ADDRESS_HEADER, CERTIFICATE_HEADER, SITE_HEADER
from issbox.rules.serving import Site, parse_site


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a request."""

    address: str
    """Of the client itself; `-` when it is not known."""
    certificate: bytes | None
    """In DER, when one was shown."""
    site: Site | None = None
    """Given when the request came to a place at whose root one environment is served."""
    unreadable: str = ""
    """What is wrong with the certificate that the server in front handed on."""


def peer_by_tls(transport: asyncio.BaseTransport, site: Site | None) -> Peer:
    """Give the client at the other end of this TLS connection: what it shows does not change while it lasts."""
    session = transport.get_extra_info("ssl_object")
    certificate = session.getpeercert(binary_form=True) if isinstance(session, ssl.SSLObject) else None
    name = transport.get_extra_info("peername")
    return Peer(str(name[0]) if isinstance(name, tuple) and name else "-", certificate, site)


def peer_by_headers(request: web.BaseRequest) -> Peer:
    """Give the client that the server in front says there is."""
    site, wrong = None, ""
    text = request.headers.get(SITE_HEADER, "")
    if text:
        try:
            site = parse_site(f"front={text}")
        except InvalidValueError as error:
            wrong = str(error)
    certificate, shown = None, request.headers.get(CERTIFICATE_HEADER, "")
    if shown:
        try:
            parts = pem.read(unquote(shown))
            certificate = next((part.data for part in parts if part.label == "CERTIFICATE"), None)
        except BadCertificateError as error:
            wrong = str(error)
    return Peer(request.headers.get(ADDRESS_HEADER, "-")[:100], certificate, site, wrong)
