"""What a box keeps: rows in SQLite or PostgreSQL, blobs by digest, and the published trees made of them."""

from typing import TYPE_CHECKING, Final

import issbox.store.late_driver  # noqa: F401 - loads peewee without drivers, before anything below loads it
from issbox.on_demand import on_demand
from issbox.store.opening import Store, create_store, holds_box, open_store

if TYPE_CHECKING:
    from issbox.store.disk.batches import Batch
    from issbox.store.disk.tree_files import OpenFile, open_below
    from issbox.store.disk.trees import Trees
    from issbox.store.drafts import Draft
    from issbox.store.products import UNCHANGED

__all__ = [
    "UNCHANGED",
    "Batch",
    "Draft",
    "OpenFile",
    "Store",
    "Trees",
    "create_store",
    "holds_box",
    "open_below",
    "open_store",
]

_LATE: Final = {
    "disk.batches": "Batch",
    "drafts": "Draft",
    "products": "UNCHANGED",
    "disk.tree_files": "OpenFile open_below",
    "disk.trees": "Trees",
}

if not TYPE_CHECKING:
    __getattr__ = on_demand(__name__, _LATE)
