"""Receipts and slips: some to read, and hypothesis strategies for everything they can say."""

import base64
from datetime import UTC, datetime

from hypothesis import strategies as st

from issbox.model import (
    RECEIPT_FORMAT,
    RECEIPT_FORMAT_VERSION,
    SLIP_FORMAT,
    SLIP_FORMAT_VERSION,
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
from makers.bundle_strategies import digests, labels, names, numbers, paths
from makers.stores import sha256

NOW = datetime(2026, 11, 25, 18, 0, tzinfo=UTC)
BOX = "6c0c2d4e-4a3e-4d8b-9a53-0d6c5a1f2b3c"
SOURCE = "11111111-2222-4333-8444-555555555555"
BUNDLE = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"


def redhat_repository(number: int) -> ReceiptRepository:
    """Describe a repository with names as long as Red Hat's are."""
    label = f"Red_Hat_Enterprise_Linux_{number}_for_x86_64_-_AppStream_-_Extended_Update_Support_RPMs_9_{number}"
    return ReceiptRepository(
        product=f"Red_Hat_Enterprise_Linux_for_x86_64_-_Extended_Update_Support_{number}",
        label=label,
        path=f"content/eus/rhel9/9.{number}/x86_64/appstream/os",
        content_id=f"{12000 + number}",
        variables={"releasever": f"9.{number}", "basearch": "x86_64"},
        version=3 + number,
        repomd_sha256=sha256(label),
        source_box=SOURCE,
        source_version=100 + number,
    )


def make_receipt(key_id: str, repositories: int = 3, packages: int | None = None) -> Receipt:
    """Give a receipt of a box with this key."""
    return Receipt(
        format=RECEIPT_FORMAT,
        format_version=RECEIPT_FORMAT_VERSION,
        created_at=NOW,
        box=ReceiptBox(id=BOX, name="Plant north", key_id=key_id, software="issbox 1.0"),
        organization=ReceiptOrganization(label="ACME", name="ACME Corporation"),
        imported=(
            LastImport(source_box=SOURCE, destination="plant", bundle_id=BUNDLE, sequence=12, missing=((3, 3), (7, 9))),
        ),
        repositories=tuple(map(redhat_repository, range(repositories))),
        packages=None if packages is None else package_digests(packages),
    )


def package_digests(count: int) -> PackageDigests:
    """Give the digests of so many packages, named by their numbers."""
    found = sorted(bytes.fromhex(sha256(str(number)))[:16] for number in range(count))
    return PackageDigests(count=count, prefix_bytes=16, prefixes=base64.b64encode(b"".join(found)).decode())


def make_slip(*items: SlipItem, form: SlipForm = SlipForm.VOLUMES) -> Slip:
    """Give a slip that asks for these."""
    return Slip(
        format=SLIP_FORMAT,
        format_version=SLIP_FORMAT_VERSION,
        created_at=NOW,
        box="Plant north",
        bundle_id=BUNDLE,
        organization="ACME",
        destination="plant",
        sequence=12,
        form=form,
        items=items or (SlipItem(number=3, reason=SlipReason.MISSING),),
    )


ids = labels | st.uuids().map(str)
whole_seconds = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone
    timezones=st.just(UTC),
).map(lambda time: time.replace(microsecond=0))


@st.composite
def last_imports(draw: st.DrawFn) -> LastImport:
    """Give how far one source was imported, with any gaps."""
    imported = draw(st.lists(st.integers(1, 40), min_size=1, max_size=12, unique=True))
    missing, expected = [], 1
    for sequence in sorted(imported):
        if sequence > expected:
            missing.append((expected, sequence - 1))
        expected = sequence + 1
    return LastImport(
        source_box=draw(ids),
        destination=draw(st.just("") | names),
        bundle_id=draw(ids),
        sequence=max(imported),
        missing=tuple(missing),
    )


receipt_repositories = st.builds(
    ReceiptRepository,
    product=labels,
    label=labels,
    path=paths,
    content_id=labels,
    repomd_sha256=digests,
    variables=st.dictionaries(names, names, max_size=2),
    version=st.none() | numbers.filter(bool),
    source_box=st.none() | ids,
    source_version=st.none() | numbers.filter(bool),
)
packages = st.none() | st.integers(0, 20).map(package_digests)


def receipts(key_id: str) -> st.SearchStrategy[Receipt]:
    """Give receipts that keep every rule, of a box with this key."""
    return st.builds(
        Receipt,
        format=st.just(RECEIPT_FORMAT),
        format_version=st.just(RECEIPT_FORMAT_VERSION),
        created_at=whole_seconds,
        box=st.builds(ReceiptBox, id=ids, name=names, key_id=st.just(key_id), software=names),
        organization=st.builds(ReceiptOrganization, label=labels, name=st.just("") | names),
        imported=st.lists(last_imports(), max_size=3, unique_by=lambda last: (last.source_box, last.destination)).map(
            tuple
        ),
        repositories=st.lists(receipt_repositories, max_size=4, unique_by=lambda each: each.path).map(tuple),
        packages=packages,
    )


slip_items = st.builds(
    SlipItem,
    number=st.integers(1, 999_999),
    reason=st.sampled_from(SlipReason),
    detail=st.just("") | names,
    files=st.lists(paths, max_size=3).map(tuple),
)
slips = st.builds(
    Slip,
    format=st.just(SLIP_FORMAT),
    format_version=st.just(SLIP_FORMAT_VERSION),
    created_at=whole_seconds,
    box=st.just("") | names,
    bundle_id=ids,
    organization=labels,
    destination=st.just("") | names,
    sequence=numbers,
    form=st.sampled_from(SlipForm),
    items=st.lists(slip_items, min_size=1, max_size=6, unique_by=lambda item: item.number).map(
        lambda items: tuple(sorted(items, key=lambda item: item.number))
    ),
)
