"""A box that stands in for Red Hat's CDN, and a second one with a manifest of its own that reads from it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from issbox.certs.authority import Authority
from issbox.model import LIBRARY, CdnLocation, CdnType, CdnUpstream, CredentialKind, Repository
from issbox.workflows.cdn.enabling import enable
from issbox.workflows.cdn.location import plan_location, set_location
from issbox.workflows.certificates.authority import open_authority
from issbox.workflows.certificates.redhat_trust import trust_redhat
from issbox.workflows.content import credentials
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.manifests.manifest_importing import import_manifest
from issbox.workflows.manifests.manifest_trust import ManifestTrust
from makers.manifests import APPSTREAM, BASEOS, MadeContent, manifest_authority, manifest_bytes, rhel
from makers.nginx import nginx_in_front
from makers.redhat import make_plain_box
from makers.repodata import Listed, write, write_repository
from makers.serving import serve, with_web

BASE = "content/dist/rhel9/9.4/x86_64/baseos/os"
APPS = "content/dist/rhel9/9.4/x86_64/appstream/os"
SECOND = "0d5a1f0e-7f11-4f6e-9a3c-2b6f0f6a7c12"
"""The distributor of the second box's manifest."""


def lay(root: Path, path: str, *packages: Listed) -> None:
    """Make a repository in a tree with listing files."""
    write_repository(root / path, *packages)
    parent = ""
    for segment in path.split("/"):
        place = root / parent / "listing"
        names = set(place.read_text().splitlines()) if place.exists() else set()
        write(root, f"{parent}listing", "\n".join(sorted({*names, segment})).encode())
        parent += f"{segment}/"


def take_manifest(ctx: Context, *, authority: Authority | None = None, **options: object) -> None:
    """Import a manifest with both contents, or those in `products`."""
    signer = authority or manifest_authority()
    options = {"products": [rhel(BASEOS, APPSTREAM)], **options}
    data = manifest_bytes(authority=signer, **options)
    import_manifest(ctx, "acme", data, "manifest.zip", trust=ManifestTrust((signer.root_pem,)))


def make_first(root: Path) -> Context:
    """Make the box that reads from a tree of two repositories, and whose Library stands in for the CDN."""
    lay(root / "cdn", BASE, Listed("bash.rpm", b"bash" * 5000), Listed("zlib.rpm", b"zlib" * 5000))
    lay(root / "cdn", APPS, Listed("nginx.rpm", b"nginx" * 5000))
    ctx = make_plain_box(root / "first")
    ctx = with_web(ctx, listen=(("127.0.0.1", 0),), names=("localhost", "127.0.0.1"))
    take_manifest(ctx)
    location = CdnLocation("acme", CdnType.CUSTOM_CDN, (root / "cdn").as_uri(), shows_manifest=False)
    set_location(ctx, plan_location(ctx, location))
    for content in (BASEOS, APPSTREAM):
        synchronize(ctx, enabled(ctx, content).key)
    trust_redhat(ctx, manifest_authority().root_pem)
    environments.update_environment(ctx, "acme", LIBRARY, serves_as_cdn=True)
    return ctx


def enabled(ctx: Context, content: MadeContent) -> Repository:
    """Enable the release 9.4 of a content."""
    return enable(ctx, "acme", content.label, release="9.4")


@contextmanager
def served(ctx: Context, kind: str, directory: Path) -> Iterator[int]:
    """Serve the first box by itself or through nginx, and give the port."""
    directory.mkdir()
    if kind == "nginx":
        with nginx_in_front(ctx, directory) as front:
            yield front.port
    else:
        with serve(ctx, directory) as service:
            yield service.running.ports[0]


@dataclass
class Second:
    """The box that reads from the first one."""

    ctx: Context
    first: Context

    def point(self, port: int, *, ca: str | None = "first", certificate: str | None = None, **upstream: str) -> None:
        """Read Red Hat content from the first box."""
        wanted = CdnUpstream(**{"organization": "acme", **upstream})  # type: ignore[arg-type]  # fields by name
        location = CdnLocation(
            "acme",
            CdnType.NETWORK_SYNC,
            f"https://127.0.0.1:{port}",
            ca,
            certificate,
            shows_manifest=certificate is None,
            upstream=wanted,
        )
        set_location(self.ctx, plan_location(self.ctx, location))

    def keep(self, label: str, kind: CredentialKind, text: str) -> None:
        """Keep a content credential."""
        credentials.create_credential(self.ctx, organization="acme", label=label, name=label, kind=kind, content=text)

    def keep_client(self, label: str, text: str) -> None:
        """Keep a client certificate that comes with its key."""
        self.keep(label, CredentialKind.CLIENT_CERTIFICATE, text)


def make_second(root: Path, first: Context) -> Second:
    """Make the second box, with a manifest and the authority of the first one."""
    second = Second(make_plain_box(root / "second"), first)
    take_manifest(second.ctx, uuid=SECOND, name="acme-behind")
    second.keep("first", CredentialKind.CA_CERTIFICATE, open_authority(first).root_pem)
    return second
