"""What the content server shows and to whom, read from the database: environments, archived versions, keys, trust."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from issbox.certs import pem
from issbox.certs.clients import Authorities, HostTrust
from issbox.certs.revocation import MOST_BYTES
from issbox.errors import BadCertificateError, NotFoundError
from issbox.model import CredentialKind, RepositoryKey, ViewVersionName
from issbox.rules.bundles.layout import listings
from issbox.workflows.certificates.authority import own_chains
from issbox.workflows.certificates.redhat_trust import read_redhat_ca
from issbox.workflows.certificates.revocation_lists import offered_list
from issbox.workflows.context import Context


@dataclass(frozen=True, slots=True)
class ServedRepository:
    """A repository version that hosts may read."""

    tree: Path
    """Where its published tree lies."""
    unprotected: bool


@dataclass(frozen=True, slots=True)
class ServedTrees:
    """What an environment or a content view version shows."""

    repositories: Mapping[str, ServedRepository]
    """By repository path."""
    listings: Mapping[str, bytes]
    """Listing files by directory, '' for the topmost."""

    def find(self, inner: str) -> tuple[ServedRepository, str] | None:
        """Give the repository that a path leads into and the path inside of it; None when it leads into none."""
        end = 0
        while end < len(inner):
            end = inner.find("/", end + 1)
            if end < 0:
                end = len(inner)
            found = self.repositories.get(inner[:end])
            if found is not None:
                return found, inner[end + 1 :]
        return None


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is, and who may come in; small enough to be read again after every change."""

    environments: Mapping[tuple[str, str], bool]
    """Whether it stands in for a CDN, by organization and label."""
    trust: HostTrust
    revoked: frozenset[int]
    """Serial numbers of the box's own authority."""
    problems: tuple[str, ...] = ()
    """Authorities that cannot be used, and why."""


def read_revoked_list(ctx: Context) -> tuple[bytes, bytes] | None:
    """Give the list of revoked serial numbers in PEM and in DER; None when the box has no authority."""
    text = offered_list(ctx)
    return (
        None if text is None else (text.encode(), pem.read(text, "the revocation list", most_bytes=MOST_BYTES)[0].data)
    )


def change_mark(ctx: Context) -> int:
    """Give a number that every change makes larger: that of the last audit entry. It costs one small query."""
    with ctx.store.session():
        return ctx.store.audit.head()[0]


def read_overview(ctx: Context) -> Overview:
    """Read which environments there are, the authorities of hosts, and what was revoked."""
    environments: dict[tuple[str, str], bool] = {}
    texts: dict[str, str] = {}
    with ctx.store.session():
        revoked = frozenset(ctx.store.certificates.revoked(ctx.clock()))
        for organization in ctx.store.organizations.list():
            label = organization.label
            environments |= {(label, each.label): each.serves_as_cdn for each in ctx.store.environments.list(label)}
            if organization.client_cas:
                accepted = [ctx.store.credentials.get(label, each).content for each in organization.client_cas]
                texts[label] = "\n".join(accepted)
    problems: list[str] = []
    depth = ctx.settings.web.verify_depth
    organizations = {
        label: _authorities(text, f"an authority of hosts of {label}", depth, problems) for label, text in texts.items()
    }
    trust = HostTrust(
        _own_authorities(ctx, problems),
        {label: found for label, found in organizations.items() if found is not None},
        _authorities(read_redhat_ca(ctx), "Red Hat's authority", depth, problems),
    )
    return Overview(environments, trust, revoked, tuple(problems))


def _own_authorities(ctx: Context, problems: list[str]) -> Authorities | None:
    chains = own_chains(ctx)
    try:
        return Authorities.from_chains(chains, "the authority of this box") if chains else None
    except BadCertificateError as error:
        problems.append(str(error))
        return None


def _authorities(text: str | None, what: str, depth: int, problems: list[str]) -> Authorities | None:
    """Read authorities; one that cannot be used keeps out its own hosts, not those of others."""
    try:
        return None if text is None else Authorities.from_pem(text, what, depth=depth)
    except BadCertificateError as error:
        problems.append(str(error))
        return None


def read_environment(ctx: Context, organization: str, environment: str) -> ServedTrees | None:
    """Read what an environment shows; None when there is no such environment."""
    with ctx.store.session():
        try:
            held = ctx.store.versions.promoted(organization, environment)
        except NotFoundError:
            return None
        return _trees(ctx, ((each.path, each.key, number, each.unprotected) for each, number in held))


def read_view_version(ctx: Context, organization: str, name: ViewVersionName) -> ServedTrees | None:
    """Read what an archived content view version holds; None when there is no such version."""
    with ctx.store.session():
        try:
            pinned = ctx.store.view_versions.get(organization, name).repositories
        except NotFoundError:
            return None
        return _trees(
            ctx,
            ((each.repository.path, each.repository.key, each.number, each.repository.unprotected) for each in pinned),
        )


def read_gpg_key(ctx: Context, organization: str, label: str) -> bytes | None:
    """Read a GPG key; None when there is no such content credential, or it is of another kind."""
    with ctx.store.session():
        try:
            credential = ctx.store.credentials.get(organization, label)
        except NotFoundError:
            return None
        return credential.content.encode() if credential.kind is CredentialKind.GPG_KEY else None


def _trees(ctx: Context, held: Iterable[tuple[str, RepositoryKey, int, bool]]) -> ServedTrees:
    repositories = {
        path: ServedRepository(ctx.store.trees.path(key, number), unprotected)
        for path, key, number, unprotected in held
    }
    texts = {directory: text.encode() for directory, text in listings(repositories).items()}
    return ServedTrees(repositories, texts or {"": b""})
