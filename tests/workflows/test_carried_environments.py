"""Lifecycle environments in bundles: carried when asked for, taken over when asked for, and never anything else."""

from pathlib import Path
from typing import Any

import pytest
from makers.crossings import Crossing, make_crossing
from makers.exports import KEY, check_directory, plan

from issbox.errors import InvalidValueError, NotPermittedError
from issbox.manifest import ManifestEnvironment, ManifestPromotion
from issbox.model import LIBRARY, Role
from issbox.workflows import environments, promoting
from issbox.workflows.context import Context
from issbox.workflows.users import create_user, grant_role


def stage(ctx: Context, label: str, prior: str = LIBRARY, **facts: str) -> None:
    """Make an environment."""
    environments.create_environment(ctx, organization="acme", label=label, name=label.title(), prior=prior, **facts)


def promote(ctx: Context, environment: str, number: int) -> None:
    """Promote a version of acme/tools/base."""
    promoting.promote(ctx, promoting.plan_repository_promotion(ctx, KEY, number, environment))


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    """Over there dev holds the first version of tools/base and prod, after it, nothing."""
    crossing = make_crossing(tmp_path)
    stage(crossing.sender, "dev", type_="test", description="First\nstage", content_prefix="/$env")
    stage(crossing.sender, "prod", "dev")
    promote(crossing.sender, "dev", 1)
    crossing.publish([0, 1, 2])
    return crossing


def carried(crossing: Crossing, **request: Any) -> tuple[ManifestEnvironment, ...]:
    """Give what a bundle says of environments."""
    path = crossing.export(**request)[0]
    return check_directory(crossing.sender, path).manifest.lifecycle_environments


def test_a_bundle_says_what_is_promoted_where_only_when_asked(crossing: Crossing) -> None:
    ctx = crossing.sender
    assert carried(crossing) == ()
    with ctx.store.session():
        digest = ctx.store.versions.get(KEY, 1).repomd_sha256
    held = ManifestPromotion(content_label="tools_base", path="custom/tools/base", repomd_sha256=digest)
    dev = {"label": "dev", "name": "Dev", "description": "First\nstage", "type": "test", "content_prefix": "/$env"}
    assert carried(crossing, with_environments=True) == (
        ManifestEnvironment(prior="Library", promotions=(held,), **dev),
        ManifestEnvironment(label="prod", name="Prod", prior="dev"),
    )


def test_what_other_products_hold_is_not_told_by_one_who_may_export_some_only(crossing: Crossing) -> None:
    ctx = crossing.sender
    create_user(ctx, name="ede")
    grant_role(ctx, name="ede", role=Role.EXPORTER, organization="acme", products=("tools",))
    ede = ctx.acting_as("ede", "test")
    assert plan(ede).products == {"tools"}
    with pytest.raises(NotPermittedError):
        plan(ede, with_environments=True)


@pytest.mark.parametrize("text", ["\x1b[2J", "x" * 2001, "\ud800"])
def test_a_description_that_no_bundle_may_carry_is_refused_where_it_is_given(crossing: Crossing, text: str) -> None:
    with pytest.raises(InvalidValueError, match="description"):
        stage(crossing.sender, "more", description=text)
    with pytest.raises(InvalidValueError, match="description"):
        environments.update_environment(crossing.sender, "acme", "dev", description=text)
