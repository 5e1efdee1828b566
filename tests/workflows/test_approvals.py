"""What an approval lets in, and what it does not."""

import shutil
from dataclasses import replace
from pathlib import Path

from makers.bundles import SampleBundle, SampleRepository, make_bundle, new_key
from makers.crossings import make_crossing
from makers.inboxes import make_context, now

from issbox.model import Actor, ImportState, TrustedKey, WaitsFor
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.imports.rolling_back import roll_back
from issbox.workflows.inbox.approving import approve


def as_user(ctx: Context, name: str) -> Context:
    return replace(ctx, actor=Actor(name, "local"))


def test_two_people_approve_a_bundle_that_came_twice_once(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, approvals=2)
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    places = [ctx.settings.inbox.path / name for name in ("one", "two")]
    rows = []
    for place in places:
        shutil.copytree(bundle, place)
        rows.append(crossing.drop(place))
    assert {row.waits_for for row in rows} == {WaitsFor.APPROVAL}
    assert approve(as_user(ctx, "ann"), rows[0].id).state is ImportState.WAITING
    assert approve(as_user(ctx, "zoe"), rows[1].id).state is ImportState.SETTLED
    assert [import_bundle(ctx, row.id).state for row in rows] == [ImportState.IMPORTED] * 2


def test_a_bundle_that_was_rolled_back_has_to_be_approved_again(tmp_path: Path) -> None:
    crossing = make_crossing(tmp_path, approvals=1)
    ctx = crossing.receiver
    (bundle,) = crossing.export()
    (row,) = run_import(ctx, bundle)
    approve(as_user(ctx, "ann"), row.id)
    assert import_bundle(ctx, row.id).state is ImportState.IMPORTED
    roll_back(ctx, row.id)
    (again,) = run_import(ctx, bundle)
    assert (again.state, again.waits_for) == (ImportState.WAITING, WaitsFor.APPROVAL)
    assert crossing.seen() == {}


def test_an_approval_is_for_the_bundle_of_one_key(tmp_path: Path) -> None:
    key, other = new_key(), new_key()
    ctx = make_context(tmp_path / "box", trusted=key, approvals=1)
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.trusted_keys.add(TrustedKey("other", other.key_id, other.public_pem, now()))
    (row,) = run_import(ctx, make_bundle(tmp_path, key, SampleBundle()))
    approve(as_user(ctx, "ann"), row.id)
    forged = SampleBundle((SampleRepository(packages={"evil-1-1.noarch.rpm": b"evil"}),))
    (waiting,) = run_import(ctx, make_bundle(tmp_path, other, forged, name="other"))
    assert (waiting.bundle_id, waiting.waits_for) == (row.bundle_id, WaitsFor.APPROVAL)
