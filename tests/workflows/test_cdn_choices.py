"""Choosing Red Hat content: what is offered and really there, enabled and disabled by content, release and arch."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from makers.manifests import APPSTREAM, BASEOS, MadeContent, manifest_authority, manifest_bytes, rhel
from makers.redhat import make_plain_box
from makers.repodata import Listed
from makers.two_boxes import lay
from makers.upstream import Answer, Upstream, serve

from issbox.errors import AlreadyExistsError, InUseError, InvalidValueError, NotFoundError, UnreachableError
from issbox.model import LIBRARY, CdnLocation, CdnType
from issbox.workflows.cdn.choices import Choices, Wish, list_choices
from issbox.workflows.cdn.enabling import disable, enable, find_enabled
from issbox.workflows.cdn.location import plan_location, set_location
from issbox.workflows.content import repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.context import Context
from issbox.workflows.environments import environments
from issbox.workflows.environments.promoting import plan_repository_promotion, promote
from issbox.workflows.manifests.manifest_importing import delete_manifest, import_manifest
from issbox.workflows.manifests.manifest_trust import ManifestTrust

TOOLS = MadeContent("20001", "rhel-9-tools-rpms", "/content/dist/rhel9/$releasever/$basearch/tools/os", arches="")
IMAGES = MadeContent("20002", "rhel-9-images", "/content/dist/rhel9/$releasever/x86_64/images", type="file")
PLAIN = MadeContent("20003", "plain-rpms", "/content/dist/layered/plain/os")
HELD = (
    "content/dist/rhel9/9.4/x86_64/baseos/os",
    "content/dist/rhel9/9/x86_64/baseos/os",
    "content/dist/rhel9/9/x86_64/tools/os",
    "content/dist/rhel9/9/aarch64/tools/os",
    "content/dist/layered/plain/os",
)


def lay_all(root: Path, *paths: str) -> None:
    for path in paths:
        lay(root, path, Listed("bash.rpm", path.encode()))


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    ctx = make_plain_box(tmp_path / "box")
    take_manifest(ctx)
    return ctx


def take_manifest(ctx: Context) -> None:
    products = [rhel(BASEOS, APPSTREAM, TOOLS, IMAGES, PLAIN)]
    trust = ManifestTrust((manifest_authority().root_pem,))
    import_manifest(ctx, "acme", manifest_bytes(products=products), "manifest.zip", trust=trust)


@pytest.fixture
def cdn(ctx: Context, tmp_path: Path) -> Iterator[Upstream]:
    lay_all(tmp_path / "cdn", *HELD)
    with serve(tmp_path / "cdn") as running:
        location = CdnLocation("acme", CdnType.CUSTOM_CDN, running.url, shows_manifest=False)
        set_location(ctx, plan_location(ctx, location))
        yield running


def look(ctx: Context, **wish: str) -> Choices:
    return list_choices(ctx, "acme", Wish(**wish))


def paths(found: Choices) -> set[str]:
    return {each.path for each in found.choices}


def test_choices_are_what_is_offered_and_really_there(ctx: Context, cdn: Upstream) -> None:
    found = look(ctx)
    assert paths(found) == set(HELD)
    assert (found.readable, found.skipped, found.cut) == (True, 1, False)
    assert all(each.confirmed and each.repository is None for each in found.choices)
    assert paths(look(ctx, release="9.4")) == {HELD[0], HELD[4]}
    assert paths(look(ctx, content="rhel-9-tools-rpms", arch="aarch64")) == {HELD[3]}
    assert paths(look(ctx, content="10304")) == set()
    assert cdn.most_at_once <= ctx.settings.synchronize.downloads
    with pytest.raises(NotFoundError, match="nothing of content absent"):
        look(ctx, content="absent")


def test_what_is_enabled_is_marked_and_synchronized_from_there(ctx: Context, cdn: Upstream) -> None:
    made = enable(ctx, "acme", BASEOS.label, release="9.4")
    assert made.path == HELD[0]
    assert dict(made.variables) == {"releasever": "9.4"}
    assert made.upstream.url == f"{cdn.url.rstrip('/')}/{HELD[0]}"
    assert [each.path for each in look(ctx).choices if each.repository == made.key] == [HELD[0]]
    assert synchronize(ctx, made.key).packages == 1
    with pytest.raises(AlreadyExistsError, match="enabled already"):
        enable(ctx, "acme", BASEOS.id, release="9.4")
    both = [enable(ctx, "acme", "20001", release="9", arch=each) for each in ("x86_64", "aarch64")]
    assert len({each.key for each in both}) == 2
    assert {each.path for each in look(ctx).choices if each.repository} == {HELD[0], HELD[2], HELD[3]}


@pytest.mark.usefixtures("cdn")
@pytest.mark.parametrize(
    ("content", "values", "error", "reason"),
    [
        ("absent", {}, NotFoundError, "nothing of content absent"),
        (BASEOS.label, {}, InvalidValueError, "needs a value for releasever"),
        (BASEOS.label, {"release": "9.4", "arch": "x86_64"}, InvalidValueError, "has no basearch"),
        (BASEOS.label, {"release": "8.10"}, NotFoundError, "does not hold"),
        (BASEOS.label, {"release": "../9"}, InvalidValueError, "cannot be the releasever"),
        (IMAGES.label, {"release": "9"}, InvalidValueError, "type file"),
        (PLAIN.label, {"release": "9"}, InvalidValueError, "has no releasever"),
    ],
)
def test_what_cannot_be_enabled_says_why(
    ctx: Context, content: str, values: dict[str, str], error: type[Exception], reason: str
) -> None:
    with pytest.raises(error) as refused:
        enable(ctx, "acme", content, **values)  # type: ignore[arg-type]  # fields by name
    assert reason in str(refused.value)
    assert repositories.list_repositories(ctx, "acme") == []


def test_a_cdn_that_is_away_is_said_and_not_asked_when_told_so(ctx: Context, cdn: Upstream) -> None:
    cdn.always["listing"] = Answer(hang_up=True)
    with pytest.raises(UnreachableError) as raised:
        look(ctx)
    assert "CDN location" in raised.value.hint
    with pytest.raises(UnreachableError):
        enable(ctx, "acme", BASEOS.label, release="9")
    assert enable(ctx, "acme", BASEOS.label, release="9", check=False).path == HELD[1]


def test_without_a_url_imports_fill_what_is_enabled_by_name(ctx: Context) -> None:
    nowhere = CdnLocation("acme", CdnType.EXPORT_SYNC, None, shows_manifest=False)
    set_location(ctx, plan_location(ctx, nowhere))
    with pytest.raises(InvalidValueError, match="has no URL"):
        look(ctx)
    made = enable(ctx, "acme", BASEOS.label, release="9")
    assert made.upstream.url is None


@pytest.mark.usefixtures("cdn")
def test_what_is_promoted_cannot_be_disabled(ctx: Context) -> None:
    made = enable(ctx, "acme", BASEOS.label, release="9")
    synchronize(ctx, made.key)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    promote(ctx, plan_repository_promotion(ctx, made.key, 1, "dev"))
    other = enable(ctx, "acme", BASEOS.label, release="9.4")
    found = find_enabled(ctx, "acme", BASEOS.label, release="9")
    assert (found.key, found.variables) == (made.key, {"releasever": "9"})
    assert find_enabled(ctx, "acme", BASEOS.id, release="9.4").key == other.key
    with pytest.raises(InUseError, match="lifecycle environments dev"):
        disable(ctx, found)
    with pytest.raises(NotFoundError, match="not enabled for 8"):
        find_enabled(ctx, "acme", BASEOS.label, release="8")


@pytest.mark.usefixtures("cdn")
def test_what_is_disabled_is_a_choice_again(ctx: Context) -> None:
    made = enable(ctx, "acme", BASEOS.label, release="9")
    synchronize(ctx, made.key)
    disable(ctx, find_enabled(ctx, "acme", "10303", release="9"))
    assert repositories.list_repositories(ctx, "acme") == []
    assert all(each.repository is None for each in look(ctx).choices)
    assert enable(ctx, "acme", BASEOS.label, release="9").key == made.key


@pytest.mark.usefixtures("cdn")
def test_without_a_manifest_there_is_nothing_to_choose_from(ctx: Context) -> None:
    made = enable(ctx, "acme", BASEOS.label, release="9")
    delete_manifest(ctx, "acme")
    with pytest.raises(NotFoundError, match="no subscription manifest offers"):
        look(ctx)
    assert synchronize(ctx, made.key).packages == 1, "a custom CDN that is shown no certificate needs no manifest"
    take_manifest(ctx)
    assert [each.repository for each in look(ctx, content=BASEOS.label, release="9").choices] == [made.key]


def test_the_manifests_certificate_is_needed_where_it_is_shown(ctx: Context, cdn: Upstream) -> None:
    made = enable(ctx, "acme", BASEOS.label, release="9")
    shown = CdnLocation("acme", CdnType.CUSTOM_CDN, cdn.url, shows_manifest=True)
    set_location(ctx, plan_location(ctx, shown))
    assert paths(look(ctx)) == set(HELD)
    late = replace(ctx, clock=lambda: ctx.clock().replace(year=2035))
    with pytest.raises(NotFoundError, match="no certificate that is valid now"):
        synchronize(late, made.key)
