"""kill -9 at every named step of publishing and promoting a content view: start again, and it is done or not done."""

import pytest
from makers.boxes import KEY, Gap

from issbox.model import LIBRARY, PackageRule, ViewFilter, ViewVersionName
from issbox.workflows.content import view_publishing, views
from issbox.workflows.environments import environments, promoting

AFTER_COMMIT = {"switch-links"}
"""Steps that begin after the transaction: killed there, the change is done once the box has started again."""

FILTER = ViewFilter("No almanac", False, PackageRule(("gap-almanac",)))


@pytest.fixture
def box(gap: Gap) -> Gap:
    """A box with the content view servers of a synchronized repository, and Library > dev."""
    ctx = gap.outside.context()
    gap.outside.run("synchronize")
    views.create_view(ctx, organization="acme", label="servers", name="Servers")
    views.add_repository(ctx, "acme", "servers", KEY)
    environments.create_environment(ctx, organization="acme", label="dev", name="Dev", prior=LIBRARY)
    return gap


def numbers(box: Gap) -> list[str]:
    return [version.number for version in views.list_view_versions(box.outside.context(), "acme", "servers")]


def shown(box: Gap) -> str:
    """Where the link of the environment dev leads."""
    link = box.outside.state / "content/acme/dev/custom/tools/base"
    return "/".join(link.resolve().parts[-2:]) if link.is_symlink() else ""


def test_every_named_step_is_passed(box: Gap) -> None:
    assert box.outside.run("publish-view", "servers") == list(view_publishing.STEPS)
    assert box.outside.run("promote", "servers 1.0 dev") == list(promoting.STEPS)


@pytest.mark.parametrize("step", view_publishing.STEPS)
def test_publish(box: Gap, step: str) -> None:
    views.create_filter(box.outside.context(), "acme", "servers", FILTER)
    box.outside.run("publish-view", "servers", kill=step)
    box.outside.restart()
    box.outside.check()
    assert numbers(box) == (["1.0"] if step in AFTER_COMMIT else [])
    box.outside.run("publish-view", "servers")
    box.outside.check()
    assert numbers(box) == (["2.0", "1.0"] if step in AFTER_COMMIT else ["1.0"])
    (pin,) = views.get_view_version(box.outside.context(), "acme", ViewVersionName("servers", "1.0")).repositories
    assert (pin.repository.key.view, pin.number, pin.packages) == ("servers", 1, 1)


@pytest.mark.parametrize("step", promoting.STEPS)
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_promote(box: Gap, step: str, first: bool) -> None:
    box.outside.run("publish-view", "servers")
    if not first:
        box.outside.run("promote", "servers 1.0 dev")
        box.change_upstream(3)
        box.outside.run("synchronize")
        box.outside.run("publish-view", "servers")
    version, before, after = ("1.0", "", "base/1") if first else ("2.0", "base/1", "base/2")
    assert shown(box) == before
    box.outside.run("promote", f"servers {version} dev", kill=step)
    assert shown(box) == before
    box.outside.restart()
    box.outside.check()
    done = step in AFTER_COMMIT
    ctx = box.outside.context()
    assert shown(box) == (after if done else before)
    assert len(promoting.list_promotions(ctx, "acme")) == (1 if first else 2) - (not done)
    in_dev = views.get_view_version(ctx, "acme", ViewVersionName("servers", version)).environments
    assert in_dev == (("dev",) if done else ())
    box.outside.run("promote", f"servers {version} dev")
    box.outside.check()
    assert shown(box) == after
    assert len(promoting.list_promotions(ctx, "acme")) == (1 if first else 2)
