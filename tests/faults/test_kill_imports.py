"""kill -9 at every named step of importing what came in several parts, and of taking an import back."""

from pathlib import Path

import pytest
from faults.test_kill import AFTER_COMMIT, add_to_inbox, state
from makers.boxes import Gap

from issbox.manifest import ScopeKind
from issbox.model import BundleForm, ImportState
from issbox.workflows.content.publishing import STEPS as PUBLISH_STEPS
from issbox.workflows.exports import ExportRequest, export, plan_export

FORMS = {BundleForm.DIRECTORY: 60 << 10, BundleForm.ISO: 400 << 10, BundleForm.TGZ: 8 << 10}
"""Bytes of a volume or chunk, so that there are several, but few."""


def carry(gap: Gap, form: BundleForm) -> list[Path]:
    """Export in several parts and give what is imported one after the other."""
    gap.outside.run("synchronize")
    ctx = gap.outside.context()
    request = ExportRequest(organization="acme", scope=ScopeKind.LIBRARY, form=form, volume_size=FORMS[form])
    done = export(ctx, plan_export(ctx, request), gap.media)
    parts = sorted(Path(done.path).iterdir())
    return [path for path in parts if path.name.endswith(".toc.json")] or parts


@pytest.mark.parametrize("step", ["stage-files+1", "store-files"])
def test_a_part_in_between(gap: Gap, step: str) -> None:
    parts = carry(gap, BundleForm.DIRECTORY)
    assert len(parts) > 2
    rows = [add_to_inbox(gap, part) for part in parts]
    gap.inside.run("import-row", rows[0])
    gap.inside.run("import-row", rows[1], kill=step)
    gap.inside.restart()
    gap.inside.check()
    assert [state(gap, row) for row in rows[:2]] == [ImportState.WAITING, ImportState.SETTLED]
    gap.inside.run("garbage")
    for row in rows[1:]:
        gap.inside.run("import-row", row)
    gap.inside.check()
    assert gap.inside.repomd() == gap.outside.repomd()


@pytest.mark.parametrize("step", ["stage-files", "store-files", "record-versions", "switch-links"])
@pytest.mark.parametrize("form", FORMS)
def test_the_last_part(gap: Gap, form: BundleForm, step: str) -> None:
    parts = carry(gap, form)
    assert len(parts) == 1 if form is BundleForm.TGZ else len(parts) > 1, "chunks are imported together"
    rows = [add_to_inbox(gap, part) for part in parts]
    for row in rows[:-1]:
        gap.inside.run("import-row", row)
    assert [state(gap, row) for row in rows[:-1]] == [ImportState.WAITING] * (len(rows) - 1)
    gap.inside.run("import-row", rows[-1], kill=step)
    assert gap.inside.repomd() == b""
    gap.inside.restart()
    gap.inside.check()
    done = step in AFTER_COMMIT
    assert state(gap, rows[-1]) is (ImportState.IMPORTED if done else ImportState.SETTLED)
    gap.inside.run("garbage")
    gap.inside.run("import-row", rows[-1])
    gap.inside.check()
    assert gap.inside.repomd() == gap.outside.repomd()
    assert {state(gap, row) for row in rows} == {ImportState.IMPORTED}


@pytest.mark.parametrize("step", PUBLISH_STEPS[1:])
def test_a_rollback(gap: Gap, step: str) -> None:
    gap.outside.run("synchronize")
    gap.inside.run("import", gap.export())
    before = gap.inside.repomd()
    gap.change_upstream(3)
    gap.outside.run("synchronize")
    row = add_to_inbox(gap, gap.export())
    gap.inside.run("import-row", row)
    after = gap.inside.repomd()
    gap.inside.run("rollback", row, kill=step)
    assert gap.inside.repomd() == after
    gap.inside.restart()
    done = step in AFTER_COMMIT
    assert gap.inside.repomd() == (before if done else after)
    assert state(gap, row) is (ImportState.ROLLED_BACK if done else ImportState.IMPORTED)
    if not done:
        gap.inside.run("rollback", row)
    assert gap.inside.repomd() == before
