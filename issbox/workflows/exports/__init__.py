"""Writing bundles: plan what goes in, sign the head that says so, then copy with every byte checked on the way out."""

from typing import TYPE_CHECKING, Final

from issbox.on_demand import on_demand

if TYPE_CHECKING:
    from issbox.workflows.exports.estimating import Estimate, estimate
    from issbox.workflows.exports.plan import ExportPlan, ExportRequest, plan_export
    from issbox.workflows.exports.pruning import plan_pruning, prune
    from issbox.workflows.exports.recutting import Recut, find_recut, recut
    from issbox.workflows.exports.streaming import STREAMED_FORMS, stream
    from issbox.workflows.exports.writing import STEPS, export

__all__ = [
    "STEPS",
    "STREAMED_FORMS",
    "Estimate",
    "ExportPlan",
    "ExportRequest",
    "Recut",
    "estimate",
    "export",
    "find_recut",
    "plan_export",
    "plan_pruning",
    "prune",
    "recut",
    "stream",
]

_LATE: Final = {
    "estimating": "Estimate estimate",
    "plan": "ExportPlan ExportRequest plan_export",
    "pruning": "plan_pruning prune",
    "recutting": "Recut find_recut recut",
    "streaming": "STREAMED_FORMS stream",
    "writing": "STEPS export",
}

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _LATE)
