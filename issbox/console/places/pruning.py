"""Deleting bundles that are kept long enough."""

from typing import Final

from issbox.console.session import Session
from issbox.console.words import Action, Answers, Consequences, Outcome, Target
from issbox.names import format_size, plural
from issbox.workflows.context import Permission


def _confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows import exports

    del target, answers
    planned = exports.plan_pruning(session.ctx, session.organization)
    goes = [each for each in planned if each.goes]
    size = sum(each.export.size for each in goes)
    lines = [f"frees {format_size(size)}"] if goes else []
    for sign, chosen in (("-", goes), ("=", [each for each in planned if not each.goes])):
        for each in chosen:
            export = each.export
            name = f"export {export.id}, #{export.sequence} for {export.destination or 'no destination'}"
            lines.append(f"{sign} {name}: {each.reason}")
    refusals = () if goes else ("No bundle is kept long enough by [export] keep, keep_days and acknowledgements.",)
    confirmed = {"exports": " ".join(str(each.export.id) for each in goes)}
    return Consequences(
        f"Delete {plural(len(goes), 'bundle')}?", tuple(lines), "Delete", refusals, final=True, extra=confirmed
    )


def _prune(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete the bundles of this organization that are kept long enough by the configured rules, after showing them."""
    from issbox.workflows import exports

    del target
    confirmed = {int(each) for each in answers["exports"].split()}
    planned = exports.plan_pruning(session.ctx, session.organization)
    gone = exports.prune(session.ctx, [each for each in planned if each.export.id in confirmed])
    return Outcome(f"{plural(len(gone), 'bundle')} deleted.")


ACTIONS: Final = (
    Action(
        "exports.prune",
        "p",
        "Prune",
        _prune,
        permission=Permission.CONTENT_EXPORT,
        confirm=_confirm,
    ),
)
