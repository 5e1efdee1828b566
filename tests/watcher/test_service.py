"""The service and the cron mode, with real deliveries into a real directory."""

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from makers.bundles import SampleBundle, make_bundle, new_key
from makers.inboxes import make_context, with_inbox

from issbox.bundle.signature import SigningKey
from issbox.errors import BusyError
from issbox.files import FileLock
from issbox.model import ContentImport, ImportState
from issbox.watcher import rounds
from issbox.watcher.narration import Systemd
from issbox.watcher.scan import Findings, look
from issbox.watcher.service import run_service, scan_once
from issbox.workflows.context import Context

PATIENCE = 20.0
SECOND = SampleBundle(bundle_id="0d5cbe8e-52b1-4a0a-9f5c-000000000002", sequence=2)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


@pytest.fixture
def ctx(tmp_path: Path, key: SigningKey) -> Context:
    return make_context(tmp_path / "box", trusted=key)


@pytest.fixture
def impatient(ctx: Context) -> Context:
    """A box that soon gives up on what stays incomplete."""
    return with_inbox(ctx, incomplete_after_seconds=0.6)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    outside = tmp_path / "outside"
    outside.mkdir()
    return outside


@contextmanager
def serving(ctx: Context) -> Iterator[threading.Event]:
    """Run the service in a thread; it has to end within seconds of being told."""
    stop, failures = threading.Event(), []

    def serve() -> None:
        try:
            run_service(ctx, stop, systemd=Systemd({}))
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert failures == []


def rows(ctx: Context) -> list[ContentImport]:
    with ctx.store.session():
        return ctx.store.imports.list()


def wait_for(ctx: Context, *states: str, until: Callable[[list[ContentImport]], bool] = lambda _: True) -> None:
    """Wait until the rows, oldest first, are in these states and nothing is left to be moved."""
    end = time.monotonic() + PATIENCE
    while True:
        found = rows(ctx)
        if [row.state for row in reversed(found)] == list(states) and until(found):
            return
        assert time.monotonic() < end, [(row.path, row.state, row.reason) for row in found]
        time.sleep(0.02)


def gone_from_inbox(ctx: Context) -> Callable[[list[ContentImport]], bool]:
    inbox = ctx.settings.inbox.path
    return lambda found: not list(inbox.iterdir()) and all(inbox not in Path(row.path).parents for row in found)


class TestDelivery:
    def finish(self, ctx: Context, *states: str) -> list[ContentImport]:
        wait_for(ctx, *(states or ("imported",)), until=gone_from_inbox(ctx))
        return rows(ctx)

    def test_present_at_the_start(self, ctx: Context, key: SigningKey) -> None:
        make_bundle(ctx.settings.inbox.path, key)
        with serving(ctx):
            (row,) = self.finish(ctx)
        assert Path(row.path) == ctx.settings.inbox.archive_path / "bundle"

    def test_moved_in(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key)
        with serving(ctx):
            bundle.rename(ctx.settings.inbox.path / "bundle")
            self.finish(ctx)

    def test_copied_in_slowly(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key)
        files = sorted(path for path in bundle.rglob("*") if path.is_file())
        seen = set()
        with serving(ctx):
            for file in files:
                target = ctx.settings.inbox.path / "bundle" / file.relative_to(bundle)
                target.parent.mkdir(parents=True, exist_ok=True)
                data = file.read_bytes()
                with target.open("wb") as out:
                    out.write(data[: len(data) // 2])
                    out.flush()
                    time.sleep(0.03)
                    out.write(data[len(data) // 2 :])
                seen |= {row.state for row in rows(ctx)}
            (row,) = self.finish(ctx)
        assert seen <= {ImportState.ARRIVING}
        assert row.state is ImportState.IMPORTED

    def test_as_rsync_does_it(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key)
        with serving(ctx):
            for file in sorted(path for path in bundle.rglob("*") if path.is_file()):
                target = ctx.settings.inbox.path / "bundle" / file.relative_to(bundle)
                target.parent.mkdir(parents=True, exist_ok=True)
                temporary = target.with_name(f".{target.name}.aB3xYz")
                shutil.copy2(file, temporary)
                temporary.rename(target)
            self.finish(ctx)

    def test_by_hard_links(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key)
        with serving(ctx):
            shutil.copytree(bundle, ctx.settings.inbox.path / "bundle", copy_function=os.link)
            self.finish(ctx)

    def test_under_a_temporary_name(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key)
        with serving(ctx):
            part = ctx.settings.inbox.path / "bundle.part"
            shutil.copytree(bundle, part)
            time.sleep(0.6)
            assert rows(ctx) == []
            part.rename(ctx.settings.inbox.path / "bundle")
            self.finish(ctx)

    def test_two_at_once_go_in_order(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        second = make_bundle(outside, key, SECOND, name="a second")
        first = make_bundle(outside, key, name="the first")
        with serving(ctx):
            second.rename(ctx.settings.inbox.path / second.name)
            first.rename(ctx.settings.inbox.path / first.name)
            found = self.finish(ctx, "imported", "imported")
        assert [row.sequence for row in sorted(found, key=lambda row: row.updated_at)] == [1, 2]

    def test_into_the_folder_of_an_organization(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key, SampleBundle(organization="theirs"))
        folder = ctx.settings.inbox.path / "acme"
        folder.mkdir()
        with serving(ctx):
            bundle.rename(folder / "bundle")
            wait_for(ctx, "imported", until=lambda _: not list(folder.iterdir()))
        assert rows(ctx)[0].organization == "acme"
        assert folder.is_dir()

    def test_an_organization_of_the_same_name_has_no_deliveries_in_the_quarantine(
        self, tmp_path: Path, key: SigningKey
    ) -> None:
        inbox = tmp_path / "inbox"
        kept = (inbox / "quarantine", inbox / "acme" / "archive")
        ctx = make_context(
            tmp_path / "box", trusted=key, path=str(inbox), quarantine_path=str(kept[0]), archive_path=str(kept[1])
        )
        with ctx.store.session():
            ctx.store.organizations.create("quarantine", "Quarantine")
        for place in kept:
            (place / "junk").mkdir(parents=True)
            (place / "junk" / "file").write_bytes(b"junk")
        assert scan_once(ctx) == []
        with ctx.store.session():
            assert list(ctx.store.imports.list()) == []

    def test_junk_is_quarantined_and_nothing_is_followed(self, impatient: Context, outside: Path) -> None:
        inbox = impatient.settings.inbox.path
        with serving(impatient):
            (inbox / "a link").symlink_to(outside)
            os.mkfifo(inbox / "b pipe")
            (inbox / "c file").write_bytes(b"junk")
            (inbox / "d directory").mkdir()
            (inbox / "d directory" / "readme").write_text("not a bundle")
            wait_for(impatient, *["refused"] * 4, until=gone_from_inbox(impatient))
        assert {row.error_code for row in rows(impatient)} <= {"not-a-bundle", "unsafe-file"}
        assert outside.is_dir()
        kept = {path.name for path in impatient.settings.inbox.quarantine_path.iterdir()}
        names = {"a link", "b pipe", "c file", "d directory"}
        assert kept == names | {f"{name}.reason.txt" for name in names}

    def test_one_that_stays_incomplete_is_refused_by_name_of_what_is_missing(
        self, impatient: Context, key: SigningKey, outside: Path
    ) -> None:
        bundle = make_bundle(outside, key)
        (bundle / "metadata.json").unlink()
        with serving(impatient):
            bundle.rename(impatient.settings.inbox.path / "bundle")
            wait_for(impatient, "arriving")
            assert " of " in rows(impatient)[0].reason
            (row,) = self.finish(impatient, "refused")
        assert row.error_code == "bundle-incomplete"
        assert "metadata.json" in Path(f"{row.path}.reason.txt").read_text()

    def test_taken_away_again(self, ctx: Context) -> None:
        path = ctx.settings.inbox.path / "bundle"
        with serving(ctx):
            path.mkdir()
            (path / "something").write_bytes(b"x")
            wait_for(ctx, "arriving")
            shutil.rmtree(path)
            wait_for(ctx, "discarded")

    def test_dropped_again_it_changes_nothing(self, ctx: Context, key: SigningKey, outside: Path) -> None:
        bundle = make_bundle(outside, key)
        with serving(ctx):
            shutil.copytree(bundle, ctx.settings.inbox.path / "once")
            self.finish(ctx)
            shutil.copytree(bundle, ctx.settings.inbox.path / "again")
            again = self.finish(ctx, "imported", "imported")[0]
        assert "imported before" in again.reason

    def test_by_polling(self, tmp_path: Path, key: SigningKey, outside: Path) -> None:
        ctx = make_context(tmp_path / "polling", trusted=key, polling=True, poll_interval_seconds=1, rescan_seconds=60)
        bundle = make_bundle(outside, key)
        with serving(ctx):
            time.sleep(0.2)
            bundle.rename(ctx.settings.inbox.path / "bundle")
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))

    def test_on_postgresql(
        self, tmp_path: Path, key: SigningKey, outside: Path, new_postgresql_database: Callable[[str | None], str]
    ) -> None:
        ctx = make_context(tmp_path / "postgresql", trusted=key, database=new_postgresql_database(None))
        bundle = make_bundle(outside, key)
        with serving(ctx):
            bundle.rename(ctx.settings.inbox.path / "bundle")
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))


class TestServing:
    def test_kept_in_place_it_is_imported_once_even_over_a_restart(self, tmp_path: Path, key: SigningKey) -> None:
        ctx = make_context(tmp_path / "keeping", trusted=key, after_import="keep")
        path = make_bundle(ctx.settings.inbox.path, key)
        for _ in range(2):
            with serving(ctx):
                wait_for(ctx, "imported")
                time.sleep(0.7)  # more than one rescan
                (row,) = rows(ctx)
        assert row.path == str(path)
        assert path.exists()
        assert row.updated_at == rows(ctx)[0].updated_at

    def test_what_cannot_be_moved_is_refused_once_even_over_a_restart(self, ctx: Context) -> None:
        ctx.settings.inbox.quarantine_path.write_text("in the way")
        (ctx.settings.inbox.path / "link").symlink_to("/nowhere")
        for _ in range(2):
            with serving(ctx):
                wait_for(ctx, "refused", until=lambda found: "It stays where it is" in found[0].reason)
                time.sleep(0.7)
                (row,) = rows(ctx)
        assert row.path == str(ctx.settings.inbox.path / "link")

    def test_a_row_left_by_a_killed_process_is_taken_up(self, ctx: Context, key: SigningKey) -> None:
        path = make_bundle(ctx.settings.inbox.path, key)
        with ctx.store.session():
            row = ctx.store.imports.add(str(path), inbox=True, first_seen=ctx.clock())
            ctx.store.imports.update(row.id, updated_at=ctx.clock(), state=ImportState.IMPORTING)
        with serving(ctx):
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))

    def test_busy_is_tried_again(self, ctx: Context, key: SigningKey, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level("INFO")
        with FileLock(ctx.store.locks / "import.lock") as _, serving(ctx):
            make_bundle(ctx.settings.inbox.path, key)
            wait_for(ctx, "settled", until=lambda _: "another import is running" in caplog.text)
        with serving(ctx):
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))

    def test_a_mistake_in_a_look_at_the_inbox_ends_nothing(
        self, ctx: Context, key: SigningKey, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        seen = []

        def stumble(*given: Any) -> Findings:
            seen.append(given)
            if len(seen) == 1:
                raise RecursionError("too deep")
            return look(*given)

        monkeypatch.setattr(rounds, "look", stumble)
        make_bundle(ctx.settings.inbox.path, key)
        with serving(ctx):
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))
        assert "mistake in issbox" in caplog.text

    def test_a_bundle_retried_by_hand_is_taken_up_where_it_lies(self, tmp_path: Path, key: SigningKey) -> None:
        from issbox.model import TrustedKey
        from issbox.workflows.inbox import inbox

        ctx = make_context(tmp_path / "distrustful")
        make_bundle(ctx.settings.inbox.path, key)
        with serving(ctx):
            wait_for(ctx, "refused", until=gone_from_inbox(ctx))
            (row,) = rows(ctx)
            assert row.error_code == "unknown-key"
            with ctx.store.session():
                ctx.store.trusted_keys.add(TrustedKey("shore", key.key_id, key.public_pem, ctx.clock()))
            inbox.retry(ctx, row.id)
            archive = ctx.settings.inbox.archive_path
            wait_for(ctx, "imported", until=lambda found: Path(found[0].path).parent == archive)
        assert list(ctx.settings.inbox.quarantine_path.iterdir()) == []

    def test_an_inbox_that_goes_away_and_comes_back(
        self, ctx: Context, key: SigningKey, outside: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        inbox = ctx.settings.inbox.path
        bundle = make_bundle(outside, key)
        with serving(ctx):
            wait_for(ctx)
            time.sleep(0.2)
            inbox.rename(outside / "unmounted")
            wait_for(ctx, until=lambda _: "the inbox cannot be read" in caplog.text)
            time.sleep(1.2)
            assert not inbox.exists()
            (outside / "unmounted").rename(inbox)
            bundle.rename(inbox / "bundle")
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))
        assert caplog.text.count("the inbox cannot be read") == 1

    def test_only_one_serves_a_box(self, ctx: Context) -> None:
        with FileLock(ctx.store.locks / "serve.lock"):
            with pytest.raises(BusyError):
                run_service(ctx, threading.Event())
            with pytest.raises(BusyError):
                scan_once(ctx)

    def test_systemd_hears_of_start_and_end(self, ctx: Context, tmp_path: Path) -> None:
        address = tmp_path / "notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(str(address))
            manager.settimeout(PATIENCE)
            stop = threading.Event()
            systemd = Systemd({"NOTIFY_SOCKET": str(address)})
            thread = threading.Thread(target=run_service, args=(ctx, stop), kwargs={"systemd": systemd})
            thread.start()
            try:
                assert manager.recv(200).startswith(b"READY=1\n")
                stop.set()
                assert manager.recv(200).startswith(b"STOPPING=1\n")
            finally:
                stop.set()
                thread.join(PATIENCE)
            assert not thread.is_alive()

    def test_the_inbox_is_made(self, ctx: Context) -> None:
        ctx.settings.inbox.path.rmdir()
        with serving(ctx):
            end = time.monotonic() + PATIENCE
            while not ctx.settings.inbox.path.is_dir():
                assert time.monotonic() < end
                time.sleep(0.01)

    def test_the_command_ends_cleanly_on_sigterm(self, ctx: Context, key: SigningKey) -> None:
        environment = {"ISSBOX_STATE_DIR": str(ctx.store.state_dir), "ISSBOX_CONFIG": str(ctx.settings.source)}
        make_bundle(ctx.settings.inbox.path, key)
        process = subprocess.Popen(
            [sys.executable, "-c", "from issbox.cli import main; main()", "serve"],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            wait_for(ctx, "imported", until=gone_from_inbox(ctx))
            process.terminate()
            _, log = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        assert process.returncode == 0, log
        assert "Traceback" not in log
        assert "INFO started" in log
        assert "imported" in log
        assert "INFO stopped" in log


class TestOnce:
    def test_something_new_is_waited_for_and_imported(self, ctx: Context, key: SigningKey) -> None:
        make_bundle(ctx.settings.inbox.path, key)
        (row,) = scan_once(ctx)
        assert row.state is ImportState.IMPORTED
        assert scan_once(ctx, sleep=lambda _: pytest.fail("nothing is on its way")) == []

    def test_an_empty_inbox_costs_no_wait(self, ctx: Context) -> None:
        assert scan_once(ctx, sleep=lambda _: pytest.fail("nothing is on its way")) == []

    def test_what_is_still_changing_is_left_to_the_next_call(self, ctx: Context, key: SigningKey) -> None:
        bundle = make_bundle(ctx.settings.inbox.path, key)

        def grow(seconds: float) -> None:
            time.sleep(seconds)
            (bundle / "more").write_bytes(b"1")

        assert scan_once(ctx, sleep=grow) == []
        (row,) = rows(ctx)
        assert row.state is ImportState.ARRIVING

    def test_an_incomplete_one_is_refused_by_a_later_call(self, impatient: Context, key: SigningKey) -> None:
        bundle = make_bundle(impatient.settings.inbox.path, key)
        (bundle / "metadata.json").unlink()
        assert scan_once(impatient) == []
        assert rows(impatient)[0].state is ImportState.ARRIVING
        time.sleep(0.7)  # cron comes again
        (row,) = scan_once(impatient)
        assert row.error_code == "bundle-incomplete"
