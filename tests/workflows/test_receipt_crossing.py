"""Receipts across a gap: what the far side states, the near side understands in every form."""

import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from makers.boxes import KEY, Gap, make_gap

from issbox.bundle.slip import encode_short_slip, encode_slip
from issbox.errors import (
    BadSlipError,
    InvalidValueError,
    MistypedError,
    NotAReceiptError,
    NotFoundError,
    NotPermittedError,
    ReceiptError,
    ReceiptSignatureError,
    UnrecognisedReceiptError,
    UntrustedReceiptError,
)
from issbox.manifest import ScopeKind
from issbox.model import ContentExport, ImportMark, ReceiptForm, Role, Slip, SlipForm, SlipItem, SlipReason
from issbox.workflows.appliance import boxes
from issbox.workflows.content import catalog
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.exchange.receipts import MadeReceipt, create_receipt, write_receipt
from issbox.workflows.exchange.received import (
    acknowledged,
    chosen_receipt,
    delete_receipt,
    get_receipt,
    list_receipts,
    own_versions,
    read_receipt,
    receipt_base,
)
from issbox.workflows.exchange.slips import read_slip
from issbox.workflows.exports import ExportRequest, export, plan_export
from issbox.workflows.imports.by_hand import run_import
from issbox.workflows.people import users


@pytest.fixture
def gap(tmp_path: Path) -> Gap:
    """A gap whose outside holds two versions and trusts the inside."""
    gap = make_gap(tmp_path)
    synchronize(gap.outside.context(), KEY)
    boxes.add_trusted_key(gap.outside.context(), boxes.public_key(gap.inside.context()), "inside")
    return gap


def carry(gap: Gap, packages: int | None = None) -> ContentExport:
    """Export the newest version, import it on the other side, and give the export."""
    made = make_export(gap, packages)
    run_import(gap.inside.context(), Path(made.path))
    return made


def make_export(gap: Gap, packages: int | None = None) -> ContentExport:
    if packages is not None:
        gap.change_upstream(packages)
        synchronize(gap.outside.context(), KEY)
    ctx = gap.outside.context()
    request = ExportRequest(organization="acme", scope=ScopeKind.LIBRARY, destination="plant")
    return export(ctx, plan_export(ctx, request), gap.media)


def state(gap: Gap, *, with_packages: bool = False) -> MadeReceipt:
    return create_receipt(gap.inside.context(), "acme", with_packages=with_packages)


FORMS: dict[ReceiptForm, Callable[[Gap, MadeReceipt], str]] = {
    ReceiptForm.FILE: lambda gap, made: str(write_receipt(gap.inside.context(), made, gap.media / "x.receipt.json")),
    ReceiptForm.COMPACT: lambda _, made: made.compact,
    ReceiptForm.SHORT: lambda _, made: made.short[0][1].lower(),
}


@pytest.mark.parametrize("form", ReceiptForm)
def test_every_form_says_which_version_is_there(gap: Gap, form: ReceiptForm) -> None:
    first = carry(gap)
    made = state(gap)
    make_export(gap, 3)
    ctx = gap.outside.context()
    kept = read_receipt(ctx, FORMS[form](gap, made))
    assert (kept.form, kept.verified) == (form, form is not ReceiptForm.SHORT)
    (last,) = kept.receipt.imported
    assert (last.source_box, last.bundle_id, last.sequence) == (boxes.show(ctx).id, first.bundle_id, 1)
    assert kept.receipt.box.key_id == boxes.show(gap.inside.context()).key_id
    assert receipt_base(ctx, kept.receipt, [KEY]).versions == {KEY: 1}
    assert own_versions(ctx, kept) == {"custom/tools/base": 1}
    assert acknowledged(ctx, first) is kept.verified


@pytest.mark.parametrize("form", ReceiptForm)
def test_a_receipt_of_a_later_import_says_more(gap: Gap, form: ReceiptForm) -> None:
    carry(gap)
    second = carry(gap, 3)
    ctx = gap.outside.context()
    kept = read_receipt(ctx, FORMS[form](gap, state(gap)))
    assert receipt_base(ctx, kept.receipt, [KEY]).versions == {KEY: 2}
    assert acknowledged(ctx, second) is kept.verified


def test_a_skipped_bundle_is_named_and_not_acknowledged(gap: Gap) -> None:
    first, skipped, third = carry(gap), make_export(gap, 3), carry(gap, 1)
    made = state(gap)
    (last,) = made.receipt.imported
    assert (last.sequence, last.missing) == (3, ((2, 2),))
    ctx = gap.outside.context()
    read_receipt(ctx, made.compact)
    assert [acknowledged(ctx, each) for each in (first, skipped, third)] == [True, False, True]
    assert not acknowledged(ctx, replace(third, destination="elsewhere"))
    assert not acknowledged(ctx, replace(third, sequence=4))


def test_packages_are_listed_on_request(gap: Gap) -> None:
    carry(gap)
    assert state(gap).receipt.packages is None
    made = state(gap, with_packages=True)
    assert made.receipt.packages is not None
    assert made.receipt.packages.count == 2
    ctx = gap.outside.context()
    kept = read_receipt(ctx, FORMS[ReceiptForm.FILE](gap, made))
    base = receipt_base(ctx, kept.receipt, [KEY])
    with ctx.store.session():
        files = list(ctx.store.versions.files(KEY, 1))
    assert {file.path for file in files if file.sha256 in base.files} == {
        file.path for file in files if file.path.endswith(".rpm")
    }
    assert get_receipt(ctx, kept.id) == kept
    assert list_receipts(ctx) == [replace(kept, receipt=replace(kept.receipt, packages=None))]


def test_reading_a_receipt_again_changes_nothing(gap: Gap) -> None:
    carry(gap)
    text = state(gap).compact
    ctx = gap.outside.context()
    kept = read_receipt(ctx, text)
    assert read_receipt(ctx, f" {text.lower()}\n") == kept
    assert chosen_receipt(ctx, str(kept.id)) == chosen_receipt(ctx, text) == kept
    with ctx.store.session():
        assert [entry.action for entry in ctx.store.audit.list()].count("receipt.read") == 1


def test_forgetting_a_receipt_forgets_what_it_acknowledged(gap: Gap) -> None:
    first = carry(gap)
    ctx = gap.outside.context()
    kept = read_receipt(ctx, state(gap).compact)
    assert delete_receipt(ctx, kept.id) == kept
    assert list_receipts(ctx) == []
    assert not acknowledged(ctx, first)
    for use in (get_receipt, delete_receipt):
        with pytest.raises(NotFoundError):
            use(ctx, kept.id)


def test_a_strangers_receipt_acknowledges_nothing_until_its_key_is_trusted(gap: Gap) -> None:
    first = carry(gap)
    ctx = gap.outside.context()
    boxes.remove_trusted_key(ctx, "inside")
    text = state(gap).compact
    with pytest.raises(UntrustedReceiptError):
        read_receipt(ctx, text)
    assert list_receipts(ctx) == []
    kept = read_receipt(ctx, text, accept_untrusted=True)
    assert not kept.verified
    assert receipt_base(ctx, kept.receipt, [KEY]).versions == {KEY: 1}
    assert not acknowledged(ctx, first)
    boxes.add_trusted_key(ctx, boxes.public_key(gap.inside.context()), "inside")
    again = read_receipt(ctx, text)
    assert (again.id, again.verified) == (kept.id, True)
    assert acknowledged(ctx, first)


def test_exports_made_before_their_versions_were_recorded_are_recognised_too(gap: Gap) -> None:
    carry(gap)
    text = state(gap).short[0][1]
    make_export(gap, 3)
    ctx = gap.outside.context()
    with ctx.store.session():
        for each in ctx.store.exports.list():
            assert each.versions
            ctx.store.exports.update(each.id, versions=())
    assert receipt_base(ctx, read_receipt(ctx, text).receipt, [KEY]).versions == {KEY: 1}


def test_what_is_no_receipt_from_here_is_refused(gap: Gap, tmp_path: Path) -> None:
    carry(gap)
    made = state(gap)
    ctx = gap.outside.context()
    with pytest.raises(NotFoundError, match="neither a file nor the text"):
        read_receipt(ctx, "nowhere.receipt.json")
    for given, error in (
        (made.short[0][1][:-1], MistypedError),
        (made.compact[:-40], ReceiptSignatureError),
        ("x\0y", InvalidValueError),
        ("/dev/zero", InvalidValueError),
        (str(tmp_path), InvalidValueError),
    ):
        with pytest.raises(error):
            read_receipt(ctx, given)
    (tmp_path / "other").write_text("hello")
    with pytest.raises(NotAReceiptError):
        read_receipt(ctx, str(tmp_path / "other"))
    own = write_receipt(gap.inside.context(), made, tmp_path / "own.receipt.json")
    for given in (made.compact, str(own)):
        with pytest.raises(ReceiptError, match="this box itself"):
            read_receipt(gap.inside.context(), given)
    slip = tmp_path / "again.slip.json"
    slip.write_text('{"format": "issbox-slip", "format_version": 1}')
    for given in (str(slip), "IS1/4CZ5R/12V/3,7-9/M1F7K"):
        with pytest.raises(NotAReceiptError, match="a re-request slip and not a receipt"):
            read_receipt(ctx, given)
    assert list_receipts(ctx) == []


def test_a_short_text_is_refused_when_the_far_side_has_something_else(gap: Gap) -> None:
    carry(gap)
    text = state(gap).short[0][1]
    other = make_gap_elsewhere(gap)
    with pytest.raises(UnrecognisedReceiptError, match="no export"):
        read_receipt(other.outside.context(), text)
    # The other side synchronizes the repository itself now, from an upstream of its own.
    gap.change_upstream(4)
    inside = gap.inside.context()
    with inside.store.session():
        repository = inside.store.repositories.get(KEY)
        inside.store.repositories.update(KEY, upstream=replace(repository.upstream, url=gap.upstream.as_uri()))
    synchronize(inside, KEY)
    made = state(gap)
    with pytest.raises(UnrecognisedReceiptError, match="not what they held"):
        read_receipt(gap.outside.context(), made.short[0][1])
    kept = read_receipt(gap.outside.context(), made.compact)
    assert receipt_base(gap.outside.context(), kept.receipt, [KEY]).versions == {KEY: None}


def make_gap_elsewhere(gap: Gap) -> Gap:
    place = gap.media.parent / "elsewhere"
    place.mkdir()
    return make_gap(place)


def test_after_going_back_a_short_text_still_says_what_is_held(gap: Gap) -> None:
    first = carry(gap)
    carry(gap, 3)
    run_import(gap.inside.context(), Path(first.path), allow_older=True)
    ctx = gap.outside.context()
    kept = read_receipt(ctx, state(gap).short[0][1])
    assert kept.receipt.imported[0].sequence == 2
    assert receipt_base(ctx, kept.receipt, [KEY]).versions == {KEY: 1}


def test_who_may_do_what_with_receipts(gap: Gap) -> None:
    carry(gap)
    text = state(gap).compact
    admin = gap.outside.context()
    catalog.create_organization(admin, label="other", name="Other")
    for name, role, organization in (
        ("eve", Role.EXPORTER, "other"),
        ("vera", Role.VIEWER, "acme"),
        ("ed", Role.EXPORTER, "acme"),
    ):
        users.create_user(admin, name=name)
        users.grant_role(admin, name, role, organization=organization)
    eve, vera, ed = (admin.acting_as(name, "192.0.2.7") for name in ("eve", "vera", "ed"))
    with pytest.raises(NotPermittedError):
        read_receipt(vera, text)
    with pytest.raises(NotFoundError):
        read_receipt(eve, text)
    kept = read_receipt(ed, text)
    assert (kept.organization, kept.received_by) == ("acme", "ed")
    assert [len(list_receipts(each)) for each in (eve, vera, ed)] == [0, 1, 1]
    with pytest.raises(NotFoundError):
        get_receipt(eve, kept.id)
    with pytest.raises(NotPermittedError):
        delete_receipt(vera, kept.id)
    assert delete_receipt(ed, kept.id) == kept
    with pytest.raises(NotFoundError):
        create_receipt(eve, "acme")
    assert create_receipt(vera, "acme").receipt.organization.label == "acme"


def test_what_other_programs_sent_is_stated_without_a_source(gap: Gap) -> None:
    carry(gap)
    inside = gap.inside.context()
    with inside.store.session():
        inside.store.repositories.update(KEY, imported=ImportMark("katello: host/ACME", 3))
    kept = read_receipt(gap.outside.context(), FORMS[ReceiptForm.FILE](gap, state(gap)))
    assert [each.source_box for each in kept.receipt.repositories] == [None]
    assert receipt_base(gap.outside.context(), kept.receipt, [KEY]).versions == {KEY: 1}


def test_a_receipt_of_an_empty_box(gap: Gap) -> None:
    made = state(gap)
    assert (made.receipt.imported, made.receipt.repositories, made.short) == ((), (), ())
    ctx = gap.outside.context()
    kept = read_receipt(ctx, made.compact)
    assert receipt_base(ctx, kept.receipt, [KEY]).versions == {KEY: None}


def test_a_receipt_is_written_whole_and_where_it_was_asked_for(gap: Gap) -> None:
    ctx = gap.inside.context()
    made = state(gap)
    path = write_receipt(ctx, made)
    assert path.parent == ctx.settings.export.path
    assert path.name.endswith(".receipt.json")
    assert path.read_bytes() == made.file
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_standard_input_is_read(gap: Gap, monkeypatch: pytest.MonkeyPatch) -> None:
    carry(gap)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(state(gap).file)))
    assert read_receipt(gap.outside.context(), "-").form is ReceiptForm.FILE


def test_slips_are_read_in_each_form(gap: Gap, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_export(gap)
    ctx = gap.outside.context()
    slip = Slip(
        format="issbox-slip",
        format_version=1,
        created_at=made.created_at.replace(microsecond=0),
        box="inside",
        bundle_id=made.bundle_id,
        organization="acme",
        destination="plant",
        sequence=1,
        form=SlipForm.VOLUMES,
        items=(SlipItem(number=2, reason=SlipReason.MISSING), SlipItem(number=4, reason=SlipReason.DAMAGED)),
    )
    path = gap.media / "x.slip.json"
    path.write_bytes(encode_slip(slip))
    assert read_slip(ctx, str(path)) == slip
    text = encode_short_slip(slip)
    typed = read_slip(ctx, text.lower())
    assert (typed.bundle_id, typed.destination, typed.numbers) == (made.bundle_id, "plant", (2, 4))
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(text.encode())))
    assert read_slip(ctx, "-").numbers == (2, 4)
    with pytest.raises(NotFoundError, match="sequence number 1"):
        read_slip(gap.inside.context(), text)
    with pytest.raises(MistypedError):
        read_slip(ctx, text[:-1])
    with pytest.raises(NotFoundError):
        read_slip(ctx, "nowhere")
    path.write_text("[]")
    with pytest.raises(BadSlipError):
        read_slip(ctx, str(path))
