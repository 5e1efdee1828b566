"""Every scope in every form, complete and incremental: what arrives is what was sent, digest for digest."""

import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from makers.exports import add_repository, make_sender, publish, write
from makers.inboxes import make_context

from issbox.files import digest_file, remove_tree
from issbox.manifest import ScopeKind
from issbox.model import BundleForm, ContentExport, ImportState, RepositoryKey, ViewVersionName, WaitsFor
from issbox.workflows.appliance.boxes import signing_key
from issbox.workflows.content import views
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.content.view_publishing import publish_view
from issbox.workflows.context import Context
from issbox.workflows.environments import environments, promoting
from issbox.workflows.imports.by_hand import run_import

BASE, EXTRA = RepositoryKey("acme", "tools", "base"), RepositoryKey("acme", "tools", "extra")
SCOPES: dict[str, dict[str, Any]] = {
    "repository": {"scope": ScopeKind.REPOSITORY, "repositories": (BASE,)},
    "repositories": {"scope": ScopeKind.REPOSITORY, "repositories": (BASE, EXTRA)},
    "product": {"scope": ScopeKind.PRODUCT, "products": ("tools",)},
    "library": {"scope": ScopeKind.LIBRARY},
    "environment": {"scope": ScopeKind.LIFECYCLE_ENVIRONMENT, "environment": "dev"},
    "view": {"scope": ScopeKind.CONTENT_VIEW_VERSION, "content_view": "all"},
}
FORMS: dict[str, dict[str, Any]] = {
    "dir": {"form": BundleForm.DIRECTORY},
    "dir-volumes": {"form": BundleForm.DIRECTORY, "volume_size": 60_000},
    "dir-small-files": {"form": BundleForm.DIRECTORY, "largest_file": 5_000},
    "tar": {"form": BundleForm.TAR},
    "tgz": {"form": BundleForm.TGZ},
    "tgz-chunks": {"form": BundleForm.TGZ, "volume_size": 9_000},
    "iso": {"form": BundleForm.ISO},
    "iso-udf": {"form": BundleForm.ISO, "udf": True},
    "iso-volumes": {"form": BundleForm.ISO, "volume_size": 420_000},
}


@dataclass
class Sender:
    """A box with two repositories, an environment and a content view that hold them, and their upstreams."""

    ctx: Context
    root: Path
    exports: int = field(default=0)

    def change_upstream(self, revision: int) -> None:
        remove_tree(self.root / "upstream")
        publish(self.root / "upstream", packages=3 - revision % 2, ballast=20_000 + revision, revision=str(revision))
        synchronize(self.ctx, BASE)
        version = publish_view(self.ctx, "acme", "all")
        plan = promoting.plan_view_promotion(self.ctx, "acme", ViewVersionName("all", version.number), "dev")
        promoting.promote(self.ctx, plan)

    def export(self, **request: Any) -> ContentExport:
        self.exports += 1
        return write(self.ctx, self.root / f"media-{self.exports}", **request)


@pytest.fixture(scope="module")
def sender(tmp_path_factory: pytest.TempPathFactory) -> Sender:
    root = tmp_path_factory.mktemp("sender")
    made = Sender(make_sender(root, ballast=30_000), root)
    add_repository(made.ctx, root / "more", "extra", packages=1, ballast=100_000)
    environments.create_environment(made.ctx, organization="acme", label="dev", name="Dev", prior="Library")
    views.create_view(made.ctx, organization="acme", label="all", name="All")
    for key in (BASE, EXTRA):
        views.add_repository(made.ctx, "acme", "all", key)
    made.change_upstream(1)
    return made


@pytest.fixture
def receiver(tmp_path: Path, sender: Sender) -> Context:
    return make_context(tmp_path / "box", trusted=signing_key(sender.ctx))


def held(ctx: Context, environment: str = "Library") -> dict[str, dict[str, str]]:
    """Give path and digest of every file of every repository that hosts see."""
    root = ctx.store.state_dir / "content/acme" / environment
    return {
        str(link.relative_to(root)): {
            str(path.relative_to(tree)): digest_file(path).sha256 for path in tree.rglob("*") if path.is_file()
        }
        for link in root.rglob("*")
        if link.is_symlink()
        for tree in (link.resolve(),)
    }


def expected(sender: Sender, scope: str) -> dict[str, dict[str, str]]:
    """Give what the far side has to hold."""
    found = held(sender.ctx, "dev" if scope in {"environment", "view"} else "Library")
    return {path: files for path, files in found.items() if scope != "repository" or path.endswith("/base")}


def take_in(receiver: Context, sent: ContentExport) -> None:
    """Import what lies at the path of an export, its volumes in any order."""
    rows = run_import(receiver, Path(sent.path))
    assert rows[-1].state is ImportState.IMPORTED, rows[-1].reason
    assert (rows[-1].incremental, rows[-1].form) == (sent.incremental, sent.form)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("scope", SCOPES)
def test_what_arrives_is_what_was_sent(sender: Sender, receiver: Context, scope: str, form: str) -> None:
    destination = f"{scope}-{form}"
    complete = sender.export(destination=destination, **SCOPES[scope], **FORMS[form])
    assert len(complete.volumes) > 1 or "volume_size" not in FORMS[form]
    take_in(receiver, complete)
    assert held(receiver) == expected(sender, scope)
    sender.change_upstream(sender.exports + 1)
    increment = sender.export(destination=destination, incremental=True, **SCOPES[scope], **FORMS[form])
    assert increment.size < complete.size + 5_000
    take_in(receiver, increment)
    assert held(receiver) == expected(sender, scope)


@pytest.mark.parametrize("form", ["dir-volumes", "iso-volumes"])
def test_volumes_arrive_in_any_order(sender: Sender, receiver: Context, form: str) -> None:
    sent = sender.export(destination=f"shuffled-{form}", **SCOPES["library"], **FORMS[form])
    volumes = sorted(Path(sent.path).iterdir())
    random.Random(form).shuffle(volumes)
    for volume in volumes[:-1]:
        (row,) = run_import(receiver, volume)
        assert row.state is ImportState.WAITING
        assert held(receiver) == {}
    (row,) = run_import(receiver, volumes[-1])
    assert row.state is ImportState.IMPORTED
    assert held(receiver) == expected(sender, "library")


def test_a_content_view_version_is_kept_under_its_number(sender: Sender, receiver: Context) -> None:
    take_in(receiver, sender.export(destination="numbers", **SCOPES["view"]))
    with receiver.store.session():
        (version,) = receiver.store.view_versions.list("acme", "all")
    with sender.ctx.store.session():
        newest = sender.ctx.store.view_versions.list("acme", "all")[0]
    assert (version.number, len(version.repositories)) == (newest.number, 2)


def test_an_increment_without_its_base_waits_and_names_what_is_missing(sender: Sender, receiver: Context) -> None:
    complete = sender.export(destination="gap", **SCOPES["library"])
    sender.change_upstream(sender.exports + 1)
    increment = sender.export(destination="gap", incremental=True, **SCOPES["library"])
    (row,) = run_import(receiver, Path(increment.path))
    assert (row.state, row.waits_for) == (ImportState.WAITING, WaitsFor.BASE)
    assert ".rpm" in row.reason
    assert held(receiver) == {}
    take_in(receiver, complete)
    (row,) = run_import(receiver, Path(increment.path))
    assert row.state is ImportState.IMPORTED
    assert held(receiver) == expected(sender, "library")


def test_what_upstream_had_at_a_time_is_a_base_too(sender: Sender, receiver: Context) -> None:
    complete = sender.export(destination="time", **SCOPES["library"])
    then = sender.ctx.clock()
    sender.change_upstream(sender.exports + 1)
    increment = sender.export(destination="time", since=then, **SCOPES["library"])
    assert increment.incremental
    take_in(receiver, complete)
    take_in(receiver, increment)
    assert held(receiver) == expected(sender, "library")
