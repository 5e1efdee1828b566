"""How a box tells that it is not well: status, doctor and hooks."""

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from makers.command_line import CommandLine

from issbox.files import FileLock
from issbox.model import ImportState, WaitsFor
from issbox.wiring import now, open_context
from issbox.workflows.appliance import doctoring, hooks
from issbox.workflows.context import Context
from issbox.workflows.inbox import inbox


@pytest.fixture
def box(tmp_path: Path) -> CommandLine:
    made = CommandLine(tmp_path)
    made.environ["ISSBOX_CONFIG"] = str(tmp_path / "issbox.toml")
    configure(made)
    made("init", "--name", "near", "--organization", "ACME")
    return made


def configure(box: CommandLine, text: str = "") -> None:
    (box.directory / "issbox.toml").write_text(f'[health]\nlow_space = "1"\n{text}')


def context(box: CommandLine) -> Context:
    return open_context(environ={key: value for key, value in box.environ.items() if value is not None})


def add_import(ctx: Context, name: str, *, days: int = 0, **changes: Any) -> int:
    with ctx.store.session(), ctx.store.transaction():
        at = now() - timedelta(days=days)
        row = ctx.store.imports.add(
            f"/inbox/{name}", inbox=True, organization="ACME", first_seen=at, state=ImportState.SETTLED
        )
        return ctx.store.imports.update(row.id, updated_at=at, **changes).id


def code_of(box: CommandLine) -> int:
    status = box.json("status")
    code: int = status["code"]
    assert code == sum({problem["bit"] for problem in status["problems"]})
    box("status", "--code", code=code)
    return code


def certificate(path: Path, days: int) -> str:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-subj",
        "/CN=x",
    ]
    command += ["-days", str(days), "-keyout", str(path.with_suffix(".key")), "-out", str(path)]
    subprocess.run(command, check=True, capture_output=True)
    return path.read_text()


def test_status_adds_up_what_is_wrong(box: CommandLine, tmp_path: Path) -> None:
    ctx = context(box)
    assert code_of(box) == 32
    with FileLock(ctx.store.locks / "serve.lock"):
        assert code_of(box) == 0
    add_import(ctx, "a", state=ImportState.REFUSED, reason="bad")
    assert code_of(box) == 32 + 1
    add_import(ctx, "b", days=8, state=ImportState.WAITING, waits_for=WaitsFor.APPROVAL)
    add_import(ctx, "c", days=1, state=ImportState.WAITING)
    assert code_of(box) == 32 + 1 + 2
    (box.directory / "issbox.toml").write_text('[health]\nlow_space = "1000TiB"\n')
    assert code_of(box) == 32 + 1 + 2 + 4
    with ctx.store.session():
        ctx.store.blob_checks.record([("ab" * 32, False)], now())
    assert code_of(box) == 32 + 1 + 2 + 4, "nothing needs that file"


def test_a_certificate_that_ends_soon_is_told(box: CommandLine, tmp_path: Path) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    for name, days in (("long", 90), ("soon", 5)):
        certificate(tmp_path / f"{name}.pem", days)
        words: list[str | Path] = ["--name", name, "--type", "ca-certificate", "--file", tmp_path / f"{name}.pem"]
        box("content-credential", "create", *words)
    assert code_of(box) == 32 + 8
    (problem,) = [each for each in box.json("status")["problems"] if each["bit"] == 8]
    assert "soon" in problem["what"]


def test_a_cut_log_is_damage(box: CommandLine) -> None:
    box("audit", "sign")
    assert code_of(box) == 32
    ctx = context(box)
    database: Any = ctx.store.database
    with ctx.store.session():
        database.execute_sql("DELETE FROM audit_entry WHERE number = 2")
    assert code_of(box) == 32 + 64


def test_a_viewer_sees_only_what_it_may(box: CommandLine) -> None:
    box("organization", "create", "--label", "Other", "--name", "Other")
    box("user", "create", "--name", "vic")
    box("user", "grant", "--name", "vic", "--role", "viewer", "--organization", "Other")
    add_import(context(box), "a", state=ImportState.REFUSED, reason="of ACME")
    box.environ["ISSBOX_USER"] = "vic"
    assert code_of(box) == 32


def checks(findings: list[dict[str, Any]]) -> set[str]:
    return {each["check"] for each in findings}


def test_the_doctor_finds_and_mends_modes_and_a_missing_inbox(box: CommandLine) -> None:
    ctx = context(box)
    with FileLock(ctx.store.locks / "serve.lock"):
        assert box.json("doctor") == []
        (box.state / "keys").chmod(0o755)
        (box.state / "issbox.db").chmod(0o644)
        (box.state / "content").chmod(0o700)
        (box.state / "inbox").rmdir()
        found = json.loads(box("doctor", "--json", code=1).stdout)
        assert checks(found) == {"modes", "inbox"}
        assert all(each["fix"] and not each["fixed"] for each in found)
        assert all(each["fixed"] for each in box.json("doctor", "--fix"))
        assert box.json("doctor") == []
    assert (box.state / "issbox.db").stat().st_mode & 0o777 == 0o600
    assert box.json("audit", "list")[-1]["action"] == "box.repair"


def test_the_doctor_finds_a_lost_key_a_wrong_clock_and_no_service(box: CommandLine) -> None:
    ctx = context(box)
    (box.state / "keys/signing.pem").unlink()
    early = Context(ctx.store, ctx.settings, ctx.actor, lambda: now() - timedelta(days=400), ctx.progress)
    assert {"keys", "clock", "service"} <= {each.check for each in doctoring.examine(early)}


def test_the_doctor_finds_a_damaged_database(box: CommandLine) -> None:
    assert context(box).store.session()
    path = box.state / "issbox.db"
    ctx = context(box)
    with ctx.store.session():
        database: Any = ctx.store.database
        database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = database.execute_sql("SELECT rootpage FROM sqlite_master WHERE name = 'trusted_key'").fetchone()
        (size,) = database.execute_sql("PRAGMA page_size").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * size)
    assert "database" in {each.check for each in doctoring.examine(context(box))}


@pytest.mark.parametrize(
    ("kind", "polling", "told"), [("nfs4", False, True), ("nfs4", True, False), ("ext4", False, False)]
)
def test_an_inbox_on_nfs_wants_polling(
    box: CommandLine, monkeypatch: pytest.MonkeyPatch, kind: str, polling: bool, told: bool
) -> None:
    configure(box, f"[inbox]\npolling = {str(polling).lower()}\n")
    monkeypatch.setattr(doctoring, "file_system", lambda _: kind)
    assert ("inbox" in {each.check for each in doctoring.examine(context(box))}) is told


def test_the_doctor_asks_at_the_ports_of_a_service_that_runs(box: CommandLine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        configure(box, f'[web]\nlisten = ["0.0.0.0:{port}"]\n')
        ctx = context(box)
        (taken,) = [each for each in doctoring.examine(ctx) if each.check == "ports"]
        assert f"another program answers at 0.0.0.0:{port}" in taken.what
        with FileLock(ctx.store.locks / "serve.lock"):
            assert "ports" not in {each.check for each in doctoring.examine(ctx)}
            server.close()
            (found,) = [each for each in doctoring.examine(ctx) if each.check == "ports"]
        assert "ports" not in {each.check for each in doctoring.examine(ctx)}
    assert str(port) in found.what


def test_the_doctor_says_of_a_key_what_is_to_be_done(box: CommandLine) -> None:
    key = box.state / "keys/signing.pem"
    key.chmod(0o644)
    (found,) = [each for each in doctoring.examine(context(box)) if each.check == "keys"]
    assert "chmod 600" in found.fix
    key.rename(key.with_name("elsewhere.pem"))
    (found,) = [each for each in doctoring.examine(context(box)) if each.check == "keys"]
    assert "back from a backup" in found.fix


def test_a_lock_that_goes_away_meanwhile_keeps_nobody_from_looking(
    box: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.rglob
    monkeypatch.setattr(Path, "rglob", lambda self, pattern: [*real(self, pattern), self / "gone.lock"])
    (box.state / "locks").chmod(0o750)
    found = doctoring.examine(context(box))
    assert [each.check for each in found if each.check != "service"] == ["modes"]


def test_what_the_system_does_not_let_be_looked_at_is_a_finding(
    box: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path) -> list[Path]:
        raise PermissionError(13, "Permission denied", str(self))

    ctx = context(box)
    monkeypatch.setattr(Path, "iterdir", refuse)
    found = {each.check: each for each in doctoring.examine(ctx)}
    assert {"owner", "modes"} <= found.keys()
    assert "Permission denied" in found["modes"].what
    assert found["modes"].fix


def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"a / ext4 rw 0 0\nb {tmp_path} nfs rw 0 0\nc {tmp_path}/in\\040box cifs rw 0 0\n")
    assert doctoring.file_system(tmp_path / "in box/x", mounts) == "cifs"
    assert doctoring.file_system(tmp_path / "other", mounts) == "nfs"
    assert doctoring.file_system(Path("/usr"), mounts) == "ext4"
    mounts.write_text(f"nfs:/x {tmp_path} nfs rw 0 0\n/dev/sdb {tmp_path} ext4 rw 0 0\n")
    assert doctoring.file_system(tmp_path / "other", mounts) == "ext4", "what is mounted over it is seen"
    assert doctoring.file_system(Path("/usr"), tmp_path / "nothing") == ""


def hooked(box: CommandLine, script: str, more: str = "") -> Path:
    """Configure a hook that is this Python script; it finds the place for its output in its argument."""
    program, out = box.directory / "hook.py", box.directory / "told"
    program.write_text(script)
    configure(box, f'[hooks]\ncommand = ["{sys.executable}", "{program}", "{out}"]\n{more}')
    return out


COPY = "import sys\nopen(sys.argv[1], 'a').write(sys.stdin.read())\n"


def test_each_event_is_told_once_with_its_facts(box: CommandLine) -> None:
    out = hooked(box, COPY)
    ctx = context(box)
    refused = add_import(ctx, "a", state=ImportState.REFUSED, reason="bad", error_code="bundle-damaged")
    add_import(ctx, "b", state=ImportState.WAITING, waits_for=WaitsFor.APPROVAL)
    add_import(ctx, "c", state=ImportState.IMPORTED, reason="skipped: bundle 3 never came")
    add_import(ctx, "d", days=30, state=ImportState.REFUSED, reason="long ago")
    names = [each["event"] for each in box.json("notify")]
    assert names == ["bundle-refused", "waiting-for-approval", "import-finished", "sequence-skipped"]
    told = [json.loads(line) for line in out.read_text().splitlines()]
    assert [each["event"] for each in told] == names
    assert (told[0]["import"], told[0]["error_code"], told[0]["box"]) == (refused, "bundle-damaged", "near")
    assert box.json("notify") == []
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.imports.update(refused, updated_at=now() + timedelta(seconds=2), state=ImportState.REFUSED)
    assert [each["event"] for each in box.json("notify")] == ["bundle-refused"], "it was retried, and refused again"


def test_what_changes_without_being_news_is_not_told_again(box: CommandLine) -> None:
    hooked(box, COPY)
    ctx = context(box)
    place = ctx.settings.inbox.path / "a"
    place.mkdir(parents=True)
    refused = add_import(ctx, "a", path=str(place), state=ImportState.REFUSED, reason="bad")
    waiting = add_import(ctx, "b", state=ImportState.WAITING, waits_for=WaitsFor.VOLUMES, reason="2 volumes")
    imported = add_import(ctx, "c", state=ImportState.IMPORTED)
    assert len(box.json("notify")) == 3
    later = replace(ctx, clock=lambda: now() + timedelta(seconds=2))
    with ctx.store.session():
        moved = inbox.finish(later, ctx.store.imports.get(refused))
        assert moved.path != str(place)
        ctx.store.imports.update(waiting, updated_at=later.clock(), reason="1 volume")
        ctx.store.imports.update(imported, updated_at=later.clock(), path="/archive/c")
    assert box.json("notify") == []
    with ctx.store.session():
        ctx.store.imports.update(waiting, updated_at=later.clock(), waits_for=WaitsFor.APPROVAL)
    assert [each["event"] for each in box.json("notify")] == ["waiting-for-approval"]


def test_only_the_chosen_events_are_told(box: CommandLine) -> None:
    hooked(box, COPY, 'events = ["space-low"]\n')
    (box.directory / "issbox.toml").write_text(
        (box.directory / "issbox.toml").read_text().replace('low_space = "1"', 'low_space = "1000TiB"')
    )
    add_import(context(box), "a", state=ImportState.REFUSED, reason="bad")
    assert [each["event"] for each in box.json("notify")] == ["space-low"]
    assert box.json("notify") == []


@pytest.mark.parametrize(
    ("script", "words"),
    [("import time\ntime.sleep(60)\n", "took longer"), ("import sys\nsys.exit('no\\nway')\n", "no way")],
)
def test_a_hook_that_hangs_or_fails_is_logged_and_stops_nothing(
    box: CommandLine, caplog: pytest.LogCaptureFixture, script: str, words: str
) -> None:
    hooked(box, script, "timeout_seconds = 0.5\n")
    ctx = context(box)
    add_import(ctx, "a", state=ImportState.REFUSED, reason="bad")
    add_import(ctx, "b", state=ImportState.REFUSED, reason="bad")
    assert len(hooks.tell_events(ctx)) == 2
    assert len([each for each in caplog.messages if words in each]) == 2


def test_a_program_that_is_not_there_is_logged(box: CommandLine, caplog: pytest.LogCaptureFixture) -> None:
    configure(box, '[hooks]\ncommand = ["/nothing/here"]\n')
    ctx = context(box)
    add_import(ctx, "a", state=ImportState.REFUSED, reason="bad")
    assert len(hooks.tell_events(ctx)) == 1
    assert "cannot be started" in caplog.text


def test_mail_goes_to_sendmail(box: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = box.directory / "bin"
    programs.mkdir()
    mail = programs / "sendmail"
    mail.write_text(f'#!/bin/sh\necho "$@" > {box.directory}/args\ncat > {box.directory}/mail\n')
    mail.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    configure(box, '[hooks]\nmail_to = "ops@example.com"\n')
    add_import(context(box), "a", state=ImportState.REFUSED, reason="bad\nSubject: forged")
    box("notify")
    text = (box.directory / "mail").read_text()
    head = text.split("\n\n", 1)[0]
    assert "To: ops@example.com" in head
    assert "Subject: [issbox near] bundle-refused" in head
    assert "forged" not in head
    assert (box.directory / "args").read_text() == "-i -- ops@example.com\n"


def test_nothing_is_told_without_hooks(box: CommandLine) -> None:
    add_import(context(box), "a", state=ImportState.REFUSED, reason="bad")
    assert box.json("notify") == []
