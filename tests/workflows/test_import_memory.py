"""The memory of an import does not grow with the files of the bundle, in any form."""

import tracemalloc
from pathlib import Path

import pytest
from makers.crossings import parts_of
from makers.exports import KEY, make_box, write
from makers.inboxes import make_context

from benchmarks.importing import make_upstream
from issbox.model import BundleForm, ImportState
from issbox.workflows.appliance import boxes
from issbox.workflows.content import catalog, repositories
from issbox.workflows.content.synchronize import synchronize
from issbox.workflows.imports.by_hand import run_import


def peak_of_import(root: Path, form: BundleForm, count: int) -> int:
    """Give the bytes that Python takes at most while it imports so many small packages."""
    make_upstream(root / "upstream", range(count), 50)
    sender = make_box(root / "sender")
    catalog.create_product(sender, organization="acme", label="tools", name="Tools")
    url = (root / "upstream").as_uri()
    repositories.create_repository(sender, organization="acme", product="tools", label="base", name="Base", url=url)
    synchronize(sender, KEY)
    bundle = parts_of(write(sender, root / "media", form=form, destination="ship"))[0]
    receiver = make_context(root / "receiver", trusted=boxes.signing_key(sender))
    tracemalloc.start()
    try:
        (done,) = run_import(receiver, bundle)
        assert done.state is ImportState.IMPORTED
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@pytest.mark.parametrize("form", [BundleForm.DIRECTORY, BundleForm.TAR, BundleForm.ISO])
def test_memory_hardly_grows_with_the_files_of_a_bundle(tmp_path: Path, form: BundleForm) -> None:
    peak_of_import(tmp_path / "first", form, 10)  # modules are imported
    few, many = (peak_of_import(tmp_path / str(count), form, count) for count in (2_500, 7_500))
    assert many < 1.3 * few, (few, many)
