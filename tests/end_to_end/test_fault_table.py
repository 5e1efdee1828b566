"""What goes wrong in practice, fault by fault, and the outcome that a box must have instead of damage."""

import shutil
from pathlib import Path

import pytest
from makers.boxes import Gap, make_gap
from makers.bundles import flip_byte
from makers.crossings import SMALL, Crossing, make_crossing, shown

from issbox.errors import (
    BundleDamagedError,
    BundleError,
    BundleIncompleteError,
    BundleSignatureError,
    NoSpaceError,
    OlderBundleError,
)
from issbox.model import BundleForm, ImportState, WaitsFor
from issbox.workflows.context import Context
from issbox.workflows.imports.by_hand import run_import

FORMS = [BundleForm.DIRECTORY, BundleForm.ISO, BundleForm.TAR, BundleForm.TGZ]
RPM = b"\xed\xab\xee\xdb"
"""How every package begins."""


@pytest.fixture
def crossing(tmp_path: Path) -> Crossing:
    return make_crossing(tmp_path)


def stored(ctx: Context) -> list[Path]:
    """Give every file that the store has."""
    return [path for path in (ctx.store.state_dir / "blobs").rglob("*") if path.is_file()]


def nothing_came(crossing: Crossing) -> None:
    assert stored(crossing.receiver) == []
    assert crossing.seen() == {}
    with crossing.receiver.store.session():
        assert crossing.receiver.store.products.list("acme") == []


@pytest.mark.parametrize("fault", ["changed", "cut", "missing"])
def test_a_chunk_changed_cut_or_missing_is_named_and_nothing_is_written(crossing: Crossing, fault: str) -> None:
    toc, *chunks, _ = crossing.export(BundleForm.TGZ, volume_size=SMALL)
    bad = chunks[1] if len(chunks) > 2 else chunks[0]
    good = bad.read_bytes()
    if fault == "changed":
        flip_byte(bad, len(good) // 2)
    elif fault == "cut":
        bad.write_bytes(good[: len(good) // 2])
    else:
        bad.unlink()
    expected = BundleIncompleteError if fault == "missing" else BundleDamagedError
    with pytest.raises(expected, match=bad.name):
        run_import(crossing.receiver, toc)
    nothing_came(crossing)
    bad.write_bytes(good)
    assert run_import(crossing.receiver, toc)[0].state is ImportState.IMPORTED


@pytest.mark.parametrize("form", [BundleForm.TAR, BundleForm.TGZ])
def test_without_a_table_of_contents_nothing_is_imported_that_is_not_hashed(
    crossing: Crossing, form: BundleForm
) -> None:
    toc, archive, _ = crossing.export(form)
    toc.unlink()
    data = archive.read_bytes()
    flip_byte(archive, data.index(RPM) + 100)
    with pytest.raises(BundleError):
        run_import(crossing.receiver, archive)
    nothing_came(crossing)
    archive.write_bytes(data)
    assert run_import(crossing.receiver, archive)[0].state is ImportState.IMPORTED


@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.ISO])
def test_a_package_altered_with_its_checksums_set_to_match_is_refused_by_signature(
    crossing: Crossing, form: BundleForm
) -> None:
    from hashlib import sha256

    (bundle,) = crossing.export(form)
    if form is BundleForm.ISO:
        data = bundle.read_bytes()
        flip_byte(bundle, data.index(RPM) + 100)
        with pytest.raises(BundleDamagedError, match=r"\.rpm"):
            run_import(crossing.receiver, bundle)
    else:
        package = next(bundle.rglob("*.rpm"))
        before = sha256(package.read_bytes()).hexdigest()
        flip_byte(package, 100)
        after = sha256(package.read_bytes()).hexdigest()
        table, manifest = bundle / "issbox-files.jsonl", bundle / "issbox-bundle.json"
        old = sha256(table.read_bytes()).hexdigest()
        table.write_bytes(table.read_bytes().replace(before.encode(), after.encode()))
        new = sha256(table.read_bytes()).hexdigest()
        manifest.write_bytes(manifest.read_bytes().replace(old.encode(), new.encode()))
        with pytest.raises(BundleSignatureError):
            run_import(crossing.receiver, bundle)
    nothing_came(crossing)


@pytest.mark.parametrize("form", FORMS)
def test_a_full_store_leaves_no_file_under_a_final_name(
    crossing: Crossing, form: BundleForm, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = crossing.export(form)[0]
    with monkeypatch.context() as patch:
        patch.setattr("issbox.files.free_space", lambda _: 1 << 20)
        with pytest.raises(NoSpaceError, match=r"the import needs .* but only"):
            run_import(crossing.receiver, part)
    nothing_came(crossing)
    assert run_import(crossing.receiver, part)[0].state is ImportState.IMPORTED
    assert crossing.seen() == shown(crossing.sender)


def test_a_kill_while_a_file_is_copied_leaves_no_stub_and_blocks_nothing(tmp_path: Path) -> None:
    gap: Gap = make_gap(tmp_path)
    gap.outside.run("synchronize")
    bundle = gap.export()
    gap.inside.run("import", bundle, kill="stage-files+1")
    assert list((gap.inside.state / "blobs").rglob("*/*/*")) == []
    gap.inside.restart()
    gap.inside.check()
    gap.inside.run("import", bundle)
    gap.inside.check()
    assert gap.inside.repomd() == gap.outside.repomd()


@pytest.mark.parametrize("form", FORMS)
def test_what_is_damaged_in_the_store_is_mended_from_a_bundle(crossing: Crossing, form: BundleForm) -> None:
    part = crossing.export(form)[0]
    run_import(crossing.receiver, part)
    blob = next(path for path in stored(crossing.receiver) if path.read_bytes()[:4] == RPM)
    blob.chmod(0o644)
    flip_byte(blob, 100)
    assert crossing.seen() != shown(crossing.sender)
    run_import(crossing.receiver, part, repair=True)
    assert crossing.seen() == shown(crossing.sender)


def test_an_older_export_after_a_newer_one_is_refused_unless_asked_for(crossing: Crossing) -> None:
    (older,) = crossing.export()
    before = shown(crossing.sender)
    crossing.publish([0, 1, 2])
    run_import(crossing.receiver, crossing.export()[0])
    with pytest.raises(OlderBundleError, match="version 2 of the same box has been imported already"):
        run_import(crossing.receiver, older)
    assert crossing.seen() == shown(crossing.sender)
    assert run_import(crossing.receiver, older, allow_older=True)[0].state is ImportState.IMPORTED
    assert crossing.seen() == before


@pytest.mark.parametrize("form", FORMS)
def test_an_increment_without_its_base_waits_and_names_what_is_missing(crossing: Crossing, form: BundleForm) -> None:
    crossing.export()
    crossing.publish([0, 1, 2])
    (row,) = run_import(crossing.receiver, crossing.export(form, incremental=True)[0])
    assert (row.state, row.waits_for) == (ImportState.WAITING, WaitsFor.BASE)
    assert "2 files are neither carried by the bundle nor in this box" in row.reason
    nothing_came(crossing)


def test_a_full_export_folder_is_known_before_the_start_and_nothing_partial_stays(
    crossing: Crossing, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(crossing.root / "media", ignore_errors=True)
    monkeypatch.setattr("issbox.files.free_space", lambda _: 1 << 20)
    for form in FORMS:
        with pytest.raises(NoSpaceError, match="the bundle needs"):
            crossing.export(form)
        assert list((crossing.root / "media").iterdir()) == []
