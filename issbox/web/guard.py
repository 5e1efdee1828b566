"""May this client read this path, and which file is it? One answer for the server here and for one in front of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final

from issbox.certs.clients import Presented, Request, Wallet, judge
from issbox.certs.guard import Verdict
from issbox.errors import BadCertificateError, InvalidValueError
from issbox.rules.entitlements.path_tree import LISTING
from issbox.rules.serving import GpgKeyPlace, Place, Site, place_of, served_path
from issbox.web.current import Current
from issbox.workflows.appliance.serving import Overview, ServedRepository, ServedTrees

NO_CERTIFICATE: Final = "this content needs a client certificate, and none was shown"


@dataclass(frozen=True, slots=True)
class Answer:
    """What is to become of a request."""

    status: int
    """200, 400, 403 or 404."""
    message: str = ""
    """Why, for people."""
    root: Path | None = None
    """The published tree of what is granted."""
    inner: str = ""
    """Path of the file below it."""
    text: bytes | None = None
    """What is granted, when it is no file of a tree."""
    name: str = ""
    """Name of the file."""
    place: Place | None = None
    """Where it is, when it is granted."""
    listing: str | None = None
    """The listing file below the directory of all environments, where there is one on disk besides the text."""
    presented: Presented | None = field(default=None, compare=False)
    """The certificate that was shown, if it could be read."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a client asks for."""

    target: str
    """As it stands in the request."""
    certificate: bytes | None
    """In DER."""
    site: Site | None = None
    """Given when one environment is served at the root."""


class Guard:
    """Answers questions."""

    def __init__(self, current: Current, clock: Callable[[], datetime]) -> None:
        """Ask this state of the box."""
        self._current = current
        self._clock = clock
        self._wallet = Wallet()

    async def answer(self, question: Question) -> Answer:
        """Give the answer; raises DatabaseError and the like when the box cannot be read."""
        try:
            path = served_path(question.target)
        except InvalidValueError as error:
            return Answer(400, str(error))
        site = question.site
        place = Place(site.organization, site.environment, path[1:]) if site is not None else place_of(path)
        if isinstance(place, GpgKeyPlace):
            key = await self._current.gpg_key(place.organization, place.label)
            return _missing(path) if key is None else Answer(200, text=key, name=f"{place.label}.asc")
        presented = self._open(question.certificate)
        if isinstance(presented, Answer):
            return presented
        if place is None:
            return _missing(path, presented) if presented else Answer(403, NO_CERTIFICATE)
        return await self._look(place, presented, bare=site is not None)

    def _open(self, certificate: bytes | None) -> Presented | Answer | None:
        try:
            return None if certificate is None else self._wallet.open(certificate)
        except BadCertificateError as error:
            return Answer(403, str(error))

    async def _look(self, place: Place, presented: Presented | None, *, bare: bool) -> Answer:
        overview = await self._current.overview()
        known = place.view is not None or (place.organization, place.environment) in overview.environments
        trees = await self._trees(place) if known and place.view is None else None
        found = trees.find(place.inner) if trees is not None else None
        if found is not None and found[0].unprotected:
            return _file(place, trees, found, presented)
        if presented is None:
            return Answer(403, NO_CERTIFICATE)
        verdict = self._judge(overview, place, presented, bare=bare)
        if not verdict.granted:
            return Answer(403, verdict.message, presented=presented)
        if place.view is not None:  # looked up only for those who may read it
            trees = await self._trees(place)
            found = trees.find(place.inner) if trees is not None else None
        return _file(place, trees, found, presented)

    async def _trees(self, place: Place) -> ServedTrees | None:
        if place.view is not None:
            return await self._current.view_version(place.organization, place.view)
        return await self._current.environment(place.organization, place.environment)

    def _judge(self, overview: Overview, place: Place, presented: Presented, *, bare: bool) -> Verdict:
        stands_in = bare or overview.environments.get((place.organization, place.environment), False)
        request = Request(place.organization, place.full_path, place.bare_path if stands_in else None)
        return judge(overview.trust, presented, request, now=self._clock(), revoked=overview.revoked)


def _file(
    place: Place, trees: ServedTrees | None, found: tuple[ServedRepository, str] | None, presented: Presented | None
) -> Answer:
    """Say which file it is, of those that may be read; `found` is the repository that the place lies in."""
    if trees is None:
        return _missing(place.full_path, presented)
    if found is not None:
        repository, inner = found
        if not inner:
            return _missing(place.full_path, presented)
        name = inner.rpartition("/")[2]
        return Answer(200, root=repository.tree, inner=inner, name=name, place=place, presented=presented)
    directory, _, name = place.inner.rpartition("/")
    if name == LISTING and directory in trees.listings:
        on_disk = None if place.view else f"{place.organization}/{place.environment}/{place.inner}"
        return Answer(200, text=trees.listings[directory], name=name, listing=on_disk, presented=presented)
    return _missing(place.full_path, presented)


def _missing(path: str, presented: Presented | None = None) -> Answer:
    return Answer(404, f"there is no {path}", presented=presented)


def site_of(host: str, sites: Mapping[str, Site]) -> Site | None:
    """Give the site that a Host header names, with or without its port."""
    if not sites:
        return None
    name = host.strip().lower().rstrip(".")
    return sites.get(name) or sites.get(name.rsplit(":", 1)[0])
