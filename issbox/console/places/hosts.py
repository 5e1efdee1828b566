"""Hosts: who is registered, in which environments, and how their certificates are."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from issbox.console.lines import PagedLines
from issbox.console.places.host_forms import (
    answered_environments,
    environment_choices,
    environment_questions,
    move,
    move_consequences,
    product_choices,
)
from issbox.console.session import Session
from issbox.console.showing import when
from issbox.console.words import (
    Action,
    Answers,
    Column,
    Consequences,
    Kind,
    Line,
    Mood,
    Opening,
    Outcome,
    Place,
    Question,
    Target,
    View,
    Wanted,
)
from issbox.errors import InvalidValueError, IssboxError
from issbox.model import HostFilter, HostOrder, HostState, HostSummary
from issbox.names import plural
from issbox.workflows.context import Permission

_MOST_MOVED: Final = 1000
_TYPES: Final = (
    ("system", "a host"),
    ("hypervisor", "a hypervisor"),
    ("candlepin", "another box that reads from here"),
    ("satellite", "a Satellite or Katello that reads from here"),
)
_ORDERS: Final[dict[int, HostOrder]] = {0: HostOrder.NAME, 4: HostOrder.SEEN}
"""Orders of hosts by the column that shows what they go by."""
_ALL: Final = "*"
"""In place of an environment: hosts of all of them."""


def _show(session: Session, subject: Any, wanted: Wanted) -> View:
    from issbox.workflows.hosts import host_lists
    from issbox.workflows.hosts.host_summary import summarize_hosts

    hosts = shown_hosts(session, subject)
    order = wanted.order(_ORDERS, HostOrder.NAME)
    shown = replace(hosts, search=wanted.search, order=order, descending=wanted.descending)
    pages = host_lists.browse_hosts(session.ctx, shown)
    where = {None: "", "": " in no environment"}.get(hosts.environment, f" in {hosts.environment}")
    waiting = " with stale or missing certificates" if hosts.waiting else ""
    return View(
        f"Hosts of {session.organization}{where}{waiting}",
        (
            Column("Host", 18, 2),
            Column("Environments", 12, 2),
            Column("Certificates", 14, 1),
            Column("Until", 10),
            Column("Seen", 16),
        ),
        PagedLines(pages, _line),
        empty="No such host is registered: c registers one by hand, f shows others.",
        sorts=tuple(_ORDERS),
        head=(_summary_words(summarize_hosts(session.ctx, session.organization)),),
    )


def shown_hosts(session: Session, subject: Any) -> HostFilter:
    """Give what is shown; another organization begins with all of its hosts."""
    if isinstance(subject, HostFilter) and subject.organization == session.organization:
        return subject
    return HostFilter(session.organization)


def _summary_words(found: HostSummary) -> str:
    places = [f"{label} {number}" for label, number in sorted(found.environments.items())]
    if found.outside:
        places.append(f"none {found.outside}")
    stale = f"; {plural(found.stale, 'stale certificate')}" if found.stale else ""
    return f"{plural(found.total, 'host')}" + (f": {', '.join(places)}" if places else "") + stale


def _line(each: HostState) -> Line:
    consumer = each.consumer
    cells = (
        consumer.name,
        " ".join(consumer.environments) or ("lost its last" if consumer.profile.orphaned else "none"),
        _certificates(each),
        "" if each.ends is None else f"{each.ends:%Y-%m-%d}",
        when(consumer.seen_at) or "never",
    )
    return Line(consumer.uuid, cells, each, Mood.BUSY if each.stale or each.missing else Mood.PLAIN)


def _certificates(each: HostState) -> str:
    if not each.entitlements:
        return "entitled to nothing"
    parts = [f"{number} {word}" for number, word in ((each.stale, "stale"), (each.missing, "to issue")) if number]
    return ", ".join(parts) or f"{each.entitlements} current"


def _open(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show a host with its entitlements and certificates."""
    del session, answers
    return Outcome(opening=Opening("host", target.thing.consumer.uuid))


def _filter_questions(session: Session, target: Target) -> list[Question]:
    present = shown_hosts(session, target.subject)
    places = ((_ALL, "all"), *environment_choices(session), ("", "none: hosts in no environment"))
    chosen = _ALL if present.environment is None else present.environment
    words = "Only with stale or missing certificates"
    return [
        Question("environment", "Environment", Kind.CHOICE, chosen, places),
        Question("waiting", words, Kind.YES_NO, "yes" if present.waiting else "no"),
    ]


def _show_some(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show only hosts of one environment, or those whose certificates are stale or missing."""
    del target
    environment = None if answers["environment"] == _ALL else answers["environment"]
    return Outcome(opening=Opening("hosts", HostFilter(session.organization, environment, answers["waiting"] == "yes")))


def _register_questions(session: Session, target: Target) -> list[Question]:
    from issbox.workflows.hosts import activation_keys

    del target
    keys = activation_keys.list_activation_keys(session.ctx, session.organization)
    arches = ("x86_64", "aarch64", "ppc64le", "s390x", "i686")
    return [
        Question("name", "Name", required=True),
        Question(
            "key", "Activation key", Kind.CHOICE, "", (("", "none"), *((each.label, each.label) for each in keys))
        ),
        *environment_questions(session),
        Question("product", "Entitled to", Kind.CHOICE, "", (("", "all products"), *product_choices(session))),
        Question("type", "Type", Kind.CHOICE, _TYPES[0][0], _TYPES),
        Question("arch", "Processor", Kind.CHOICE, "x86_64", (("", "any"), *((each, each) for each in arches))),
        Question("output", "Files into", help="A directory of this box for key, certificates and .repo file."),
        Question("url", "Content URL", default=session.ctx.settings.certificates.content_url),
    ]


def _register(session: Session, target: Target, answers: Answers) -> Outcome:
    """Register a host without subscription-manager, and write the files that are copied to it."""
    from issbox.rules.entitlements.consumers import facts_by_hand
    from issbox.workflows.hosts import host_files, registering

    del target
    ctx, facts = session.ctx, facts_by_hand(answers["arch"] or None)
    places, product = answered_environments(answers), answers["product"]
    if answers["key"] and (places or product):
        raise InvalidValueError(
            "an activation key says environments and products", hint="Give either the key or environment and product."
        )
    if answers["output"]:
        host_files.check_place(ctx, Path(answers["output"]), content_url=answers["url"] or None)
    if answers["key"]:
        made = registering.register_with_keys(
            ctx,
            organization=session.organization,
            keys=[answers["key"]],
            name=answers["name"],
            facts=facts,
            type_=answers["type"],
        )
    else:
        made = registering.register(
            ctx,
            organization=session.organization,
            name=answers["name"],
            facts=facts,
            environments=places,
            products=[product] if product else [],
            type_=answers["type"],
        )
    told = f"{made.name} is registered."
    if answers["output"].strip():
        place = Path(answers["output"].strip())
        try:
            host_files.write_host_files(ctx, made.uuid, place, content_url=answers["url"] or None)
        except IssboxError as error:
            told = f"{made.name} is registered, but its files are not written (w does it): {error}"
    return Outcome(told, opening=Opening("host", made.uuid))


def _move_questions(session: Session, target: Target) -> list[Question]:
    state: HostState = target.thing
    shown = shown_hosts(session, target.subject).environment
    whose = [("one", f"this host, {state.consumer.name}")]
    if shown is not None:
        whose.append(("all", f"all hosts that are in {shown or 'no environment'}, at most {_MOST_MOVED}"))
    return [
        Question("whose", "Whose", Kind.CHOICE, "one", tuple(whose)),
        *environment_questions(session, state.consumer.environments),
    ]


def _moved(session: Session, target: Target, answers: Answers) -> list[str]:
    from issbox.workflows.hosts import host_lists

    if answers["whose"] == "one":
        return [target.thing.consumer.uuid]
    wanted = replace(shown_hosts(session, target.subject), waiting=False)
    found = host_lists.browse_hosts(session.ctx, wanted).page(None, _MOST_MOVED)
    return [each.consumer.uuid for _, each in found]


def _move_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    return move_consequences(session, _moved(session, target, answers), answers)


def _move(session: Session, target: Target, answers: Answers) -> Outcome:
    """Put a host, or all of an environment, into other environments, after showing what changes for them."""
    return move(session, _moved(session, target, answers), answers)


def _delete_confirm(session: Session, target: Target, answers: Answers) -> Consequences:
    from issbox.workflows.hosts import consumers

    del answers
    each = consumers.get_consumer(session.ctx, target.thing.consumer.uuid)
    lines = (
        f"{each.name}, {each.uuid}",
        "Everything that was issued to it is revoked, and its private key is removed.",
        "It can be registered again, with another UUID.",
    )
    return Consequences(f"Delete the host {each.name}?", lines, "Delete", final=True)


def _delete(session: Session, target: Target, answers: Answers) -> Outcome:
    """Delete a host and revoke everything that was issued to it."""
    from issbox.workflows.hosts import consumers

    del answers
    gone = consumers.delete_consumer(session.ctx, target.thing.consumer.uuid)
    return Outcome(f"The host {gone.name} is deleted.")


def _keys(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show the activation keys that hosts register with."""
    del session, target, answers
    return Outcome(opening=Opening("activation-keys"))


def _expiry(session: Session, target: Target, answers: Answers) -> Outcome:
    """Show which certificates end when."""
    del session, target, answers
    return Outcome(opening=Opening("expiry"))


PLACE: Final = Place(
    "hosts",
    "Hosts",
    "The hosts of the organization by name, in which environments they are, and whether their certificates are "
    "current. / looks for words in name and activation key, or the beginning of a UUID.",
    _show,
    "H",
)

ACTIONS: Final = (
    Action("hosts.open", "enter", "Open", _open, HostState),
    Action("hosts.filter", "f", "Show", _show_some, permission=Permission.CONSUMER_MANAGE, ask=_filter_questions),
    Action(
        "hosts.register", "c", "Register", _register, permission=Permission.CONSUMER_MANAGE, ask=_register_questions
    ),
    Action(
        "hosts.move",
        "m",
        "Move",
        _move,
        HostState,
        Permission.CONSUMER_MANAGE,
        ask=_move_questions,
        confirm=_move_confirm,
    ),
    Action("hosts.delete", "d", "Delete", _delete, HostState, Permission.CONSUMER_MANAGE, confirm=_delete_confirm),
    Action("hosts.keys", "a", "Activation keys", _keys, permission=Permission.CONSUMER_MANAGE),
    Action("hosts.expiry", "e", "Expiry", _expiry, permission=Permission.CERTIFICATE_MANAGE),
)
