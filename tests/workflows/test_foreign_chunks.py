"""A table of contents that nobody signed does not take what lies in another organization's folder."""

from pathlib import Path

from makers.bundles import new_key
from makers.inboxes import make_context, now
from makers.tar_streams import write_set

from issbox.model import ImportState
from issbox.workflows.imports.importing import import_bundle
from issbox.workflows.inbox import inbox


def test_a_refused_set_takes_no_chunk_of_another_organization(tmp_path: Path) -> None:
    ctx = make_context(tmp_path / "box", trusted=new_key())
    with ctx.store.session(), ctx.store.transaction():
        ctx.store.organizations.create("other", "Other")
    own, theirs = (ctx.settings.inbox.path / label for label in ("acme", "other"))
    for folder in (own, theirs):
        folder.mkdir()
    write_set(own, new_key())
    table = next(own.glob("*.toc.json"))
    chunk = min(own.glob("*.tgz.*"))
    chunk.rename(theirs / chunk.name)
    with ctx.store.session():
        row = ctx.store.imports.add(str(table), inbox=True, organization="acme", first_seen=now())
    refused = inbox.finish_bundle(ctx, import_bundle(ctx, row.id))
    assert refused.state is ImportState.REFUSED
    assert not table.exists()
    assert not list(own.iterdir())
    assert (theirs / chunk.name).exists()
    inbox.discard(ctx, row.id)
    assert (theirs / chunk.name).exists()
