"""What a box keeps: rows in SQLite or PostgreSQL, blobs by digest, and the published trees made of them."""

import issbox.store.late_driver  # noqa: F401 - loads peewee without drivers, before anything below loads it
from issbox.store.batches import Batch
from issbox.store.blobs import BlobStore
from issbox.store.drafts import Draft
from issbox.store.opening import Store, create_store, open_store
from issbox.store.products import UNCHANGED
from issbox.store.tree_files import OpenFile, open_below
from issbox.store.trees import Trees

__all__ = [
    "UNCHANGED",
    "Batch",
    "BlobStore",
    "Draft",
    "OpenFile",
    "Store",
    "Trees",
    "create_store",
    "open_below",
    "open_store",
]
