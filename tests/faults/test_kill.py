"""kill -9 at every named step of synchronize, export, import and publish: start again, and it is done or not done."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from makers.boxes import Gap

from issbox.model import ExportState, ImportState
from issbox.workflows import exports
from issbox.workflows.content import synchronize
from issbox.workflows.imports import importing

AFTER_COMMIT = {"switch-links"}
"""Steps that begin after the transaction: killed there, the change is done once the box has started again."""


def test_every_named_step_is_passed(gap: Gap) -> None:
    assert gap.outside.run("synchronize") == list(synchronize.STEPS)
    assert gap.outside.run("export", gap.media) == list(exports.STEPS)
    (bundle,) = gap.media.iterdir()
    assert gap.inside.run("import", bundle) == list(importing.STEPS)


@pytest.mark.parametrize("step", [*synchronize.STEPS, "fetch-packages+1"])
def test_synchronize(gap: Gap, step: str) -> None:
    gap.outside.run("synchronize")
    before = gap.outside.repomd()
    gap.change_upstream(3)
    after = (gap.upstream / "repodata/repomd.xml").read_bytes()
    gap.outside.run("synchronize", kill=step)
    assert gap.outside.repomd() == before
    gap.outside.restart()
    gap.outside.check()
    done = step in AFTER_COMMIT
    assert gap.outside.repomd() == (after if done else before)
    assert gap.outside.versions() == ([1, 2] if done else [1])
    gap.outside.run("synchronize")
    gap.outside.check()
    assert gap.outside.repomd() == after
    assert gap.outside.versions() == [1, 2]


@pytest.mark.parametrize("step", [*exports.STEPS, "copy-files+1"])
def test_export(gap: Gap, step: str) -> None:
    gap.outside.run("synchronize")
    gap.outside.run("export", gap.media, kill=step)
    whole = [path for path in gap.media.iterdir() if not path.name.startswith(".")]
    assert len(whole) == (1 if step == "record-export" else 0)
    gap.outside.restart()
    gap.outside.check()
    assert list(gap.media.iterdir()) == whole
    ctx = gap.outside.context()
    with ctx.store.session():
        assert [(export.path, export.state) for export in ctx.store.exports.list()] == [
            (str(path), ExportState.WRITTEN) for path in whole
        ]
    bundle = gap.export()
    with ctx.store.session():
        assert [export.sequence for export in ctx.store.exports.list()] == list(range(len(whole) + 1, 0, -1))
    gap.inside.run("import", bundle)
    gap.inside.check()
    assert gap.inside.repomd() == gap.outside.repomd()


@pytest.mark.parametrize("step", [*importing.STEPS, "stage-files+1"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "second"])
def test_import(gap: Gap, step: str, first: bool) -> None:
    gap.outside.run("synchronize")
    if not first:
        gap.inside.run("import", gap.export())
        gap.change_upstream(3)
        gap.outside.run("synchronize")
    bundle = gap.export()
    before, number = gap.inside.repomd(), len(gap.inside.versions())
    row = add_to_inbox(gap, bundle)
    gap.inside.run("import-row", row, kill=step)
    assert gap.inside.repomd() == before
    gap.inside.restart()
    gap.inside.check()
    done = step in AFTER_COMMIT
    assert len(gap.inside.versions()) == number + done
    assert state(gap, row) is (ImportState.IMPORTED if done else ImportState.SETTLED)
    if not done:
        assert gap.inside.repomd() == before
        assert products(gap) == ([] if first else ["tools"])
    gap.inside.run("import-row", row)
    gap.inside.check()
    assert gap.inside.repomd() == gap.outside.repomd()
    assert len(gap.inside.versions()) == number + 1


def test_a_killed_import_by_hand_waits_for_a_person(gap: Gap) -> None:
    gap.outside.run("synchronize")
    bundle = gap.export()
    gap.inside.run("import", bundle, kill="stage-files")
    gap.inside.restart()
    ctx = gap.inside.context()
    with ctx.store.session():
        (row,) = ctx.store.imports.list()
    assert row.state is ImportState.SETTLED
    assert row.error_code == "interrupted"
    assert f"content-import retry {row.id}" in row.reason
    gap.inside.run("import", bundle)
    assert gap.inside.repomd() == gap.outside.repomd()


def test_everything_derived_is_rebuilt_from_the_database(gap: Gap) -> None:
    gap.outside.run("synchronize")
    before = gap.outside.repomd()
    for name in ("published", "content"):
        shutil.rmtree(gap.outside.state / name)
    gap.outside.restart()
    gap.outside.check()
    assert gap.outside.repomd() == before


def test_a_start_while_another_process_works_leaves_its_files_alone(gap: Gap) -> None:
    gap.outside.run("synchronize")
    ctx = gap.outside.context()
    with ctx.store.blobs.batch("busy") as batch:
        staged = batch.temporary("download")
        staged.write_bytes(b"half")
        gap.outside.restart()
        assert staged.read_bytes() == b"half"


def test_garbage_collection_keeps_what_versions_need(gap: Gap) -> None:
    gap.outside.run("synchronize")
    stray = gap.outside.context().store.blobs
    with stray.batch() as batch, Path(__file__).open("rb", buffering=0) as source:
        digest = batch.add(source)
        batch.commit()
    gap.outside.run("garbage")
    assert not stray.has(digest.sha256)
    gap.outside.check()


def add_to_inbox(gap: Gap, bundle: Path) -> int:
    """Make the row that the watcher would make."""
    ctx = gap.inside.context()
    with ctx.store.session(), ctx.store.transaction():
        return ctx.store.imports.add(str(bundle), inbox=True, first_seen=datetime.now(UTC)).id


def state(gap: Gap, row: int) -> ImportState:
    ctx = gap.inside.context()
    with ctx.store.session():
        return ctx.store.imports.get(row).state


def products(gap: Gap) -> list[str]:
    ctx = gap.inside.context()
    with ctx.store.session():
        return [product.label for product in ctx.store.products.list("acme")]
