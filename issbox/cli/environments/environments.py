"""Lifecycle environments on the command line: which one is meant."""

from typing import TYPE_CHECKING

from issbox.cli.options import chosen_organization, pick
from issbox.model import LifecycleEnvironment

if TYPE_CHECKING:
    from issbox.workflows.context import Context


def find_environment(
    ctx: "Context", organization: str | None, label: str | None, name: str | None
) -> LifecycleEnvironment:
    """Give the one environment meant by label or name; raises NotFoundError, CommandLineError."""
    from issbox.workflows.environments import environments

    known = environments.list_environments(ctx, chosen_organization(ctx, organization))
    return pick(known, label=label, name=name, what="lifecycle environment")
