"""The audit log: showing it, checking it, and signing its end, so that nobody can cut it off or write it anew unseen.

The chain alone shows changes and gaps inside of the log. A signed head shows what was there when it was signed: it is
kept in the database and, one JSON object a line, in the file `audit-heads.jsonl` of the state directory, which a
restored or replaced database cannot take back. Carry that file elsewhere, and not even who owns the box can.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from issbox.errors import BundleSignatureError, IssboxError, StoreDamagedError
from issbox.files import atomic_write, open_regular
from issbox.model import AuditEntry, AuditFilter, AuditHead
from issbox.names import format_time, parse_time
from issbox.workflows.context import Context, Permission

HEADS: Final = "audit-heads.jsonl"
"""Name of the file with the signed heads, in the state directory."""
_LARGEST: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class AuditCheck:
    """The result of a check of the audit log."""

    entries: int
    heads: int
    """Number of signed heads that the log leads through."""
    signed: AuditHead | None
    """The newest of them."""
    unsigned: int
    """Entries after it: whoever can change the database could cut these off unseen until the next one is signed."""


def list_audit(
    ctx: Context,
    *,
    limit: int | None = None,
    organization: str | None = None,
    before: int | None = None,
    after: int | None = None,
    only: AuditFilter | None = None,
) -> list[AuditEntry]:
    """Give audit entries, of the whole box or of one organization, oldest first; `limit` keeps the newest only.

    `before` and `after` are numbers of entries: the newest ones before, or the first ones after it. Who may not read
    the whole log gets the entries of those organizations whose log it may read.
    """
    with ctx.store.session():
        chosen = _readable(ctx, organization, only or AuditFilter())
        return ctx.store.audit.list(limit, after=after, before=before, only=chosen)


def export_audit(ctx: Context, *, organization: str | None = None, only: AuditFilter | None = None) -> Iterator[str]:
    """Give the entries that `list_audit` would, each as one line of JSON with digest, a page in memory at a time."""
    with ctx.store.session():
        chosen = _readable(ctx, organization, only or AuditFilter())
        for entry in ctx.store.audit.entries(chosen):
            yield json.dumps(describe_entry(entry), ensure_ascii=True, sort_keys=True)


def describe_entry(entry: AuditEntry) -> dict[str, object]:
    """Give an entry as plain JSON, with the time to the microsecond as its digest has it."""
    return {
        "number": entry.number,
        "at": entry.at.isoformat(timespec="microseconds"),
        "actor": entry.actor.name,
        "origin": entry.actor.origin,
        "action": entry.action,
        "organization": entry.organization,
        "subject": entry.subject,
        "details": entry.details,
        "digest": entry.digest,
    }


def sign_head(ctx: Context) -> AuditHead | None:
    """Sign the end of the log and keep that; None when the log is empty. What is signed already stays as it is."""
    ctx.require(Permission.BOX_MAINTAIN)
    from issbox.workflows.appliance.boxes import signing_key

    key = signing_key(ctx)
    with ctx.store.session():
        with ctx.store.transaction():
            number, digest = ctx.store.audit.head()
            if number and number not in {each.number for each in ctx.store.audit.heads()}:
                head = AuditHead(number, digest, ctx.clock().replace(microsecond=0), key.key_id, "")
                ctx.store.audit.add_head(replace(head, signature=key.sign(_statement(head)).hex()))
        # Rows first: what the file lacks after a kill is written at the next time; what the rows lack never is.
        heads = ctx.store.audit.heads()
    in_file = {each.number for each in _read_heads(ctx)}
    _write_heads(ctx, [each for each in heads if each.number not in in_file])
    return heads[-1] if heads else None


def check_audit(ctx: Context, *, quick: bool = False) -> AuditCheck:
    """Check that no audit entry was changed, removed or cut off; `quick` begins at the newest signed head.

    Raises StoreDamagedError.
    """
    ctx.require(Permission.AUDIT_READ)
    with ctx.store.session():
        heads = agreed_heads(ctx, quick=quick)
        newest = heads[-1] if heads else None
        entries = ctx.store.audit.verify(heads, newest if quick else None)
        return AuditCheck(entries, len(heads), newest, entries - (newest.number if newest else 0))


def _readable(ctx: Context, organization: str | None, only: AuditFilter) -> AuditFilter:
    """Narrow a filter to what who asks may read; raises NotPermittedError and NotFoundError."""
    if organization is not None:
        ctx.require(Permission.AUDIT_READ, organization)
        ctx.store.organizations.get(organization)
        return replace(only, organizations=(organization,))
    ctx.require_anywhere(Permission.AUDIT_READ)
    reach = ctx.reach(Permission.AUDIT_READ)
    if reach.everywhere:
        return only
    labels = [each.label for each in ctx.store.organizations.list()]
    return replace(only, organizations=tuple(label for label in labels if reach.products(label).cover(())))


def agreed_heads(ctx: Context, *, quick: bool = False) -> list[AuditHead]:
    """Give the signed heads, in a session; raises StoreDamagedError when database and file differ or one is false.

    With `quick` only the newest signature is checked: its digest covers every entry before it, so nothing that a look
    from there on relies on hangs on the others.
    """
    rows = {head.number: head for head in ctx.store.audit.heads()}
    lines = {head.number: head for head in _read_heads(ctx)}
    different = [number for number in rows.keys() | lines.keys() if rows.get(number) != lines.get(number)]
    if different:
        number = min(different)
        where = "the database" if number not in rows else "the file" if number not in lines else "one of the two"
        raise StoreDamagedError(
            f"the signed head {number} of the audit log is not the same in the database and in {HEADS}:"
            f" {where} lost it or was changed",
            hint="Compare both with a backup. After a restore, `issbox audit sign` writes down what the file lacks.",
        )
    if not rows:
        return []
    from issbox.bundle.signature import verify as verify_signature
    from issbox.workflows.appliance.boxes import signing_key

    public_pem = signing_key(ctx).public_pem
    in_order = [rows[number] for number in sorted(rows)]
    for head in in_order[-1:] if quick else in_order:
        try:
            verify_signature(public_pem, _statement(head), bytes.fromhex(head.signature))
        except (BundleSignatureError, ValueError):
            raise StoreDamagedError(f"the signature of head {head.number} of the audit log is false") from None
    return in_order


def _statement(head: AuditHead) -> bytes:
    """Give the bytes that are signed: words that stand in no bundle, so that neither passes for the other."""
    words = ("issbox audit head", str(head.number), head.digest, format_time(head.signed_at), head.key_id)
    return "\n".join(words).encode()


def _path(ctx: Context) -> Path:
    return ctx.store.state_dir / HEADS


def _read_heads(ctx: Context) -> list[AuditHead]:
    """Read the file; raises StoreDamagedError when a line is not a head."""
    path = _path(ctx)
    if not path.exists():
        return []
    with open_regular(path) as source:
        data = source.read(_LARGEST) or b""
    heads = []
    for number, line in enumerate(data.splitlines(), 1):
        try:
            heads.append(_head(json.loads(line)))
        except (ValueError, KeyError, TypeError, IssboxError):
            raise StoreDamagedError(f"{path}: line {number} is no signed head") from None
    return heads


def _head(facts: Mapping[str, Any]) -> AuditHead:
    signed_at: datetime = parse_time(facts["signed_at"])
    return AuditHead(
        int(facts["number"]), str(facts["digest"]), signed_at, str(facts["key_id"]), str(facts["signature"])
    )


def _write_heads(ctx: Context, added: list[AuditHead]) -> None:
    """Add heads to the file, which is whole at every moment."""
    if not added:
        return
    path = _path(ctx)
    before = path.read_bytes() if path.exists() else b""
    lines = [json.dumps({**asdict(head), "signed_at": format_time(head.signed_at)}, sort_keys=True) for head in added]
    with atomic_write(path, mode=0o600) as out:
        out.write(before + "".join(f"{line}\n" for line in lines).encode())
