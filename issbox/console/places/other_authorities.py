"""Whose hosts are let in besides those of this box: Red Hat's, and those of authorities that the site names."""

from typing import Final

from issbox.console.files import read_text
from issbox.console.session import Session, whole_box
from issbox.console.words import Action, Answers, Consequences, Outcome, Question, Target
from issbox.model import CredentialKind, Organization
from issbox.workflows.context import Permission


def _trust_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [Question("file", "File", required=True, help="Red Hat's entitlement CA, as the site had it from there.")]


def _trust_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, target, answers
    lines = (
        "Any entitlement certificate of Red Hat, of whatever customer, opens environments that stand in for the CDN",
        "by the paths that it has there.",
    )
    return Consequences("Trust Red Hat's entitlement authority?", lines, "Trust it")


def _trust(session: Session, target: Target, answers: Answers) -> Outcome:
    """Accept entitlement certificates of Red Hat's authority, from a file that the site provides."""
    from issbox.workflows.certificates import redhat_trust

    del target
    found = redhat_trust.trust_redhat(session.ctx, read_text(answers["file"], "a CA certificate"))
    return Outcome(f"Trusted: {'; '.join(found.subjects)}.")


def _distrust_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, target, answers
    return Consequences("Trust Red Hat's authority no longer?", ("Its certificates open nothing then.",), "Switch off")


def _distrust(session: Session, target: Target, answers: Answers) -> Outcome:
    """Accept entitlement certificates of Red Hat's authority no longer."""
    from issbox.workflows.certificates import redhat_trust

    del target, answers
    redhat_trust.distrust_redhat(session.ctx)
    return Outcome("Red Hat's entitlement authority is not trusted any more.")


def _not_trusted(session: Session, target: Target) -> str:
    from issbox.workflows.certificates import redhat_trust

    del target
    return "" if redhat_trust.show_redhat_trust(session.ctx).trusted else "it is not trusted"


def _clients_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.content import credentials

    each: Organization = target.thing
    known = credentials.list_credentials(session.ctx, each.label)
    labels = [one.label for one in known if one.kind is CredentialKind.CA_CERTIFICATE]
    words = f"Labels of content credentials; nothing for only this box. There are: {' '.join(labels) or 'none'}"
    return [Question("cas", "Authorities", default=" ".join(each.client_cas), help=words)]


def _clients(session: Session, target: Target, answers: Answers) -> Outcome:
    """Choose the authorities whose hosts read an organization's content, besides this box's own."""
    from issbox.workflows.content import catalog

    labels = answers["cas"].replace(",", " ").split()
    made = catalog.update_organization(session.ctx, target.thing.label, client_cas=labels)
    return Outcome(f"Hosts of {made.label}: {', '.join(made.client_cas) or 'only those of this box'}.")


ACTIONS: Final = (
    Action(
        "ca.trust",
        "t",
        "Red Hat on",
        _trust,
        None,
        Permission.TRUST_MANAGE,
        where=whole_box,
        ask=_trust_questions,
        confirm=_trust_confirm,
    ),
    Action(
        "ca.distrust",
        "u",
        "Red Hat off",
        _distrust,
        None,
        Permission.TRUST_MANAGE,
        where=whole_box,
        confirm=_distrust_confirm,
        why_not=_not_trusted,
    ),
    Action(
        "ca.hosts",
        "h",
        "Let hosts in",
        _clients,
        Organization,
        Permission.ORGANIZATION_MANAGE,
        where=whole_box,
        ask=_clients_questions,
    ),
)
