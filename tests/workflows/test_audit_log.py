"""The audit log as a whole: signed heads in two places, filters by who may read what, lines for other systems."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from makers.command_line import CommandLine

from issbox.errors import NotPermittedError, StoreDamagedError
from issbox.wiring import open_context
from issbox.workflows.content import catalog
from issbox.workflows.context import Context
from issbox.workflows.people import audit_log


@pytest.fixture
def box(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made("init", "--name", "near", "--organization", "ACME")
    return made


@pytest.fixture
def ctx(box: CommandLine) -> Context:
    return open_context(environ={key: value for key, value in box.environ.items() if value is not None})


def sql(ctx: Context, statement: str) -> None:
    database: Any = ctx.store.database
    with ctx.store.session():
        database.execute_sql(statement)


def heads_file(ctx: Context) -> Path:
    return ctx.store.state_dir / audit_log.HEADS


def test_a_signed_head_is_kept_in_two_places_and_once(ctx: Context) -> None:
    first = audit_log.sign_head(ctx)
    assert first is not None
    assert audit_log.sign_head(ctx) == first
    assert len(heads_file(ctx).read_text().splitlines()) == 1
    assert heads_file(ctx).stat().st_mode & 0o777 == 0o600
    catalog.create_organization(ctx, label="Other", name="Other")
    check = audit_log.check_audit(ctx)
    assert (check.entries, check.heads, check.signed, check.unsigned) == (3, 1, first, 1)
    audit_log.sign_head(ctx)
    assert audit_log.check_audit(ctx, quick=True).unsigned == 0


def test_openssl_can_check_a_head(ctx: Context, tmp_path: Path) -> None:
    import shutil
    import subprocess

    from issbox.workflows.appliance.boxes import public_key

    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    head = audit_log.sign_head(ctx)
    assert head is not None
    facts = json.loads(heads_file(ctx).read_text())
    words = ["issbox audit head", str(facts["number"]), facts["digest"], facts["signed_at"], facts["key_id"]]
    for name, data in (
        ("key", public_key(ctx).encode()),
        ("words", "\n".join(words).encode()),
        ("signature", bytes.fromhex(facts["signature"])),
    ):
        (tmp_path / name).write_bytes(data)
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", "-in", "words"]
    subprocess.run([*command, "-sigfile", "signature"], cwd=tmp_path, check=True, capture_output=True)


def drop_entries(ctx: Context) -> None:
    sql(ctx, "DELETE FROM audit_entry WHERE number > 1")


def drop_entries_and_rows(ctx: Context) -> None:
    sql(ctx, "DELETE FROM audit_entry WHERE number > 1")
    sql(ctx, "DELETE FROM audit_head")


def drop_line(ctx: Context) -> None:
    heads_file(ctx).write_text("")


def remove_file(ctx: Context) -> None:
    heads_file(ctx).unlink()


def change_both(ctx: Context) -> None:
    text = heads_file(ctx).read_text()
    digest = json.loads(text)["digest"]
    heads_file(ctx).write_text(text.replace(digest, "0" * 64))
    sql(ctx, f"UPDATE audit_head SET digest = '{'0' * 64}'")


def spoil_file(ctx: Context) -> None:
    heads_file(ctx).write_text("{}\n")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (drop_entries, "cut off"),
        (drop_entries_and_rows, "the database lost it"),
        (drop_line, "the file lost it"),
        (remove_file, "the file lost it"),
        (change_both, "signature of head 2"),
        (spoil_file, "line 1 is no signed head"),
    ],
)
def test_a_cut_is_found_wherever_it_is_made(ctx: Context, change: Callable[[Context], None], words: str) -> None:
    audit_log.sign_head(ctx)
    change(ctx)
    for quick in (False, True):
        with pytest.raises(StoreDamagedError, match=None if quick else words):
            audit_log.check_audit(ctx, quick=quick)


def test_a_quick_look_is_from_the_newest_head_on_and_checks_its_signature(box: CommandLine, ctx: Context) -> None:
    audit_log.sign_head(ctx)
    older = json.loads(heads_file(ctx).read_text())["digest"]
    box("organization", "create", "--label", "Other", "--name", "Other")
    audit_log.sign_head(ctx)
    text = heads_file(ctx).read_text()
    heads_file(ctx).write_text(text.replace(older, "0" * 64))
    with pytest.raises(StoreDamagedError, match="not the same"):
        audit_log.check_audit(ctx, quick=True)
    sql(ctx, f"UPDATE audit_head SET digest = '{'0' * 64}' WHERE digest = '{older}'")
    assert audit_log.check_audit(ctx, quick=True).heads == 2, "what it relies on is signed by the newest"
    with pytest.raises(StoreDamagedError, match="signature of head 2"):
        audit_log.check_audit(ctx)
    newest = json.loads(text.splitlines()[1])["digest"]
    heads_file(ctx).write_text(heads_file(ctx).read_text().replace(newest, "1" * 64))
    sql(ctx, f"UPDATE audit_head SET digest = '{'1' * 64}' WHERE digest = '{newest}'")
    with pytest.raises(StoreDamagedError, match="signature of head"):
        audit_log.check_audit(ctx, quick=True)


def test_signing_again_writes_down_what_the_file_lacks(ctx: Context) -> None:
    audit_log.sign_head(ctx)
    remove_file(ctx)
    audit_log.sign_head(ctx)
    assert audit_log.check_audit(ctx).heads == 1


def test_an_admin_of_an_organization_reads_its_entries_only(box: CommandLine, ctx: Context) -> None:
    box("organization", "create", "--label", "Other", "--name", "Other")
    box("user", "create", "--name", "ann")
    box("user", "grant", "--name", "ann", "--role", "org-admin", "--organization", "Other")
    ann = ctx.acting_as("ann", "192.0.2.1")
    assert {entry.organization for entry in audit_log.list_audit(ann)} == {"Other"}
    lines = [json.loads(line) for line in audit_log.export_audit(ann)]
    assert {line["organization"] for line in lines} == {"Other"}
    with pytest.raises(NotPermittedError):
        audit_log.check_audit(ann)
    with pytest.raises(NotPermittedError):
        audit_log.sign_head(ann)


def test_updates_tell_what_they_replaced(box: CommandLine) -> None:
    box("organization", "update", "--label", "ACME", "--name", "Acme Corp.")
    entry = box.json("audit", "list", "--action", "organization.update")[0]
    assert entry["details"] == {"name": "Acme Corp.", "before": {"name": "ACME"}}


def test_the_commands(box: CommandLine) -> None:
    for number in range(5):
        box("organization", "create", "--label", f"o{number}", "--name", "x")
    page = box.json("audit", "list", "--action", "organization", "--limit", "2")
    before = box.json("audit", "list", "--action", "organization", "--limit", "2", "--before", page[0]["number"])
    assert [each["subject"] for each in before + page] == ["o1", "o2", "o3", "o4"]
    assert box.json("audit", "list", "--until", "2020-01-01T00:00:00Z") == []
    assert box.json("audit", "sign")["number"] == 7
    assert box.json("audit", "verify", "--quick")["unsigned"] == 0
    lines = [json.loads(line) for line in box("audit", "export", "--organization", "o3").stdout.splitlines()]
    assert [line["subject"] for line in lines] == ["o3"]
