"""Asking a portal for a newer manifest, over TLS with the identity of the one that is there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers.authority import Authority, serve_tls
from makers.boxes import ACTOR, initialize_box
from makers.manifests import (
    APPSTREAM,
    CREATED,
    DISTRIBUTOR,
    manifest_authority,
    manifest_bytes,
    rhel,
    write_manifest,
)

from issbox.errors import InvalidValueError, NotFoundError, UnreachableError, UntrustedManifestError, UpstreamError
from issbox.model import ManifestAction
from issbox.wiring import open_context
from issbox.workflows.context import Context
from issbox.workflows.manifests.manifest_importing import import_manifest
from issbox.workflows.manifests.manifest_refresh import refresh_manifest
from issbox.workflows.manifests.manifest_trust import ManifestTrust
from issbox.workflows.manifests.manifests import manifest_contents, manifest_history, show_manifest

TRUST = ManifestTrust((manifest_authority().root_pem,))


@dataclass(frozen=True)
class Portal:
    """A portal that knows the distributor, and a box that has its first manifest."""

    ctx: Context
    url: str
    export: Path

    def publish(self, **options: object) -> None:
        """Let the portal have a newer manifest."""
        write_manifest(self.export, api=self.url, created=CREATED + timedelta(days=1), **options)


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    environ = {"ISSBOX_STATE_DIR": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    initialize_box(environ, "box")
    server = Authority(tmp_path, "portal")
    (tmp_path / "portal-ca.pem").write_text(server.pem)
    ctx = open_context(environ=environ, actor=ACTOR)
    manifests = replace(ctx.settings.manifests, portal_ca_file=tmp_path / "portal-ca.pem")
    synchronize = replace(ctx.settings.synchronize, retries=0)
    ctx = replace(ctx, settings=replace(ctx.settings, manifests=manifests, synchronize=synchronize))
    export = tmp_path / "www/consumers" / DISTRIBUTOR / "export"
    export.parent.mkdir(parents=True)
    with serve_tls(tmp_path / "www", server, clients=True, client_ca=manifest_authority().root_pem) as running:
        url = f"{running.url}consumers/"
        data = manifest_bytes(products=[rhel(APPSTREAM)], api=url)
        import_manifest(ctx, "acme", data, "m.zip", trust=TRUST)
        yield Portal(ctx, url, export)


def test_a_newer_manifest_is_fetched_with_the_distributors_identity(portal: Portal) -> None:
    portal.publish(products=[rhel()])
    change = refresh_manifest(portal.ctx, "acme", trust=TRUST)
    assert len(change.plan.contents_in) == 1
    assert show_manifest(portal.ctx, "acme").record.created == CREATED + timedelta(days=1)
    assert manifest_history(portal.ctx, "acme")[0].action is ManifestAction.REFRESH


def test_what_the_portal_gives_is_checked_as_a_file_is(portal: Portal) -> None:
    portal.publish(products=[rhel()], authority=manifest_authority(8))
    with pytest.raises(UntrustedManifestError):
        refresh_manifest(portal.ctx, "acme", trust=TRUST)
    assert [len(each) for each in manifest_contents(portal.ctx, "acme").values()] == [1]


def test_a_portal_that_has_nothing_or_is_another_one_changes_nothing(portal: Portal, tmp_path: Path) -> None:
    with pytest.raises(UpstreamError, match="404") as gone:
        refresh_manifest(portal.ctx, "acme", trust=TRUST)
    stranger = replace(portal.ctx.settings.manifests, portal_ca_file=None)
    ctx = replace(portal.ctx, settings=replace(portal.ctx.settings, manifests=stranger))
    with pytest.raises(UnreachableError, match="TLS failed") as unreachable:
        refresh_manifest(ctx, "acme", trust=TRUST)
    for told in (gone, unreachable):
        assert "portal" in told.value.hint
        assert "repository" not in told.value.hint
    assert manifest_history(portal.ctx, "acme")[0].action is ManifestAction.IMPORT


@pytest.mark.parametrize(("api", "error"), [("", NotFoundError), ("http://portal.example.com/", InvalidValueError)])
def test_the_identity_is_shown_to_no_place_that_may_not_see_it(
    portal: Portal, api: str, error: type[Exception]
) -> None:
    data = manifest_bytes(products=[rhel()], api=api, created=CREATED + timedelta(hours=1))
    import_manifest(portal.ctx, "acme", data, "m.zip", trust=TRUST)
    with pytest.raises(error):
        refresh_manifest(portal.ctx, "acme", trust=TRUST)
