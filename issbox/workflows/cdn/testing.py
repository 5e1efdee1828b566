"""Trying a location step by step: what works, and what the first failing step says."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from issbox.certs.summary import Summary, first_summary, summary_of
from issbox.errors import IssboxError, NotFoundError, UnreachableError
from issbox.model import CdnLocation
from issbox.names import format_time, plural
from issbox.rules.content.cdn import base_url
from issbox.rules.content.urls import mask_url
from issbox.workflows.cdn.location import location_hint, location_request
from issbox.workflows.context import Context, Permission
from issbox.workflows.manifests.manifests import manifest_certificate
from issbox.yum.handshake import shake_hands
from issbox.yum.listings import read_top_listing
from issbox.yum.mirror import MirrorRequest

STEPS: Final = ("address", "server certificate", "own certificate", "listing")
"""What is tried, in order."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a step."""

    step: str
    words: str
    hint: str = ""
    """What to do; only given when it failed."""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class LocationTest:
    """What trying a location found."""

    location: CdnLocation
    base: str | None
    """Without secrets."""
    tried: tuple[Tried, ...]
    """Up to the first step that failed."""
    chain: tuple[Summary, ...] = ()
    """Its own first."""
    listing: tuple[str, ...] = ()
    """The names at the top of the location."""

    @property
    def failure(self) -> Tried | None:
        """The step that failed, if one did."""
        return next((each for each in self.tried if each.failed), None)


class _Test:
    """The steps, which note what they find."""

    def __init__(self, ctx: Context, request: MirrorRequest) -> None:
        self._now = ctx.clock()
        self._request = request
        self.chain: tuple[Summary, ...] = ()
        self.listing: tuple[str, ...] = ()

    def address(self) -> str:
        url = self._request.url
        if url.startswith("file:"):
            return f"{url} is a directory of this machine"
        return f"{mask_url(url)}" + (f", by the proxy {mask_url(self._request.proxy)}" if self._request.proxy else "")

    def server_certificate(self) -> str:
        if not self._request.url.startswith("https:"):
            return "none: the location is read without TLS"
        found = shake_hands(self._request)
        self.chain = tuple(summary_of(each, "a certificate of the server") for each in found.chain)
        if found.problem:
            issuer = self.chain[-1].issuer if self.chain else "nobody"
            trusted = "the content credential of the location" if self._request.ca_pem else "this system"
            raise UnreachableError(
                f"the server's certificate is not accepted: {found.problem}. Its chain ends with one of {issuer}, and "
                f"{trusted} decides which authorities count",
                hint="Keep the server's authority as a content credential, and name it with `issbox cdn update --ca`.",
            )
        return f"{self.chain[0].subject} until {format_time(self.chain[0].valid.not_after)}"

    def own_certificate(self) -> str:
        if self._request.client_certificate is None:
            return "none is shown to the server"
        text = Path(self._request.client_certificate).read_bytes()
        shown = first_summary(text, "the client certificate")
        words = f"{shown.subject} of {shown.issuer}"
        if not shown.valid.holds(self._now):
            raise UnreachableError(
                f"the client certificate {words} is valid from {format_time(shown.valid.not_before)} until "
                f"{format_time(shown.valid.not_after)}, which is not now",
                hint="Get a new one: refresh the manifest, or have one issued, and keep it as the content credential.",
            )
        return f"{words} until {format_time(shown.valid.not_after)}"

    def top_listing(self) -> str:
        names = read_top_listing(self._request)
        if names is None:
            raise NotFoundError(
                f"{mask_url(self._request.url)} has a web page and no listing file",
                hint="Check the URL: name the directory that `content` lies in.",
            )
        self.listing = tuple(sorted(names))
        if not names:
            raise NotFoundError(
                f"the listing of {mask_url(self._request.url)} is empty",
                hint="Synchronize or promote content there first.",
            )
        return plural(len(names), "name")


def try_location(ctx: Context, location: CdnLocation) -> LocationTest:
    """Try a location, that of the organization or one that is only thought of; gives what failed, too.

    Raises NotPermittedError, and what a location that does not even make sense raises.
    """
    ctx.require(Permission.CONTENT_MANAGE, location.organization)
    base = base_url(location)
    if base is None:
        words = "the location has no URL: its repositories are filled by imports only"
        return LocationTest(location, None, (Tried(STEPS[0], words, "Give one with `issbox cdn update --url`.", True),))
    presented = manifest_certificate(ctx, location.organization) if location.shows_manifest else None
    with ctx.store.session(), location_request(ctx, location, presented) as request:
        test = _Test(ctx, request)
        works = (test.address, test.server_certificate, test.own_certificate, test.top_listing)
        tried: list[Tried] = []
        for step, work in zip(STEPS, works, strict=True):
            tried.append(_try(step, work))
            if tried[-1].failed:
                break
        return LocationTest(location, mask_url(base), tuple(tried), test.chain, test.listing)


def _try(step: str, work: Callable[[], str]) -> Tried:
    try:
        return Tried(step, work())
    except IssboxError as error:
        return Tried(step, str(error), location_hint(error), failed=True)
