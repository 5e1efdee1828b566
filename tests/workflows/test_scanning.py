"""The site's own scanner: what it refuses changes nothing, and one that cannot look keeps nothing out for good."""

import json
import sys
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from makers.bundles import SampleBundle, SampleRepository, make_bundle, new_key
from makers.inboxes import make_context, now
from makers.recorder import Recorder

from issbox.bundle.signature import SigningKey
from issbox.errors import InterruptedByUserError, ScannerFailedError, ScannerRefusedError
from issbox.model import ContentImport, ImportState
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.imports.reporting import import_report

GOOD, BAD = b"a good package", b"a package with the EICAR of this test"
SCANNER = """\
import pathlib, sys
log, place = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[-1])
files = sorted(each for each in place.iterdir() if each.is_file())
with log.open("a") as out:
    out.write("".join(each.name + "\\n" for each in files))
bad = [each for each in files if b"EICAR" in each.read_bytes()]
for each in bad:
    print(f"{each}: Test-Signature FOUND\\x1b[31m")
sys.exit(1 if bad else 0)
"""


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


def scanned_box(tmp_path: Path, key: SigningKey, *command: str, timeout: float = 60) -> Context:
    return scanned_by(make_context(tmp_path / "box", trusted=key), *command, timeout=timeout)


def scanned_by(ctx: Context, *command: str, timeout: float = 60) -> Context:
    inbox = replace(ctx.settings.inbox, scan_command=command, scan_timeout_seconds=timeout)
    return replace(ctx, settings=replace(ctx.settings, inbox=inbox))


def scanner(tmp_path: Path, text: str = SCANNER) -> tuple[str, ...]:
    program = tmp_path / "scanner.py"
    program.write_text(text)
    return (sys.executable, str(program), str(tmp_path / "seen"))


def bundle_of(tmp_path: Path, key: SigningKey, packages: dict[str, bytes], number: int = 1) -> Path:
    sample = SampleBundle(
        repositories=[SampleRepository(packages=packages, number=number)],
        sequence=number,
        bundle_id=f"0d5cbe8e-52b1-4a0a-9f5c-{number:012}",
    )
    return make_bundle(tmp_path, key, sample, name=f"bundle-{number}")


def drop(ctx: Context, bundle: Path) -> ContentImport:
    with ctx.store.session():
        row = ctx.store.imports.add(str(bundle), inbox=True, first_seen=now())
    return import_bundle(ctx, row.id)


def blobs(ctx: Context) -> list[Path]:
    return [path for path in (ctx.store.state_dir / "blobs").rglob("*") if path.is_file()]


def test_every_new_file_is_shown_and_only_new_ones(tmp_path: Path, key: SigningKey) -> None:
    ctx = scanned_box(tmp_path, key, *scanner(tmp_path))
    first = bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD})
    assert drop(ctx, first).state is ImportState.IMPORTED
    seen = (tmp_path / "seen").read_text().split()
    assert sorted(seen) == sorted(path.parent.name + path.name for path in blobs(ctx))

    second = bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD, "world-1.0-1.noarch.rpm": b"a new one"}, 2)
    (tmp_path / "seen").write_text("")
    assert drop(ctx, second).state is ImportState.IMPORTED
    again = (tmp_path / "seen").read_text().split()
    assert sha256(b"a new one").hexdigest() in again
    assert sha256(GOOD).hexdigest() not in again


def test_with_nothing_new_the_scanner_is_not_asked(tmp_path: Path, key: SigningKey) -> None:
    ctx = make_context(tmp_path / "box", trusted=key)
    packages = {"good-1-1.noarch.rpm": GOOD}
    run_import(ctx, bundle_of(tmp_path, key, packages))
    refusing = scanned_by(ctx, *scanner(tmp_path, "raise SystemExit(1)"))
    (row,) = run_import(refusing, bundle_of(tmp_path, key, packages, number=2))
    assert row.state is ImportState.IMPORTED


def test_what_is_found_refuses_the_bundle_by_the_name_of_the_file(tmp_path: Path, key: SigningKey) -> None:
    ctx = scanned_box(tmp_path, key, *scanner(tmp_path))
    row = drop(ctx, bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD, "worm-1.0-1.noarch.rpm": BAD}))
    assert row.state is ImportState.REFUSED
    assert row.error_code == ScannerRefusedError.code
    assert "custom/tools/base/Packages/worm-1.0-1.noarch.rpm: Test-Signature FOUND" in row.reason
    assert "\x1b" not in row.reason
    assert blobs(ctx) == []
    with ctx.store.session():
        assert ctx.store.repositories.list() == []


def test_by_hand_the_same_is_an_error(tmp_path: Path, key: SigningKey) -> None:
    ctx = scanned_box(tmp_path, key, *scanner(tmp_path))
    with pytest.raises(ScannerRefusedError, match=r"worm-1\.0-1\.noarch\.rpm"):
        run_import(ctx, bundle_of(tmp_path, key, {"worm-1.0-1.noarch.rpm": BAD}))
    assert blobs(ctx) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import sys\nprint('the database is too old')\nsys.exit(2)", "exit code 2: the database is too old"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "exit code -9"),
    ],
)
def test_a_scanner_that_cannot_look_leaves_the_bundle_for_later(
    tmp_path: Path, key: SigningKey, text: str, words: str
) -> None:
    ctx = scanned_box(tmp_path, key, *scanner(tmp_path, text))
    bundle = bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD})
    with pytest.raises(ScannerFailedError, match=words):
        drop(ctx, bundle)
    with ctx.store.session():
        (row,) = ctx.store.imports.list()
    assert row.state is ImportState.SETTLED
    assert words in row.reason
    assert blobs(ctx) == []
    mended = scanned_by(ctx, *scanner(tmp_path))
    assert import_bundle(mended, row.id).state is ImportState.IMPORTED


def test_a_scanner_that_is_not_there_or_takes_too_long_is_named(tmp_path: Path, key: SigningKey) -> None:
    bundle = bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD})
    ctx = scanned_box(tmp_path, key, "/nowhere/scanner")
    with pytest.raises(ScannerFailedError, match=r"/nowhere/scanner cannot be run: No such file"):
        run_import(ctx, bundle)
    slow = scanner(tmp_path, "import time\ntime.sleep(600)")
    with pytest.raises(ScannerFailedError, match=r"took longer than 0\.3 seconds"):
        run_import(scanned_by(ctx, *slow, timeout=0.3), bundle)


def test_an_import_that_is_ended_ends_the_scanner_too(tmp_path: Path, key: SigningKey) -> None:
    class Ending(Recorder):
        def advance(self, *, files: int = 0, size: int = 0) -> None:
            if (tmp_path / "pid").exists():
                raise InterruptedByUserError("the job was cancelled")

    note = f"pathlib.Path({str(tmp_path / 'pid')!r}).write_text(str(os.getpid()))"
    text = f"import os, pathlib, time\n{note}\ntime.sleep(600)"
    ctx = replace(scanned_box(tmp_path, key, *scanner(tmp_path, text)), progress=Ending())
    with pytest.raises(InterruptedByUserError):
        drop(ctx, bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD}))
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text()}").exists()
    assert blobs(ctx) == []


def is_alive(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_what_a_script_runs_ends_with_it(tmp_path: Path, key: SigningKey) -> None:
    program = tmp_path / "scan"
    program.write_text(f"#!/bin/sh\nsleep 600 & echo $! > {tmp_path}/child\nwait\n")
    program.chmod(0o755)
    ctx = scanned_box(tmp_path, key, str(program), timeout=0.5)
    with pytest.raises(ScannerFailedError, match="took longer"):
        run_import(ctx, bundle_of(tmp_path, key, {"good-1-1.noarch.rpm": GOOD}))
    child = int((tmp_path / "child").read_text())
    for _ in range(1000):  # nobody is told when a stranger's process has ended
        if not is_alive(child):
            break
        time.sleep(0.01)
    assert not is_alive(child)


def test_the_report_says_that_a_scanner_looked(tmp_path: Path, key: SigningKey) -> None:
    ctx = scanned_box(tmp_path, key, *scanner(tmp_path))
    (row,) = run_import(ctx, bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD}))
    assert "scan" in json.loads(import_report(ctx, row.id))["checks"]
    plain = make_context(tmp_path / "plain", trusted=key)
    (row,) = run_import(plain, bundle_of(tmp_path, key, {"hello-1.0-1.noarch.rpm": GOOD}, 2))
    assert "scan" not in json.loads(import_report(plain, row.id))["checks"]
