"""Making, renewing and replacing the authority of the box and its server certificate."""

from typing import Final

from issbox.console.files import new_path, read_text, write_text
from issbox.console.session import Session, whole_box
from issbox.console.showing import when
from issbox.console.words import Action, Answers, Consequences, Outcome, Question, Target, Text
from issbox.workflows.context import Permission


def _name_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("name", "Name", help="Common name; that of the box when left out."),
        Question("owner", "Organization", help="In its name, such as that of the site."),
    ]


def _create(session: Session, target: Target, answers: Answers) -> Outcome:
    """Make an authority that is a root of its own; the first certificate would do the same."""
    from issbox.workflows.certificates import authority

    del target
    made = authority.create_authority(session.ctx, name=answers["name"] or None, organization=answers["owner"] or None)
    return Outcome(f"{made.name} is there. Keep a copy of its key and passphrase where the backups are not.")


def _renew_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, target, answers
    lines = (
        "It gets a new certificate for the same key: what it signed stays good.",
        "Hosts need it before the old one ends.",
    )
    return Consequences("Renew the authority of this box?", lines, "Renew")


def _renew(session: Session, target: Target, answers: Answers) -> Outcome:
    """Give an authority that is a root of its own a new certificate for the same key."""
    from issbox.workflows.certificates import authority

    del target, answers
    return Outcome(f"The authority is valid until {when(authority.renew_authority(session.ctx).valid.not_after)}.")


def _request_questions(session: Session, target: Target) -> list[Question]:
    path = session.ctx.settings.export.path / "authority.csr"
    return [*_name_questions(session, target), Question("path", "Into the file", default=str(path), required=True)]


def _request(session: Session, target: Target, answers: Answers) -> Outcome:
    """Write a certificate request for the site's authority; the present one stays until the answer is installed."""
    from issbox.workflows.certificates import authority

    del target
    path = new_path(answers["path"])
    text = authority.request_authority(session.ctx, name=answers["name"] or None, organization=answers["owner"] or None)
    write_text(path, text)
    return Outcome(
        f"The request is in {path}.",
        text=Text("Certificate request", (f"Written to {path}", "", *text.splitlines()), (("request", text),)),
    )


def _install_questions(session: Session, target: Target) -> list[Question]:
    del session, target
    return [
        Question("answer", "Answer", required=True, help="File with the certificate that the site's authority signed."),
        Question("chain", "Chain", help="File with authorities above it that the answer does not hold."),
    ]


def _install_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    del session, target, answers
    lines = ("Every certificate of hosts is stale then: they get others when they ask, or by r in Hosts.",)
    return Consequences(
        "Use the authority that the site signed?", (*lines, "Hosts have to trust the site's authority."), "Install"
    )


def _install(session: Session, target: Target, answers: Answers) -> Outcome:
    """Use the certificate that the site's authority signed for the request."""
    from issbox.workflows.certificates import authority

    del target
    above = read_text(answers["chain"], "a chain of certificates") if answers["chain"].strip() else ""
    made = authority.install_authority(session.ctx, read_text(answers["answer"], "a certificate"), above=above)
    return Outcome(f"{made.name} is in use.")


def _server_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.certificates import server_certificate

    del target, answers
    names = ", ".join(server_certificate.server_names(session.ctx))
    lines = (f"For {names}, with a new key.", "A running service takes it up by itself.")
    return Consequences("Issue another server certificate?", lines, "Issue")


def _server(session: Session, target: Target, answers: Answers) -> Outcome:
    """Issue another certificate for the server of this box, with a new key and the configured names."""
    from issbox.workflows.certificates import server_certificate

    del target, answers
    made = server_certificate.renew_server_certificate(session.ctx)
    return Outcome(f"The server certificate is valid until {when(made.valid.not_after)}.")


ACTIONS: Final = (
    Action("ca.create", "c", "Create", _create, None, Permission.TRUST_MANAGE, where=whole_box, ask=_name_questions),
    Action("ca.renew", "n", "Renew", _renew, None, Permission.TRUST_MANAGE, where=whole_box, confirm=_renew_confirm),
    Action(
        "ca.request", "w", "Request", _request, None, Permission.TRUST_MANAGE, where=whole_box, ask=_request_questions
    ),
    Action(
        "ca.install",
        "i",
        "Install",
        _install,
        None,
        Permission.TRUST_MANAGE,
        where=whole_box,
        ask=_install_questions,
        confirm=_install_confirm,
    ),
    Action(
        "ca.server",
        "v",
        "Server",
        _server,
        None,
        Permission.TRUST_MANAGE,
        where=whole_box,
        confirm=_server_confirm,
    ),
)
