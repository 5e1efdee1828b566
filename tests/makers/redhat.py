"""A box with Red Hat repositories, as a subscription manifest and enabling make them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from issbox.model import Content, Product, ProductKind, Repository, RepositoryKey
from issbox.workflows.context import Context
from makers.boxes import Side, initialize_box

RHEL = RepositoryKey("acme", "rhel", "baseos")
RHEL_PATH = "content/dist/rhel9/9/x86_64/baseos/os"
BASEOS = Content(
    "4711",
    "rhel-9-for-x86_64-baseos-rpms",
    "Red Hat Enterprise Linux 9 for x86_64 - BaseOS (RPMs)",
    "/content/dist/rhel9/$releasever/$basearch/baseos/os",
    arches=("x86_64",),
)
VARIABLES = {"releasever": "9", "basearch": "x86_64"}


def make_plain_box(state: Path, **synchronize: Any) -> Context:
    """Make a box with the organization acme and nothing in it, whose downloads are not repeated."""
    side = Side(state)
    initialize_box(side.environment(), state.name)
    ctx = side.context()
    settings = replace(ctx.settings.synchronize, **{"retries": 0, "timeout_seconds": 20.0, **synchronize})
    return replace(ctx, settings=replace(ctx.settings, synchronize=settings))


def add_redhat(ctx: Context, key: RepositoryKey = RHEL, path: str = RHEL_PATH) -> None:
    """Make a Red Hat product with one repository, in the store itself: only a manifest may."""
    content = replace(BASEOS, id="4711" if key == RHEL else key.label)
    with ctx.store.session(), ctx.store.transaction():
        if key.product not in {each.label for each in ctx.store.products.list(key.organization)}:
            ctx.store.products.create(Product(key.organization, key.product, "RHEL", ProductKind.REDHAT))
        ctx.store.repositories.create(Repository(key, "BaseOS", content, path, VARIABLES))
