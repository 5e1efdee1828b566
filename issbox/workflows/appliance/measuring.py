"""The numbers of a box that monitoring keeps: what `status` knows, jobs, and when certificates of hosts end."""

from collections.abc import Mapping
from dataclasses import dataclass

from issbox.model import JobState
from issbox.workflows.appliance.box_status import Status, status
from issbox.workflows.context import Context
from issbox.workflows.hosts.host_lists import periods


@dataclass(frozen=True, slots=True)
class Measures:
    """How the box is doing, in numbers."""

    status: Status
    jobs: Mapping[JobState, int]
    """Number of jobs by state; of those that are over, as long as they are kept."""
    certificates: Mapping[tuple[str, str], int]
    """Number of certificates of hosts that are in use, by organization and the time that is left, in words."""


def measure(ctx: Context) -> Measures:
    """Measure the box, for its local administrator; raises NotPermittedError for others."""
    found = status(ctx)
    with ctx.store.session():
        labels = [each.label for each in ctx.store.organizations.list()]
        jobs = ctx.store.jobs.count()
    ends = {(label, each.words): each.certificates for label in labels for each in periods(ctx, label)}
    return Measures(found, jobs, ends)
