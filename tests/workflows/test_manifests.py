"""Subscription manifests: what importing, replacing and deleting one changes, and what it never touches."""

import stat
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest
from makers.boxes import ACTOR, PACKAGES
from makers.manifests import (
    APPSTREAM,
    BASEOS,
    CREATED,
    DISTRIBUTOR,
    MadeContent,
    MadeProduct,
    manifest_authority,
    manifest_bytes,
    rhel,
)
from makers.rpms import Repository as Layout
from makers.rpms import write_repository

from issbox.certs.decode import decode_certificate
from issbox.config import load_settings
from issbox.errors import (
    NotFoundError,
)
from issbox.model import (
    CertifiedProduct,
    ProductKind,
    Repository,
    RepositoryKey,
    Upstream,
)
from issbox.progress import Silent
from issbox.rules.promoted_states import ContentState
from issbox.wiring import now, open_context
from issbox.workflows import (
    boxes,
    catalog,
    certificates,
    contents,
    environments,
)
from issbox.workflows.context import Context
from issbox.workflows.manifest_importing import ManifestChange, import_manifest
from issbox.workflows.manifest_trust import ManifestTrust
from issbox.workflows.manifests import manifest_certificate, manifest_contents, show_manifest
from issbox.workflows.synchronize import synchronize

RHEL = "Red_Hat_Enterprise_Linux_for_x86_64"
KEY = RepositoryKey("acme", RHEL, "baseos-9")
TRUST = ManifestTrust((manifest_authority().root_pem,))
LATER = CREATED + timedelta(days=1)


@dataclass(frozen=True)
class Box:
    """A box with the organizations acme and other, and hosts in acme's environment dev."""

    ctx: Context
    root: Path

    def take(self, *products: MadeProduct, organization: str = "acme", **options: object) -> ManifestChange:
        """Import a manifest of these products."""
        force = options.pop("force", ())
        data = manifest_bytes(products=products, **options)  # type: ignore[arg-type]  # by name
        return import_manifest(self.ctx, organization, data, "m.zip", trust=TRUST, force=force)  # type: ignore[arg-type]

    def enable(self, content: MadeContent = BASEOS, key: RepositoryKey = KEY) -> Repository:
        """Make a repository of a content that the manifest offers, for release 9, and fill it."""
        offered = {each.content.id: each.content for each in manifest_contents(self.ctx, "acme")[key.product]}
        wanted = offered[content.id]
        path = wanted.path[1:].replace("$releasever", "9")
        upstream = self.root / "cdn" / path
        write_repository(Layout(upstream, PACKAGES[:2], revision="1"))
        with self.ctx.store.session(), self.ctx.store.transaction():
            made = self.ctx.store.repositories.create(
                Repository(key, wanted.name, wanted, path, {"releasever": "9"}, upstream=Upstream(upstream.as_uri()))
            )
        synchronize(self.ctx, key)
        return made

    def products(self) -> dict[str, ProductKind]:
        return {each.label: each.kind for each in catalog.list_products(self.ctx, "acme")}

    def key_files(self) -> list[Path]:
        return sorted(path for path in self.ctx.store.manifest_keys.rglob("*") if path.is_file())

    def states(self, environment: str) -> dict[str, tuple[ContentState, ...]]:
        return {each.label: each.states for each in contents.list_statuses(self.ctx, "acme", environment)}

    def certified(self, uuid: str) -> tuple[CertifiedProduct, ...]:
        (found,) = certificates.certificates_of(self.ctx, uuid)
        payload = decode_certificate(found.certificate.pem).payload
        assert payload is not None
        return payload.products


@pytest.fixture
def box(tmp_path: Path) -> Box:
    environ = {"ISSBOX_STATE_DIR": str(tmp_path / "state"), "XDG_CONFIG_HOME": str(tmp_path / "none")}
    boxes.initialize(
        load_settings(environ),
        name="box",
        organization_label="acme",
        organization_name="Acme",
        actor=ACTOR,
        clock=now,
        progress=Silent(),
    )
    ctx = open_context(environ=environ, actor=ACTOR)
    certified = replace(ctx.settings.certificates, authority_key="ec-p256", host_key="ec-p256")
    ctx = replace(ctx, settings=replace(ctx.settings, certificates=certified))
    catalog.create_organization(ctx, label="other", name="Other")
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior="Library")
    return Box(ctx, tmp_path)


def test_a_manifest_makes_products_and_says_what_can_be_enabled(box: Box) -> None:
    change = box.take(rhel())
    assert [each.label for each in change.plan.products_in] == [RHEL]
    assert box.products() == {RHEL: ProductKind.REDHAT}
    assert catalog.get_product(box.ctx, "acme", RHEL).number == "479"
    (offered,) = manifest_contents(box.ctx, "acme").values()
    baseos, appstream = offered
    assert (baseos.content.id, baseos.content.label, baseos.content.path) == (BASEOS.id, BASEOS.label, BASEOS.url)
    assert (baseos.content.enabled, baseos.content.type, baseos.content.arches) == (True, "yum", ("x86_64",))
    assert (baseos.vendor, baseos.gpg_url) == ("Red Hat", BASEOS.gpg_url)
    assert appstream.content.id == APPSTREAM.id
    shown = show_manifest(box.ctx, "acme")
    assert (shown.record.distributor.uuid, shown.record.created) == (DISTRIBUTOR, CREATED)
    assert shown.record.signed_by == "CN=test root rsa-3072 7"
    assert [each.paths for each in shown.record.certificates] == [2]
    assert manifest_contents(box.ctx, "other") == {}, "it belongs to one organization"


def test_keys_are_for_the_owner_alone_and_nowhere_else(box: Box) -> None:
    box.take(rhel())
    files = box.key_files()
    assert len(files) == 4
    for each in files:
        assert stat.S_IMODE(each.stat().st_mode) == 0o600
        assert stat.S_IMODE(each.parent.stat().st_mode) == 0o700
    secret = "".join(
        line for each in files if each.suffix == ".key" for line in each.read_text().splitlines() if "-" not in line
    )
    assert secret
    for each in box.ctx.store.state_dir.rglob("*"):
        if each.is_file() and each not in files:
            assert secret[40:100].encode() not in each.read_bytes(), each
    with box.ctx.store.session():
        assert "PRIVATE" not in str(box.ctx.store.manifests.get("acme"))
        assert "PRIVATE" not in str(box.ctx.store.audit.list())


def test_the_certificate_opens_the_cdn(box: Box) -> None:
    box.take(rhel())
    found = manifest_certificate(box.ctx, "acme", "/content/dist/rhel9/9.4/x86_64/baseos/os")
    assert decode_certificate(found.certificate.read_text()).serial == int(found.serial)
    assert "PRIVATE KEY" in found.key.read_text()
    assert "PRIVATE KEY" not in found.certificate.read_text()
    assert manifest_certificate(box.ctx, "acme") == found
    with pytest.raises(NotFoundError, match="opens /content/dist/rhel7"):
        manifest_certificate(box.ctx, "acme", "/content/dist/rhel7/7/x86_64/os")
    with pytest.raises(NotFoundError, match="no subscription manifest"):
        manifest_certificate(box.ctx, "other")
    expired = replace(box.ctx, clock=lambda: now() + timedelta(days=1000))
    with pytest.raises(NotFoundError, match="valid now: the last one was valid until"):
        manifest_certificate(expired, "acme")
