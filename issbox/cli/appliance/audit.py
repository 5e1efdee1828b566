"""`issbox audit`."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from issbox.cli import output
from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.shapes import Field, Shape
from issbox.errors import NotFoundError
from issbox.model import AuditEntry, AuditFilter, AuditHead
from issbox.names import parse_time

if TYPE_CHECKING:
    from issbox.workflows.people.audit_log import AuditCheck

F = TypeVar("F", bound=Callable[..., object])

audit = noun("audit")

ENTRY = Shape[AuditEntry](
    "audit entry",
    (
        Field("number", "1, 2, 3, ... in the order of the changes", lambda each: each.number, column=True),
        Field("at", "when it happened", lambda each: each.at, column=True),
        Field("actor", "who did it", lambda each: each.actor.name, column=True),
        Field("origin", "from where: `local`, an address, or the name of a service", lambda each: each.actor.origin),
        Field("action", "noun and verb, such as `repository.create`", lambda each: each.action, column=True),
        Field("organization", "label of the organization, or null", lambda each: each.organization, column=True),
        Field("subject", "what was changed", lambda each: each.subject, column=True),
        Field(
            "details",
            "object with what else there is to know; `before` holds the values that a change replaced",
            lambda each: each.details,
        ),
        Field("digest", "SHA-256 over the digest before it and this entry", lambda each: each.digest),
    ),
)

HEAD = Shape[AuditHead](
    "audit head",
    (
        Field("number", "number of the last entry that it stands for", lambda each: each.number),
        Field("digest", "digest of that entry", lambda each: each.digest),
        Field("signed_at", "when it was signed", lambda each: each.signed_at),
        Field("key_id", "fingerprint of the key of this box", lambda each: each.key_id),
        Field("signature", "Ed25519 in hexadecimal", lambda each: each.signature),
    ),
)

CHECK: "Shape[AuditCheck]" = Shape(
    "audit check",
    (
        Field("entries", "number of entries in the log", lambda each: each.entries),
        Field("heads", "number of signed heads that the log leads through", lambda each: each.heads),
        Field(
            "signed_at",
            "when the newest of them was signed, or null",
            lambda each: each.signed and each.signed.signed_at,
        ),
        Field("unsigned", "entries since then, which could be cut off unseen", lambda each: each.unsigned),
        Field("sound", "true; a log that is not sound is an error", lambda _: True),
    ),
)


def _filter_options(function: F) -> F:
    """Add what says which entries are meant."""
    for option in (
        click.option("--until", metavar="TIME", help="Only changes before this time, ISO 8601."),
        click.option("--since", metavar="TIME", help="Only changes from this time on, ISO 8601."),
        click.option(
            "--action", metavar="WORD", help="Only this action, such as user.grant, or this noun, such as user."
        ),
        click.option("--user", metavar="NAME", help="Only what this user or account did."),
        click.option("--organization", metavar="LABEL", help="Only changes of this organization."),
    ):
        function = option(function)
    return function


def _filter(given: dict[str, Any]) -> AuditFilter:
    return AuditFilter(
        user=given["user"],
        action=given["action"],
        since=parse_time(given["since"]) if given["since"] is not None else None,
        until=parse_time(given["until"]) if given["until"] is not None else None,
    )


@command(
    "list",
    group=audit,
    example="issbox audit list --user ann --action content-export --limit 20",
    shape=ENTRY,
    many=True,
)
@_filter_options
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="Only so many of the newest entries.")
@click.option(
    "--before", type=click.IntRange(min=1), metavar="NUMBER", help="Only entries before this one: the next page."
)
def list_(run: Run, *, organization: str | None, limit: int | None, before: int | None, **given: Any) -> None:
    """List the changes made in this box, oldest first."""
    from issbox.workflows.people import audit_log

    ctx = run.open()
    found = audit_log.list_audit(ctx, limit=limit, organization=organization, before=before, only=_filter(given))
    run.show_all(ENTRY, found)


@command("export", group=audit, example="issbox audit export --since 2026-11-01T00:00:00Z > audit.jsonl", shape=ENTRY)
@_filter_options
def export(run: Run, *, organization: str | None, **given: Any) -> None:
    """Write the changes made in this box to standard output, one JSON object a line, for other log systems."""
    from issbox.workflows.people import audit_log

    ctx = run.open()
    for line in audit_log.export_audit(ctx, organization=organization, only=_filter(given)):
        output.write(f"{line}\n")


@command("verify", group=audit, example="issbox audit verify", shape=CHECK)
@click.option("--quick", is_flag=True, help="Begin at the newest signed head instead of the first entry.")
def verify(run: Run, *, quick: bool) -> None:
    """Check that no audit entry was changed, removed or cut off.

    Each entry carries a digest of the one before it, and the heads that the box has signed say how far the log went.
    They are kept in the database and in the file audit-heads.jsonl of the state directory, and must agree.
    """
    from issbox.workflows.people import audit_log

    run.show(CHECK, audit_log.check_audit(run.open(), quick=quick))


@command("sign", group=audit, example="issbox audit sign", shape=HEAD)
def sign(run: Run) -> None:
    """Sign the end of the audit log, so that what it holds now cannot be cut off unseen.

    The service does it once a day.
    """
    from issbox.workflows.people import audit_log

    head = audit_log.sign_head(run.open())
    if head is None:
        raise NotFoundError("the audit log is empty, so there is nothing to sign")
    run.show(HEAD, head)
