"""Subscription manifests: what importing, replacing and deleting one changes, and what it never touches."""

import stat
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from makers.boxes import ACTOR, PACKAGES, initialize_box
from makers.fleets import FACTS
from makers.manifests import (
    APPSTREAM,
    BASE_8,
    BASEOS,
    CREATED,
    DISTRIBUTOR,
    MadeContent,
    MadeProduct,
    manifest_authority,
    manifest_bytes,
    manifest_files,
    rhel,
    signed,
)
from makers.rpms import Repository as Layout
from makers.rpms import write_repository

from issbox.certs.decode import decode_certificate
from issbox.config import UnsignedManifest
from issbox.errors import (
    BusyError,
    InUseError,
    ManifestRefusedError,
    NotASubscriptionManifestError,
    NotFoundError,
    RedHatProductError,
    UntrustedManifestError,
)
from issbox.model import (
    CertifiedProduct,
    CredentialKind,
    ManifestAction,
    ManifestConflict,
    ProductKind,
    Repository,
    RepositoryKey,
    Role,
    Upstream,
    Validity,
)
from issbox.rules.environments.promoted_states import ContentState
from issbox.rules.health import Trouble
from issbox.wiring import now, open_context
from issbox.workflows.appliance import upkeep
from issbox.workflows.appliance.health import problems
from issbox.workflows.certificates import certificates
from issbox.workflows.certificates.redhat_trust import trust_redhat
from issbox.workflows.content import catalog, credentials, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import contents, environments, promoting
from issbox.workflows.hosts import registering
from issbox.workflows.manifests.manifest_importing import ManifestChange, delete_manifest, import_manifest
from issbox.workflows.manifests.manifest_keys import changing_manifest
from issbox.workflows.manifests.manifest_trust import KNOWN_AUTHORITIES, ManifestTrust
from issbox.workflows.manifests.manifests import (
    manifest_certificate,
    manifest_contents,
    manifest_history,
    show_manifest,
)
from issbox.workflows.people import users

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
    initialize_box(environ, "box")
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
        assert stat.S_IMODE(each.parent.parent.stat().st_mode) == 0o700
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


def test_a_smaller_manifest_loses_no_promotion(box: Box) -> None:
    box.take(rhel())
    box.enable()
    plan = promoting.plan_repository_promotion(box.ctx, KEY, 1, "dev")
    promoting.promote(box.ctx, plan)
    host = registering.register(box.ctx, organization="acme", name="h", facts=FACTS, environments=["dev"])
    before = box.certified(host.uuid)
    change = box.take(rhel(APPSTREAM), created=LATER)
    (gone,) = change.plan.withdrawn
    assert (gone.id, gone.label, gone.repositories) == (BASEOS.id, BASEOS.label, (f"{RHEL}/baseos-9",))
    assert gone.environments == ("Library", "dev")
    assert [each.id for each in change.plan.contents_out] == [BASEOS.id]
    assert box.states("dev") == {BASEOS.label: (ContentState.DANGLING,)}
    assert repositories.get_repository(box.ctx, KEY).latest == 1
    assert box.certified(host.uuid) == before, "hosts keep what was promoted for them"
    back = box.take(rhel(), created=LATER + timedelta(days=1))
    assert back.plan.restored == (BASEOS.id,)
    assert box.states("dev") == {BASEOS.label: ()}


def test_an_unchanged_manifest_changes_nothing(box: Box) -> None:
    data = manifest_bytes(products=[rhel()])
    for _ in range(2):
        change = import_manifest(box.ctx, "acme", data, "m.zip", trust=TRUST)
    assert change.plan.changes_nothing
    assert len(box.key_files()) == 4, "the keys of the one before are gone"


def test_hosts_are_told_what_the_manifest_says(box: Box) -> None:
    box.take(rhel())
    box.enable()
    host = registering.register(box.ctx, organization="acme", name="h", facts=FACTS, environments=["Library"])
    (product,) = box.certified(host.uuid)
    (content,) = product.content
    assert (product.id, product.name) == ("479", "Red Hat Enterprise Linux for x86_64")
    assert (content.id, content.label, content.vendor) == (BASEOS.id, BASEOS.label, "Red Hat")
    assert content.gpg_url == "file:///etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release"
    assert content.path == f"/acme/Library{BASEOS.url}"
    assert content.metadata_expire == 1
    box.take(rhel(replace(BASEOS, tags="rhel-9")), created=LATER)
    (product,) = box.certified(host.uuid)
    assert product.content[0].required_tags == ("rhel-9",), "Library follows the manifest"


def test_a_product_stays_as_long_as_something_needs_it(box: Box) -> None:
    other = MadeProduct("69", "Other Product", (BASE_8,))
    box.take(rhel(), other)
    box.enable()
    change = box.take(other, created=LATER)
    assert (change.plan.products_kept, change.plan.products_out) == ((RHEL,), ())
    assert set(box.products()) == {RHEL, "Other_Product"}
    change = box.take(rhel(), created=LATER + timedelta(days=1))
    assert change.plan.products_out == ("Other_Product",)
    assert catalog.get_product(box.ctx, "acme", RHEL).number == "479"


def test_a_renamed_product_keeps_its_label(box: Box) -> None:
    box.take(rhel())
    change = box.take(replace(rhel(), name="RHEL"), created=LATER)
    assert [(each.label, each.name) for each in change.plan.products_renamed] == [(RHEL, "RHEL")]
    assert catalog.get_product(box.ctx, "acme", RHEL).name == "RHEL"


def test_a_content_that_moved_leaves_repositories_where_they_are(box: Box) -> None:
    box.take(rhel())
    box.enable()
    moved = replace(BASEOS, url="/content/dist/rhel9/$releasever/x86_64/baseos/new")
    change = box.take(rhel(moved), created=LATER)
    assert any("moved from /content/dist/rhel9" in each for each in change.warnings)
    assert repositories.get_repository(box.ctx, KEY).content.path == BASEOS.url


def test_only_a_manifest_changes_red_hat_products(box: Box) -> None:
    box.take(rhel())
    with pytest.raises(RedHatProductError, match="Red Hat product"):
        catalog.delete_product(box.ctx, "acme", RHEL)
    with pytest.raises(RedHatProductError, match="Red Hat product"):
        repositories.create_repository(box.ctx, organization="acme", product=RHEL, label="mine", name="Mine")
    with pytest.raises(InUseError, match="has"):
        catalog.delete_organization(box.ctx, "acme")


def test_deleting_says_first_what_happens_and_keeps_repositories(box: Box) -> None:
    box.take(rhel())
    box.enable()
    planned = delete_manifest(box.ctx, "acme", dry_run=True)
    assert show_manifest(box.ctx, "acme").record == planned.record
    done = delete_manifest(box.ctx, "acme")
    assert done.plan == planned.plan
    assert done.plan.products_kept == (RHEL,)
    assert [each.id for each in done.plan.withdrawn] == [BASEOS.id]
    assert box.states("Library") == {BASEOS.label: (ContentState.DANGLING,)}
    assert repositories.get_repository(box.ctx, KEY).latest == 1
    assert box.key_files() == []
    with pytest.raises(NotFoundError, match="no subscription manifest"):
        delete_manifest(box.ctx, "acme")
    repositories.delete_repository(box.ctx, KEY)
    catalog.delete_product(box.ctx, "acme", RHEL)
    assert box.products() == {}


def test_history_and_audit_say_what_happened(box: Box) -> None:
    box.take(rhel())
    box.take(rhel(APPSTREAM), created=LATER)
    delete_manifest(box.ctx, "acme")
    history = manifest_history(box.ctx, "acme")
    assert [each.action for each in history] == [ManifestAction.DELETE, ManifestAction.IMPORT, ManifestAction.IMPORT]
    assert [(each.contents_in, each.contents_out) for each in history] == [(0, 1), (0, 1), (2, 0)]
    assert manifest_history(box.ctx, "other") == []
    with box.ctx.store.session():
        actions = [each.action for each in box.ctx.store.audit.list() if each.action.startswith("manifest.")]
        assert actions == ["manifest.import", "manifest.import", "manifest.delete"]
        box.ctx.store.audit.verify()


@pytest.mark.parametrize(
    ("options", "conflict", "words"),
    [
        ({"created": CREATED - timedelta(days=1)}, ManifestConflict.OLDER, "before the present one"),
        ({"name": "renamed"}, ManifestConflict.SAME, "in the same second"),
        ({"uuid": "another", "created": LATER}, ManifestConflict.DISTRIBUTOR, "that of the distributor"),
    ],
)
def test_conflicts_are_refused_unless_forced(
    box: Box, options: dict[str, object], conflict: ManifestConflict, words: str
) -> None:
    box.take(rhel())
    before, files = show_manifest(box.ctx, "acme"), box.key_files()
    with pytest.raises(ManifestRefusedError, match=words) as refused:
        box.take(rhel(APPSTREAM), **options)  # type: ignore[arg-type]  # by name
    assert f"--force {conflict}" in refused.value.hint
    assert (show_manifest(box.ctx, "acme"), box.key_files()) == (before, files)
    others = set(ManifestConflict) - {conflict}
    with pytest.raises(ManifestRefusedError, match=words):
        box.take(rhel(APPSTREAM), force=others, **options)  # type: ignore[arg-type]  # by name
    change = box.take(rhel(APPSTREAM), force=[conflict], **options)  # type: ignore[arg-type]  # by name
    assert change.plan.forced == (conflict,)
    assert manifest_history(box.ctx, "acme")[0].forced == (conflict,)


def test_one_distributor_is_for_one_organization(box: Box) -> None:
    box.take(rhel())
    with pytest.raises(ManifestRefusedError, match="the organization acme has a manifest of the same distributor"):
        box.take(rhel(), organization="other", force=set(ManifestConflict))
    box.take(rhel(BASE_8), organization="other", uuid="another")
    assert [each.content.id for each in manifest_contents(box.ctx, "other")[RHEL]] == [BASE_8.id]
    assert [each.content.id for each in manifest_contents(box.ctx, "acme")[RHEL]] == [BASEOS.id, APPSTREAM.id]
    first, second = (manifest_certificate(box.ctx, each) for each in ("acme", "other"))
    assert first.certificate.read_text() != second.certificate.read_text()


def test_custom_things_in_the_way_are_all_named(box: Box) -> None:
    catalog.create_product(box.ctx, organization="acme", label=RHEL, name="Mine")
    with box.ctx.store.session(), box.ctx.store.transaction():
        key = RepositoryKey("acme", RHEL, "base")
        repositories.create_repository(box.ctx, organization="acme", product=RHEL, label="base", name="Base")
        present = box.ctx.store.repositories.get(key)
        box.ctx.store.repositories.update(key, content=replace(present.content, id=BASEOS.id))
    with pytest.raises(ManifestRefusedError) as refused:
        box.take(rhel())
    assert "which a custom product has" in str(refused.value)
    assert f"a custom repository has the content id {BASEOS.id}" in str(refused.value)
    assert box.products() == {RHEL: ProductKind.CUSTOM}
    assert box.key_files() == []


class TestSignatures:
    """Who may have signed a manifest."""

    def test_an_unknown_signer_is_refused(self, box: Box) -> None:
        data = manifest_bytes(products=[rhel()], authority=manifest_authority(8))
        with pytest.raises(UntrustedManifestError, match="none of the authorities known here"):
            import_manifest(box.ctx, "acme", data, "m.zip", trust=TRUST)
        with pytest.raises(UntrustedManifestError, match="no authority that signs manifests is known"):
            import_manifest(box.ctx, "acme", data, "m.zip")
        assert box.products() == {}

    def test_a_changed_byte_is_refused(self, box: Box) -> None:
        files = manifest_files(products=[rhel()], scheme=True)
        data = signed(files, manifest_authority(8))
        with pytest.raises(UntrustedManifestError, match="is not that of this manifest"):
            import_manifest(box.ctx, "acme", data, "m.zip", trust=TRUST)
        with pytest.raises(UntrustedManifestError, match="is not that of this manifest"):
            import_manifest(lenient(box.ctx), "acme", data, "m.zip", trust=TRUST)

    @pytest.mark.parametrize("scheme", [False, True])
    def test_credentials_files_and_red_hats_authority_count(self, box: Box, tmp_path: Path, *, scheme: bool) -> None:
        data = manifest_bytes(products=[rhel()], scheme=scheme)
        pem = manifest_authority().root_pem
        credentials.create_credential(
            box.ctx, organization="acme", label="ca", name="CA", kind=CredentialKind.CA_CERTIFICATE, content=pem
        )
        import_manifest(box.ctx, "acme", data, "m.zip", trust=ManifestTrust(credentials=("ca",)))
        (tmp_path / "ca.pem").write_text(pem)
        configured = replace(box.ctx.settings.manifests, ca_file=tmp_path / "ca.pem")
        ctx = replace(box.ctx, settings=replace(box.ctx.settings, manifests=configured))
        import_manifest(ctx, "acme", data, "m.zip")
        trust_redhat(box.ctx, pem)
        import_manifest(box.ctx, "acme", data, "m.zip", trust=KNOWN_AUTHORITIES)
        assert len({each.signed_by for each in manifest_history(box.ctx, "acme")}) == 1

    @pytest.mark.parametrize("unsigned", [True, False])
    def test_the_settings_may_let_it_pass_with_a_warning(self, box: Box, *, unsigned: bool) -> None:
        files = manifest_files(products=[rhel()])
        data = signed(files, manifest_authority(8), unsigned=unsigned)
        with pytest.raises(UntrustedManifestError):
            import_manifest(box.ctx, "acme", data, "m.zip", trust=TRUST)
        change = import_manifest(lenient(box.ctx), "acme", data, "m.zip", trust=TRUST)
        assert change.record.signed_by == ""
        assert any("without a good signature" in each for each in change.warnings)
        assert manifest_history(box.ctx, "acme")[0].notes == change.warnings


def lenient(ctx: Context) -> Context:
    """Give the same box with [manifests] unsigned = accept."""
    accepting = replace(ctx.settings.manifests, unsigned=UnsignedManifest.ACCEPT)
    return replace(ctx, settings=replace(ctx.settings, manifests=accepting))


def test_a_certificate_without_its_key_or_with_another_one_is_refused(box: Box) -> None:
    files = manifest_files(products=[rhel()])
    (path,) = (each for each in files if each.endswith(".pem"))
    text = files[path].decode()
    bare = text[: text.index("-----BEGIN PRIVATE KEY")]
    foreign = files[next(each for each in files if "upstream_consumer" in each)].decode()
    wrong = bare + foreign[foreign.index("-----BEGIN PRIVATE") : foreign.index('", "serial')].replace("\\n", "\n")
    for changed, words in ((bare, "without its private key"), (wrong, "do not belong together")):
        with pytest.raises(NotASubscriptionManifestError, match=words) as refused:
            import_manifest(box.ctx, "acme", signed(files | {path: changed.encode()}), "m.zip", trust=TRUST)
        assert "BEGIN" not in str(refused.value)
    assert box.key_files() == []


def test_expired_certificates_are_told_of(box: Box) -> None:
    at = datetime.now(UTC)
    change = box.take(rhel(), valid=Validity(at - timedelta(days=20), at - timedelta(days=10)))
    assert "no entitlement certificate of the manifest is valid now" in change.warnings


def test_two_at_once_do_not_mix(box: Box) -> None:
    with changing_manifest(box.ctx, "acme"):
        with pytest.raises(BusyError, match="another process is changing the manifest of acme"):
            box.take(rhel())
        box.take(rhel(), organization="other")


def test_keys_that_no_manifest_has_go_at_the_next_start(box: Box) -> None:
    box.take(rhel())
    stray = box.ctx.store.manifest_keys / "acme" / "0123456789abcdef0123456789abcdef"
    stray.mkdir()
    (stray / "1.key").write_text("left by a killed import")
    for name in ("acme/kept by somebody", "no label", "acme/file"):
        (box.ctx.store.manifest_keys / name).mkdir()
    files = box.key_files()
    assert upkeep.reconcile(box.ctx).keys_removed == 1
    assert len(box.key_files()) == len(files) - 1
    assert not stray.exists()


def test_a_dry_run_changes_nothing(box: Box) -> None:
    change = import_manifest(box.ctx, "acme", manifest_bytes(products=[rhel()]), "m.zip", trust=TRUST, dry_run=True)
    assert len(change.plan.contents_in) == 2
    assert (box.products(), box.key_files(), manifest_history(box.ctx, "acme")) == ({}, [], [])


def test_the_end_of_its_certificates_is_told_in_time_to_those_who_may_know(box: Box) -> None:
    at = datetime.now(UTC)
    box.take(rhel(), valid=Validity(at - timedelta(days=1), at + timedelta(days=10)))
    (told,) = [each.what for each in problems(box.ctx) if each.trouble is Trouble.CERTIFICATE]
    assert "of the subscription manifest of acme ends on" in told
    users.create_user(box.ctx, name="olga", full_name="Olga")
    users.grant_role(box.ctx, "olga", Role.VIEWER, organization="other")
    stranger = box.ctx.acting_as("olga", "test")
    assert [each for each in problems(stranger) if each.trouble is Trouble.CERTIFICATE] == []
