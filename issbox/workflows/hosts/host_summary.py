"""How the hosts of an organization are, in a few numbers: the console asks at its start, so nothing else is loaded."""

from issbox.model import HostSummary, Regeneration, RegenerationState
from issbox.workflows.context import Context, Permission


def summarize_hosts(ctx: Context, organization: str) -> HostSummary:
    """Give how many hosts an organization has, where they are, and how many certificates are stale."""
    ctx.require(Permission.CONSUMER_MANAGE, organization)
    with ctx.store.session():
        return ctx.store.host_lists.summary(organization)


def resting_regenerations(ctx: Context, organization: str) -> list[Regeneration]:
    """Give the regenerations that somebody let rest, the newest first: no job stands for them."""
    ctx.require(Permission.CERTIFICATE_MANAGE, organization)
    with ctx.store.session():
        known = ctx.store.regenerations.list(organization)
    return [each for each in known if each.state is RegenerationState.PAUSED]
