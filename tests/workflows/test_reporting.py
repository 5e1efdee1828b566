"""Every import leaves a report that says what was checked, and whose bytes never change."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from makers.crossings import SMALL, Crossing, make_crossing
from makers.exports import make_sender
from makers.inboxes import make_context
from makers.katello import REAL

from issbox.bundle.report import decode_report, report_text
from issbox.bundle.signature import verify
from issbox.errors import NotFoundError, NotPermittedError, WrongStateError
from issbox.model import Actor, BundleForm, ImportState, ReportCheck, Role
from issbox.workflows.appliance import boxes
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.imports.reporting import import_report, write_report
from issbox.workflows.imports.rolling_back import roll_back
from issbox.workflows.inbox.approving import approve
from issbox.workflows.people.users import create_user, grant_role

SIGNED = ["signature", "file-table", "files", "repodata"]


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path)


def report(ctx: Context, import_id: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(import_report(ctx, import_id))
    return document


@pytest.mark.parametrize("form", BundleForm)
def test_it_says_what_was_checked_and_what_came_of_it(crossing: Crossing, form: BundleForm) -> None:
    ctx = crossing.receiver
    (first,) = run_import(ctx, crossing.export()[0])
    crossing.publish([0, 1, 2])
    bundle = crossing.export(form, incremental=True)[0]
    (row,) = run_import(ctx, bundle)
    found = report(ctx, row.id)
    archive = form in {BundleForm.TAR, BundleForm.TGZ}
    assert found["checks"] == [SIGNED[0], *(["chunks"] if archive else []), *SIGNED[1:]]
    assert (found["form"], found["kind"], found["sequence"], found["destination"]) == (form, "incremental", 2, "ship")
    assert found["bundle_id"] == row.bundle_id
    assert found["source"]["trusted_as"] == "shore"
    assert found["source"]["key_id"] == row.key_id
    assert (found["imported_by"], found["imported_from"], found["approved_by"]) == ("tester", "local", [])
    (repository,) = found["repositories"]
    assert (repository["before"], repository["after"], repository["packages"]) == (1, 2, 3)
    assert repository["repomd_sha256"] == sha256(crossing.seen()["repodata/repomd.xml"]).hexdigest()
    assert repository["files"] == len(crossing.seen())
    (volume,) = found["volumes"]
    assert (volume["number"], volume["import_id"], volume["path"]) == (1, row.id, str(bundle))
    files = found["files"]
    assert 0 < files["copied"] <= files["carried"] < files["listed"]
    assert files["copied"] == row.copied_files
    assert report(ctx, first.id)["repositories"][0]["before"] is None
    text = report_text(decode_report(import_report(ctx, row.id)))
    for words in ("version 1 -> version 2", "trusted as shore", row.bundle_id or "", repository["repomd_sha256"]):
        assert words in text


def test_the_volumes_of_a_bundle_share_one_report(crossing: Crossing) -> None:
    crossing.publish([0, 1], ballast=1_500_000)
    ctx = crossing.receiver
    rows = [run_import(ctx, volume)[0] for volume in crossing.export(BundleForm.ISO, volume_size=600 << 10)]
    found = report(ctx, rows[-1].id)
    assert [each["number"] for each in found["volumes"]] == list(range(1, len(rows) + 1))
    assert [each["import_id"] for each in found["volumes"]] == [row.id for row in rows]
    assert found["files"]["copied_size"] == sum(each["copied_size"] for each in found["volumes"])
    assert import_report(ctx, rows[0].id) == import_report(ctx, rows[-1].id)


def test_its_bytes_never_change(crossing: Crossing) -> None:
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    (row,) = run_import(ctx, bundle)
    before = import_report(ctx, row.id)
    (again,) = run_import(ctx, bundle)
    assert again.id == row.id
    assert import_report(ctx, row.id) == before
    roll_back(ctx, row.id)
    assert import_report(ctx, row.id) == before
    (third,) = run_import(ctx, bundle)
    assert third.id != row.id, "what was taken back is imported again"
    assert report(ctx, third.id)["files"]["copied"] == 0
    assert import_report(ctx, row.id) == before


def test_what_is_not_imported_has_none(crossing: Crossing) -> None:
    ctx = crossing.receiver
    crossing.export()
    crossing.publish([0, 1, 2])
    (row,) = run_import(ctx, crossing.export(incremental=True)[0])
    with pytest.raises(WrongStateError, match="waiting"):
        import_report(ctx, row.id)
    with pytest.raises(NotFoundError):
        import_report(ctx, 99)
    with ctx.store.session():
        old = ctx.store.imports.add("/x", inbox=False, first_seen=ctx.clock(), state=ImportState.IMPORTED)
    with pytest.raises(NotFoundError, match="older issbox"):
        import_report(ctx, old.id)


def test_it_names_those_who_approved(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, approvals=2)
    ctx = crossing.receiver
    (row,) = run_import(ctx, crossing.export()[0])
    for name in ("zoe", "ann"):
        approve(replace(ctx, actor=Actor(name, "local")), row.id)
    import_bundle(replace(ctx, actor=Actor("ann", "local")), row.id)
    found = report(ctx, row.id)
    assert (found["approved_by"], found["imported_by"]) == (["ann", "zoe"], "ann")


@pytest.mark.parametrize("name", ["complete", "syncable"])
def test_exports_of_a_katello_have_one_that_says_nobody_signed(tmp_path: Path, name: str) -> None:
    ctx = make_context(tmp_path / "box")
    (row,) = run_import(ctx, REAL / name, accept_unsigned=True)
    found = report(ctx, row.id)
    assert (found["form"], found["checks"]) == ("katello", [ReportCheck.OWN_CHECKSUMS])
    assert (found["source"]["key_id"], found["source"]["trusted_as"], found["manifest_sha256"]) == ("", "", "")
    assert [each["label"] for each in found["repositories"]] == ["base", "tree"]
    assert found["files"]["copied"] > 0
    assert "nobody" in report_text(decode_report(import_report(ctx, row.id)))


def test_it_is_given_out_signed_by_this_box(crossing: Crossing, tmp_path: Path) -> None:
    ctx = make_sender(tmp_path / "other")
    boxes.add_trusted_key(ctx, boxes.public_key(crossing.sender), "shore")
    crossing.publish([0, 1, 2])
    (row,) = run_import(ctx, crossing.export()[0])
    path, signature = write_report(ctx, row.id, tmp_path / "report.json")
    assert path.read_bytes() == import_report(ctx, row.id)
    verify(boxes.public_key(ctx), path.read_bytes(), signature.read_bytes())
    assert signature.name == "report.json.sig"


def test_who_may_see_the_import_may_see_its_report(crossing: Crossing) -> None:
    ctx = crossing.receiver
    (row,) = run_import(ctx, crossing.export()[0])
    for name in ("vic", "nil"):
        create_user(ctx, name=name)
    grant_role(ctx, name="vic", role=Role.VIEWER, organization="acme")
    assert import_report(ctx.acting_as("vic", "test"), row.id)
    with pytest.raises(NotPermittedError):
        import_report(ctx.acting_as("nil", "test"), row.id)


def test_a_bundle_in_chunks_is_one_volume(crossing: Crossing) -> None:
    toc = crossing.export(BundleForm.TGZ, volume_size=SMALL)[0]
    (row,) = run_import(crossing.receiver, toc)
    assert len(report(crossing.receiver, row.id)["volumes"]) == 1
