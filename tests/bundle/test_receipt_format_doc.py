"""docs/receipt-format.md: its commands work, and what it says is what the code does."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import fields, replace
from pathlib import Path

import pytest
from makers.bundles import new_key
from makers.receipts import make_receipt, make_slip

from issbox.bundle.compact_receipt import encode_compact
from issbox.bundle.qr import QUIET_ZONE, make_qr
from issbox.bundle.receipt import MAX_RECEIPT, encode_receipt
from issbox.bundle.short_receipt import encode_short, short_receipt
from issbox.bundle.signature import SigningKey
from issbox.bundle.slip import MAX_SLIP, SHORT_SLIP_PREFIX, encode_short_slip
from issbox.model import (
    LastImport,
    PackageDigests,
    Receipt,
    ReceiptBox,
    ReceiptOrganization,
    ReceiptRepository,
    Slip,
    SlipForm,
    SlipItem,
    SlipReason,
)
from issbox.rules.bundles.receipts import MAX_MISSING
from issbox.rules.bundles.slips import MAX_FILES, MAX_ITEMS, MAX_SLIP_NUMBER
from issbox.rules.bundles.typed_text import ALPHABET

DOC = (Path(__file__).parents[2] / "docs" / "receipt-format.md").read_text()
(SHELL,) = re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL)
TOOLS = ("openssl", "jq", "sha256sum", "base64")
needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in TOOLS), reason="openssl, jq or coreutils are not installed"
)


@pytest.fixture(scope="module")
def key() -> SigningKey:
    return new_key()


def run_block(directory: Path, receipt: bytes, public_pem: str) -> subprocess.CompletedProcess[str]:
    (directory / "x.receipt.json").write_bytes(receipt)
    (directory / "box.pem").write_text(public_pem)
    environment = os.environ | {"RECEIPT": str(directory / "x.receipt.json"), "KEY": str(directory / "box.pem")}
    return subprocess.run(["sh", "-c", SHELL], env=environment, capture_output=True, text=True, check=False)


@needs_tools
def test_the_documented_commands_accept_a_receipt_and_refuse_a_changed_one(tmp_path: Path, key: SigningKey) -> None:
    receipt = encode_receipt(make_receipt(key.key_id, 5, 100), key)
    done = run_block(tmp_path, receipt, key.public_pem)
    assert done.returncode == 0, done.stderr
    assert run_block(tmp_path, receipt, new_key().public_pem).returncode != 0
    for old, new in ((b"Plant north", b"Plant south"), (key.key_id[:9].encode(), b"000000000")):
        assert run_block(tmp_path, receipt.replace(old, new), key.public_pem).returncode != 0
    document = json.loads(receipt)
    document["key_id"] = new_key().key_id
    assert run_block(tmp_path, json.dumps(document).encode(), key.public_pem).returncode != 0


@needs_tools
def test_a_statement_in_any_script_is_checked_byte_by_byte(tmp_path: Path, key: SigningKey) -> None:
    receipt = make_receipt(key.key_id)
    named = replace(receipt, box=replace(receipt.box, name='Büro "Ost" \\ 東 \U0001f4e6'))
    assert run_block(tmp_path, encode_receipt(named, key), key.public_pem).returncode == 0


def test_every_field_is_described() -> None:
    kinds = (Receipt, ReceiptBox, ReceiptOrganization, LastImport, ReceiptRepository, PackageDigests, Slip, SlipItem)
    for name in sorted({field.name for kind in kinds for field in fields(kind)}):
        assert re.search(rf"`[a-z_.\[\]]*\b{name}(\[\]|\.[a-z_]+)?`", DOC), f"{name} is not described"
    for word in (*SlipForm, *SlipReason):
        assert f"`{word}`" in DOC


def test_the_numbers_of_the_document_are_those_of_the_code(key: SigningKey) -> None:
    assert f"object of at most {MAX_RECEIPT >> 20} MiB:" in DOC
    assert f"object of at most {MAX_SLIP >> 20} MiB." in DOC
    assert f"ascending, at most {MAX_MISSING} " in DOC
    assert f"1 to {MAX_ITEMS} of them" in DOC
    assert f"number up to {MAX_SLIP_NUMBER}" in DOC
    assert f"at most {MAX_FILES} damaged files" in DOC
    assert f"`{ALPHABET}`" in DOC
    width = make_qr(encode_compact(make_receipt(key.key_id, 50), key)).width - 2 * QUIET_ZONE
    assert f"a code of {width} by {width} modules" in DOC


def test_the_texts_look_as_the_document_says(key: SigningKey) -> None:
    receipt = make_receipt(key.key_id)
    assert re.fullmatch(r"IB1(-[0-9A-Z]{5}){6}", encode_short(short_receipt(receipt, receipt.imported[0])))
    assert re.fullmatch(r"IBC1:[0-9A-Z]+", encode_compact(receipt, key))
    assert re.fullmatch(r"IS1/[0-9A-Z]{5}/12V/3/[0-9A-Z]{5}", encode_short_slip(make_slip()))
    assert SHORT_SLIP_PREFIX == "IS1/"
