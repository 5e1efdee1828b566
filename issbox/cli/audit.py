"""`issbox audit`."""

from dataclasses import dataclass

import click

from issbox.cli.command import Run, command
from issbox.cli.index import noun
from issbox.cli.shapes import Field, Shape
from issbox.model import AuditEntry

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
        Field("details", "object with what else there is to know", lambda each: each.details),
        Field("digest", "SHA-256 over the digest before it and this entry", lambda each: each.digest),
    ),
)


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The result of a check of the audit log."""

    entries: int


CHECK = Shape[AuditCheck](
    "audit check",
    (
        Field("entries", "number of entries checked", lambda each: each.entries),
        Field("sound", "true; a log that is not sound is an error", lambda _: True),
    ),
)


@command("list", group=audit, example="issbox audit list --limit 20", shape=ENTRY, many=True)
@click.option("--organization", metavar="LABEL", help="Only changes of this organization.")
@click.option("--limit", type=click.IntRange(min=1), metavar="NUMBER", help="Only so many of the newest entries.")
def list_(run: Run, *, organization: str | None, limit: int | None) -> None:
    """List the changes made in this box, oldest first."""
    from issbox.workflows import history

    run.show_all(ENTRY, history.list_audit(run.open(), limit=limit, organization=organization))


@command("verify", group=audit, example="issbox audit verify", shape=CHECK)
def verify(run: Run) -> None:
    """Check that no audit entry was changed or removed: each carries a digest of the one before it."""
    from issbox.workflows import history

    run.show(CHECK, AuditCheck(history.verify_audit(run.open())))
