"""A total loss: the box made anew from its backup is the same and goes on where it was; and stored files that rot."""

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from makers.command_line import CommandLine
from makers.crossings import SMALL, make_crossing
from makers.rpms import Repository, write_repository

from issbox.certs import sealing
from issbox.certs.sealing import SealedWriter
from issbox.errors import BackupDamagedError, UnsafePathError
from issbox.files import BLOCK, remove_tree
from issbox.model import BundleForm
from issbox.store.blob_checks import StoredFile
from issbox.wiring import now, open_context
from issbox.workflows.appliance import backing_up, restoring, scrubbing
from issbox.workflows.context import Context
from issbox.workflows.imports import importing
from issbox.workflows.imports.by_hand import run_import

PACKAGES = sorted((Path(__file__).parents[2] / "demo/packages").glob("*.rpm"))
PASSPHRASE = "correct horse battery\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sealing, "_SCRYPT", {"n": 2, "r": 1, "p": 1})


class Crossing:
    """Two boxes, and what goes from one to the other."""

    def __init__(self, directory: Path, far_database: str | None = None) -> None:
        self.directory = directory
        self.near, self.far = CommandLine(directory / "near"), CommandLine(directory / "far")
        for box in (self.near, self.far):
            box.directory.mkdir()
            box.environ["ISSBOX_CONFIG"] = str(box.directory / "issbox.toml")
        (self.near.directory / "issbox.toml").write_text("")
        (self.far.directory / "issbox.toml").write_text(f'database = "{far_database or ""}"\n')
        self.near("init", "--name", "near", "--organization", "ACME")
        self.far("init", "--name", "far", "--organization", "ACME")
        key = directory / "key.pem"
        key.write_text(self.near("box", "show", "--public-key").stdout)
        self.far("trusted-key", "add", key)
        self.passphrase = directory / "passphrase"
        self.passphrase.write_text(PASSPHRASE)
        self.passphrase.chmod(0o600)
        self.near("product", "create", "--name", "Tools")
        self.upstream(1)
        self.where = ["--product", "Tools", "--label", "base"]
        self.near("repository", "create", *self.where, "--url", (directory / "upstream").as_uri())

    def upstream(self, packages: int) -> None:
        remove_tree(self.directory / "upstream")
        write_repository(Repository(self.directory / "upstream", PACKAGES[:packages], revision=str(packages)))

    def export(self, kind: str) -> Path:
        self.near("repository", "synchronize", *self.where)
        made = self.near.json("content-export", kind, "library", "--destination-server", "far")
        return Path(made["path"])

    def back_up(self) -> Path:
        path = self.directory / "far.issbox"
        self.far("backup", "--output", path, "--passphrase-file", self.passphrase)
        return path


def shown(box: CommandLine) -> dict[str, bytes]:
    """Give what hosts see."""
    root = box.state / "content/ACME/Library/custom/Tools/base"
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def context(box: CommandLine) -> Context:
    return open_context(environ={key: value for key, value in box.environ.items() if value is not None})


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return Crossing(tmp_path)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_box_restored_after_a_total_loss_is_the_same_and_takes_the_next_increment(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    make: Callable[[None], str] | None = None
    if database == "postgresql":
        make = request.getfixturevalue("new_postgresql_database")
    crossing = Crossing(tmp_path, make(None) if make else None)
    far = crossing.far
    complete = crossing.export("complete")
    far("content-import", "run", complete)
    far("user", "create", "--name", "ann")
    far("audit", "sign")
    before, identity = shown(far), far.json("box", "show")
    assert len(before) > 3
    backup = crossing.back_up()
    assert backup.stat().st_mode & 0o777 == 0o600

    remove_tree(far.state)
    if make:
        (far.directory / "issbox.toml").write_text(f'database = "{make(None)}"\n')
    restored = far.json("restore", backup, "--passphrase-file", crossing.passphrase)
    assert restored["box_id"] == identity["id"]
    assert restored["missing"] > 0
    assert len((far.state / "missing-files.txt").read_text().splitlines()) == restored["missing"]
    assert far.json("box", "show") == identity
    assert [each["name"] for each in far.json("user", "list")] == ["ann"]
    assert far.json("audit", "verify")["heads"] == 1

    assert far("status", "--code", code=32 + 64)  # no service, and files are missing
    mended = far.json("scrub", "--from", complete)
    assert (mended["mended"], mended["damaged"]) == (restored["missing"], [])
    far("store", "reconcile")
    assert shown(far) == before

    crossing.upstream(2)
    increment = crossing.export("incremental")
    far("content-import", "run", increment)
    assert shown(far) == shown(crossing.near)
    assert far.json("audit", "verify")["sound"]


def test_files_that_survived_are_used(crossing: Crossing) -> None:
    crossing.far("content-import", "run", crossing.export("complete"))
    before, backup = shown(crossing.far), crossing.back_up()
    crossing.far.state.rename(crossing.directory / "old")
    crossing.far.state.mkdir()
    (crossing.directory / "old/blobs").rename(crossing.far.state / "blobs")
    assert crossing.far.json("restore", backup, "--passphrase-file", crossing.passphrase)["missing"] == 0
    assert not (crossing.far.state / "missing-files.txt").exists()
    assert shown(crossing.far) == before


def test_nothing_secret_is_readable_and_nothing_is_overwritten(crossing: Crossing) -> None:
    backup = crossing.back_up()
    data = backup.read_bytes()
    key = (crossing.far.state / "keys/signing.pem").read_bytes()
    assert key.splitlines()[1] not in data
    assert b"SQLite" not in data
    assert json.loads(data.partition(b"\n")[0])["name"] == "far"
    again = crossing.far.error("backup", "--output", backup, "--passphrase-file", crossing.passphrase, code=5)
    assert again["code"] == "already-exists"
    here = crossing.far.error("restore", backup, "--passphrase-file", crossing.passphrase, code=5)
    assert "holds a box already" in here["message"]
    crossing.passphrase.chmod(0o644)
    crossing.far.error("restore", backup, "--passphrase-file", crossing.passphrase, code=12)


def test_a_file_that_vanishes_meanwhile_does_not_stop_a_backup(
    crossing: Crossing, monkeypatch: pytest.MonkeyPatch
) -> None:
    ctx, gone = context(crossing.far), crossing.far.state / "keys/consumers/gone.pem"
    gone.write_text("of a host that is being deleted")
    real = backing_up._state_files

    def listed(state_dir: Path) -> Iterator[Path]:
        for path in real(state_dir):
            if path == gone:
                path.unlink()
            yield path

    monkeypatch.setattr(backing_up, "_state_files", listed)
    path = crossing.directory / "far.issbox"
    made = backing_up.back_up(ctx, path, PASSPHRASE.strip())
    assert not gone.exists()
    assert made.files == 1, "the key of the box"
    remove_tree(crossing.far.state)
    crossing.far("restore", path, "--passphrase-file", crossing.passphrase)
    assert (crossing.far.state / "keys/signing.pem").is_file()


def test_old_backups_of_this_box_are_deleted_and_nothing_else(crossing: Crossing) -> None:
    place = crossing.directory / "backups"
    place.mkdir()
    whole = crossing.back_up()
    names = [f"box-2026010{day}T000000Z.issbox" for day in range(1, 5)]
    for name in names:
        (place / name).write_bytes(whole.read_bytes())
    (place / names[0]).unlink()
    (place / names[0]).symlink_to(whole)
    others = {"box-20260101T000001Z.issbox": b"no backup", "box-20260101T000002Z.issbox.old": whole.read_bytes()}
    crossing.near("backup", "--output", place / "box-20260101T000003Z.issbox", "--passphrase-file", crossing.passphrase)
    for name, data in others.items():
        (place / name).write_bytes(data)
    words = ("--keep", "2", "--passphrase-file", crossing.passphrase)
    made = crossing.far.json("backup", "--output", place / "box-%d.issbox", *words)
    assert made["deleted"] == [str(place / name) for name in names[1:3]]
    left = {each.name for each in place.iterdir()}
    assert left == {names[0], names[3], *others, "box-20260101T000003Z.issbox", Path(made["path"]).name}
    for output in (place / "box.issbox", place / "%d" / "box.issbox"):
        refused = crossing.far.error("backup", "--output", output, *words, code=2)
        assert "%d" in refused["hint"]
        assert not output.exists()


def test_a_wrong_passphrase_or_a_damaged_file_changes_nothing(crossing: Crossing) -> None:
    backup = crossing.back_up()
    remove_tree(crossing.far.state)
    crossing.passphrase.write_text("another passphrase\n")
    crossing.far.error("restore", backup, "--passphrase-file", crossing.passphrase, code=7)
    crossing.passphrase.write_text(PASSPHRASE)
    cut = crossing.directory / "cut"
    cut.write_bytes(backup.read_bytes()[:-1])
    crossing.far.error("restore", cut, "--passphrase-file", crossing.passphrase, code=7)
    assert [each.name for each in crossing.far.state.iterdir()] == ["locks"]


def test_a_backup_for_another_kind_of_database_changes_nothing(crossing: Crossing) -> None:
    far, backup = crossing.far, crossing.back_up()
    remove_tree(far.state)
    (far.directory / "issbox.toml").write_text('database = "postgresql://nobody@127.0.0.1:1/none"\n')
    refused = far.error("restore", backup, "--passphrase-file", crossing.passphrase, code=7)
    assert "names PostgreSQL" in refused["message"]
    assert [each.name for each in far.state.iterdir()] == ["locks"]
    (far.directory / "issbox.toml").write_text("")
    far("restore", backup, "--passphrase-file", crossing.passphrase)


@pytest.mark.parametrize("hostile", ["../out", "/abs", "state/../../x", "link"])
def test_a_backup_that_was_made_to_harm_is_refused(crossing: Crossing, hostile: str) -> None:
    path = crossing.directory / "hostile"
    with path.open("wb") as out:
        sealed = SealedWriter(out, PASSPHRASE.strip(), {})
        with tarfile.open(fileobj=sealed, mode="w|") as archive:  # type: ignore[call-overload]  # it writes, which is all
            member = tarfile.TarInfo("state/x" if hostile == "link" else hostile)
            if hostile == "link":
                member.type, member.linkname = tarfile.SYMTYPE, "/etc"
            archive.addfile(member, io.BytesIO())
        sealed.close()
    remove_tree(crossing.far.state)
    ctx_settings = context(crossing.near).settings
    target = type(ctx_settings)(
        **{name: getattr(ctx_settings, name) for name in ctx_settings.__slots__} | {"state_dir": crossing.far.state}
    )
    near = context(crossing.near)
    with pytest.raises((UnsafePathError, BackupDamagedError)):
        restoring.restore(target, path, PASSPHRASE.strip(), actor=near.actor, clock=now, progress=near.progress)
    assert not (crossing.directory / "out").exists()


def corrupt(path: Path) -> None:
    """Change a byte; readers of the published trees see it too, since they share the file."""
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_scrub_finds_rot_and_mends_it_from_a_bundle(crossing: Crossing) -> None:
    far = crossing.far
    complete = crossing.export("complete")
    far("content-import", "run", complete)
    before = shown(far)
    sound = far.json("scrub")
    assert sound["checked"] == len(list((far.state / "blobs").rglob("*/*/*")))
    assert (sound["damaged"], sound["finished"]) == ([], True)
    assert far.json("scrub", "--older-than", "1")["checked"] == 0

    blobs = sorted((far.state / "blobs").rglob("*/*/*"))
    corrupt(blobs[0])
    blobs[1].unlink()
    report = json.loads(far("scrub", "--json", code=7).stdout)
    assert {each["sha256"] for each in report["damaged"]} == {path.parent.name + path.name for path in blobs[:2]}
    assert report["damaged"][0]["repository"] == "ACME/Tools/base"
    assert far.json("scrub", "--from", complete)["mended"] == 2
    assert shown(far) == before
    assert far.json("scrub")["damaged"] == []


def test_a_scrub_mends_from_a_folder_that_is_no_bundle(crossing: Crossing, tmp_path: Path) -> None:
    far = crossing.far
    complete = crossing.export("complete")
    far("content-import", "run", complete)
    before = shown(far)
    for blob in (far.state / "blobs").rglob("*/*/*"):
        blob.unlink()
    loose = tmp_path / "loose/repository"
    shutil.copytree(next(complete.rglob("repodata")).parent, loose)
    package = next(loose.rglob("*.rpm"))
    shutil.copy(package, tmp_path / "aside")
    corrupt(package)
    (loose / "link.rpm").symlink_to(tmp_path / "aside")
    report = json.loads(far("scrub", "--from", loose.parent, "--json", code=7).stdout)
    assert [Path(each["path"]).name for each in report["damaged"]] == [package.name]
    shutil.copy(tmp_path / "aside", package)
    assert far.json("scrub", "--from", loose.parent)["mended"] == 1
    assert shown(far) == before


def test_a_folder_without_what_is_missing_says_that_it_holds_no_bundle(crossing: Crossing, tmp_path: Path) -> None:
    crossing.far("content-import", "run", crossing.export("complete"))
    next(path for path in (crossing.far.state / "blobs").rglob("*/*/*")).unlink()
    (tmp_path / "other").mkdir()
    assert crossing.far.error("scrub", "--from", tmp_path / "other", code=3)["code"] == "not-a-bundle"


def test_a_damaged_bundle_mends_nothing_with_its_damage(crossing: Crossing) -> None:
    far = crossing.far
    complete = crossing.export("complete")
    far("content-import", "run", complete)
    package = next(path for path in complete.rglob("*.rpm"))
    (blob,) = [path for path in (far.state / "blobs").rglob("*/*/*") if path.read_bytes() == package.read_bytes()]
    blob.unlink()
    corrupt(package)
    report = json.loads(far("scrub", "--from", complete, "--json", code=7).stdout)
    assert (report["mended"], len(report["damaged"])) == (0, 1)


def test_what_was_mended_before_a_kill_is_shown_by_the_next_scrub(crossing: Crossing) -> None:
    far = crossing.far
    complete = crossing.export("complete")
    far("content-import", "run", complete)
    before = shown(far)
    blob = sorted((far.state / "blobs").rglob("*/*/*"))[0]
    good = blob.read_bytes()
    corrupt(blob)
    assert json.loads(far("scrub", "--json", code=7).stdout)["damaged"]
    blob.unlink()
    blob.write_bytes(good)  # as a repair that is killed before it builds the trees leaves it
    assert shown(far) != before
    assert far.json("scrub")["damaged"] == []
    assert shown(far) == before


def test_what_a_repair_finds_damaged_is_written_down(crossing: Crossing, monkeypatch: pytest.MonkeyPatch) -> None:
    far = crossing.far
    complete = crossing.export("complete")
    far("content-import", "run", complete)
    before = shown(far)
    corrupt(sorted((far.state / "blobs").rglob("*/*/*"))[0])

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(importing, "rebuild_trees", die)
        far("content-import", "run", complete, "--repair", code=130)
    assert shown(far) != before
    assert far.json("scrub")["damaged"] == []
    assert shown(far) == before


def test_a_stream_mends_up_to_where_it_is_damaged(tmp_path: Path) -> None:
    ways = make_crossing(tmp_path)
    ways.publish([0], ballast=1_500_000)
    chunks = ways.export(BundleForm.TAR, volume_size=SMALL)
    run_import(ways.receiver, chunks[0])
    blobs = list((ways.receiver.store.state_dir / "blobs").rglob("*/*/*"))
    for path in blobs:
        path.unlink()
    corrupt(chunks[-20])
    report = scrubbing.scrub(ways.receiver, source=chunks[0].parent)
    assert 0 < report.mended < len(blobs)
    assert report.mended + len(report.damaged) == len(blobs)


def test_a_scrub_goes_on_where_the_last_one_stopped_and_keeps_to_its_rate(crossing: Crossing) -> None:
    crossing.far("content-import", "run", crossing.export("complete"))
    ctx = context(crossing.far)
    total = len(list((crossing.far.state / "blobs").rglob("*/*/*")))
    ticks = iter(range(100_000))
    counts = []
    for _ in range(total):
        report = scrubbing.scrub(
            ctx, older_than=timedelta(hours=1), longest=1, clock=lambda: float(next(ticks)), sleep=lambda _: None
        )
        counts.append(report.checked)
    assert counts == [1] * total
    assert scrubbing.scrub(ctx, older_than=timedelta(hours=1)).checked == 0

    at, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        at[0] += seconds

    report = scrubbing.scrub(ctx, rate=1000, clock=lambda: at[0], sleep=sleep)
    assert report.checked == total
    assert sum(slept) == pytest.approx(report.size / 1000)


def test_a_large_file_is_read_at_the_rate_too(crossing: Crossing) -> None:
    ctx = context(crossing.far)
    data = bytes(2 * BLOCK + 7)
    file = StoredFile(hashlib.sha256(data).hexdigest(), len(data))
    place = ctx.store.blobs.path(file.sha256)
    place.parent.mkdir(parents=True)
    place.write_bytes(data)
    heard: list[int] = []
    with ctx.store.session():
        assert scrubbing.is_sound(ctx, file, heard.append)
    assert heard == [BLOCK, BLOCK, 7]


def test_rows_of_every_table_come_back(crossing: Crossing, tmp_path: Path) -> None:
    """The copy by rows, which PostgreSQL takes, gives the same rows on SQLite."""
    from issbox.store import create_store
    from issbox.store.row_copies import dump_rows, load_rows

    crossing.far("content-import", "run", crossing.export("complete"))
    ctx = context(crossing.far)
    first, second = io.BytesIO(), io.BytesIO()
    with ctx.store.session():
        dump_rows(first)
    other = create_store(tmp_path / "other", None)
    first.seek(0)
    with other.session():
        load_rows(first)
        dump_rows(second)
        assert other.box.get().name == "far"
    assert second.getvalue() == first.getvalue()
    with other.session(), pytest.raises(BackupDamagedError):
        load_rows(io.BytesIO(b'["nothing", ["x"]]\n'))


def test_a_restore_replaces_nothing_that_lies_there(
    crossing: Crossing, new_postgresql_database: Callable[[None], str]
) -> None:
    far, backup = crossing.far, crossing.back_up()
    remove_tree(far.state)
    (far.state / "keys").mkdir(parents=True)
    (far.state / "keys/mine.pem").write_text("mine")
    words = ("restore", backup, "--passphrase-file", crossing.passphrase)
    assert "keys is there already" in far.error(*words, code=5)["message"]
    assert (far.state / "keys/mine.pem").read_text() == "mine"
    assert sorted(each.name for each in far.state.iterdir()) == ["keys", "locks"]

    remove_tree(far.state)
    far.state.mkdir()
    (far.state / "issbox.db-wal").touch()  # SQLite would take it for changes of the restored database
    assert "holds a box already" in far.error(*words, code=5)["message"]

    far = CommandLine(crossing.directory / "third")
    far.directory.mkdir()
    far.environ["ISSBOX_CONFIG"] = str(far.directory / "issbox.toml")
    (far.directory / "issbox.toml").write_text(f'database = "{new_postgresql_database(None)}"\n')
    far("init", "--name", "third", "--organization", "ACME")
    far("backup", "--output", crossing.directory / "third.issbox", "--passphrase-file", crossing.passphrase)
    remove_tree(far.state)
    refused = far.error(
        "restore", crossing.directory / "third.issbox", "--passphrase-file", crossing.passphrase, code=5
    )
    assert "the database holds a box already" in refused["message"]
    assert [each.name for each in far.state.iterdir()] == ["locks"]
