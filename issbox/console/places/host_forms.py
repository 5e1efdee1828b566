"""What the places of hosts ask alike: environments, products, and moving hosts with its consequences."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from issbox.console.session import Session
from issbox.console.words import Answers, Consequences, Kind, Outcome, Question, Text
from issbox.errors import InvalidValueError
from issbox.names import plural

if TYPE_CHECKING:
    from issbox.workflows.environments.move_plans import MovePlan

NOWHERE: Final = ("", "none: the present content of its products")
_NAMED: Final = 30
"""Contents that a plan names."""


def environment_questions(session: Session, present: Sequence[str] = ()) -> list[Question]:
    """Give the questions for environments, the most important first."""
    known = environment_choices(session)
    first, *rest = present or ("",)
    labels = " ".join(label for label, _ in known)
    return [
        Question("environment", "Environment", Kind.CHOICE, first, (NOWHERE, *known)),
        Question(
            "others",
            "And after it",
            default=" ".join(rest),
            help=f"Labels, the more important first; usually nothing. There are: {labels}",
        ),
    ]


def environment_choices(session: Session) -> tuple[tuple[str, str], ...]:
    """Give label and name of every environment that hosts can be in."""
    from issbox.workflows.environments import environments

    known = environments.list_environments(session.ctx, session.organization)
    return tuple((each.label, f"{each.name} ({each.label})") for each in known)


def product_choices(session: Session) -> tuple[tuple[str, str], ...]:
    """Give label and name of every product."""
    from issbox.workflows.content import catalog

    known = catalog.list_products(session.ctx, session.organization)
    return tuple((each.label, f"{each.name} ({each.label})") for each in known)


def answered_environments(answers: Answers) -> tuple[str, ...]:
    """Give the environments of the answers; raises InvalidValueError for some after none."""
    others = tuple(words(answers["others"]))
    if others and not answers["environment"]:
        raise InvalidValueError(
            f"{' '.join(others)} cannot come after no environment", hint="Choose the first environment as well."
        )
    return (answers["environment"], *others) if answers["environment"] else ()


def words(text: str) -> list[str]:
    """Give the words of a text, between which are blanks or commas."""
    return text.replace(",", " ").split()


def move_consequences(session: Session, uuids: Sequence[str], answers: Answers) -> Consequences:
    """Say what moving hosts would mean."""
    from issbox.workflows.environments import move_plans

    plan = move_plans.plan_move(session.ctx, session.organization, uuids, answered_environments(answers))
    where = ", ".join(plan.environments) or "no environment"
    refusals = () if plan.moved else ("They are there already: there is nothing to do.",)
    return Consequences(
        f"Move {plural(plan.hosts, 'host')} to {where}?", move_lines(plan), "Move", refusals if uuids else _NOBODY
    )


def move_lines(plan: "MovePlan") -> tuple[str, ...]:
    """Give what a move means, in lines."""
    certificates = f"{plural(plan.stale, 'certificate')} will say something else, and are issued when hosts ask"
    return (
        f"{plural(plan.hosts, 'host')}, of which {plan.moved} would change",
        certificates if plan.stale else "no certificate changes",
        *_listed("+", plan.gained),
        *_listed("-", plan.lost),
    )


def move(session: Session, uuids: Sequence[str], answers: Answers) -> Outcome:
    """Move hosts."""
    from issbox.workflows.hosts import consumers

    labels = answered_environments(answers)
    stale = consumers.move_consumers(session.ctx, session.organization, uuids, labels)
    where = ", ".join(labels) or "no environment"
    return Outcome(f"{plural(len(uuids), 'host')} moved to {where}; {plural(stale, 'certificate')} became stale by it.")


def certificate_text(session: Session, serial: int) -> Text:
    """Give a certificate decoded, to read; raises NotFoundError."""
    from issbox.certs.showing import to_text
    from issbox.workflows.certificates import certificates

    found = certificates.get_issued(session.ctx, serial)
    revoked = () if found.revoked_at is None else (f"REVOKED on {found.revoked_at:%Y-%m-%d %H:%M} UTC", "")
    lines = to_text(certificates.decode(session.ctx, found.pem)).splitlines()
    return Text(f"Certificate {serial}", (*revoked, *lines), (("serial", str(serial)), ("certificate", found.pem)))


def _listed(sign: str, labels: Sequence[str]) -> list[str]:
    lines = [f"{sign} {label}" for label in labels[:_NAMED]]
    if len(labels) > _NAMED:
        lines.append(f"{sign} ... and {len(labels) - _NAMED} more")
    return lines


_NOBODY: Final = ("There is no such host.",)
